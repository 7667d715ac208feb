//! How encrypted connections begin, or do not.

use std::cell::Cell;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::mpsc::channel;

use hilos::asyncio::ssl::{CERT_NONE, CERT_REQUIRED, SslContext};
use hilos::asyncio::{self, Result, StreamReader, StreamWriter};

use crate::certificates::{believing, file, showing};
use crate::parties::{Recorder, connect, echo, echo_server, is_dropped, joined};
use crate::support::{fails, port, run, until, watch};

/// Says `a` and then `b`, and hears what the server of `hears_two` answers.
async fn say_two(streams: (StreamReader, StreamWriter), a: &[u8], b: &[u8]) -> Result<()> {
    let (reader, writer) = streams;
    writer.write(a)?;
    assert_eq!(reader.readexactly(2).await?, b"OK");
    writer.write(b)?;
    assert_eq!(reader.readexactly(4).await?, b"SPAM");
    writer.close();
    writer.wait_closed().await
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_create_server_ssl_1
// cpython: test_asyncio/test_ssl.py::TestSSL::test_create_connection_ssl_1
#[test]
fn many_clients_at_once_are_served_each_in_secret() {
    const EACH: usize = 13;
    let (a, b) = (&[b'A'; 100_000][..], &[b'B'; 100_000][..]);
    run(async move {
        let served = Rc::new(Cell::new(0));
        let count = served.clone();
        let hears_two = async move |reader: StreamReader, writer: StreamWriter| {
            assert_eq!(reader.readexactly(a.len()).await?, a);
            writer.write(b"OK")?;
            assert_eq!(reader.readexactly(b.len()).await?, b);
            writer.writelines(["SP", "A", "M"])?;
            writer.drain().await?;
            writer.close();
            count.set(count.get() + 1);
            Ok(())
        };
        let start = asyncio::start_server(hears_two, "127.0.0.1", 0);
        let server = start.with_ssl(&showing("server")).await?;
        let port = port(&server);
        let by_host = (0..EACH).map(|_| async move {
            let open = asyncio::open_connection("127.0.0.1", port).with_ssl(&believing());
            say_two(open.await?, a, b).await
        });
        let over_sockets = (0..EACH).map(|_| async move {
            let socket = TcpStream::connect(("127.0.0.1", port))?;
            let open = asyncio::open_connection_over(socket).with_ssl(&believing());
            say_two(open.with_server_hostname("localhost").await?, a, b).await
        });
        let by_host = asyncio::gather(by_host.collect::<Vec<_>>());
        let over_sockets = asyncio::gather(over_sockets.collect::<Vec<_>>());
        asyncio::gather!(by_host, over_sockets).await?;
        assert_eq!(served.get(), 2 * EACH);
        server.close();
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_ssl_handshake_timeout
// cpython: test_asyncio/test_ssl.py::TestSSL::test_handshake_timeout_handler_leak
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_handshake_timeout
#[test]
fn a_handshake_that_is_cancelled_leaves_nothing_behind() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let silent = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut hello = Vec::new();
            client.read_to_end(&mut hello).map(|_| hello.len())
        });
        let protocol = Recorder::new();
        let weak = Rc::downgrade(&protocol);
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_connection(move || protocol, "127.0.0.1", port);
        let create = create
            .with_ssl(&believing())
            .with_ssl_handshake_timeout(1000.0);
        let created = asyncio::wait_for(async { create.await.map(drop) }, 0.05).await;
        fails(created, "TimeoutError");
        is_dropped(&weak).await?;
        // The server sees the end, and has seen the beginning.
        assert!(joined(silent).await?.is_ok_and(|count| count > 100));
        Ok(())
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_ssl_handshake_connection_lost
#[test]
fn a_connection_that_breaks_in_the_handshake_never_was_one() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let rude = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            client.read_exact(&mut [0; 5]).unwrap();
        });
        let protocol = Recorder::new();
        let told = protocol.clone();
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_connection(move || told, "127.0.0.1", port);
        let created = create.with_ssl(&believing()).await;
        fails(created.map(drop), "ConnectionResetError");
        joined(rude).await?;
        asyncio::sleep(0.01).await?;
        assert_eq!((protocol.made.get(), &*protocol.lost.borrow()), (0, &None));
        Ok(())
    });
}

