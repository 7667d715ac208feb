//! What a program may do with the socket of a transport.

use std::io::Write;

use hilos::asyncio;

use super::connected;
use crate::support::{fails, run, until};

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
