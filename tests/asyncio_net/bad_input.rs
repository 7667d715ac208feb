//! What is asked for in vain: Python's error each, by its type and its words.

use std::cell::RefCell;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};

use hilos::asyncio::subprocess::{PIPE, STDOUT};
use hilos::asyncio::{
    self, Address, AddressFamily, DatagramProtocol, Exception, Protocol, Result, StreamReader,
    StreamWriter,
};

use crate::support::{SocketPath, fails, port, run, watch};

struct Nothing;
impl Protocol for Nothing {}
impl DatagramProtocol for Nothing {}

async fn ignore(_: StreamReader, _: StreamWriter) -> Result<()> {
    Ok(())
}

const NONE: [&str; 0] = [];

/// Checks the type and the words of what a call failed with.
#[track_caller]
fn refused<T>(result: Result<T>, type_name: &str, message: &str) {
    assert_eq!(fails(result.map(drop), type_name), message);
}

#[test]
fn a_limit_below_one() {
    run(async {
        let message = "Limit cannot be <= 0";
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let open = asyncio::open_connection("127.0.0.1", port);
        refused(open.with_limit(0).await, "ValueError", message);
        let start = asyncio::start_server(ignore, "127.0.0.1", 0);
        refused(start.with_limit(0).await, "ValueError", message);
        let start = asyncio::create_subprocess_exec("true", NONE).with_stdout(PIPE);
        refused(start.with_limit(0).await, "ValueError", message);
        refused(StreamReader::with_limit(0), "ValueError", message);
        Ok(())
    });
}

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

#[test]
fn a_line_without_end() {
    run(async {
        let reader = StreamReader::with_limit(4)?;
        reader.feed_data(b"abcdefgh");
        let message = "Separator is not found, and chunk exceed the limit";
        refused(reader.readline().await, "ValueError", message);
        assert_eq!(reader.to_string(), "<StreamReader limit=4>");
        reader.feed_data(b"abcdefgh\nij\n");
        let message = "Separator is found, but chunk is longer than limit";
        refused(reader.readuntil(b"\n").await, "LimitOverrunError", message);
        assert_eq!(reader.to_string(), "<StreamReader 12 bytes limit=4>");
        refused(reader.readline().await, "ValueError", message);
        assert_eq!(reader.readline().await?, b"ij\n");
        reader.feed_data(b"ab");
        reader.feed_eof();
        let message = "2 bytes read on a total of 3 expected bytes";
        refused(reader.readexactly(3).await, "IncompleteReadError", message);
        let message = "0 bytes read on a total of undefined expected bytes";
        refused(
            reader.readuntil(b"\n").await,
            "IncompleteReadError",
            message,
        );
        Ok(())
    });
}

#[test]
fn a_separator_of_nothing() {
    run(async {
        let reader = StreamReader::new();
        let message = "Separator should be at least one-byte string";
        refused(reader.readuntil(b"").await, "ValueError", message);
        let some: [&[u8]; 2] = [b"a", b""];
        refused(reader.readuntil(some).await, "ValueError", message);
        let none: [&[u8]; 0] = [];
        let message = "Separator should contain at least one element";
        refused(reader.readuntil(none).await, "ValueError", message);
        Ok(())
    });
}

#[test]
fn reading_by_two_at_once() {
    run(async {
        let reader = StreamReader::new();
        let first = reader.clone();
        let first = asyncio::create_task(async move { first.read(1).await });
        asyncio::sleep(0).await?;
        let message = |name: &str| {
            format!("{name}() called while another coroutine is already waiting for incoming data")
        };
        refused(reader.read(1).await, "RuntimeError", &message("read"));
        refused(
            reader.readexactly(2).await,
            "RuntimeError",
            &message("readexactly"),
        );
        refused(
            reader.readuntil(b"x").await,
            "RuntimeError",
            &message("readuntil"),
        );
        refused(
            reader.readline().await,
            "RuntimeError",
            &message("readuntil"),
        );
        refused(reader.read_to_end().await, "RuntimeError", &message("read"));
        refused(reader.next().await, "RuntimeError", &message("readuntil"));
        // The first is not disturbed.
        reader.feed_data(b"ab");
        assert_eq!(first.await?, b"a");
        assert_eq!(reader.readexactly(1).await?, b"b");
        Ok(())
    });
}

#[test]
fn reading_by_two_of_whom_the_second_is_quicker() {
    run(async {
        let reader = StreamReader::new();
        let first = reader.clone();
        let first = asyncio::create_task(async move { first.readexactly(1).await });
        asyncio::sleep(0).await?;
        // It is woken, but finds nothing left, and somebody who waits.
        reader.feed_data(b"x");
        assert_eq!(reader.read(1).await?, b"x");
        let feeding = reader.clone();
        asyncio::get_running_loop()?.call_later(0.01, move || feeding.feed_data(b"y"))?;
        assert_eq!(reader.readexactly(1).await?, b"y");
        fails(first.await, "RuntimeError");
        Ok(())
    });
}

