//! Ends that come while somebody pauses, and writers that wait for slow readers.

use std::rc::Rc;
use std::sync::mpsc::channel;

use hilos::asyncio::{self, Protocol, Result, StreamReader, StreamWriter};

use super::{MUCH, ping, pong_server};
use crate::certificates::{believing, showing};
use crate::parties::{Recorder, between, joined, relay};
use crate::support::{fails, port, run, until, watch};

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

/// Reads two bytes at a time, and pauses after each two.
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

#[test]
fn what_is_decrypted_when_a_program_pauses_comes_before_the_end() {
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
