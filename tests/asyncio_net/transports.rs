//! `Transport` and `Protocol`.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use hilos::asyncio::{self, BufferedProtocol, Exception, Protocol, Result, Transport};

use crate::support::{Log, fails, port, run, until, watch};

/// Writes down what it is called with.
struct Recorder {
    log: Log<String>,
    transport: RefCell<Option<Transport>>,
    fails_at: Cell<&'static str>,
    keeps_open: Cell<bool>,
}

impl Recorder {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            log: Log::new(),
            transport: RefCell::default(),
            fails_at: Cell::new(""),
            keeps_open: Cell::new(false),
        })
    }

    fn record(&self, what: &str) -> Result<()> {
        self.log.push(what.to_owned());
        match self.fails_at.get() {
            "" => Ok(()),
            at if what.starts_with(at) => Err(Exception::new("LookupError", "of the protocol")),
            _ => Ok(()),
        }
    }
}

impl Protocol for Recorder {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        self.record("made")
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.record(&format!("data {}", String::from_utf8_lossy(data)))
    }

    fn eof_received(&self) -> Result<bool> {
        self.record("eof").map(|()| self.keeps_open.get())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        let why = exc.map_or("None".to_owned(), Exception::repr);
        self.record(&format!("lost {why}"))
    }

    fn pause_writing(&self) -> Result<()> {
        self.record("pause")
    }

    fn resume_writing(&self) -> Result<()> {
        self.record("resume")
    }
}

/// A transport, its protocol, and the other end.
async fn connected() -> Result<(Transport, Rc<Recorder>, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let recorder = Recorder::new();
    let protocol = recorder.clone();
    let event_loop = asyncio::get_running_loop()?;
    let create = event_loop.create_connection_over(move || protocol, ours);
    let (transport, _) = create.await?;
    Ok((transport, recorder, theirs))
}

