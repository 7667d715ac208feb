//! What comes in between while a transport sends a file.

use std::rc::Rc;

use hilos::asyncio::{self, Result, Task, Transport, create_task, get_running_loop};

use super::{all_received, connected, refuse_sendfile_over};
use crate::sample::{LENGTH, Sample, data};
use crate::support::{fails, run, until};

/// Sends the file in a task of its own.
fn send(sample: &Rc<Sample>, transport: &Transport) -> Task<u64> {
    let (sample, transport) = (sample.clone(), transport.clone());
    create_task(async move {
        let event_loop = get_running_loop()?;
        event_loop.sendfile(&transport, &sample.file).await
    })
}

/// The connection is lost, in one of the ways in which the system tells it.
#[track_caller]
fn is_connection_error<T>(result: Result<T>) {
    let Err(exception) = result else {
        panic!("it should have failed");
    };
    let names = ["ConnectionError", "ConnectionResetError", "BrokenPipeError"];
    assert!(names.contains(&exception.type_name()), "{exception:?}");
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_close_peer_in_the_middle_of_receiving
// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_fallback_close_peer_in_the_middle_of_receiving
#[test]
fn a_peer_that_goes_away_is_an_error() {
    run(async {
        for refused in [false, true] {
            let sample = Sample::new();
            let (server, receiver, sender) = connected(1024).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            is_connection_error(get_running_loop()?.sendfile(&transport, &sample.file).await);
            (&receiver.done).await?;
            assert!((1024..LENGTH).contains(&receiver.len()));
            assert!((1024..LENGTH as u64).contains(&sample.tell()));
            (&sender.done).await?;
            assert!(transport.is_closing());
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_prevents_bare_write
#[test]
fn nobody_else_may_write_meanwhile() {
    run(async {
        let sample = Rc::new(Sample::new());
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        let sending = send(&sample, &transport);
        asyncio::sleep(0).await?;
        let message = fails(transport.write(b"data"), "RuntimeError");
        assert_eq!(message, "unable to write; sendfile is in progress");
        let message = fails(transport.writelines([b"data"]), "RuntimeError");
        assert_eq!(message, "unable to writelines; sendfile is in progress");
        let event_loop = get_running_loop()?;
        let second = event_loop.sendfile(&transport, &sample.file).await;
        fails(second, "RuntimeError");
        assert!(!transport.is_reading());
        assert_eq!(sending.await?, LENGTH as u64);
        assert!(transport.is_reading());
        transport.write(b"data")?;
        let received = all_received(&transport, &receiver).await?;
        assert!(received == [data(), b"data".to_vec()].concat());
        server.close();
        Ok(())
    });
}

#[test]
fn closing_the_transport_ends_the_sending() {
    run(async {
        for refused in [false, true] {
            let sample = Rc::new(Sample::new());
            let (server, receiver, sender) = connected(0).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            // The file does not get through.
            receiver.transport().pause_reading();
            let sending = send(&sample, &transport);
            until(|| match refused {
                true => sample.tell() > 0,
                false => transport.write(b"").is_err(),
            })
            .await?;
            transport.abort();
            is_connection_error(sending.await);
            (&sender.done).await?;
            receiver.transport().abort();
            (&receiver.done).await?;
            server.close();
        }
        Ok(())
    });
}

#[test]
fn a_cancelled_sending_leaves_the_file_where_it_stopped() {
    run(async {
        for refused in [false, true] {
            let sample = Rc::new(Sample::new());
            let (server, receiver, sender) = connected(0).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            let sending = send(&sample, &transport);
            until(|| receiver.len() > 1024).await?;
            receiver.transport().pause_reading();
            sending.cancel();
            assert!(sending.await.unwrap_err().is_cancelled());
            assert!(transport.is_reading());
            receiver.transport().resume_reading();
            transport.close();
            (&receiver.done).await?;
            // What a thread has read meanwhile moves the position too.
            if !refused {
                assert_eq!(sample.tell(), receiver.len() as u64);
            }
            let received = receiver.take();
            assert!((1024..LENGTH).contains(&received.len()));
            assert!(received == data()[..received.len()]);
            server.close();
        }
        Ok(())
    });
}

#[test]
fn a_protocol_that_was_paused_may_go_on() {
    run(async {
        let sample = Sample::of(b"a file");
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        refuse_sendfile_over(&transport);
        let much = vec![0; LENGTH];
        transport.write(&much)?;
        assert_eq!(sender.writing_resumed.get(), 0);
        assert_eq!(
            get_running_loop()?
                .sendfile(&transport, &sample.file)
                .await?,
            6
        );
        asyncio::sleep(0).await?;
        assert_eq!(sender.writing_resumed.get(), 1);
        let received = all_received(&transport, &receiver).await?;
        assert!(received == [much, b"a file".to_vec()].concat());
        server.close();
        Ok(())
    });
}
