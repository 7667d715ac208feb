//! Where connections come from and go to: names, addresses, ports, paths, and what is refused.

use std::net::TcpListener;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use hilos::asyncio::{self, AddressFamily, Protocol, Result, StreamReader, StreamWriter};

use crate::support::{SocketPath, fails, port, run};

struct Nothing;
impl Protocol for Nothing {}

async fn close(_: StreamReader, writer: StreamWriter) -> Result<()> {
    writer.close();
    Ok(())
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_getnameinfo
#[test]
fn a_name_is_looked_up() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let found = event_loop
            .getaddrinfo("localhost", 80, AddressFamily::Inet)
            .await?;
        assert_eq!(found, ["127.0.0.1:80".parse()?]);
        let names = event_loop.getnameinfo(found[0], libc::NI_NUMERICHOST | libc::NI_NUMERICSERV);
        assert_eq!(names.await?, ("127.0.0.1".to_owned(), "80".to_owned()));
        let server = asyncio::start_server(close, "localhost", 0);
        let server = server.with_family(AddressFamily::Inet).await?;
        let open = asyncio::open_connection("localhost", port(&server));
        let (reader, writer) = open.with_family(AddressFamily::Inet).await?;
        assert_eq!(reader.read_to_end().await?, b"");
        writer.close();
        server.close();
        Ok(())
    });
}

#[test]
fn a_name_that_is_not_known_is_an_error() {
    run(async {
        let open = asyncio::open_connection("no-such-host.invalid", 80).await;
        assert_ne!(fails(open.map(drop), "gaierror"), "");
        Ok(())
    });
}

#[test]
fn a_port_in_use_is_an_error() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let event_loop = asyncio::get_running_loop()?;
        let server = event_loop
            .create_server(|| Nothing, "127.0.0.1", port)
            .await;
        let message = fails(server, "OSError");
        let expected = format!(
            "[Errno 98] error while attempting to bind on address ('127.0.0.1', {port}): \
             [errno 98] address already in use"
        );
        assert_eq!(message, expected);
        Ok(())
    });
}

#[test]
fn several_servers_share_a_port_when_they_may() {
    run(async {
        let first = asyncio::start_server(close, "127.0.0.1", 0)
            .with_reuse_port(true)
            .await?;
        let port = port(&first);
        let second = asyncio::start_server(close, "127.0.0.1", port)
            .with_reuse_port(true)
            .await?;
        let third = asyncio::start_server(close, "127.0.0.1", port).await;
        fails(third, "OSError");
        first.close();
        second.close();
        Ok(())
    });
}

#[test]
fn a_server_listens_on_several_hosts() {
    run(async {
        let server = asyncio::start_server(close, ["127.0.0.1", "127.0.0.2"], 0).await?;
        assert_eq!(server.sockets().len(), 2);
        for socket in server.sockets() {
            let address = socket.getsockname()?.as_inet().unwrap();
            let host = address.ip().to_string();
            let (_, writer) = asyncio::open_connection(&host, address.port()).await?;
            writer.close();
        }
        server.close();
        Ok(())
    });
}

#[test]
fn a_client_says_where_it_comes_from() {
    run(async {
        let server = asyncio::start_server(
            async |_, writer: StreamWriter| {
                let peername = writer.get_extra_info("peername").unwrap();
                writer.write(
                    peername
                        .as_address()
                        .unwrap()
                        .as_inet()
                        .unwrap()
                        .ip()
                        .to_string(),
                )?;
                writer.close();
                Ok(())
            },
            "127.0.0.1",
            0,
        )
        .await?;
        let open = asyncio::open_connection("127.0.0.1", port(&server));
        let (reader, writer) = open.with_local_addr("127.0.0.3", 0).await?;
        assert_eq!(reader.read_to_end().await?, b"127.0.0.3");
        writer.close();
        server.close();
        Ok(())
    });
}

