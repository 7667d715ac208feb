//! `open_connection`, `start_server` and `Server`.

use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::rc::Rc;

use hilos::asyncio::{self, Result, Server, StreamReader, StreamWriter};

use crate::support::{Httpd, Log, SocketPath, fails, port, run, talk, unix_httpd, until, watch};

async fn echo_line(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    let line = reader.readline().await?;
    writer.write(line)?;
    writer.drain().await?;
    writer.close();
    writer.wait_closed().await
}

/// Reads until the client goes.
async fn serve(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    let result = reader.read_to_end().await;
    writer.close();
    writer.wait_closed().await?;
    result.map(drop)
}

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

// cpython: test_asyncio/test_streams.py::StreamTests::test_start_server
// cpython: test_asyncio/test_server.py::BaseStartServer::test_start_server_1
#[test]
fn a_server_runs_a_task_for_each_client() {
    run(async {
        let server = asyncio::start_server(echo_line, "127.0.0.1", 0).await?;
        assert!(server.is_serving());
        let clients = (0..5).map(async |i| {
            let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
            writer.write(format!("hello {i}\n"))?;
            assert_eq!(
                reader.readline().await?,
                format!("hello {i}\n").into_bytes()
            );
            writer.close();
            writer.wait_closed().await
        });
        for client in clients {
            client.await?;
        }
        server.close();
        assert!(!server.is_serving());
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_start_unix_server
// cpython: test_asyncio/test_server.py::SelectorStartServerTests::test_start_unix_server_1
// cpython: test_asyncio/test_unix_events.py::SelectorEventLoopUnixSocketTests::test_create_unix_server_pathlike
#[test]
fn a_server_listens_on_a_unix_socket() {
    let path = SocketPath::new("server");
    let at = path.path().to_owned();
    run(async move {
        let server = asyncio::start_unix_server(echo_line, &at).await?;
        let (reader, writer) = asyncio::open_unix_connection(&at).await?;
        writer.write(b"hello world!\n")?;
        assert_eq!(reader.readline().await?, b"hello world!\n");
        writer.close();
        writer.wait_closed().await?;
        server.close();
        server.wait_closed().await
    });
}

#[test]
fn a_server_that_is_to_wait_serves_when_it_is_told_to() {
    run(async {
        let start = asyncio::start_server(echo_line, "127.0.0.1", 0).with_start_serving(false);
        let server = start.await?;
        assert!(!server.is_serving());
        let port = port(&server);
        let refused = asyncio::open_connection("127.0.0.1", port).await.map(drop);
        let message = fails(refused, "ConnectionRefusedError");
        assert_eq!(
            message,
            format!("[Errno 111] Connect call failed ('127.0.0.1', {port})")
        );
        server.start_serving().await?;
        server.start_serving().await?;
        let (_, writer) = asyncio::open_connection("127.0.0.1", port).await?;
        writer.close();
        server.close();
        fails(server.start_serving().await, "RuntimeError");
        Ok(())
    });
}

#[test]
fn serve_forever_ends_with_the_server_or_the_task() {
    run(async {
        let server = asyncio::start_server(echo_line, "127.0.0.1", 0).await?;
        let serving = server.clone();
        let task = asyncio::create_task(async move { serving.serve_forever().await });
        asyncio::sleep(0).await?;
        let message = fails(server.serve_forever().await, "RuntimeError");
        assert!(
            message.ends_with("is already being awaited on serve_forever()"),
            "{message}"
        );
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(!server.is_serving() && server.sockets().is_empty());
        let message = fails(server.serve_forever().await, "RuntimeError");
        assert_eq!(message, "server <Server sockets=()> is closed");

        let server = asyncio::start_server(echo_line, "127.0.0.1", 0).await?;
        let serving = server.clone();
        let task = asyncio::create_task(async move { serving.serve_forever().await });
        asyncio::sleep(0).await?;
        server.close();
        assert!(task.await.unwrap_err().is_cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_server.py::TestServer2::test_wait_closed_basic
#[test]
fn wait_closed_waits_for_the_server_and_its_clients() {
    run(async {
        let server = asyncio::start_server(serve, "127.0.0.1", 0).await?;
        let wait = |server: &Server| {
            let server = server.clone();
            asyncio::create_task(async move { server.wait_closed().await })
        };
        let first = wait(&server);
        asyncio::sleep(0).await?;
        assert!(!first.done());
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        let second = wait(&server);
        asyncio::sleep(0.01).await?;
        assert!(!first.done() && !second.done());
        server.close();
        let third = wait(&server);
        asyncio::sleep(0).await?;
        assert!(!first.done() && !second.done() && !third.done());
        writer.close();
        writer.wait_closed().await?;
        first.await?;
        second.await?;
        third.await?;
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_server.py::TestServer2::test_wait_closed_race
#[test]
fn wait_closed_sees_a_client_that_goes_with_the_server() {
    run(async {
        let server = asyncio::start_server(serve, "127.0.0.1", 0).await?;
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        let event_loop = asyncio::get_running_loop()?;
        let closing = server.clone();
        event_loop.call_soon(move || closing.close())?;
        event_loop.call_soon(move || writer.close())?;
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_server.py::TestServer2::test_close_clients
#[test]
fn clients_are_closed_with_the_server_when_asked() {
    run(async {
        let accepted = asyncio::Event::new();
        let seen = accepted.clone();
        let server = asyncio::start_server(
            async move |reader, writer| {
                seen.set();
                serve(reader, writer).await
            },
            "127.0.0.1",
            0,
        )
        .await?;
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        accepted.wait().await?;
        let waiting = server.clone();
        let task = asyncio::create_task(async move { waiting.wait_closed().await });
        asyncio::sleep(0).await?;
        server.close();
        server.close_clients();
        asyncio::sleep(0).await?;
        asyncio::sleep(0).await?;
        assert!(task.done());
        writer.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_server.py::TestServer2::test_abort_clients
#[test]
fn clients_that_do_not_read_are_aborted_when_asked() {
    run(async {
        let accepted = Log::new();
        let connections = accepted.clone();
        let server = asyncio::start_server(
            async move |_, writer: StreamWriter| {
                connections.push(writer.clone());
                writer.wait_closed().await
            },
            "127.0.0.1",
            0,
        )
        .await?;
        let open = asyncio::open_connection("127.0.0.1", port(&server)).with_limit(4096);
        let (_reader, client) = open.await?;
        until(|| accepted.len() == 1).await?;
        let writer = accepted.take().remove(0);
        // More than twice the reader's limit, and then more than the sockets hold.
        writer.write(vec![b'a'; 3 * 4096])?;
        until(|| !client.transport().is_reading()).await?;
        while writer.transport().get_write_buffer_size() == 0 {
            writer.write(vec![b'a'; 1 << 20])?;
        }
        let waiting = server.clone();
        let task = asyncio::create_task(async move { waiting.wait_closed().await });
        asyncio::sleep(0).await?;
        assert!(!task.done());
        server.close();
        server.abort_clients();
        asyncio::sleep(0).await?;
        asyncio::sleep(0).await?;
        assert!(task.done());
        client.close();
        Ok(())
    });
}

async fn unused(_: StreamReader, _: StreamWriter) -> Result<()> {
    unreachable!("nobody connects")
}

// cpython: test_asyncio/test_server.py::UnixServerCleanupTests::test_unix_server_addr_cleanup
// cpython: test_asyncio/test_server.py::UnixServerCleanupTests::test_unix_server_sock_cleanup
// cpython: test_asyncio/test_server.py::UnixServerCleanupTests::test_unix_server_cleanup_gone
// cpython: test_asyncio/test_server.py::UnixServerCleanupTests::test_unix_server_cleanup_replaced
// cpython: test_asyncio/test_server.py::UnixServerCleanupTests::test_unix_server_cleanup_prevented
#[test]
fn the_path_of_a_unix_server_goes_with_it() {
    let path = SocketPath::new("cleanup");
    let at = path.path().to_owned();
    run(async move {
        asyncio::start_unix_server(unused, &at).await?.close();
        assert!(!at.exists());

        let bound = UnixListener::bind(&at)?;
        asyncio::start_unix_server_on(unused, bound).await?.close();
        assert!(!at.exists());

        let server = asyncio::start_unix_server(unused, &at).await?;
        std::fs::remove_file(&at)?;
        server.close();

        let server = asyncio::start_unix_server(unused, &at).await?;
        std::fs::rename(&at, at.with_extension("old"))?;
        let _other = UnixListener::bind(&at)?;
        server.close();
        assert!(at.exists());
        std::fs::remove_file(&at)?;

        let keep = asyncio::start_unix_server(unused, &at).with_cleanup_socket(false);
        keep.await?.close();
        assert!(at.exists());
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_unhandled_exception
// cpython: test_asyncio/test_streams.py::StreamTests::test_unhandled_cancel
#[test]
fn an_error_of_a_client_closes_its_connection_only() {
    run(async {
        let log = watch();
        let server = asyncio::start_server(
            async |reader: StreamReader, writer| match reader.readline().await?.as_slice() {
                b"fail\n" => Err(asyncio::Exception::new("Oops", "no beans")),
                b"cancel\n" => {
                    asyncio::current_task().unwrap().cancel();
                    asyncio::sleep(1).await
                }
                line => {
                    StreamWriter::write(&writer, line)?;
                    writer.close();
                    Ok(())
                }
            },
            "127.0.0.1",
            0,
        )
        .await?;
        let port = port(&server);
        let ask = async move |question: &'static [u8]| {
            let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
            writer.write(question)?;
            let answer = reader.read_to_end().await?;
            writer.close();
            Ok::<_, asyncio::Exception>(answer)
        };
        assert_eq!(ask(b"fail\n").await?, b"");
        assert_eq!(ask(b"cancel\n").await?, b"");
        assert_eq!(ask(b"ok\n").await?, b"ok\n");
        server.close();
        let contexts = log.take();
        assert_eq!(contexts.len(), 1);
        assert_eq!(
            contexts[0].message,
            "Unhandled exception in client_connected_cb"
        );
        assert_eq!(
            contexts[0].exception.as_ref().unwrap().repr(),
            "Oops('no beans')"
        );
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

#[test]
fn a_server_keeps_state_between_its_clients() {
    run(async {
        let count = Rc::new(std::cell::Cell::new(0));
        let server = asyncio::start_server(
            async move |_, writer: StreamWriter| {
                count.set(count.get() + 1);
                writer.write(format!("{}\n", count.get()))?;
                writer.close();
                Ok(())
            },
            "127.0.0.1",
            0,
        )
        .await?;
        let address = server.sockets()[0].getsockname()?.as_inet().unwrap();
        for i in 1..=3 {
            let client = talk(address, b"");
            until(|| client.is_finished()).await?;
            assert_eq!(client.join().unwrap(), format!("{i}\n").into_bytes());
        }
        server.close();
        Ok(())
    });
}
