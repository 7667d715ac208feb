//! `StreamReaderProtocol`: streams over pipes, and which loop they belong to.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use hilos::asyncio::{self, EventLoop, Result, StreamReader, StreamReaderProtocol, StreamWriter};

use crate::support::{Log, run, until};

// cpython: test_asyncio/test_streams.py::StreamTests::test_read_all_from_pipe_reader
#[test]
fn a_pipe_that_a_child_writes_to_is_read_as_a_stream() {
    run(async {
        let (pipe, other_end) = std::io::pipe()?;
        // Twice the limit is less than what comes.
        let reader = StreamReader::with_limit(1)?;
        let protocol = StreamReaderProtocol::new(&reader);
        let event_loop = asyncio::get_running_loop()?;
        let connect = event_loop.connect_read_pipe(move || protocol, pipe);
        let (transport, _) = connect.await?;
        let child = asyncio::create_subprocess_exec("printf", ["data"]);
        let child = child.with_stdout(std::os::fd::OwnedFd::from(other_end));
        assert_eq!(child.await?.wait().await?, 0);
        assert_eq!(reader.read_to_end().await?, b"data");
        until(|| transport.is_closing()).await
    });
}

#[test]
fn a_pipe_is_written_to_as_a_stream() {
    run(async {
        let (mut other_end, pipe) = std::io::pipe()?;
        let event_loop = asyncio::get_running_loop()?;
        let protocol = StreamReaderProtocol::new(&StreamReader::new());
        let connect = event_loop.connect_write_pipe(move || protocol, pipe);
        let (transport, protocol) = connect.await?;
        let writer = StreamWriter::new(&transport, &protocol, None);
        let reading = std::thread::spawn(move || {
            let mut all = Vec::new();
            other_end.read_to_end(&mut all).map(|_| all)
        });
        for _ in 0..100 {
            writer.write(vec![7; 10_000])?;
            writer.drain().await?;
        }
        writer.close();
        writer.wait_closed().await?;
        assert_eq!(reading.join().unwrap()?.len(), 1_000_000);
        Ok(())
    });
}

#[test]
fn a_protocol_makes_a_task_of_its_connection() {
    run(async {
        let (ours, mut theirs) = UnixStream::pair()?;
        let log = Log::new();
        let answers = log.clone();
        let protocol = StreamReaderProtocol::new(&StreamReader::new());
        let protocol = protocol.with_client_connected_cb(async move |reader, writer| {
            answers.push(reader.readexactly(4).await?);
            writer.close();
            Ok(())
        });
        let event_loop = asyncio::get_running_loop()?;
        event_loop.create_connection_over(|| protocol, ours).await?;
        theirs.write_all(b"ping")?;
        until(|| log.len() == 1).await?;
        assert_eq!(log.take(), [b"ping"]);
        assert_eq!(theirs.read(&mut [0])?, 0);
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_streamreaderprotocol_constructor_without_loop
#[test]
#[should_panic(expected = "RuntimeError: There is no current event loop in thread")]
fn a_protocol_needs_a_loop() {
    let event_loop = asyncio::new_event_loop();
    let made = event_loop.run_until_complete(async { Ok(StreamReader::new()) });
    let reader: StreamReader = made.unwrap();
    StreamReaderProtocol::new(&reader);
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_streamreaderprotocol_constructor_use_running_loop
#[test]
fn a_protocol_belongs_to_the_running_loop() {
    let event_loop = asyncio::new_event_loop();
    let made = async { Ok(StreamReaderProtocol::new(&StreamReader::new())) };
    let made: Result<StreamReaderProtocol> = event_loop.run_until_complete(made);
    assert!(made.unwrap().get_loop().is(&event_loop));
    event_loop.close().unwrap();
}

/// Makes `event_loop` the thread's current one while `f` runs.
fn with_current<R>(event_loop: &EventLoop, f: impl FnOnce() -> R) -> R {
    asyncio::set_event_loop(event_loop);
    let result = f();
    asyncio::set_event_loop(None);
    result
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_streamreader_constructor_use_global_loop
// cpython: test_asyncio/test_streams.py::StreamTests::test_streamreaderprotocol_constructor_use_global_loop
#[test]
fn a_reader_and_its_protocol_belong_to_the_current_loop() {
    let event_loop = asyncio::new_event_loop();
    let (reader, protocol) = with_current(&event_loop, || {
        let reader = StreamReader::new();
        let protocol = StreamReaderProtocol::new(&reader);
        (reader, protocol)
    });
    assert!(protocol.get_loop().is(&event_loop));
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let connecting = event_loop.clone();
    let main = async move {
        connecting.create_connection_over(|| protocol, ours).await?;
        theirs.write_all(b"x")?;
        reader.readexactly(1).await
    };
    assert_eq!(event_loop.run_until_complete(main).unwrap(), b"x");
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__transport
#[test]
fn a_reader_shows_its_transport() {
    run(async {
        let (ours, _theirs) = UnixStream::pair()?;
        let (reader, writer) = asyncio::open_connection_over(ours).await?;
        let transport = writer.transport();
        let shown = format!("<StreamReader transport={transport}>");
        assert_eq!(reader.to_string(), shown);
        let alone = StreamReader::new();
        alone.set_transport(&transport);
        assert_eq!(alone.to_string(), shown);
        writer.close();
        Ok(())
    });
}
