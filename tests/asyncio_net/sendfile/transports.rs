//! `sendfile`: files over transports.

use std::io::Seek;

use hilos::asyncio::get_running_loop;

use super::{Receiver, all_received, connected, refuse_sendfile_over};
use crate::sample::{LENGTH, Sample, data};
use crate::support::{fails, run, until};

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sendfile_offset
#[test]
fn where_the_file_stands_does_not_matter_to_a_transport() {
    run(async {
        let sample = Sample::new();
        let event_loop = get_running_loop()?;
        for refused in [false, true] {
            (&sample.file).seek(std::io::SeekFrom::Start(1000))?;
            let (server, receiver, sender) = connected(0).await?;
            if refused {
                refuse_sendfile_over(&sender.transport());
            }
            let transport = sender.transport();
            let sending = event_loop.sendfile(&transport, &sample.file);
            assert_eq!(sending.with_count(2000).await?, 2000);
            let received = all_received(&transport, &receiver).await?;
            assert!(received == data()[..2000], "refused: {refused}");
            assert_eq!(sample.tell(), 2000);
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_not_supported
#[test]
fn a_pipe_transport_sends_no_files() {
    run(async {
        let sample = Sample::new();
        let (_reader, writer) = std::io::pipe()?;
        let event_loop = get_running_loop()?;
        let receiver = Receiver::new(0);
        let protocol = receiver.clone();
        let connect = event_loop.connect_write_pipe(move || protocol, writer);
        let (transport, _) = connect.await?;
        let message = fails(
            event_loop.sendfile(&transport, &sample.file).await,
            "RuntimeError",
        );
        let expected = format!("sendfile is not supported for transport {transport}");
        assert_eq!((message, sample.tell()), (expected, 0));
        transport.close();
        (&receiver.done).await?;
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile
// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_close_peer_after_receiving
#[test]
fn a_transport_is_sent_a_whole_file() {
    run(async {
        for close_after in [0, LENGTH] {
            let sample = Sample::new();
            let (server, receiver, sender) = connected(close_after).await?;
            let transport = sender.transport();
            let sent = get_running_loop()?
                .sendfile(&transport, &sample.file)
                .await?;
            assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
            let received = all_received(&transport, &receiver).await?;
            assert!(received == data());
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_force_fallback
#[test]
fn a_transport_that_the_system_refuses_is_written_to() {
    run(async {
        let sample = Sample::new();
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        refuse_sendfile_over(&transport);
        let sent = get_running_loop()?
            .sendfile(&transport, &sample.file)
            .await?;
        assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
        assert!(transport.is_reading());
        // The protocol is in its place again.
        receiver.transport().write(b"answer")?;
        until(|| sender.len() == 6).await?;
        let received = all_received(&transport, &receiver).await?;
        assert!(received == data());
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_force_unsupported_native
#[test]
fn without_the_fallback_a_transport_that_the_system_refuses_is_an_error() {
    run(async {
        let sample = Sample::new();
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        refuse_sendfile_over(&transport);
        let event_loop = get_running_loop()?;
        let sending = event_loop.sendfile(&transport, &sample.file);
        fails(
            sending.with_fallback(false).await,
            "SendfileNotAvailableError",
        );
        let received = all_received(&transport, &receiver).await?;
        assert_eq!((sample.tell(), received.len()), (0, 0));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_for_closing_transp
#[test]
fn a_closing_transport_sends_no_files() {
    run(async {
        let sample = Sample::new();
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        transport.close();
        let sent = get_running_loop()?.sendfile(&transport, &sample.file).await;
        assert_eq!(fails(sent, "RuntimeError"), "Transport is closing");
        (&receiver.done).await?;
        assert_eq!((sample.tell(), receiver.len()), (0, 0));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_pre_and_post_data
#[test]
fn what_was_written_before_goes_first() {
    run(async {
        for refused in [false, true] {
            let sample = Sample::new();
            let (prefix, suffix) = (b"PREFIX__".repeat(1024), b"--SUFFIX".repeat(1024));
            let (server, receiver, sender) = connected(0).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            transport.write(&prefix)?;
            let sent = get_running_loop()?
                .sendfile(&transport, &sample.file)
                .await?;
            transport.write(&suffix)?;
            let received = all_received(&transport, &receiver).await?;
            assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
            assert!(received == [prefix, data(), suffix].concat());
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_partial
#[test]
fn a_transport_is_sent_a_part_of_a_file() {
    run(async {
        for refused in [false, true] {
            let sample = Sample::new();
            let (server, receiver, sender) = connected(0).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            let event_loop = get_running_loop()?;
            let sending = event_loop.sendfile(&transport, &sample.file);
            let sent = sending.with_offset(1000).with_count(100).await?;
            let received = all_received(&transport, &receiver).await?;
            assert_eq!((sent, sample.tell()), (100, 1100));
            assert!(received == data()[1000..1100]);
            server.close();
        }
        Ok(())
    });
}
