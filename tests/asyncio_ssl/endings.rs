//! How encrypted connections end, and what they must not lose.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::sync::mpsc::{TryRecvError, channel};
use std::time::Duration;

use hilos::asyncio::{self, Future, Protocol, Result, Server, StreamReader, StreamWriter};
use nix::sys::socket::{setsockopt, sockopt};

use crate::certificates::{believing, showing};
use crate::parties::{Recorder, between, connect, echo_server, is_dropped, joined, relay};
use crate::support::{fails, port, run, until, watch};

const MUCH: usize = 4 << 20;

const A_MOMENT: Duration = Duration::from_millis(5);

/// A server that answers "ping", and then does what `then` says.
async fn pong_server<F>(then: F) -> Result<Server>
where
    F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
{
    let serve = async move |reader: StreamReader, writer: StreamWriter| {
        assert_eq!(reader.readexactly(4).await?, b"ping");
        writer.write(b"pong")?;
        then(reader, writer).await
    };
    asyncio::start_server(serve, "127.0.0.1", 0)
        .with_ssl(&showing("server"))
        .await
}

/// Opens an encrypted connection to a local port, and says "ping".
async fn ping(port: u16) -> Result<(StreamReader, StreamWriter)> {
    let socket = TcpStream::connect(("127.0.0.1", port))?;
    // What is sent waits in the loop, not in the system.
    setsockopt(&socket, sockopt::SndBuf, &1)?;
    let open = asyncio::open_connection_over(socket).with_ssl(&believing());
    let (reader, writer) = open.with_server_hostname("localhost").await?;
    writer.write(b"ping")?;
    assert_eq!(reader.readexactly(4).await?, b"pong");
    Ok((reader, writer))
}

