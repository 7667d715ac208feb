//! What is written goes out at once, or waits.

use std::io::Read;
use std::os::unix::net::UnixStream;

use hilos::asyncio;

use super::connected;
use crate::support::{fails, run, until};

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