// cpython: test_asyncio/test_protocols.py::ProtocolsAbsTests::test_base_protocol
// cpython: test_asyncio/test_protocols.py::ProtocolsAbsTests::test_protocol
// cpython: test_asyncio/test_protocols.py::ProtocolsAbsTests::test_buffered_protocol
#[test]
fn a_protocol_need_not_do_anything() {
    struct Nothing;
    impl Protocol for Nothing {}
    run(async {
        let (ours, mut theirs) = UnixStream::pair()?;
        let event_loop = asyncio::get_running_loop()?;
        let (transport, protocol) = event_loop.create_connection_over(|| Nothing, ours).await?;
        assert!(protocol.as_buffered().is_none());
        assert!(!protocol.eof_received()?);
        theirs.write_all(b"ignored")?;
        drop(theirs);
        until(|| transport.is_closing()).await
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_read_ready
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_read_ready_eof
#[test]
fn a_protocol_is_called_in_order() {
    run(async {
        let (transport, recorder, mut theirs) = connected().await?;
        assert_eq!(recorder.log.take(), ["made"]);
        let socket = transport.get_extra_info("socket").unwrap();
        let fd = socket.as_socket().unwrap().fileno();
        let idle = "write=<idle, bufsize=0>";
        let shown = format!("<_SelectorSocketTransport fd={fd} read=polling {idle}>");
        assert_eq!(transport.to_string(), shown);
        theirs.write_all(b"hello")?;
        until(|| recorder.log.len() == 1).await?;
        drop(theirs);
        until(|| recorder.log.len() == 3).await?;
        assert_eq!(recorder.log.take(), ["data hello", "eof", "lost None"]);
        assert!(transport.get_protocol().is_none());
        let shown = format!("<_SelectorSocketTransport closed fd={fd}>");
        assert_eq!(transport.to_string(), shown);
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_read_ready_eof_keep_open
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_eof
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_eof_after_close
#[test]
fn a_connection_may_be_closed_half() {
    run(async {
        let (transport, recorder, mut theirs) = connected().await?;
        recorder.keeps_open.set(true);
        theirs.shutdown(std::net::Shutdown::Write)?;
        until(|| recorder.log.len() == 2).await?;
        assert!(!transport.is_closing());
        assert!(transport.can_write_eof());
        transport.write(b"still")?;
        transport.write_eof()?;
        transport.write_eof()?;
        let message = fails(transport.write(b"no"), "RuntimeError");
        assert_eq!(message, "Cannot call write() after write_eof()");
        let message = fails(transport.writelines([b"no"]), "RuntimeError");
        assert_eq!(message, "Cannot call writelines() after write_eof()");
        let mut text = String::new();
        theirs.read_to_string(&mut text)?;
        assert_eq!(text, "still");
        transport.close();
        transport.write_eof()?;
        until(|| recorder.log.len() == 3).await?;
        assert_eq!(recorder.log.take(), ["made", "eof", "lost None"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_pause_resume_reading
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_pause_reading_connection_made
#[test]
fn a_paused_transport_does_not_read() {
    run(async {
        let (transport, recorder, mut theirs) = connected().await?;
        recorder.log.take();
        assert!(transport.is_reading());
        transport.pause_reading();
        transport.pause_reading();
        assert!(!transport.is_reading());
        theirs.write_all(b"late")?;
        asyncio::sleep(0.01).await?;
        assert_eq!(recorder.log.len(), 0);
        transport.resume_reading();
        transport.resume_reading();
        assert!(transport.is_reading());
        until(|| recorder.log.len() == 1).await?;
        assert_eq!(recorder.log.take(), ["data late"]);
        transport.close();
        assert!(!transport.is_reading());
        transport.pause_reading();
        transport.resume_reading();
        assert!(!transport.is_reading());

        struct PausesAtOnce(Log<usize>);
        impl Protocol for PausesAtOnce {
            fn connection_made(&self, transport: &Transport) -> Result<()> {
                transport.pause_reading();
                Ok(())
            }

            fn data_received(&self, data: &[u8]) -> Result<()> {
                self.0.push(data.len());
                Ok(())
            }
        }
        let (ours, mut theirs) = UnixStream::pair()?;
        theirs.write_all(b"early")?;
        let log = Log::new();
        let protocol = PausesAtOnce(log.clone());
        let event_loop = asyncio::get_running_loop()?;
        let (transport, _) = event_loop
            .create_connection_over(move || protocol, ours)
            .await?;
        asyncio::sleep(0.01).await?;
        assert_eq!(log.len(), 0);
        transport.resume_reading();
        until(|| log.len() == 1).await?;
        transport.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_data_received_error
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_read_eof_received_error
#[test]
fn an_error_of_the_protocol_ends_its_connection() {
    run(async {
        let log = watch();
        let cases = [
            ("data", "Fatal error: protocol.data_received() call failed."),
            ("eof", "Fatal error: protocol.eof_received() call failed."),
        ];
        for (fails_at, message) in cases {
            let (transport, recorder, mut theirs) = connected().await?;
            recorder.fails_at.set(fails_at);
            theirs.write_all(b"x")?;
            theirs.shutdown(std::net::Shutdown::Write)?;
            let lost = "lost LookupError('of the protocol')";
            until(|| transport.get_protocol().is_none()).await?;
            assert_eq!(recorder.log.take().last().unwrap(), lost);
            let contexts = log.take();
            assert_eq!(contexts.len(), 1);
            assert_eq!(contexts[0].message, message);
        }
        Ok(())
    });
}

#[test]
fn a_panic_of_the_protocol_ends_its_connection_only() {
    struct Panics;
    impl Protocol for Panics {
        fn data_received(&self, data: &[u8]) -> Result<()> {
            panic!("{} bytes", data.len());
        }
    }
    run(async {
        let log = watch();
        let event_loop = asyncio::get_running_loop()?;
        let server = event_loop.create_server(|| Panics, "127.0.0.1", 0).await?;
        for _ in 0..2 {
            let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
            writer.write(b"abc")?;
            assert_eq!(reader.read_to_end().await?, b"");
            writer.close();
            let contexts = log.take();
            assert_eq!(contexts.len(), 1);
            assert_eq!(
                contexts[0].exception.as_ref().unwrap().to_string(),
                "3 bytes"
            );
        }
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_no_data
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_sendmsg_full
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_writelines_sendmsg_full
// cpython: test_asyncio/test_transports.py::TransportTests::test_writelines
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_writelines_send_full
#[test]
fn what_the_socket_takes_goes_out_at_once() {
    run(async {
        let (transport, _recorder, mut theirs) = connected().await?;
        transport.write(b"")?;
        transport.write(b"one ")?;
        transport.writelines(["two ", "", "three"])?;
        transport.writelines(Vec::<&[u8]>::new())?;
        assert_eq!(transport.get_write_buffer_size(), 0);
        let mut buffer = [0; 13];
        theirs.read_exact(&mut buffer)?;
        assert_eq!(&buffer, b"one two three");
        transport.close();
        Ok(())
    });
}

/// Reads from `stream` in a thread until the end.
fn drain(mut stream: UnixStream) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all
    })
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_buffer
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_partial
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_tryagain
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_ready
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_ready_partial
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_ready_closing
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_sendmsg_partial
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_sendmsg_half_buffer
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_writelines_sendmsg_partial
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_writelines_pauses_protocol
// cpython: test_asyncio/test_selector_events.py::SelectorTransportTests::test_close_write_buffer
// cpython: test_asyncio/test_transports.py::TransportTests::test_flowcontrol_mixin_set_write_limits
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_writelines_send_partial
#[test]
fn what_it_does_not_take_waits_and_the_protocol_with_it() {
    run(async {
        let (transport, recorder, theirs) = connected().await?;
        recorder.log.take();
        let mut sent = Vec::new();
        for i in 0..64_u8 {
            let piece = vec![i; 20_000 + usize::from(i)];
            match i % 2 {
                0 => transport.write(&piece)?,
                _ => transport.writelines([&piece[..7], &piece[7..]])?,
            }
            sent.extend(piece);
        }
        assert!(transport.get_write_buffer_size() > 64 * 1024);
        assert_eq!(recorder.log.take(), ["pause"]);
        // Closing waits for what is written.
        transport.close();
        let reader = drain(theirs);
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(recorder.log.take(), ["resume", "lost None"]);
        assert!(reader.join().unwrap() == sent);
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_sendmsg_no_data
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_ready_tryagain
#[test]
fn what_waits_goes_on_waiting_while_nobody_reads() {
    run(async {
        let (transport, recorder, theirs) = connected().await?;
        transport.write(vec![7; 1 << 20])?;
        let waiting = transport.get_write_buffer_size();
        assert!(waiting > 0);
        for _ in 0..10 {
            transport.write(b"")?;
            transport.writelines([b""])?;
            asyncio::sleep(0).await?;
            assert_eq!(transport.get_write_buffer_size(), waiting);
        }
        let reader = drain(theirs);
        transport.write(b"end")?;
        transport.close();
        until(|| recorder.log.len() == 4).await?;
        let all = reader.join().unwrap();
        assert!(all.len() == (1 << 20) + 3 && all.ends_with(b"\x07end"));
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_eof_buffer
#[test]
fn the_end_comes_after_what_waits() {
    run(async {
        let (transport, recorder, theirs) = connected().await?;
        transport.write(vec![7; 1 << 20])?;
        transport.write_eof()?;
        let reader = drain(theirs);
        until(|| transport.get_write_buffer_size() == 0).await?;
        until(|| reader.is_finished()).await?;
        assert_eq!(reader.join().unwrap().len(), 1 << 20);
        until(|| recorder.log.len() == 5).await?;
        assert_eq!(
            recorder.log.take(),
            ["made", "pause", "resume", "eof", "lost None"]
        );
        Ok(())
    });
}

#[test]
fn water_marks_are_in_order() {
    run(async {
        let (transport, recorder, _theirs) = connected().await?;
        recorder.log.take();
        assert_eq!(transport.get_write_buffer_limits(), (16 * 1024, 64 * 1024));
        transport.set_write_buffer_limits(1024, None)?;
        assert_eq!(transport.get_write_buffer_limits(), (256, 1024));
        transport.set_write_buffer_limits(None, 1024)?;
        assert_eq!(transport.get_write_buffer_limits(), (1024, 4096));
        let message = fails(transport.set_write_buffer_limits(1, 2), "ValueError");
        assert_eq!(message, "high (1) must be >= low (2) must be >= 0");
        transport.set_write_buffer_limits(10 << 20, None)?;
        transport.write(vec![0; 2 << 20])?;
        assert_eq!(recorder.log.len(), 0);
        transport.set_write_buffer_limits(0, None)?;
        assert_eq!(recorder.log.take(), ["pause"]);
        transport.abort();
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorTransportTests::test_abort
// cpython: test_asyncio/test_selector_events.py::SelectorTransportTests::test_close
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_closing
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_writelines_after_connection_lost
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_buffer_after_close
#[test]
fn an_aborted_connection_loses_what_waits_and_swallows_the_rest() {
    run(async {
        let (transport, recorder, _theirs) = connected().await?;
        transport.write(vec![0; 2 << 20])?;
        transport.abort();
        transport.abort();
        transport.close();
        assert_eq!(transport.get_write_buffer_size(), 0);
        assert!(transport.is_closing());
        for _ in 0..3 {
            transport.write(b"lost")?;
            transport.writelines([b"lost"])?;
        }
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["made", "pause", "lost None"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_exception
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_read_ready_conn_reset
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_sendmsg_OSError
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_write_ready_exception
#[test]
fn a_connection_that_breaks_tells_the_protocol_and_nobody_else() {
    run(async {
        let (transport, recorder, theirs) = connected().await?;
        recorder.log.take();
        transport.pause_reading();
        drop(theirs);
        // A child of another test may have the other end for a moment.
        while recorder.log.len() == 0 {
            transport.write(b"x")?;
            asyncio::sleep(0).await?;
        }
        let lost = recorder.log.take();
        assert_eq!(lost.len(), 1);
        assert!(lost[0].starts_with("lost BrokenPipeError("), "{lost:?}");

        // The peer goes while much waits to be written.
        let (transport, recorder, theirs) = connected().await?;
        transport.write(vec![0; 2 << 20])?;
        drop(theirs);
        until(|| transport.get_protocol().is_none()).await?;
        let lost = recorder.log.take();
        let last = lost.last().unwrap();
        assert!(
            last.contains("BrokenPipeError") || last.contains("ConnectionResetError"),
            "{last}"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_transports.py::TransportTests::test_get_extra_info
// cpython: test_asyncio/test_transports.py::TransportTests::test_ctor_extra_is_none
#[test]
fn a_transport_knows_its_socket() {
    run(async {
        let (transport, _recorder, _theirs) = connected().await?;
        assert!(transport.get_extra_info("unknown").is_none());
        let info = transport.get_extra_info("socket").unwrap();
        let socket = info.as_socket().unwrap();
        assert!(socket.fileno() > 0);
        assert_eq!(
            transport.get_extra_info("sockname").unwrap().to_string(),
            "''"
        );
        transport.abort();
        asyncio::sleep(0).await?;
        assert_eq!(socket.fileno(), -1);
        fails(socket.getsockname(), "OSError");
        Ok(())
    });
}

/// Reads into a buffer of its own, of as many bytes as it is told.
struct Own {
    buffer: RefCell<Vec<u8>>,
    log: Log<Vec<u8>>,
    lost: Log<String>,
    fails_at: &'static str,
}

impl Protocol for Own {
    fn data_received(&self, _data: &[u8]) -> Result<()> {
        unreachable!("it has a buffer of its own")
    }

    fn eof_received(&self) -> Result<bool> {
        match self.fails_at {
            "eof_received" => Err(Exception::new("LookupError", "")),
            at => Ok(at == "keeps open"),
        }
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        self.lost
            .push(exc.map_or("None".to_owned(), Exception::repr));
        Ok(())
    }

    fn as_buffered(&self) -> Option<&dyn BufferedProtocol> {
        Some(self)
    }
}

impl BufferedProtocol for Own {
    fn get_buffer(&self, sizehint: Option<usize>, fill: &mut dyn FnMut(&mut [u8])) -> Result<()> {
        assert_eq!(sizehint, None);
        if self.fails_at == "get_buffer" {
            return Err(Exception::new("LookupError", ""));
        }
        fill(&mut self.buffer.borrow_mut());
        Ok(())
    }

    fn buffer_updated(&self, nbytes: usize) -> Result<()> {
        if self.fails_at == "buffer_updated" {
            return Err(Exception::new("LookupError", ""));
        }
        self.log.push(self.buffer.borrow()[..nbytes].to_vec());
        Ok(())
    }
}

// cpython: test_asyncio/test_buffered_proto.py::BaseTestBufferedProtocol::test_buffered_proto_create_connection
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_read_ready
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_read_ready_eof
#[test]
fn a_protocol_may_read_into_a_buffer_of_its_own() {
    run(async {
        let noise = b"12345678+".repeat(1024);
        let (ours, mut theirs) = UnixStream::pair()?;
        let (log, lost) = (Log::new(), Log::new());
        let buffer = RefCell::new(vec![0; 100]);
        let own = Own {
            buffer,
            log: log.clone(),
            lost: lost.clone(),
            fails_at: "",
        };
        let event_loop = asyncio::get_running_loop()?;
        let (_transport, _) = event_loop.create_connection_over(move || own, ours).await?;
        theirs.write_all(&noise)?;
        drop(theirs);
        until(|| lost.len() == 1).await?;
        let pieces = log.take();
        assert!(pieces.iter().all(|piece| piece.len() <= 100));
        assert_eq!(pieces.concat(), noise);
        assert_eq!(lost.take(), ["None"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_get_buffer_error
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_get_buffer_zerosized
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_buffer_updated_error
#[test]
fn a_buffer_that_cannot_be_had_ends_the_connection() {
    run(async {
        let contexts = watch();
        let empty = "RuntimeError('get_buffer() returned an empty buffer')";
        let cases = [
            ("get_buffer", 10, "LookupError()", "get_buffer"),
            ("", 0, empty, "get_buffer"),
            ("buffer_updated", 10, "LookupError()", "buffer_updated"),
        ];
        for (fails_at, size, why, method) in cases {
            let (ours, mut theirs) = UnixStream::pair()?;
            let lost = Log::new();
            let buffer = RefCell::new(vec![0; size]);
            let own = Own {
                buffer,
                log: Log::new(),
                lost: lost.clone(),
                fails_at,
            };
            let event_loop = asyncio::get_running_loop()?;
            event_loop.create_connection_over(move || own, ours).await?;
            theirs.write_all(b"x")?;
            until(|| lost.len() == 1).await?;
            assert_eq!(lost.take(), [why]);
            let message = format!("Fatal error: protocol.{method}() call failed.");
            assert_eq!(contexts.take()[0].message, message);
        }
        Ok(())
    });
}

/// A transport whose protocol has a buffer of its own, what that reads and how it ends.
async fn buffered(
    stream: impl Into<std::os::fd::OwnedFd>,
    fails_at: &'static str,
) -> Result<(Transport, Log<Vec<u8>>, Log<String>)> {
    let (log, lost) = (Log::new(), Log::new());
    let own = Own {
        buffer: RefCell::new(vec![0; 10]),
        log: log.clone(),
        lost: lost.clone(),
        fails_at,
    };
    let event_loop = asyncio::get_running_loop()?;
    let (transport, _) = event_loop
        .create_connection_over(move || own, stream)
        .await?;
    Ok((transport, log, lost))
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_read_eof_received_error
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_read_ready_eof_keep_open
#[test]
fn a_protocol_with_a_buffer_is_told_of_the_end() {
    run(async {
        let contexts = watch();
        let (ours, theirs) = UnixStream::pair()?;
        let (_transport, _, lost) = buffered(ours, "eof_received").await?;
        theirs.shutdown(std::net::Shutdown::Write)?;
        until(|| lost.len() == 1).await?;
        assert_eq!(lost.take(), ["LookupError()"]);
        let message = "Fatal error: protocol.eof_received() call failed.";
        assert_eq!(contexts.take()[0].message, message);

        let (ours, mut theirs) = UnixStream::pair()?;
        let (transport, log, lost) = buffered(ours, "keeps open").await?;
        theirs.write_all(b"last")?;
        theirs.shutdown(std::net::Shutdown::Write)?;
        until(|| log.len() == 1).await?;
        for _ in 0..10 {
            asyncio::sleep(0).await?;
        }
        assert!(!transport.is_closing() && lost.len() == 0);
        transport.write(b"answer")?;
        let mut answer = [0; 6];
        theirs.read_exact(&mut answer)?;
        transport.close();
        until(|| lost.len() == 1).await?;
        assert_eq!(lost.take(), ["None"]);
        Ok(())
    });
}

/// Both ends of a connection, of which the second resets the first when it is dropped.
fn resetting() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let theirs = TcpStream::connect(listener.local_addr()?)?;
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    nix::sys::socket::setsockopt(&theirs, nix::sys::socket::sockopt::Linger, &at_once)?;
    Ok((listener.accept()?.0, theirs))
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportTests::test_read_ready_err
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_read_ready_conn_reset
// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_read_ready_err
#[test]
fn a_connection_that_cannot_be_read_is_lost_by_the_error() {
    run(async {
        let reset = "ConnectionResetError(104, 'Connection reset by peer')";
        let (ours, theirs) = resetting()?;
        let (transport, log, lost) = buffered(ours, "").await?;
        drop(theirs);
        until(|| lost.len() == 1).await?;
        assert_eq!(lost.take(), [reset]);
        assert!(transport.is_closing() && log.len() == 0);

        let (ours, theirs) = resetting()?;
        let recorder = Recorder::new();
        let protocol = recorder.clone();
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_connection_over(move || protocol, ours);
        let (transport, _) = create.await?;
        drop(theirs);
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(
            recorder.log.take(),
            ["made".to_owned(), format!("lost {reset}")]
        );
        assert!(transport.is_closing());
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::TestFunctional::test_add_reader_or_writer_transport_fd
#[test]
fn the_descriptor_of_a_transport_is_its_own() {
    run(async {
        let (transport, recorder, mut theirs) = connected().await?;
        let event_loop = asyncio::get_running_loop()?;
        let socket = transport.get_extra_info("socket").unwrap();
        let socket = socket.as_socket().unwrap().clone();
        let message = format!(
            "File descriptor {} is used by transport {transport}",
            socket.fileno()
        );
        let add = socket.with_fd(|fd| event_loop.add_reader(&fd, || {}))?;
        assert_eq!(fails(add, "RuntimeError"), message);
        let add = socket.with_fd(|fd| event_loop.add_writer(&fd, || {}))?;
        assert_eq!(fails(add, "RuntimeError"), message);
        let remove = socket.with_fd(|fd| panics(|| event_loop.remove_reader(&fd)))?;
        assert_eq!(remove, format!("RuntimeError: {message}"));
        let remove = socket.with_fd(|fd| panics(|| event_loop.remove_writer(&fd)))?;
        assert_eq!(remove, format!("RuntimeError: {message}"));
        // The transport was not disturbed.
        theirs.write_all(b"x")?;
        until(|| recorder.log.len() == 2).await?;
        // A socket that is being closed is nobody's any more.
        transport.close();
        let fd = socket.with_fd(|fd| event_loop.remove_reader(&fd))?;
        assert!(!fd);
        Ok(())
    });
}

/// What `f` panics with.
fn panics<R>(f: impl FnOnce() -> R) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map(drop);
    *payload.unwrap_err().downcast().expect("a text")
}

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_proto_type_switch
#[test]
fn a_protocol_is_exchanged_for_one_of_the_other_kind() {
    run(async {
        let (transport, recorder, mut theirs) = connected().await?;
        theirs.write_all(b"first")?;
        until(|| recorder.log.len() == 2).await?;
        let log = Log::new();
        let buffer = RefCell::new(vec![0; 10]);
        let own = Own {
            buffer,
            log: log.clone(),
            lost: Log::new(),
            fails_at: "",
        };
        transport.set_protocol(Rc::new(own));
        theirs.write_all(b"second")?;
        until(|| log.len() == 1).await?;
        assert_eq!(log.take(), [b"second"]);
        assert_eq!(recorder.log.take(), ["made", "data first"]);
        transport.close();
        Ok(())
    });
}
