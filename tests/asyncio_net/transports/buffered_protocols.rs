//! `BufferedProtocol`: protocols that read into a buffer of their own.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use hilos::asyncio::{self, BufferedProtocol, Exception, Protocol, Result, Transport};

use super::connected;
use crate::support::{Log, run, until, watch};

/// Reads into a buffer of its own, of as many bytes as it is told.
struct Own {
    buffer: RefCell<Vec<u8>>,
    log: Log<Vec<u8>>,
    lost: Log<String>,
    fails_at: &'static str,
}

impl Own {
    fn new(size: usize, fails_at: &'static str) -> Self {
        Self {
            buffer: RefCell::new(vec![0; size]),
            log: Log::new(),
            lost: Log::new(),
            fails_at,
        }
    }
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
        let own = Own::new(100, "");
        let (log, lost) = (own.log.clone(), own.lost.clone());
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
            let own = Own::new(size, fails_at);
            let lost = own.lost.clone();
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
pub(super) async fn buffered(
    stream: impl Into<std::os::fd::OwnedFd>,
    fails_at: &'static str,
) -> Result<(Transport, Log<Vec<u8>>, Log<String>)> {
    let own = Own::new(10, fails_at);
    let (log, lost) = (own.log.clone(), own.lost.clone());
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

// cpython: test_asyncio/test_selector_events.py::SelectorSocketTransportBufferedProtocolTests::test_proto_type_switch
#[test]
fn a_protocol_is_exchanged_for_one_of_the_other_kind() {
    run(async {
        let (transport, recorder, mut theirs) = connected().await?;
        theirs.write_all(b"first")?;
        until(|| recorder.log.len() == 2).await?;
        let own = Own::new(10, "");
        let log = own.log.clone();
        transport.set_protocol(Rc::new(own));
        theirs.write_all(b"second")?;
        until(|| log.len() == 1).await?;
        assert_eq!(log.take(), [b"second"]);
        assert_eq!(recorder.log.take(), ["made", "data first"]);
        transport.close();
        Ok(())
    });
}
