//! Encrypted connections: whom they believe, how they begin and how they end.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use hilos::asyncio::ssl::{self, CERT_NONE, CERT_REQUIRED, SslContext};
use hilos::asyncio::{self, Protocol, Result, StreamReader, StreamWriter};

use crate::certificates::{believing, file, showing};
use crate::parties::{connect, echo, echo_server};
use crate::support::{SocketPath, fails, port, run, until, watch};

// cpython: test_asyncio/test_streams.py::StreamTests::test_open_connection_no_loop_ssl
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_ssl_connection
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_ssl_verified
#[test]
fn an_encrypted_connection_carries_what_a_plain_one_does() {
    run(async {
        let server = echo_server("server").await?;
        let (reader, writer) = connect(&server, &believing()).await?;
        let version = writer.get_extra_info("version").unwrap();
        assert_eq!(version.to_string(), "TLSv1.3");
        assert!(writer.get_extra_info("cipher").is_some());
        assert!(writer.get_extra_info("peername").is_some());
        assert!(!writer.can_write_eof());
        fails(writer.write_eof(), "NotImplementedError");
        writer.writelines(["hello ", "secret"])?;
        assert_eq!(reader.readexactly(12).await?, b"hello secret");
        let data: Vec<u8> = (0..3 << 20).map(|i: u32| (i % 251) as u8).collect();
        let (sent, sender) = (data.clone(), writer.clone());
        let sending = asyncio::create_task(async move {
            sender.write(sent)?;
            sender.drain().await
        });
        assert!(reader.readexactly(data.len()).await? == data);
        sending.await?;
        writer.close();
        writer.wait_closed().await?;
        assert!(reader.at_eof());
        server.close();
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_open_unix_connection_no_loop_ssl
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_connection_ssl_noserverhost
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_connection_nossl_serverhost
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_connection_ssl_timeout_with_plain_sock
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_server_ssl_timeout_with_plain_sock
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_ssl_unix_connection
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_unix_server_ssl
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_unix_server_ssl_verified
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_unix_server_ssl_verify_failed
#[test]
fn a_unix_socket_may_be_encrypted_under_a_name() {
    let path = SocketPath::new("encrypted");
    let at = path.path().to_owned();
    run(async move {
        let serve = asyncio::start_unix_server(echo, &at).with_ssl(&showing("server"));
        let server = serve.await?;
        let open = asyncio::open_unix_connection(&at).with_ssl(&believing());
        let (reader, writer) = open.with_server_hostname("localhost").await?;
        writer.write(b"x")?;
        assert_eq!(reader.readexactly(1).await?, b"x");
        writer.close();
        let others = SslContext::new().with_cafile(file("itself.pem"))?;
        let open = asyncio::open_unix_connection(&at).with_ssl(&others);
        let refused = open.with_server_hostname("localhost").await.map(drop);
        fails(refused, "SSLCertVerificationError");
        server.close();

        let open = || asyncio::open_unix_connection(&at);
        let nameless = open().with_ssl(&believing()).await.map(drop);
        let message = fails(nameless, "ValueError");
        assert_eq!(
            message,
            "You must set server_hostname when using ssl without a host"
        );
        let plain = open().with_server_hostname("localhost").await.map(drop);
        assert_eq!(
            fails(plain, "ValueError"),
            "server_hostname is only meaningful with ssl"
        );
        let plain = open().with_ssl_handshake_timeout(1.0).await.map(drop);
        assert_eq!(
            fails(plain, "ValueError"),
            "ssl_handshake_timeout is only meaningful with ssl"
        );
        let plain = asyncio::start_unix_server(echo, &at)
            .with_ssl_shutdown_timeout(1.0)
            .await;
        assert_eq!(
            fails(plain, "ValueError"),
            "ssl_shutdown_timeout is only meaningful with ssl"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_create_connection_ssl_failed_certificate
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_create_connection_ssl_failed_certificate
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_ssl_verify_failed
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_ssl_match_failed
#[test]
fn a_certificate_that_cannot_be_believed_says_why() {
    run(async {
        let why = async |name: &str, hostname: &str, context: &SslContext| {
            let server = echo_server(name).await?;
            let open = asyncio::open_connection("127.0.0.1", port(&server)).with_ssl(context);
            let opened = open.with_server_hostname(hostname).await;
            server.close();
            let message = fails(opened.map(drop), "SSLCertVerificationError");
            let prefix = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: ";
            Ok::<_, asyncio::Exception>(message.strip_prefix(prefix).unwrap().to_owned())
        };
        let believing = believing();
        let unknown = "unable to get local issuer certificate; give its authority by with_cafile";
        assert_eq!(why("alone", "localhost", &believing).await?, unknown);
        assert_eq!(
            why("expired", "localhost", &believing).await?,
            "certificate has expired"
        );
        let other = "Hostname mismatch, certificate is not valid for 'example.org'.";
        assert_eq!(why("server", "example.org", &believing).await?, other);
        let any_name = believing.with_check_hostname(false);
        assert_eq!(
            why("expired", "example.org", &any_name).await?,
            "certificate has expired"
        );
        Ok(())
    });
}

#[test]
fn a_client_may_believe_more_than_it_should() {
    run(async {
        let cases = [
            ("server", believing().with_check_hostname(false)),
            ("alone", SslContext::new().with_verify_mode(CERT_NONE)),
            ("expired", SslContext::new().with_verify_mode(CERT_NONE)),
        ];
        for (name, context) in cases {
            let server = echo_server(name).await?;
            let open = asyncio::open_connection("127.0.0.1", port(&server)).with_ssl(&context);
            let (reader, writer) = open.with_server_hostname("example.org").await?;
            writer.write(b"x")?;
            assert_eq!(reader.readexactly(1).await?, b"x");
            writer.close();
            server.close();
        }
        Ok(())
    });
}

#[test]
fn a_server_may_ask_who_its_clients_are() {
    run(async {
        let asking = showing("server").with_verify_mode(CERT_REQUIRED);
        let asking = asking.with_cafile(file("authority.pem"))?;
        let server = asyncio::start_server(echo, "127.0.0.1", 0)
            .with_ssl(&asking)
            .await?;
        let known = believing().with_cert_chain(file("server.pem"), file("server.key"))?;
        let (reader, writer) = connect(&server, &known).await?;
        writer.write(b"x")?;
        assert_eq!(reader.readexactly(1).await?, b"x");
        writer.close();
        // A client learns only when it reads that it is not let in.
        let (reader, writer) = connect(&server, &believing()).await?;
        let message = fails(reader.read(1).await, "SSLError");
        assert_eq!(message, "[SSL] the other side refuses: CertificateRequired");
        writer.close();
        server.close();
        Ok(())
    });
}

#[test]
fn a_context_that_lacks_something_says_what() {
    run(async {
        let nobody = asyncio::open_connection("127.0.0.1", 1).with_ssl(&SslContext::new());
        let message = fails(nobody.await.map(drop), "SSLError");
        assert_eq!(
            message,
            "[SSL] the context believes nobody: give it authorities by with_cafile"
        );
        let bare = asyncio::start_server(echo, "127.0.0.1", 0)
            .with_ssl(&SslContext::new())
            .await;
        let message = fails(bare, "ValueError");
        assert_eq!(
            message,
            "a server needs a certificate: give it one by with_cert_chain"
        );
        let missing = SslContext::new().with_cafile("/no/such/file");
        let missing = missing.map_err(asyncio::Exception::from);
        assert!(fails(missing, "SSLError").contains("'/no/such/file'"));
        let wrong = SslContext::server(file("server.key"), file("server.key"));
        let wrong = wrong.map_err(asyncio::Exception::from);
        assert!(fails(wrong, "SSLError").contains("it holds none in PEM"));
        let mismatch = SslContext::server(file("server.pem"), file("alone.key"));
        let mismatch = mismatch.map_err(asyncio::Exception::from);
        assert!(fails(mismatch, "SSLError").ends_with("cannot be used: it is another's"));
        let name = asyncio::open_connection("127.0.0.1", 1).with_ssl(&believing());
        fails(
            name.with_server_hostname("not a name").await.map(drop),
            "ValueError",
        );
        Ok(())
    });
}

#[test]
fn both_sides_agree_on_what_is_inside() {
    run(async {
        let context = showing("server").with_alpn_protocols(["http/1.1", "h2"]);
        let server = asyncio::start_server(echo, "127.0.0.1", 0)
            .with_ssl(&context)
            .await?;
        let context = believing().with_alpn_protocols(["h2"]);
        let (_reader, writer) = connect(&server, &context).await?;
        let agreed = writer.get_extra_info("selected_alpn_protocol").unwrap();
        assert_eq!(agreed.to_string(), "h2");
        writer.close();
        server.close();
        Ok(())
    });
}

/// As with OpenSSL, the connection goes on without a protocol.
#[test]
fn sides_without_a_protocol_in_common_go_on_without() {
    run(async {
        let context = showing("server").with_alpn_protocols(["h2"]);
        let server = asyncio::start_server(echo, "127.0.0.1", 0)
            .with_ssl(&context)
            .await?;
        let stranger = believing().with_alpn_protocols(["http/1.1", "spdy/3"]);
        for context in [stranger, believing()] {
            let (reader, writer) = connect(&server, &context).await?;
            assert!(writer.get_extra_info("selected_alpn_protocol").is_none());
            writer.write(b"hello\n")?;
            assert_eq!(reader.readline().await?, b"hello\n");
            writer.close();
            writer.wait_closed().await?;
        }
        server.close();
        Ok(())
    });
}

/// A server that waits for what its client offers refuses what is no offer.
#[test]
fn a_server_of_protocols_refuses_what_is_no_tls() {
    run(async {
        let context = showing("server").with_alpn_protocols(["h2"]);
        let server = asyncio::start_server(echo, "127.0.0.1", 0)
            .with_ssl(&context)
            .await?;
        let port = server.sockets()[0].getsockname()?.port().unwrap();
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
        writer.write(b"GET / HTTP/1.0\r\n\r\n")?;
        // An alert, and the end.
        let answer = reader.read_to_end().await;
        assert!(answer.is_err() || answer.is_ok_and(|said| said.len() <= 7));
        writer.close();
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_start_tls
#[test]
fn a_plain_connection_becomes_an_encrypted_one() {
    run(async {
        let server = asyncio::start_server(
            async |reader: StreamReader, writer: StreamWriter| {
                assert_eq!(reader.readline().await?, b"STARTTLS\n");
                writer.write(b"go\n")?;
                writer.start_tls(&showing("server"), None).await?;
                assert!(writer.get_extra_info("cipher").is_some());
                echo(reader, writer).await
            },
            "127.0.0.1",
            0,
        );
        let server = server.await?;
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        writer.write(b"STARTTLS\n")?;
        assert_eq!(reader.readline().await?, b"go\n");
        writer.start_tls(&believing(), "localhost").await?;
        writer.write(b"secret")?;
        assert_eq!(reader.readexactly(6).await?, b"secret");
        writer.close();
        writer.wait_closed().await?;
        server.close();
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_create_connection_ssl_slow_handshake
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_create_connection_ssl_slow_handshake
#[test]
fn a_handshake_that_is_never_finished_ends_in_time() {
    run(async {
        let log = watch();
        asyncio::get_running_loop()?.set_debug(true);
        let serve = asyncio::start_server(echo, "127.0.0.1", 0).with_ssl(&showing("server"));
        let server = serve.with_ssl_handshake_timeout(0.05).await?;
        let address = server.sockets()[0].getsockname()?.as_inet().unwrap();
        let silent = TcpStream::connect(address)?;
        // Others are served meanwhile.
        let (reader, writer) = connect(&server, &believing()).await?;
        writer.write(b"x")?;
        assert_eq!(reader.readexactly(1).await?, b"x");
        writer.close();
        until(|| log.len() == 1).await?;
        let context = log.take().remove(0);
        assert_eq!(
            context.message,
            "Error on transport creation for incoming connection"
        );
        let text = "SSL handshake is taking longer than 0.05 seconds: aborting the connection";
        assert_eq!(context.exception.unwrap().to_string(), text);
        drop(silent);
        server.close();

        // A server that does not answer at all.
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let open = asyncio::open_connection("127.0.0.1", port).with_ssl(&believing());
        let opened = open.with_ssl_handshake_timeout(0.05).await.map(drop);
        assert_eq!(fails(opened, "ConnectionAbortedError"), text);
        Ok(())
    });
}

#[test]
fn what_is_no_handshake_ends_the_connection() {
    run(async {
        let server = echo_server("server").await?;
        let address = server.sockets()[0].getsockname()?.as_inet().unwrap();
        let mut plain = TcpStream::connect(address)?;
        plain.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let ended = asyncio::to_thread(move || {
            let mut answer = Vec::new();
            plain.read_to_end(&mut answer).map(|_| answer)
        });
        let answer = ended.await?.unwrap_or_default();
        assert!(answer.len() < 10, "an alert at most: {answer:?}");
        let plain = asyncio::start_server(echo, "127.0.0.1", 0).await?;
        fails(connect(&plain, &believing()).await.map(drop), "SSLError");
        plain.close();
        server.close();
        Ok(())
    });
}

#[test]
fn a_side_that_goes_without_goodbye_is_the_end_of_the_stream() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    run(async move {
        // The server's task may fail to write what it has read.
        let _log = watch();
        // Between the two, somebody who cuts the wire.
        let server = echo_server("server").await?;
        let behind = server.sockets()[0].getsockname()?.as_inet().unwrap();
        let between = std::thread::spawn(move || {
            let (front, _) = listener.accept().unwrap();
            let back = TcpStream::connect(behind).unwrap();
            let (mut from, mut to) = (back.try_clone().unwrap(), front.try_clone().unwrap());
            let copy = std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut from, mut to) = (front.try_clone().unwrap(), back.try_clone().unwrap());
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                to.write_all(&bytes[..count]).unwrap();
                if bytes[..count].len() > 2000 {
                    break;
                }
            }
            front.shutdown(Shutdown::Both).unwrap();
            back.shutdown(Shutdown::Both).unwrap();
            copy.join().unwrap()
        });
        let open = asyncio::open_connection("127.0.0.1", address.port()).with_ssl(&believing());
        let (reader, writer) = open.await?;
        writer.write(b"x")?;
        assert_eq!(reader.readexactly(1).await?, b"x");
        writer.write(vec![b'y'; 3000])?;
        let rest = reader.read_to_end().await?;
        assert!(rest.len() <= 3000);
        writer.close();
        asyncio::to_thread(move || between.join().is_ok()).await?;
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_ssl
#[test]
fn a_protocol_is_encrypted_like_a_stream() {
    struct Upper(std::cell::RefCell<Option<asyncio::Transport>>);
    impl Protocol for Upper {
        fn connection_made(&self, transport: &asyncio::Transport) -> Result<()> {
            *self.0.borrow_mut() = Some(transport.clone());
            Ok(())
        }

        fn data_received(&self, data: &[u8]) -> Result<()> {
            let transport = self.0.borrow().clone().unwrap();
            transport.write(data.to_ascii_uppercase())
        }
    }
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_server(|| Upper(Default::default()), "127.0.0.1", 0);
        let server = create.with_ssl(&showing("server")).await?;
        let (reader, writer) = connect(&server, &believing()).await?;
        writer.write(b"shout")?;
        assert_eq!(reader.readexactly(5).await?, b"SHOUT");
        writer.close();
        server.close();
        Ok(())
    });
}

#[test]
fn the_machine_s_own_authorities_are_found_or_missed_clearly() {
    match ssl::create_default_context() {
        Ok(context) => assert!(!format!("{context:?}").contains("authorities: 0,")),
        Err(exception) => assert!(exception.to_string().contains("install ca-certificates")),
    }
}
