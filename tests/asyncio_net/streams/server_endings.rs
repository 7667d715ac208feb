//! How a server ends, and what it waits for.

use hilos::asyncio::{self, Result, Server, StreamReader, StreamWriter};

use super::servers::echo_line;
use crate::support::{Log, fails, port, run, until};

/// Reads until the client goes.
async fn serve(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    let result = reader.read_to_end().await;
    writer.close();
    writer.wait_closed().await?;
    result.map(drop)
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