#[test]
fn writing_after_the_end() {
    run(async {
        let server = asyncio::start_server(ignore, "127.0.0.1", 0).await?;
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        writer.write_eof()?;
        let message = "Cannot call write() after write_eof()";
        refused(writer.write(b"x"), "RuntimeError", message);
        let message = "Cannot call writelines() after write_eof()";
        refused(writer.writelines([b"x"]), "RuntimeError", message);
        writer.close();
        writer.wait_closed().await?;
        let lost = writer.drain().await;
        assert_eq!(
            lost.as_ref().unwrap_err().repr(),
            "ConnectionResetError('Connection lost')"
        );
        refused(lost, "ConnectionResetError", "Connection lost");
        assert_eq!(reader.read_to_end().await?, b"");

        // Without an end before it, what is written after the close is lost without a word.
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        writer.close();
        writer.write(b"x")?;
        writer.writelines([b"x"])?;
        writer.write_eof()?;
        writer.wait_closed().await?;
        writer.write(b"x")?;
        refused(
            writer.drain().await,
            "ConnectionResetError",
            "Connection lost",
        );

        // An aborted connection is lost a little later, and its writer knows.
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        writer.transport().abort();
        asyncio::sleep(0).await?;
        writer.write(b"x")?;
        let lost = writer.drain().await;
        refused(lost, "ConnectionResetError", "Connection lost");
        server.close();
        Ok(())
    });
}

#[test]
fn water_marks_the_wrong_way_round() {
    run(async {
        let server = asyncio::start_server(ignore, "127.0.0.1", 0).await?;
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        let message = "high (1) must be >= low (2) must be >= 0";
        let set = writer.transport().set_write_buffer_limits(1, 2);
        refused(set, "ValueError", message);
        let marks = writer.transport().get_write_buffer_limits();
        assert_eq!(marks, (16 * 1024, 64 * 1024));
        writer.close();
        server.close();
        Ok(())
    });
}

#[test]
fn a_server_that_is_closed() {
    run(async {
        let server = asyncio::start_server(ignore, "127.0.0.1", 0).await?;
        server.close();
        let message = "server <Server sockets=()> is closed";
        refused(server.serve_forever().await, "RuntimeError", message);
        refused(server.start_serving().await, "RuntimeError", message);
        Ok(())
    });
}

#[test]
fn a_socket_of_another_kind() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let stream = || TcpListener::bind("127.0.0.1:0");
        let shown = |socket: &TcpListener| {
            use std::os::fd::AsRawFd;
            let (fd, port) = (socket.as_raw_fd(), socket.local_addr()?.port());
            let shown = format!("fd={fd}, family=2, type=1, proto=6, laddr=('127.0.0.1', {port})");
            Ok::<_, Exception>(format!("<socket.socket {shown}>"))
        };
        let socket = stream()?;
        let message = format!(
            "A UNIX Domain Stream Socket was expected, got {}",
            shown(&socket)?
        );
        let create = event_loop.create_unix_server_on(|| Nothing, socket).await;
        refused(create, "ValueError", &message);
        let socket = stream()?;
        let message = format!("A datagram socket was expected, got {}", shown(&socket)?);
        let create = event_loop.create_datagram_endpoint(|| Nothing);
        refused(create.with_sock(socket).await, "ValueError", &message);
        let create = event_loop.create_connection_over(|| Nothing, UdpSocket::bind("0.0.0.0:0")?);
        let message = fails(create.await.map(drop), "ValueError");
        let start = "A Stream Socket was expected, got <socket.socket fd=";
        assert!(message.starts_with(start), "{message}");
        assert!(
            message.contains(", family=2, type=2, proto=17, laddr=('0.0.0.0', "),
            "{message}"
        );
        let none = event_loop.create_datagram_endpoint(|| Nothing).await;
        refused(none, "ValueError", "unexpected address family");
        Ok(())
    });
}

/// Remembers what it was told.
#[derive(Default)]
struct Told(RefCell<Vec<String>>);

impl DatagramProtocol for Told {
    fn error_received(&self, exc: &Exception) -> Result<()> {
        self.0.borrow_mut().push(format!("error {}", exc.repr()));
        Ok(())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        let exc = exc.map_or("None".to_owned(), Exception::repr);
        self.0.borrow_mut().push(format!("lost {exc}"));
        Ok(())
    }
}

