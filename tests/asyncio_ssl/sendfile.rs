//! `test_sendfile.py`: files over encrypted connections, which the system cannot send by itself.

use std::io::{Seek, SeekFrom};
use std::rc::Rc;

use hilos::asyncio::{self, EventLoop, Result, Server, Transport, get_running_loop};

use crate::certificates::{believing, showing};
use crate::parties::Recorder;
use crate::sample::{LENGTH, Sample, data};
use crate::support::{fails, port, run};

/// A transport, and who receives what it sends.
async fn connected(event_loop: &EventLoop) -> Result<(Server, Rc<Recorder>, Transport)> {
    let receiver = Recorder::new();
    let protocol = receiver.clone();
    let server = event_loop.create_server(move || protocol.clone(), "127.0.0.1", 0);
    let server = server.with_ssl(&showing("server")).await?;
    let create = event_loop.create_connection(Recorder::new, "127.0.0.1", port(&server));
    let (transport, _) = create.with_ssl(&believing()).await?;
    transport.set_write_buffer_limits(4 * 1024, None)?;
    Ok((server, receiver, transport))
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_ssl
#[test]
fn a_file_is_encrypted_on_its_way() {
    run(async {
        let event_loop = get_running_loop()?;
        let sample = Sample::new();
        let (server, receiver, transport) = connected(&event_loop).await?;
        let sent = event_loop.sendfile(&transport, &sample.file).await?;
        assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
        transport.close();
        receiver.is_lost().await?;
        assert!(receiver.data.take() == data());
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_ssl_pre_and_post_data
#[test]
fn bytes_before_and_after_it_arrive_in_order() {
    run(async {
        let event_loop = get_running_loop()?;
        let sample = Sample::new();
        let (prefix, suffix) = (b"zxcvbnm".repeat(1024), b"0987654321".repeat(1024));
        let (server, receiver, transport) = connected(&event_loop).await?;
        transport.write(&prefix)?;
        let sent = event_loop.sendfile(&transport, &sample.file).await?;
        transport.write(&suffix)?;
        transport.close();
        receiver.is_lost().await?;
        assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
        assert!(receiver.data.take() == [prefix, data(), suffix].concat());
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_ssl_partial
#[test]
fn a_part_of_a_file_is_sent() {
    run(async {
        let event_loop = get_running_loop()?;
        let mut sample = Sample::new();
        // Where the file stands does not matter.
        sample.file.seek(SeekFrom::Start(50))?;
        let (server, receiver, transport) = connected(&event_loop).await?;
        let sending = event_loop.sendfile(&transport, &sample.file);
        let sent = sending.with_offset(1000).with_count(100).await?;
        transport.close();
        receiver.is_lost().await?;
        assert_eq!((sent, sample.tell()), (100, 1100));
        assert!(receiver.data.take() == data()[1000..1100]);
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_ssl_close_peer_after_receiving
#[test]
fn the_peer_may_close_when_it_has_all() {
    run(async {
        let event_loop = get_running_loop()?;
        let sample = Sample::new();
        let (server, receiver, transport) = connected(&event_loop).await?;
        let (receiving, all) = (receiver.clone(), data());
        let closing = asyncio::create_task(async move {
            receiving.has(&all).await?;
            receiving.transport().close();
            Ok(())
        });
        let sent = event_loop.sendfile(&transport, &sample.file).await?;
        closing.await?;
        receiver.is_lost().await?;
        assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
        transport.close();
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_no_fallback_for_fallback_transport
#[test]
fn without_the_fallback_nothing_is_sent() {
    run(async {
        let event_loop = get_running_loop()?;
        let sample = Sample::new();
        let (server, receiver, transport) = connected(&event_loop).await?;
        let sending = event_loop.sendfile(&transport, &sample.file);
        let message = fails(sending.with_fallback(false).await, "RuntimeError");
        let expected = format!(
            "fallback is disabled and native sendfile is not supported for transport {transport}"
        );
        assert_eq!((message, sample.tell()), (expected, 0));
        transport.close();
        receiver.is_lost().await?;
        assert!(receiver.data.take().is_empty());
        server.close();
        Ok(())
    });
}
