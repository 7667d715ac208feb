//! `connect_write_pipe`.

use std::io::{Read, Write};

use hilos::asyncio::{self, Exception, Protocol, Result};

use super::{Recorder, writing};
use crate::support::{Log, run, until, watch};

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_write_pipe
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_can_write_eof
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_no_data
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_eof
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_close
#[test]
fn what_is_written_comes_out() {
    run(async {
        let (transport, recorder, mut reader) = writing().await?;
        assert!(transport.can_write_eof());
        transport.write(b"")?;
        transport.write(b"one ")?;
        transport.writelines(["two ", "three"])?;
        assert_eq!(transport.get_write_buffer_size(), 0);
        transport.write_eof()?;
        transport.write_eof()?;
        transport.write(b"swallowed")?;
        transport.close();
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(recorder.log.take(), ["made", "lost None"]);
        let mut text = String::new();
        reader.read_to_string(&mut text)?;
        assert_eq!(text, "one two three");
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_partial
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_buffer
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_again
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_eof_pending
#[test]
fn what_the_pipe_does_not_take_waits() {
    run(async {
        let (transport, recorder, mut reader) = writing().await?;
        let data: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
        transport.write(&data)?;
        transport.write(b"end")?;
        assert!(transport.get_write_buffer_size() > 900_000);
        transport.close();
        let thread = std::thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        });
        until(|| recorder.log.len() == 4).await?;
        assert_eq!(
            recorder.log.take(),
            ["made", "pause", "resume", "lost None"]
        );
        let all = thread.join().unwrap()?;
        assert!(all == [&data[..], b"end"].concat());
        Ok(())
    });
}

// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_err
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_write_close
// cpython: test_asyncio/test_unix_events.py::UnixWritePipeTransportTests::test_abort
#[test]
fn a_reader_that_goes_closes_the_pipe() {
    run(async {
        let (transport, recorder, reader) = writing().await?;
        drop(reader);
        until(|| transport.is_closing()).await?;
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["made", "lost None"]);

        let (transport, recorder, reader) = writing().await?;
        transport.write(vec![0; 1 << 20])?;
        drop(reader);
        until(|| transport.is_closing()).await?;
        asyncio::sleep(0).await?;
        assert_eq!(
            recorder.log.take(),
            ["made", "pause", "lost BrokenPipeError"]
        );

        let (transport, recorder, _reader) = writing().await?;
        transport.write(vec![0; 1 << 20])?;
        transport.abort();
        assert_eq!(transport.get_write_buffer_size(), 0);
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["made", "pause", "lost None"]);
        Ok(())
    });
}

#[test]
fn a_reader_that_goes_closes_a_pipe_that_is_being_closed() {
    run(async {
        let (transport, recorder, reader) = writing().await?;
        transport.write(vec![0; 1 << 20])?;
        transport.close();
        // It is lost, and does not hide that the reader goes.
        transport.write(b"late")?;
        let fd = transport.get_extra_info("pipe").unwrap();
        let waiting = transport.get_write_buffer_size();
        let shown = format!("<_UnixWritePipeTransport closing fd={fd} polling bufsize={waiting}>");
        assert_eq!(transport.to_string(), shown);
        drop(reader);
        until(|| recorder.log.len() == 3).await?;
        let log = recorder.log.take();
        assert_eq!(log, ["made", "pause", "lost BrokenPipeError"]);

        let (transport, recorder, _reader) = writing().await?;
        transport.write(vec![0; 1 << 20])?;
        transport.close();
        transport.write(b"late")?;
        transport.abort();
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["made", "pause", "lost None"]);
        Ok(())
    });
}

#[test]
fn a_protocol_that_fails_is_called_again() {
    struct Fails(Log<Vec<u8>>);
    impl Protocol for Fails {
        fn data_received(&self, data: &[u8]) -> Result<()> {
            self.0.push(data.to_vec());
            Err(Exception::new("LookupError", "of the protocol"))
        }
    }
    run(async {
        let contexts = watch();
        let (pipe, mut writer) = std::io::pipe()?;
        let event_loop = asyncio::get_running_loop()?;
        let log = Log::new();
        let protocol = Fails(log.clone());
        let connect = event_loop.connect_read_pipe(|| protocol, pipe);
        let (transport, _) = connect.await?;
        for data in [b"one", b"two"] {
            writer.write_all(data)?;
            until(|| contexts.len() == 1).await?;
            assert_eq!(log.take(), [data]);
            let message = contexts.take().pop().unwrap().message;
            assert!(message.starts_with("Exception in callback "), "{message}");
        }
        assert!(!transport.is_closing());
        transport.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_write_pipe_disconnect_on_close
#[test]
fn a_socket_for_a_pipe_tells_that_the_other_end_is_gone() {
    run(async {
        let (mut theirs, ours) = std::os::unix::net::UnixStream::pair()?;
        let recorder = Recorder::new();
        let protocol = recorder.clone();
        let event_loop = asyncio::get_running_loop()?;
        let connect = event_loop.connect_write_pipe(move || protocol, ours);
        let (transport, _) = connect.await?;
        transport.write(b"1")?;
        let mut buffer = [0; 10];
        assert_eq!(theirs.read(&mut buffer)?, 1);
        drop(theirs);
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(recorder.log.take(), ["made", "lost None"]);
        Ok(())
    });
}
