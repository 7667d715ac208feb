//! `start_server`: what a server does for its clients.

use std::os::unix::net::UnixListener;
use std::rc::Rc;

use hilos::asyncio::{self, Result, StreamReader, StreamWriter};

use crate::support::{SocketPath, fails, port, run, talk, until, watch};

pub(super) async fn echo_line(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    let line = reader.readline().await?;
    writer.write(line)?;
    writer.drain().await?;
    writer.close();
    writer.wait_closed().await
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
