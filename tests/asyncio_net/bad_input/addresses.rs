//! Ports, addresses, paths and names that cannot be had.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;

use hilos::asyncio::{self, AddressFamily, Result};

use super::{Nothing, ignore, refused};
use crate::support::{SocketPath, fails, run};

#[test]
fn a_port_in_use() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let words = format!(
            "error while attempting to bind on address ('127.0.0.1', {port}): \
             [errno 98] address already in use"
        );
        let start = asyncio::start_server(ignore, "127.0.0.1", port).await;
        let exception = start.map(drop).unwrap_err();
        assert_eq!(exception.to_string(), format!("[Errno 98] {words}"));
        assert_eq!(exception.repr(), format!("OSError(98, \"{words}\")"));
        let event_loop = asyncio::get_running_loop()?;
        let taken = UdpSocket::bind("127.0.0.1:0")?;
        let create = event_loop.create_datagram_endpoint(|| Nothing);
        let create = create.with_local_addr("127.0.0.1", taken.local_addr()?.port());
        refused(create.await, "OSError", "[Errno 98] Address already in use");
        Ok(())
    });
}

#[test]
fn an_address_of_another_machine() {
    run(async {
        let start = asyncio::start_server(ignore, "192.0.2.1", 0).await;
        let message = "could not bind on any address out of [('192.0.2.1', 0)]";
        refused(start, "OSError", message);
        Ok(())
    });
}

#[test]
fn a_port_that_nobody_listens_on() {
    run(async {
        let unused = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let words = format!("Connect call failed ('127.0.0.1', {unused})");
        let exception = asyncio::open_connection("127.0.0.1", unused).await;
        let exception = exception.map(drop).unwrap_err();
        assert_eq!(exception.to_string(), format!("[Errno 111] {words}"));
        let repr = format!("ConnectionRefusedError(111, \"{words}\")");
        assert_eq!(exception.repr(), repr);
        Ok(())
    });
}

#[test]
fn a_path_that_is_no_socket() {
    let path = SocketPath::new("bad-path");
    run(async move {
        let at = path.path();
        std::fs::write(at, "")?;
        let start = asyncio::start_unix_server(ignore, at).await;
        let message = format!("[Errno 98] Address '{}' is already in use", at.display());
        refused(start, "OSError", &message);
        let message = "[Errno 111] Connection refused";
        let open = asyncio::open_unix_connection(at).await;
        refused(open, "ConnectionRefusedError", message);
        std::fs::remove_file(at)?;
        drop(UnixListener::bind(at)?);
        let open = asyncio::open_unix_connection(at).await;
        refused(open, "ConnectionRefusedError", message);

        let directory = at.parent().unwrap().to_owned();
        let start = asyncio::start_unix_server(ignore, &directory).await;
        let shown = directory.display();
        let message = format!("[Errno 98] Address '{shown}' is already in use");
        refused(start, "OSError", &message);
        let open = asyncio::open_unix_connection(&directory).await;
        let message = "[Errno 111] Connection refused";
        refused(open, "ConnectionRefusedError", message);
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_datagram_endpoint(|| Nothing);
        let create = create.with_local_path(&directory).await;
        refused(create, "OSError", "[Errno 98] Address already in use");
        let create = event_loop.create_datagram_endpoint(|| Nothing);
        let create = create.with_remote_path("/no/such/socket").await;
        let message = "[Errno 2] No such file or directory";
        refused(create, "FileNotFoundError", message);
        Ok(())
    });
}

#[test]
fn a_path_that_cannot_be() {
    run(async {
        let message = "[Errno 2] No such file or directory";
        let open = asyncio::open_unix_connection("/no/such/socket").await;
        let exception = open.map(drop).unwrap_err();
        assert_eq!(
            exception.repr(),
            "FileNotFoundError(2, 'No such file or directory')"
        );
        assert_eq!(exception.to_string(), message);
        let start = asyncio::start_unix_server(ignore, "/no/such/socket").await;
        refused(start, "FileNotFoundError", message);
        let long = "/x".repeat(200);
        let open = asyncio::open_unix_connection(&long).await;
        refused(open, "OSError", "AF_UNIX path too long");
        let start = asyncio::start_unix_server(ignore, &long).await;
        refused(start, "OSError", "AF_UNIX path too long");
        Ok(())
    });
}

/// The resolver's words differ where there is no network, but not their form.
#[track_caller]
fn is_unknown<T>(result: Result<T>) {
    let message = fails(result.map(drop), "gaierror");
    let known = [
        "[Errno -2] Name or service not known",
        "[Errno -3] Temporary failure in name resolution",
        "[Errno -5] No address associated with hostname",
    ];
    assert!(known.contains(&message.as_str()), "{message}");
}

#[test]
fn a_name_that_does_not_resolve() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let unknown = "no-such-host.invalid";
        is_unknown(asyncio::open_connection(unknown, 80).await);
        is_unknown(asyncio::start_server(ignore, unknown, 80).await);
        let create = event_loop.create_datagram_endpoint(|| Nothing);
        is_unknown(create.with_remote_addr(unknown, 80).await);
        is_unknown(
            event_loop
                .getaddrinfo(unknown, 80, AddressFamily::Unspec)
                .await,
        );
        let words = "[Errno -1] Bad value for ai_flags";
        let names = event_loop.getnameinfo("127.0.0.1:80".parse()?, 1 << 20);
        refused(names.await, "gaierror", words);
        Ok(())
    });
}