/// Whether the last of the encrypted bytes is an alert, as goodbye is.
fn ends_with_goodbye(bytes: &[u8]) -> bool {
    let last = &bytes[bytes.len() - 24..];
    last.starts_with(&[23, 3, 3, 0, 19])
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_shutdown_cleanly
#[test]
fn a_server_that_says_goodbye_is_the_end_of_the_stream() {
    run(async {
        let server = pong_server(async |_reader, writer: StreamWriter| {
            writer.close();
            writer.wait_closed().await
        });
        let server = server.await?;
        let at = port(&server);
        let clients = (0..25).map(|_| async move {
            let (reader, writer) = ping(at).await?;
            assert_eq!(reader.read_to_end().await?, b"");
            writer.close();
            writer.wait_closed().await
        });
        asyncio::gather(clients.collect::<Vec<_>>()).await?;
        server.close();
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_flush_before_shutdown
#[test]
fn what_is_written_before_the_end_arrives() {
    run(async {
        let got = asyncio::get_running_loop()?.create_future();
        let all = got.clone();
        let server = pong_server(async move |reader: StreamReader, writer: StreamWriter| {
            let data = reader.read_to_end().await?;
            writer.close();
            all.set_result(data.len())?;
            Ok(())
        });
        let server = server.await?;
        let (port, wire) = between(&server, |client, server| {
            relay(&server, &client);
            relay(&client, &server).join().unwrap()
        });
        let (_reader, writer) = ping(port).await?;
        for _ in 0..32 {
            writer.write(vec![b'x'; MUCH / 32])?;
        }
        assert!(writer.transport().get_write_buffer_size() > MUCH / 4);
        writer.close();
        writer.wait_closed().await?;
        assert_eq!(got.await?, MUCH);
        assert!(ends_with_goodbye(&joined(wire).await?));
        server.close();
        Ok(())
    });
}

/// What a client that has much to send sends after the other side's end, which comes by half
/// closing or from a server that waits for `written`.
async fn trailing_data(
    server: Server,
    written: asyncio::Event,
    half_closes: bool,
) -> Result<Vec<u8>> {
    let (go, wait) = channel::<()>();
    let (held, holds) = channel::<()>();
    let (port, wire) = between(&server, move |client, server| {
        let back = relay(&server, &client);
        let mut bytes = [0; 64 * 1024];
        // Until the client has its answer, its bytes pass.
        client.set_read_timeout(Some(A_MOMENT)).unwrap();
        while wait.try_recv().is_err() {
            if let Ok(count) = (&client).read(&mut bytes) {
                (&server).write_all(&bytes[..count]).unwrap();
            }
        }
        client.set_read_timeout(None).unwrap();
        held.send(()).unwrap();
        wait.recv().unwrap();
        if half_closes {
            client.shutdown(Shutdown::Write).unwrap();
        }
        wait.recv().unwrap();
        let rest = relay(&client, &server).join().unwrap();
        back.join().unwrap();
        rest
    });
    let (reader, writer) = ping(port).await?;
    go.send(())?;
    asyncio::try_to_thread(move || holds.recv()).await?;
    for _ in 0..32 {
        writer.write(vec![b'x'; MUCH / 32])?;
    }
    go.send(())?;
    written.set();
    assert_eq!(reader.read_to_end().await?, b"");
    go.send(())?;
    writer.close();
    writer.wait_closed().await?;
    server.close();
    joined(wire).await
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_remote_shutdown_receives_trailing_data
// cpython: test_asyncio/test_ssl.py::TestSSL::test_remote_shutdown_receives_trailing_data_on_slow_socket
#[test]
fn a_side_that_says_goodbye_first_still_gets_the_rest() {
    run(async {
        let written = asyncio::Event::new();
        let wait = written.clone();
        let goodbye = async move |_reader, writer: StreamWriter| {
            wait.wait().await?;
            writer.close();
            writer.wait_closed().await
        };
        let rest = trailing_data(pong_server(goodbye).await?, written.clone(), false).await?;
        assert!(rest.len() > MUCH && ends_with_goodbye(&rest));

        let got: Future<usize> = asyncio::get_running_loop()?.create_future();
        let all = got.clone();
        let reads_on = async move |reader: StreamReader, writer: StreamWriter| {
            let data = reader.read_to_end().await?;
            writer.close();
            all.set_result(data.len())?;
            Ok(())
        };
        let rest = trailing_data(pong_server(reads_on).await?, written, true).await?;
        assert!(rest.len() > MUCH && ends_with_goodbye(&rest));
        assert_eq!(got.await?, MUCH);
        Ok(())
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_shutdown_timeout_handler_not_set
#[test]
fn an_end_that_comes_while_a_program_pauses_waits_for_it() {
    run(async {
        let server = pong_server(async |reader: StreamReader, writer: StreamWriter| {
            assert_eq!(reader.readexactly(5).await?, b"world");
            writer.write(b"extra bytes")?;
            writer.close();
            writer.wait_closed().await
        });
        let server = server.await?;
        let (sent, all_sent) = channel();
        let (port, wire) = between(&server, move |client, server| {
            let there = relay(&client, &server);
            relay(&server, &client).join().unwrap();
            sent.send(()).unwrap();
            there.join().unwrap();
        });
        let protocol = Recorder::new();
        let told = protocol.clone();
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_connection(move || told, "127.0.0.1", port);
        let (transport, _) = create
            .with_ssl(&believing())
            .with_ssl_shutdown_timeout(1000.0)
            .await?;
        transport.write(b"ping")?;
        protocol.has(b"pong").await?;
        transport.pause_reading();
        assert!(!transport.is_reading());
        transport.write(b"world")?;
        // The server waits for the goodbye that the client does not say yet.
        asyncio::sleep(0.05).await?;
        assert_eq!((protocol.data.borrow().len(), protocol.ended.get()), (4, 0));
        transport.resume_reading();
        protocol.has(b"pongextra bytes").await?;
        assert_eq!(protocol.is_lost().await?, None);
        assert_eq!(protocol.ended.get(), 1);
        asyncio::try_to_thread(move || all_sent.recv()).await?;
        joined(wire).await?;
        server.close();
        Ok(())
    });
}

#[test]
fn what_is_decrypted_when_a_program_pauses_comes_before_the_end() {
    struct Sips(Rc<Recorder>);
    impl Protocol for Sips {
        fn connection_made(&self, transport: &asyncio::Transport) -> Result<()> {
            // Even what comes with the handshake waits.
            transport.pause_reading();
            self.0.connection_made(transport)
        }
        fn eof_received(&self) -> Result<bool> {
            self.0.eof_received()
        }
        fn connection_lost(&self, exc: Option<&asyncio::Exception>) -> Result<()> {
            self.0.connection_lost(exc)
        }
        fn as_buffered(&self) -> Option<&dyn asyncio::BufferedProtocol> {
            Some(self)
        }
    }
    impl asyncio::BufferedProtocol for Sips {
        fn get_buffer(&self, _: Option<usize>, fill: &mut dyn FnMut(&mut [u8])) -> Result<()> {
            let mut buffer = [0; 2];
            fill(&mut buffer);
            self.0.data_received(&buffer)
        }
        fn buffer_updated(&self, nbytes: usize) -> Result<()> {
            assert_eq!(nbytes, 2);
            self.0.transport().pause_reading();
            Ok(())
        }
    }
    run(async {
        let hello = async |_reader, writer: StreamWriter| {
            writer.write(b"sip by sip")?;
            writer.close();
            writer.wait_closed().await
        };
        let start = asyncio::start_server(hello, "127.0.0.1", 0).with_ssl(&showing("server"));
        let server = start.await?;
        let seen = Recorder::new();
        let told = Sips(seen.clone());
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_connection(move || told, "127.0.0.1", port(&server));
        let (transport, _) = create.with_ssl(&believing()).await?;
        asyncio::sleep(0.01).await?;
        for sips in 0..5 {
            assert_eq!((seen.data.borrow().len(), seen.ended.get()), (2 * sips, 0));
            transport.resume_reading();
            until(|| seen.data.borrow().len() > 2 * sips).await?;
        }
        transport.resume_reading();
        assert_eq!(seen.is_lost().await?, None);
        assert_eq!(*seen.data.borrow(), b"sip by sip");
        assert_eq!(seen.ended.get(), 1);
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_create_connection_memory_leak
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_create_connection_memory_leak
// cpython: test_asyncio/test_ssl.py::TestSSL::test_shutdown_timeout_handler_leak
#[test]
fn a_connection_that_is_over_is_forgotten() {
    run(async {
        let server = echo_server("server").await?;
        let at = port(&server);
        let event_loop = asyncio::get_running_loop()?;
        let create = |protocol: &Rc<Recorder>| {
            let told = protocol.clone();
            let create = event_loop.create_connection(move || told, "127.0.0.1", at);
            create.with_ssl(&believing())
        };
        // The protocol keeps its transport, which keeps the protocol.
        for ends in ["close", "abort", "server"] {
            let protocol = Recorder::new();
            let (transport, again) = create(&protocol).await?;
            transport.write(b"x")?;
            protocol.has(b"x").await?;
            match ends {
                "close" => transport.close(),
                "abort" => transport.abort(),
                _ => server.close_clients(),
            }
            assert_eq!(protocol.is_lost().await?, None);
            let weak = Rc::downgrade(&protocol);
            drop((transport, again, protocol));
            is_dropped(&weak).await?;
        }
        server.close();
        server.wait_closed().await
    });
}

#[test]
fn a_loop_that_is_closed_forgets_its_connections() {
    let event_loop = asyncio::new_event_loop();
    let weak = event_loop
        .run_until_complete(async {
            let server = echo_server("server").await?;
            let protocol = Recorder::new();
            let weak = Rc::downgrade(&protocol);
            let event_loop = asyncio::get_running_loop()?;
            let at = port(&server);
            let create = event_loop.create_connection(move || protocol, "127.0.0.1", at);
            create.with_ssl(&believing()).await?;
            Ok(weak)
        })
        .unwrap();
    assert!(weak.upgrade().is_some());
    event_loop.close().unwrap();
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_goodbye_that_is_not_answered_ends_in_time() {
    run(async {
        let server =
            pong_server(async |reader: StreamReader, _writer| reader.read_to_end().await.map(drop));
        let server = server.await?;
        let (done, wait) = channel::<()>();
        let (port, wire) = between(&server, move |client, server| {
            relay(&server, &client);
            let mut bytes = [0; 4096];
            client.set_read_timeout(Some(A_MOMENT)).unwrap();
            while let Err(TryRecvError::Empty) = wait.try_recv() {
                // Nothing of the end passes.
                if let Ok(count) = (&client).read(&mut bytes)
                    && count != 24
                {
                    (&server).write_all(&bytes[..count]).unwrap();
                }
            }
        });
        let open = asyncio::open_connection("127.0.0.1", port).with_ssl(&believing());
        let (reader, writer) = open.with_ssl_shutdown_timeout(0.05).await?;
        writer.write(b"ping")?;
        assert_eq!(reader.readexactly(4).await?, b"pong");
        writer.close();
        let message = fails(writer.wait_closed().await, "TimeoutError");
        assert_eq!(message, "SSL shutdown timed out");
        drop(done);
        joined(wire).await?;
        server.close();
        Ok(())
    });
}

#[test]
fn a_paused_reader_can_be_closed() {
    run(async {
        // What the server writes to a client that is gone may fail.
        let _log = watch();
        let server = pong_server(async |_reader, writer: StreamWriter| {
            writer.write(vec![b'x'; MUCH])?;
            writer.close();
            writer.wait_closed().await
        });
        let server = server.await?;
        let open = asyncio::open_connection("127.0.0.1", port(&server));
        let open = open.with_ssl(&believing()).with_limit(1000);
        // The answer is behind all that is not read.
        let (reader, writer) = open.with_ssl_shutdown_timeout(1000.0).await?;
        writer.write(b"ping")?;
        assert_eq!(reader.readexactly(4).await?, b"pong");
        until(|| !writer.transport().is_reading()).await?;
        writer.close();
        writer.wait_closed().await?;
        server.close();
        server.wait_closed().await
    });
}

#[test]
fn a_writer_waits_for_a_slow_reader() {
    run(async {
        let read = asyncio::Event::new();
        let may_read = read.clone();
        let server = pong_server(async move |reader: StreamReader, writer: StreamWriter| {
            may_read.wait().await?;
            let data = reader.read_to_end().await?;
            assert_eq!(data.len() % 100_000, 0);
            writer.close();
            writer.wait_closed().await
        });
        let server = server.await?;
        let (_reader, writer) = ping(port(&server)).await?;
        let transport = writer.transport();
        let limits = transport.get_write_buffer_limits();
        assert_eq!(limits, (128 * 1024, 512 * 1024));
        // The system takes a part.
        while transport.get_write_buffer_size() <= limits.1 + MUCH {
            writer.write([b'x'; 100_000])?;
        }
        let waiting = asyncio::wait_for(writer.drain(), 0.01).await;
        fails(waiting, "TimeoutError");
        read.set();
        writer.drain().await?;
        assert!(transport.get_write_buffer_size() <= limits.0);
        writer.close();
        writer.wait_closed().await?;
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_start_tls_client_corrupted_ssl
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_start_tls_client_corrupted_ssl
#[test]
fn what_is_not_encrypted_as_it_should_ends_the_connection() {
    run(async {
        let _log = watch();
        let server =
            pong_server(async |reader: StreamReader, _writer| reader.read_to_end().await.map(drop));
        let server = server.await?;
        let (go, wait) = channel::<()>();
        let (port, wire) = between(&server, move |client, server| {
            relay(&client, &server);
            relay(&server, &client);
            wait.recv().unwrap();
            (&client)
                .write_all(b"please corrupt the SSL connection")
                .unwrap();
        });
        let (reader, writer) = ping(port).await?;
        go.send(())?;
        let message = fails(reader.readline().await, "SSLError");
        assert!(message.starts_with("[SSL] the other side does not speak TLS: "));
        writer.close();
        fails(writer.wait_closed().await, "SSLError");
        joined(wire).await?;
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sslproto.py::SslProtoHandshakeTests::test_get_extra_info_on_closed_connection
// cpython: test_asyncio/test_sslproto.py::SslProtoHandshakeTests::test_set_new_app_protocol
#[test]
fn a_closed_connection_knows_nothing_of_its_socket() {
    run(async {
        let server = echo_server("server").await?;
        let event_loop = asyncio::get_running_loop()?;
        let first = Recorder::new();
        let told = first.clone();
        let create = event_loop.create_connection(move || told, "127.0.0.1", port(&server));
        let (transport, _) = create.with_ssl(&believing()).await?;
        assert!(transport.get_extra_info("socket").is_some());
        let second = Recorder::new();
        let new: Rc<dyn Protocol> = second.clone();
        transport.set_protocol(new.clone());
        let now = transport.get_protocol().unwrap();
        assert!(std::ptr::addr_eq(Rc::as_ptr(&now), Rc::as_ptr(&new)));
        transport.write(b"x")?;
        second.has(b"x").await?;
        transport.close();
        assert!(transport.is_closing());
        // It is lost with the connection.
        transport.write(b"y")?;
        assert_eq!(second.is_lost().await?, None);
        assert_eq!(
            (first.data.borrow().len(), &*first.lost.borrow()),
            (0, &None)
        );
        assert!(transport.get_extra_info("socket").is_none());
        assert!(transport.get_protocol().is_none());
        server.close();
        Ok(())
    });
}

#[test]
fn the_connection_of_a_program_that_fails_is_lost() {
    #[derive(Default)]
    struct Fails(&'static str);
    impl Fails {
        fn at(&self, name: &str) -> Result<()> {
            match self.0 == name {
                true => Err(asyncio::Exception::new("KeyError", name.to_owned())),
                false => Ok(()),
            }
        }
    }
    impl Protocol for Fails {
        fn connection_made(&self, _: &asyncio::Transport) -> Result<()> {
            self.at("connection_made")
        }
        fn data_received(&self, _: &[u8]) -> Result<()> {
            self.at("data_received")
        }
        fn eof_received(&self) -> Result<bool> {
            self.at("eof_received").map(|()| false)
        }
    }
    run(async {
        let log = watch();
        let event_loop = asyncio::get_running_loop()?;
        for place in ["connection_made", "data_received", "eof_received"] {
            let create = event_loop.create_server(move || Fails(place), "127.0.0.1", 0);
            let server = create.with_ssl(&showing("server")).await?;
            let (reader, writer) = connect(&server, &believing()).await?;
            writer.write(b"x")?;
            if place == "eof_received" {
                writer.close();
            }
            // The end, or a reset.
            let _ = reader.read_to_end().await;
            writer.close();
            until(|| log.len() == 1).await?;
            let exception = log.take().remove(0).exception.unwrap();
            assert_eq!(format!("{exception:?}"), format!("KeyError: {place}"));
            server.close();
        }
        Ok(())
    });
}
