//! `open_connection`: what a client reads and writes, and how it ends.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;

use hilos::asyncio::{self, Result, StreamReader, StreamWriter};

use crate::support::{Httpd, Log, SocketPath, fails, run, unix_httpd, until};

async fn get(reader: &StreamReader, writer: &StreamWriter) -> Result<()> {
    writer.write(b"GET / HTTP/1.0\r\n\r\n")?;
    assert_eq!(reader.readline().await?, b"HTTP/1.0 200 OK\r\n");
    let rest = reader.read_to_end().await?;
    assert!(rest.ends_with(b"\r\n\r\nTest message"));
    Ok(())
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_open_connection
// cpython: test_asyncio/test_streams.py::StreamTests::test_wait_closed_on_close
// cpython: test_asyncio/test_streams.py::StreamTests::test_async_writer_api
#[test]
fn a_client_talks_to_a_server() {
    let httpd = Httpd::start();
    let address = httpd.address;
    run(async move {
        let (reader, writer) = asyncio::open_connection("127.0.0.1", address.port()).await?;
        let peername = writer.get_extra_info("peername").unwrap();
        assert_eq!(
            peername.to_string(),
            format!("('127.0.0.1', {})", address.port())
        );
        get(&reader, &writer).await?;
        assert!(!writer.is_closing());
        writer.close();
        assert!(writer.is_closing());
        writer.wait_closed().await
    });
    httpd.join();
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_open_unix_connection
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_connection_pathlike
#[test]
fn a_client_talks_to_a_server_on_a_unix_socket() {
    let path = SocketPath::new("client");
    let server = unix_httpd(path.path());
    let at = path.path().to_owned();
    run(async move {
        let (reader, writer) = asyncio::open_unix_connection(&at).await?;
        let peername = writer.get_extra_info("peername").unwrap();
        assert_eq!(peername.to_string(), format!("'{}'", at.display()));
        get(&reader, &writer).await?;
        writer.close();
        writer.wait_closed().await
    });
    server.join().unwrap();
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_create_connection_sock
#[test]
fn a_client_talks_over_a_socket_of_its_own() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    run(async move {
        let (reader, writer) = asyncio::open_connection_over(ours).await?;
        let (other_reader, other_writer) = asyncio::open_connection_over(theirs).await?;
        writer.write(b"hello")?;
        assert_eq!(other_reader.readexactly(5).await?, b"hello");
        other_writer.writelines([b"a".as_slice(), b"b", b""])?;
        other_writer.write_eof()?;
        assert_eq!(reader.read_to_end().await?, b"ab");
        fails(other_writer.write(b"more"), "RuntimeError");
        writer.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_open_connection_error
// cpython: test_asyncio/test_streams.py::StreamTests::test_open_unix_connection_error
#[test]
fn a_connection_that_fails_fails_the_reader() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    run(async move {
        let (reader, writer) = asyncio::open_connection_over(ours).await?;
        let protocol = writer.transport().get_protocol().unwrap();
        let exception = asyncio::Exception::new("ZeroDivisionError", "");
        protocol.connection_lost(Some(&exception))?;
        fails(reader.read_to_end().await, "ZeroDivisionError");
        fails(writer.drain().await, "ZeroDivisionError");
        writer.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_wait_closed_on_close_with_unread_data
// cpython: test_asyncio/test_streams.py::StreamTests::test_eof_feed_when_closing_writer
#[test]
fn closing_ends_what_the_reader_has() {
    let httpd = Httpd::start();
    let port = httpd.address.port();
    run(async move {
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
        writer.write(b"GET / HTTP/1.0\r\n\r\n")?;
        assert_eq!(reader.readline().await?, b"HTTP/1.0 200 OK\r\n");
        writer.close();
        writer.wait_closed().await?;
        reader.read_to_end().await?;
        assert!(reader.at_eof());
        assert_eq!(reader.read(1).await?, b"");
        Ok(())
    });
    httpd.join();
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_async_writer_api_exception_after_close
#[test]
fn what_is_written_after_the_end_is_told_by_drain() {
    let httpd = Httpd::start();
    let port = httpd.address.port();
    run(async move {
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
        get(&reader, &writer).await?;
        writer.close();
        writer.write(b"data")?;
        assert_eq!(
            fails(writer.drain().await, "ConnectionResetError"),
            "Connection lost"
        );
        Ok(())
    });
    httpd.join();
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_drain_raises
#[test]
fn a_writer_learns_that_the_other_side_is_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || drop(listener.accept().unwrap()));
    run(async move {
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
        let error = loop {
            writer.write(b"foo\n")?;
            if let Err(exception) = writer.drain().await {
                break exception;
            }
        };
        let names = [
            "ConnectionResetError",
            "ConnectionAbortedError",
            "BrokenPipeError",
        ];
        assert!(names.contains(&error.type_name()), "{error:?}");
        Ok(())
    });
    thread.join().unwrap();
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_multiple_drain
#[test]
fn many_tasks_wait_for_one_writer_to_drain() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    run(async move {
        let (_reader, writer) = asyncio::open_connection_over(ours).await?;
        writer.write(vec![b'x'; 4 << 20])?;
        let drained = Log::new();
        let drainers = (0..10).map(|i| {
            let (writer, drained) = (writer.clone(), drained.clone());
            async move {
                writer.drain().await?;
                drained.push(i);
                Ok(())
            }
        });
        let all = asyncio::gather(drainers.collect::<Vec<_>>());
        asyncio::sleep(0).await?;
        assert_eq!(drained.len(), 0);
        let (other_reader, _other) = asyncio::open_connection_over(theirs).await?;
        assert_eq!(other_reader.readexactly(4 << 20).await?.len(), 4 << 20);
        all.await?;
        assert_eq!(drained.take(), (0..10).collect::<Vec<_>>());
        writer.close();
        Ok(())
    });
}

#[test]
fn a_reader_that_does_not_read_pauses_the_transport() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    run(async move {
        let (reader, writer) = asyncio::open_connection_over(ours).with_limit(1024).await?;
        let (_other, sender) = asyncio::open_connection_over(theirs).await?;
        sender.write(vec![b'x'; 1 << 20])?;
        until(|| !writer.transport().is_reading()).await?;
        assert!(sender.transport().get_write_buffer_size() > 0);
        assert_eq!(reader.readexactly(1 << 20).await?.len(), 1 << 20);
        assert!(writer.transport().is_reading());
        writer.close();
        sender.close();
        Ok(())
    });
}
