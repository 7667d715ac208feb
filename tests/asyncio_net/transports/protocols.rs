//! What a transport calls of its protocol, in which order, and what becomes of a protocol that fails.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use hilos::asyncio::{self, Protocol, Result, Transport};

use super::connected;
use crate::support::{Log, fails, port, run, until, watch};

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
        it_may_pause_at_any_time().await?;
        it_may_pause_before_it_reads().await
    });
}

async fn it_may_pause_at_any_time() -> Result<()> {
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
    Ok(())
}

async fn it_may_pause_before_it_reads() -> Result<()> {
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
    let create = event_loop.create_connection_over(move || protocol, ours);
    let (transport, _) = create.await?;
    asyncio::sleep(0.01).await?;
    assert_eq!(log.len(), 0);
    transport.resume_reading();
    until(|| log.len() == 1).await?;
    transport.close();
    Ok(())
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