#[test]
fn each_address_may_tell_why_it_failed() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let unused = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let create = event_loop.create_connection(|| Nothing, "127.0.0.1", unused);
        let exception = create.with_all_errors(true).await.map(drop).unwrap_err();
        let group = exception.group().unwrap();
        assert_eq!(group.message(), "create_connection failed");
        assert_eq!(group.exceptions()[0].type_name(), "ConnectionRefusedError");
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_server_existing_path_sock
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_server_existing_path_nonsock
#[test]
fn the_socket_of_a_server_that_is_gone_is_replaced_and_nothing_else() {
    let path = SocketPath::new("existing");
    let at = path.path().to_owned();
    run(async move {
        drop(UnixListener::bind(&at)?);
        assert!(at.exists());
        let event_loop = asyncio::get_running_loop()?;
        event_loop
            .create_unix_server(|| Nothing, &at)
            .await?
            .close();
        std::fs::write(&at, "a file of somebody's")?;
        let server = event_loop.create_unix_server(|| Nothing, &at).await;
        let message = fails(server, "OSError");
        assert_eq!(
            message,
            format!("[Errno 98] Address '{}' is already in use", at.display())
        );
        assert!(at.exists());
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_server_path_inetsock
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_server_path_dgram
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_server_bind_error
#[test]
fn a_socket_of_the_wrong_kind_is_refused() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let inet = TcpListener::bind("127.0.0.1:0")?;
        let message = fails(
            event_loop.create_unix_server_on(|| Nothing, inet).await,
            "ValueError",
        );
        assert!(message.starts_with("A UNIX Domain Stream Socket was expected, got "));
        let datagrams = UnixDatagram::unbound()?;
        let message = fails(
            event_loop.create_server_on(|| Nothing, datagrams).await,
            "ValueError",
        );
        assert!(message.starts_with("A Stream Socket was expected, got "));
        let nowhere = event_loop.create_unix_server(|| Nothing, "/no/such/directory/socket");
        fails(nowhere.await, "FileNotFoundError");
        let nobody = event_loop.create_unix_connection(|| Nothing, "/no/such/socket");
        fails(nobody.await.map(drop), "FileNotFoundError");
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_connection_path_inetsock
#[test]
fn a_connection_by_a_path_takes_only_sockets_of_that_kind() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let inet = std::net::TcpStream::connect(listener.local_addr()?)?;
        let create = event_loop.create_unix_connection_over(|| Nothing, inet);
        let message = fails(create.await.map(drop), "ValueError");
        let start = "A UNIX Domain Stream Socket was expected, got <socket.socket fd=";
        assert!(message.starts_with(start), "{message}");
        let (ours, _theirs) = UnixStream::pair()?;
        let create = event_loop.create_unix_connection_over(|| Nothing, ours);
        create.await?.0.close();
        Ok(())
    });
}

#[test]
fn a_name_in_no_file_system_will_do() {
    run(async {
        let name = format!("\0hilos-test-{}", std::process::id());
        let server = asyncio::start_unix_server(close, &name).await?;
        let (reader, writer) = asyncio::open_unix_connection(&name).await?;
        assert_eq!(reader.read_to_end().await?, b"");
        writer.close();
        server.close();
        Ok(())
    });
}

#[test]
fn a_connection_attempt_can_be_cancelled() {
    run(async {
        // The backlog of one is full, so that the next client waits for ever.
        let server = asyncio::start_server(close, "127.0.0.1", 0);
        let server = server.with_backlog(0).with_start_serving(false).await?;
        let socket = &server.sockets()[0];
        socket.with_fd(|fd| {
            nix::sys::socket::listen(&fd, nix::sys::socket::Backlog::new(0).unwrap())
        })??;
        let port = port(&server);
        let mut open = Vec::new();
        let exception = loop {
            match asyncio::wait_for(
                async move { asyncio::open_connection("127.0.0.1", port).await },
                0.05,
            )
            .await
            {
                Ok(connection) => open.push(connection),
                Err(exception) => break exception,
            }
        };
        assert!(exception.is_timeout());
        server.close();
        Ok(())
    });
}