/// What becomes of a socket at an address that a datagram goes from to another.
async fn sent<A: Into<Option<Address>>>(from: Address, to: A) -> Result<Vec<String>> {
    let event_loop = asyncio::get_running_loop()?;
    let create = event_loop.create_datagram_endpoint(Told::default);
    let create = match &from {
        Address::Inet(at) => create.with_local_addr(&at.ip().to_string(), at.port()),
        _ => create.with_sock(UnixDatagram::unbound()?),
    };
    let (transport, told) = create.await?;
    let contexts = watch();
    transport.sendto(b"x", to)?;
    transport.close();
    asyncio::sleep(0).await?;
    let told = told.0.take();
    let handled: Vec<_> = contexts
        .take()
        .into_iter()
        .map(|context| format!("{}: {}", context.message, context.exception.unwrap().repr()))
        .collect();
    let fatal = |line: &String| line.strip_prefix("lost TypeError").map(str::to_owned);
    let expected: Vec<_> = told
        .iter()
        .filter_map(fatal)
        .map(|what| format!("Fatal write error on datagram transport: TypeError{what}"))
        .collect();
    assert_eq!(handled, expected);
    Ok(told)
}

/// What the system refuses is the datagram's error, what the socket cannot mean the program's.
#[test]
fn a_datagram_to_an_address_of_another_kind() {
    run(async {
        let inet = |at: &str| Address::from(at.parse::<SocketAddr>().unwrap());
        let unix = |path: &str| Address::Unix(path.into());
        let v4 = || inet("127.0.0.1:0");
        let lost = |message: &str| format!("lost TypeError({message})");
        let tuple = "'sendto(): AF_INET address must be tuple, not";
        assert_eq!(
            sent(v4(), None).await?,
            [lost(&format!("{tuple} NoneType'"))]
        );
        assert_eq!(
            sent(v4(), unix("/x")).await?,
            [lost(&format!("{tuple} str'"))]
        );
        let name = Address::Abstract(b"x".to_vec());
        assert_eq!(sent(v4(), name).await?, [lost(&format!("{tuple} bytes'"))]);
        let pair = lost("'AF_INET address must be a pair (host, port)'");
        assert_eq!(sent(v4(), inet("[::1]:9")).await?, [pair]);
        let invalid = "error OSError(22, 'Invalid argument')";
        assert_eq!(
            sent(v4(), inet("127.0.0.1:0")).await?,
            [invalid, "lost None"]
        );
        let bytes = "\"a bytes-like object is required, not";
        assert_eq!(
            sent(unix(""), None).await?,
            [lost(&format!("{bytes} 'NoneType'\""))]
        );
        assert_eq!(
            sent(unix(""), v4()).await?,
            [lost(&format!("{bytes} 'tuple'\""))]
        );
        let missing = "error FileNotFoundError(2, 'No such file or directory')";
        assert_eq!(
            sent(unix(""), unix("/no/such")).await?,
            [missing, "lost None"]
        );
        if UdpSocket::bind("[::1]:0").is_ok() {
            let v6 = inet("[::1]:0");
            let family = "error gaierror(-9, 'Address family for hostname not supported')";
            assert_eq!(sent(v6, inet("127.0.0.1:9")).await?, [family, "lost None"]);
        }
        Ok(())
    });
}

#[test]
fn a_file_for_a_pipe() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let file = || std::fs::File::open("/etc/passwd");
        let read = event_loop.connect_read_pipe(|| Nothing, file()?).await;
        refused(
            read,
            "ValueError",
            "Pipe transport is for pipes/sockets only.",
        );
        let write = event_loop.connect_write_pipe(|| Nothing, file()?).await;
        let message = "Pipe transport is only for pipes, sockets and character devices";
        refused(write, "ValueError", message);
        Ok(())
    });
}

#[test]
fn a_program_that_cannot_be_started() {
    run(async {
        let exec = |program: &str| asyncio::create_subprocess_exec(program, NONE);
        let message = "[Errno 2] No such file or directory: '/no/such/program'";
        refused(exec("/no/such/program").await, "FileNotFoundError", message);
        let message = "[Errno 13] Permission denied: '/etc/passwd'";
        refused(exec("/etc/passwd").await, "PermissionError", message);
        let nowhere = exec("true").with_command(|command| {
            command.current_dir("/no/such/directory");
        });
        let message = "[Errno 2] No such file or directory: '/no/such/directory'";
        refused(nowhere.await, "FileNotFoundError", message);
        let cut = asyncio::create_subprocess_exec("true", ["a\0b"]).await;
        refused(cut, "ValueError", "embedded null byte");
        let message = "STDOUT can only be used for stderr";
        refused(
            exec("true").with_stdout(STDOUT).await,
            "ValueError",
            message,
        );
        refused(exec("true").with_stdin(STDOUT).await, "ValueError", message);
        let process = exec("cat").with_stdin(PIPE).await?;
        refused(
            process.send_signal(1000),
            "OSError",
            "[Errno 22] Invalid argument",
        );
        process.kill()?;
        process.wait().await?;
        Ok(())
    });
}
