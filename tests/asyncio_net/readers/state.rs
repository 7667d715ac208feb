//! What a reader is beside its data: its limit, its error, its loop, and who waits.

use hilos::asyncio::{self, Result, StreamReader};

use super::{limited, soon};
use crate::support::{fails, run};

// cpython: test_asyncio/test_streams.py::StreamTests::test_read_exception
// cpython: test_asyncio/test_streams.py::StreamTests::test_readline_exception
// cpython: test_asyncio/test_streams.py::StreamTests::test_readexactly_exception
// cpython: test_asyncio/test_streams.py::StreamTests::test_exception
#[test]
fn an_exception_ends_the_stream_for_all_readers() {
    run(async {
        let reader = StreamReader::new();
        assert!(reader.exception().is_none());
        reader.feed_data(b"line\nmore");
        assert_eq!(reader.readline().await?, b"line\n");
        assert_eq!(reader.read(2).await?, b"mo");
        let exception = asyncio::Exception::from(asyncio::ValueError::default());
        reader.set_exception(exception.clone());
        assert!(
            reader
                .exception()
                .is_some_and(|other| other.is_same(&exception))
        );
        fails(reader.read(2).await, "ValueError");
        fails(reader.readline().await, "ValueError");
        fails(reader.readexactly(2).await, "ValueError");
        fails(reader.readuntil(b"x").await, "ValueError");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_exception_waiter
// cpython: test_asyncio/test_streams.py::StreamTests::test_exception_cancel
#[test]
fn an_exception_wakes_who_waits_and_harms_nobody_who_was_cancelled() {
    run(async {
        let reader = StreamReader::new();
        let waiting = reader.clone();
        let task = asyncio::create_task(async move { waiting.readline().await });
        asyncio::sleep(0).await?;
        task.cancel();
        asyncio::sleep(0).await?;
        assert!(task.cancelled());
        reader.set_exception(asyncio::RuntimeError::new("message"));
        assert_eq!(
            reader.to_string(),
            "<StreamReader exception=RuntimeError('message')>"
        );

        let reader = StreamReader::new();
        soon(&reader, |reader| {
            reader.set_exception(asyncio::ValueError::default())
        });
        fails(reader.readline().await, "ValueError");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_invalid_limit
#[test]
fn a_limit_is_not_zero() {
    run(async {
        let message = fails(StreamReader::with_limit(0), "ValueError");
        assert_eq!(message, "Limit cannot be <= 0");
        let opened = asyncio::open_connection("127.0.0.1", 1).with_limit(0).await;
        fails(opened.map(drop), "ValueError");
        Ok(())
    });
}

#[test]
fn only_one_task_may_wait() {
    run(async {
        let reader = StreamReader::new();
        let other = reader.clone();
        let first = asyncio::create_task(async move { other.read(10).await });
        asyncio::sleep(0).await?;
        let message = fails(reader.readline().await, "RuntimeError");
        let expected =
            "readuntil() called while another coroutine is already waiting for incoming data";
        assert_eq!(message, expected);
        reader.feed_data(b"for the first");
        assert_eq!(first.await?, b"for the fi");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__nondefault_limit
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__eof
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__data
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__exception
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__waiter
#[test]
fn a_reader_prints_what_it_holds() {
    run(async {
        let reader = StreamReader::new();
        assert_eq!(reader.to_string(), "<StreamReader>");
        assert_eq!(limited(123).to_string(), "<StreamReader limit=123>");
        let other = reader.clone();
        let task = asyncio::create_task(async move { other.read(4).await });
        asyncio::sleep(0).await?;
        assert_eq!(reader.to_string(), "<StreamReader waiter=<Future pending>>");
        reader.feed_data(b"data");
        assert_eq!(reader.to_string(), "<StreamReader 4 bytes>");
        task.await?;
        reader.feed_eof();
        assert_eq!(reader.to_string(), "<StreamReader eof>");
        reader.set_exception(asyncio::RuntimeError::default());
        assert_eq!(
            reader.to_string(),
            "<StreamReader eof exception=RuntimeError()>"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_streamreader_constructor_without_loop
#[test]
#[should_panic(expected = "RuntimeError: There is no current event loop in thread")]
fn a_reader_needs_a_running_loop() {
    StreamReader::new();
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_streamreader_constructor_use_running_loop
#[test]
fn a_reader_belongs_to_the_running_loop() {
    let event_loop = asyncio::new_event_loop();
    let reader = event_loop
        .run_until_complete(async { Ok(StreamReader::new()) })
        .unwrap();
    let feeding = reader.clone();
    event_loop
        .call_soon(move || feeding.feed_data(b"x"))
        .unwrap();
    let read = async move { reader.read(1).await };
    let data: Result<Vec<u8>> = event_loop.run_until_complete(read);
    assert_eq!(data.unwrap(), b"x");
    event_loop.close().unwrap();
}
