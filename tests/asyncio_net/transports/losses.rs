//! Connections that are aborted or break.

use std::net::{TcpListener, TcpStream};

use hilos::asyncio::{self, Result};

use super::buffered_protocols::buffered;
use super::{Recorder, connected};
use crate::support::{run, until};

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
