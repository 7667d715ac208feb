//! Connections that are encrypted later, and encrypted twice.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;

use hilos::asyncio::{
    self, BufferedProtocol, Exception, Protocol, Result, Server, StreamReader, StreamWriter,
    Transport,
};

use crate::certificates::{believing, showing};
use crate::parties::{Recorder, connect, echo, is_dropped, joined};
use crate::support::{fails, port, run, until, watch};

static HELLO: [u8; 100 * 1024] = [b'1'; 100 * 1024];

/// A server that hears `HELLO`, encrypts, says "O" and hears `HELLO` again; for each further byte
/// of `answers` it says that, and hears `HELLO` once more.
async fn upgrading_server(answers: &'static [u8]) -> Result<Server> {
    let serve = async move |reader: StreamReader, writer: StreamWriter| {
        assert_eq!(reader.readexactly(HELLO.len()).await?, HELLO);
        writer.start_tls(&showing("server"), None).await?;
        for answer in answers {
            writer.write([*answer])?;
            assert_eq!(reader.readexactly(HELLO.len()).await?, HELLO);
        }
        writer.close();
        writer.wait_closed().await
    };
    asyncio::start_server(serve, "127.0.0.1", 0).await
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_start_tls_client_reg_proto_1
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_start_tls_client_reg_proto_1
#[test]
fn a_protocol_goes_on_when_its_connection_is_encrypted() {
    run(async {
        let server = upgrading_server(b"O").await?;
        let protocol = Recorder::new();
        let told = protocol.clone();
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_connection(move || told, "127.0.0.1", port(&server));
        let (plain, _) = create.await?;
        plain.write(HELLO)?;
        let start = event_loop.start_tls(&plain, protocol.clone(), &believing(), "localhost");
        let transport = start.await?;
        protocol.has(b"O").await?;
        transport.write(HELLO)?;
        assert_eq!(protocol.is_lost().await?, None);
        assert_eq!((protocol.made.get(), protocol.ended.get()), (1, 1));
        let weak = Rc::downgrade(&protocol);
        drop((plain, transport, protocol));
        is_dropped(&weak).await?;
        server.close();
        server.wait_closed().await
    });
}

/// A protocol with a buffer of so many bytes.
struct Buffered {
    buffer: RefCell<Vec<u8>>,
    seen: Rc<Recorder>,
    made: Cell<u32>,
}

impl Buffered {
    fn new(size: usize) -> Rc<Self> {
        Rc::new(Self {
            buffer: RefCell::new(vec![0; size]),
            seen: Recorder::new(),
            made: Cell::new(0),
        })
    }
}

impl Protocol for Buffered {
    fn connection_made(&self, _: &Transport) -> Result<()> {
        self.made.set(self.made.get() + 1);
        Ok(())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        self.seen.connection_lost(exc)
    }

    fn as_buffered(&self) -> Option<&dyn BufferedProtocol> {
        Some(self)
    }
}

impl BufferedProtocol for Buffered {
    fn get_buffer(&self, _: Option<usize>, fill: &mut dyn FnMut(&mut [u8])) -> Result<()> {
        fill(&mut self.buffer.borrow_mut());
        Ok(())
    }

    fn buffer_updated(&self, nbytes: usize) -> Result<()> {
        self.seen.data_received(&self.buffer.borrow()[..nbytes])
    }
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_start_tls_client_buf_proto_1
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_start_tls_client_buf_proto_1
#[test]
fn a_protocol_with_a_buffer_of_its_own_may_give_way_to_another() {
    run(async {
        let server = upgrading_server(b"O2").await?;
        let first = Buffered::new(1);
        let told = first.clone();
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_connection(move || told, "127.0.0.1", port(&server));
        let (plain, _) = create.await?;
        plain.write(HELLO)?;
        let start = event_loop.start_tls(&plain, first.clone(), &believing(), "localhost");
        let transport = start.await?;
        first.seen.has(b"O").await?;
        let second = Recorder::new();
        transport.set_protocol(second.clone());
        transport.write(HELLO)?;
        second.has(b"2").await?;
        transport.write(HELLO)?;
        assert_eq!(second.is_lost().await?, None);
        assert_eq!((first.made.get(), second.made.get()), (1, 0));
        assert_eq!((&*first.seen.lost.borrow(), second.ended.get()), (&None, 1));
        server.close();
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_buf_feed_data
#[test]
fn a_small_buffer_is_filled_again_and_again() {
    run(async {
        let log = watch();
        let start = asyncio::start_server(echo, "127.0.0.1", 0).with_ssl(&showing("server"));
        let server = start.await?;
        let event_loop = asyncio::get_running_loop()?;
        let cases = [
            (1, "12345"),
            (2, "12345"),
            (2, "1234"),
            (4, "1234"),
            (100, "12345"),
            (0, "1"),
        ];
        for (size, data) in cases {
            let protocol = Buffered::new(size);
            let told = protocol.clone();
            let create = event_loop.create_connection(move || told, "127.0.0.1", port(&server));
            let (transport, _) = create.with_ssl(&believing()).await?;
            transport.write(data)?;
            if size == 0 {
                assert_eq!(protocol.seen.is_lost().await?, Some("RuntimeError"));
                let exception = log.take().remove(0).exception.unwrap();
                assert_eq!(
                    exception.to_string(),
                    "get_buffer() returned an empty buffer"
                );
            } else {
                protocol.seen.has(data.as_bytes()).await?;
                transport.close();
            }
        }
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_start_tls_slow_client_cancel
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_start_tls_slow_client_cancel
#[test]
fn a_late_handshake_that_is_cancelled_closes_the_connection() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let silent = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            client.read_exact(&mut vec![0; HELLO.len()]).unwrap();
            client.read_to_end(&mut Vec::new()).is_ok()
        });
        let protocol = Recorder::new();
        let told = protocol.clone();
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_connection(move || told, "127.0.0.1", address.port());
        let (transport, _) = create.await?;
        transport.write(HELLO)?;
        let start = event_loop.start_tls(&transport, protocol.clone(), &believing(), "localhost");
        let start = start.with_ssl_handshake_timeout(1000.0);
        let started = asyncio::wait_for(async { start.await.map(drop) }, 0.05).await;
        fails(started, "TimeoutError");
        assert_eq!(protocol.is_lost().await?, None);
        assert!(joined(silent).await?);
        let late = event_loop.start_tls(&transport, protocol, &believing(), "localhost");
        fails(late.await.map(drop), "RuntimeError");
        Ok(())
    });
}

#[test]
fn a_late_handshake_has_its_time() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let open = asyncio::open_connection("127.0.0.1", listener.local_addr()?.port());
        let (_reader, writer) = open.await?;
        let start = writer.start_tls(&believing(), "localhost");
        let message = fails(
            start.with_ssl_handshake_timeout(0.05).await,
            "ConnectionAbortedError",
        );
        assert!(message.starts_with("SSL handshake is taking longer than 0.05 seconds"));
        fails(writer.wait_closed().await, "ConnectionAbortedError");
        let start = writer.start_tls(&believing(), "localhost");
        fails(start.with_ssl_shutdown_timeout(-1.0).await, "ValueError");
        Ok(())
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_start_tls_server_1
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_start_tls_server_1
#[test]
fn a_server_encrypts_a_connection_by_its_protocol() {
    run(async {
        let protocol = Recorder::new();
        let told = protocol.clone();
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_server(move || told.clone(), "127.0.0.1", 0);
        let server = create.await?;
        let port = port(&server);
        let client = asyncio::create_task(async move {
            let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
            assert_eq!(reader.readexactly(HELLO.len()).await?, HELLO);
            writer.start_tls(&believing(), "localhost").await?;
            writer.write(HELLO)?;
            writer.close();
            writer.wait_closed().await
        });
        until(|| protocol.made.get() == 1).await?;
        let plain = protocol.transport();
        plain.write(HELLO)?;
        let start = event_loop.start_tls(&plain, protocol.clone(), &showing("server"), None);
        start.with_ssl_handshake_timeout(60.0).await?;
        assert_eq!(protocol.is_lost().await?, None);
        assert!(*protocol.data.borrow() == HELLO);
        assert_eq!((protocol.made.get(), protocol.ended.get()), (1, 1));
        client.await?;
        server.close();
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_start_tls_wrong_args
#[test]
fn a_pipe_cannot_be_encrypted() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let (_read, write) = std::io::pipe()?;
        let (transport, protocol) = event_loop
            .connect_write_pipe(Recorder::default, write)
            .await?;
        let start = event_loop.start_tls(&transport, protocol, &believing(), "localhost");
        let message = fails(start.await.map(drop), "TypeError");
        assert!(message.ends_with("is not supported by start_tls()"));
        transport.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_start_tls_buffered_data
#[test]
fn a_client_need_not_wait_before_it_encrypts() {
    run(async {
        let serve = async |reader: StreamReader, writer: StreamWriter| {
            assert_eq!(reader.readline().await?, b"PROXY TCP4 from somewhere\n");
            // What follows that line is encrypted, and is in the reader already.
            until(|| reader.to_string().contains(" bytes")).await?;
            writer.start_tls(&showing("server"), None).await?;
            echo(reader, writer).await
        };
        let start = asyncio::start_server(serve, "127.0.0.1", 0);
        let server = start.await?;
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        writer.write(b"PROXY TCP4 from somewhere\n")?;
        writer.start_tls(&believing(), "localhost").await?;
        writer.write(b"ping")?;
        assert_eq!(reader.readexactly(4).await?, b"ping");
        writer.close();
        writer.wait_closed().await?;
        server.close();
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_create_server_ssl_over_ssl
#[test]
fn what_is_encrypted_can_be_encrypted_again() {
    run(async {
        let serve = async |reader: StreamReader, writer: StreamWriter| {
            writer.start_tls(&showing("server"), None).await?;
            echo(reader, writer).await
        };
        let start = asyncio::start_server(serve, "127.0.0.1", 0).with_ssl(&showing("server"));
        let server = start.await?;
        let port = port(&server);
        let clients = (0..10).map(|_| async move {
            let open = asyncio::open_connection("127.0.0.1", port).with_ssl(&believing());
            let (reader, writer) = open.await?;
            writer.start_tls(&believing(), "localhost").await?;
            assert!(writer.get_extra_info("peername").is_some());
            for _ in 0..3 {
                writer.write(HELLO)?;
                assert_eq!(reader.readexactly(HELLO.len()).await?, HELLO);
            }
            writer.close();
            writer.wait_closed().await
        });
        asyncio::gather(clients.collect::<Vec<_>>()).await?;
        server.close();
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_sslproto.py::SslProtoHandshakeTests::test_close_during_ssl_over_ssl
#[test]
fn a_second_handshake_that_is_given_up_says_nothing() {
    run(async {
        let serve = async |reader: StreamReader, writer: StreamWriter| {
            // It never begins a second one.
            let hello = reader.read_to_end().await?;
            assert!(!hello.is_empty());
            writer.close();
            writer.wait_closed().await
        };
        let start = asyncio::start_server(serve, "127.0.0.1", 0).with_ssl(&showing("server"));
        let server = start.await?;
        let (_reader, writer) = connect(&server, &believing()).await?;
        let outer = writer.transport();
        let start = writer.start_tls(&believing(), "localhost");
        let inner = asyncio::create_task(async move { start.await });
        asyncio::sleep(0.01).await?;
        outer.close();
        fails(inner.await, "ConnectionResetError");
        writer.wait_closed().await?;
        server.close();
        server.wait_closed().await
    });
}

#[test]
fn a_plain_answer_to_a_late_handshake_is_an_error() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let plain = std::thread::spawn(move || {
            let (mut client, _): (TcpStream, _) = listener.accept().unwrap();
            client.read_exact(&mut [0; 5]).unwrap();
            client.write_all(b"500 I do not know STARTTLS\r\n").unwrap();
            // The rest of the greeting, until the client is gone.
            let _ = client.read_to_end(&mut Vec::new());
        });
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", address.port()).await?;
        let message = fails(
            writer.start_tls(&believing(), "localhost").await,
            "SSLError",
        );
        assert!(message.starts_with("[SSL] the other side does not speak TLS: "));
        fails(writer.wait_closed().await, "SSLError");
        joined(plain).await
    });
}