// cpython: test_asyncio/test_sslproto.py::SslProtoHandshakeTests::test_handshake_timeout_zero
// cpython: test_asyncio/test_sslproto.py::SslProtoHandshakeTests::test_handshake_timeout_negative
#[test]
fn a_timeout_has_to_be_positive() {
    run(async {
        let open = || asyncio::open_connection("127.0.0.1", 1).with_ssl(&believing());
        for (seconds, shown) in [(0.0, "0"), (-10.0, "-10"), (f64::NAN, "NaN")] {
            let opened = open().with_ssl_handshake_timeout(seconds).await.map(drop);
            assert_eq!(
                fails(opened, "ValueError"),
                format!("ssl_handshake_timeout should be a positive number, got {shown}")
            );
        }
        let opened = open().with_ssl_shutdown_timeout(0.0).await.map(drop);
        assert_eq!(
            fails(opened, "ValueError"),
            "ssl_shutdown_timeout should be a positive number, got 0"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_ssl_connect_accepted_socket
// cpython: test_asyncio/test_ssl.py::TestSSL::test_connect_accepted_socket
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_ssl_connect_accepted_socket
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_connect_accepted_socket_ssl_timeout_for_plain_socket
#[test]
fn a_socket_that_somebody_else_has_accepted_can_be_encrypted() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let client = asyncio::create_task(async move {
            let open = asyncio::open_connection("127.0.0.1", port).with_ssl(&believing());
            let (reader, writer) = open.await?;
            writer.write(b"test data")?;
            let answer = reader.readexactly(5).await?;
            writer.close();
            writer.wait_closed().await?;
            Ok(answer)
        });
        let (accepted, _) = asyncio::try_to_thread(move || listener.accept()).await?;
        let protocol = Recorder::new();
        let told = protocol.clone();
        let (transport, _) = event_loop
            .connect_accepted_socket(move || told, accepted)
            .with_ssl(&showing("server"))
            .await?;
        assert!(transport.get_extra_info("cipher").is_some());
        protocol.has(b"test data").await?;
        transport.write(b"roger")?;
        assert_eq!(client.await?, b"roger");
        assert_eq!(protocol.is_lost().await?, None);
        assert_eq!(protocol.ended.get(), 1);

        let (plain, _other) = std::os::unix::net::UnixStream::pair()?;
        let connect = event_loop.connect_accepted_socket(Recorder::default, plain);
        let connected = connect.with_ssl_handshake_timeout(1.0).await;
        assert_eq!(
            fails(connected.map(drop), "ValueError"),
            "ssl_handshake_timeout is only meaningful with ssl"
        );
        Ok(())
    });
}

/// What a server that asks for certificates thinks of the client that connects by `context`.
async fn why_a_server_refuses(context: &SslContext) -> Result<String> {
    let log = watch();
    let asking = showing("server").with_verify_mode(CERT_REQUIRED);
    let asking = asking.with_cafile(file("authority.pem"))?;
    let start = asyncio::start_server(echo, "127.0.0.1", 0).with_ssl(&asking);
    let server = start.await?;
    let (reader, writer) = connect(&server, context).await?;
    fails(reader.read(1).await, "SSLError");
    writer.close();
    until(|| log.len() == 1).await?;
    server.close();
    Ok(format!("{:?}", log.take().remove(0).exception.unwrap()))
}

#[test]
fn a_server_says_what_is_wrong_with_a_client() {
    run(async {
        asyncio::get_running_loop()?.set_debug(true);
        assert_eq!(
            why_a_server_refuses(&believing()).await?,
            "SSLError: [SSL] peer did not return a certificate"
        );
        let with = |name| {
            let (chain, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
            believing().with_cert_chain(chain, key)
        };
        let prefix = "SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] \
                      certificate verify failed: ";
        let why = why_a_server_refuses(&with("expired")?).await?;
        assert_eq!(why.strip_prefix(prefix).unwrap(), "certificate has expired");
        let why = why_a_server_refuses(&with("alone")?).await?;
        assert_eq!(
            why.strip_prefix(prefix).unwrap(),
            "unable to get local issuer certificate; give its authority by with_cafile"
        );
        Ok(())
    });
}

#[test]
fn an_authority_s_certificate_is_none_of_a_server() {
    run(async {
        let server = echo_server("itself").await?;
        let context = SslContext::new().with_cafile(file("itself.pem"))?;
        let message = fails(
            connect(&server, &context).await.map(drop),
            "SSLCertVerificationError",
        );
        assert!(message.ends_with(
            "it is an authority's own; let it sign one for the server (basicConstraints=CA:FALSE)"
        ));
        server.close();
        Ok(())
    });
}

#[test]
fn a_server_shows_the_certificate_of_the_name_that_is_asked_for() {
    run(async {
        let (told, asked) = channel();
        let context = showing("alone").with_sni_callback(move |name| {
            told.send(name.map(str::to_owned)).unwrap();
            match name {
                Some("localhost") => Some(showing("server")),
                Some("nobody.test") => Some(SslContext::new()),
                _ => None,
            }
        });
        let start = asyncio::start_server(echo, "127.0.0.1", 0).with_ssl(&context);
        let server = start.await?;
        let open = |name: &str| {
            let open = asyncio::open_connection("127.0.0.1", port(&server));
            open.with_ssl(&believing()).with_server_hostname(name)
        };
        let (reader, writer) = open("localhost").await?;
        writer.write(b"x")?;
        assert_eq!(reader.readexactly(1).await?, b"x");
        writer.close();
        assert_eq!(asked.recv()?.as_deref(), Some("localhost"));
        // Its own is not believed.
        fails(
            open("other.test").await.map(drop),
            "SSLCertVerificationError",
        );
        assert_eq!(asked.recv()?.as_deref(), Some("other.test"));
        fails(
            open("127.0.0.1").await.map(drop),
            "SSLCertVerificationError",
        );
        assert_eq!(asked.recv()?, None);
        fails(open("nobody.test").await.map(drop), "SSLError");
        server.close();
        Ok(())
    });
}

#[test]
fn a_client_that_checks_no_name_need_not_ask_for_one() {
    run(async {
        let server = echo_server("server").await?;
        let open = |context: &SslContext| {
            let open = asyncio::open_connection("127.0.0.1", port(&server)).with_ssl(context);
            open.with_server_hostname("")
        };
        let unchecked = [
            believing().with_check_hostname(false),
            SslContext::new().with_verify_mode(CERT_NONE),
        ];
        for context in unchecked {
            let (reader, writer) = open(&context).await?;
            writer.write(b"x")?;
            assert_eq!(reader.readexactly(1).await?, b"x");
            writer.close();
        }
        let message = fails(open(&believing()).await.map(drop), "ValueError");
        assert_eq!(message, "check_hostname requires server_hostname");
        server.close();
        Ok(())
    });
}
