//! `connect_read_pipe`.

use std::io::Write;

use hilos::asyncio;

use super::{Recorder, reading};
use crate::support::{run, until, watch};

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_read_pipe
#[test]
fn a_pipe_is_read_to_its_end() {
    run(async {
        let (transport, recorder, mut writer) = reading().await?;
        let fd = transport.get_extra_info("pipe").unwrap();
        let shown = |state| format!("<_UnixReadPipeTransport fd={fd} {state}>");
        assert_eq!(transport.to_string(), shown("polling"));
        transport.pause_reading();
        assert_eq!(transport.to_string(), shown("idle"));
        transport.resume_reading();
        writer.write_all(b"hello ")?;
        until(|| !recorder.data.borrow().is_empty()).await?;
        writer.write_all(b"pipe")?;
        drop(writer);
        until(|| recorder.log.len() == 3).await?;
        assert_eq!(recorder.log.take(), ["made", "eof", "lost None"]);
        assert_eq!(recorder.data.take(), b"hello pipe");
        let shown = format!("<_UnixReadPipeTransport closed fd={fd} closed>");
        assert_eq!(transport.to_string(), shown);
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_pause_reading
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_resume_reading
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_close
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_pause_reading_on_closed_pipe
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_pause_reading_on_paused_pipe
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_resume_reading_on_closed_pipe
// cpython: test_asyncio/test_unix_events.py::UnixReadPipeTransportTests::test_resume_reading_on_paused_pipe
#[test]
fn a_paused_pipe_is_not_read() {
    run(async {
        let (transport, recorder, mut writer) = reading().await?;
        transport.pause_reading();
        transport.pause_reading();
        assert!(!transport.is_reading());
        writer.write_all(b"late")?;
        asyncio::sleep(0.01).await?;
        assert!(recorder.data.borrow().is_empty());
        transport.resume_reading();
        transport.resume_reading();
        until(|| !recorder.data.borrow().is_empty()).await?;
        transport.close();
        assert!(transport.is_closing());
        transport.pause_reading();
        transport.resume_reading();
        assert!(!transport.is_reading());
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["made", "lost None"]);
        Ok(())
    });
}

#[test]
fn what_goes_wrong_with_reading_a_pipe_is_told() {
    run(async {
        let contexts = watch();
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let theirs = std::net::TcpStream::connect(listener.local_addr()?)?;
        let (ours, _) = listener.accept()?;
        let at_once = libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        nix::sys::socket::setsockopt(&theirs, nix::sys::socket::sockopt::Linger, &at_once)?;
        let event_loop = asyncio::get_running_loop()?;
        let recorder = Recorder::new();
        let protocol = recorder.clone();
        let connect = event_loop.connect_read_pipe(move || protocol, ours);
        let (transport, _) = connect.await?;
        drop(theirs);
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(recorder.log.take(), ["made", "lost ConnectionResetError"]);
        let context = contexts.take().pop().unwrap();
        assert_eq!(context.message, "Fatal read error on pipe transport");
        let reset = "ConnectionResetError(104, 'Connection reset by peer')";
        assert_eq!(context.exception.unwrap().repr(), reset);
        assert!(transport.is_closing());
        Ok(())
    });
}

#[test]
fn the_end_of_writing_is_none_of_a_pipe_that_is_read() {
    run(async {
        let (transport, recorder, mut writer) = reading().await?;
        assert!(!transport.can_write_eof());
        transport.write_eof()?;
        assert!(!transport.is_closing());
        writer.write_all(b"still read")?;
        until(|| *recorder.data.borrow() == b"still read").await?;
        transport.close();
        Ok(())
    });
}
