//! `Server::with`, for Python's `async with server`.

use hilos::asyncio::{
    self, Event, Exception, Result, Server, StreamReader, StreamWriter, create_task, sleep,
    start_server,
};

use crate::support::{fails, port, run, until};

/// Writes back what it reads, until the end.
async fn echo(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    let data = reader.read_to_end().await?;
    writer.write(data)?;
    writer.close();
    Ok(())
}

#[test]
fn the_server_is_closed_when_the_body_ends() {
    run(async {
        let server = start_server(echo, "127.0.0.1", 0).await?;
        let answer = server
            .with(async |server| {
                assert!(server.is_serving());
                let (reader, writer) = asyncio::open_connection("127.0.0.1", port(server)).await?;
                writer.write(b"hello")?;
                writer.write_eof()?;
                reader.read_to_end().await
            })
            .await?;
        assert_eq!(answer, b"hello");
        assert!(!server.is_serving());
        assert!(server.sockets().is_empty());
        Ok(())
    });
}

#[test]
fn it_waits_for_the_connections() {
    run(async {
        let accepted = Event::new();
        let told = accepted.clone();
        let serve = async move |reader, writer| {
            told.set();
            echo(reader, writer).await
        };
        let server = start_server(serve, "127.0.0.1", 0).await?;
        let (_, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        let at = server.clone();
        let task =
            create_task(async move { at.with(async |_| accepted.wait().await.map(drop)).await });
        until(|| server.sockets().is_empty()).await?;
        for _ in 0..5 {
            sleep(0).await?;
        }
        assert!(!task.done());
        writer.close();
        task.await
    });
}

#[test]
fn an_error_of_the_body_closes_it_too() {
    run(async {
        let server = start_server(echo, "127.0.0.1", 0).await?;
        let body = async |_: &Server| Err::<(), _>(Exception::new("ValueError", "no beans"));
        assert_eq!(fails(server.with(body).await, "ValueError"), "no beans");
        assert!(server.sockets().is_empty());
        Ok(())
    });
}

#[test]
fn cancelling_the_task_closes_it_too() {
    run(async {
        let server = start_server(echo, "127.0.0.1", 0).await?;
        let at = server.clone();
        let task =
            create_task(async move { at.with(async |server| server.serve_forever().await).await });
        sleep(0).await?;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(server.sockets().is_empty());
        Ok(())
    });
}

#[test]
fn dropping_the_future_closes_it_too() {
    run(async {
        let server = start_server(echo, "127.0.0.1", 0).await?;
        let mut serving =
            Box::pin(server.with(async |_| std::future::pending::<Result<()>>().await));
        let waker = std::task::Waker::noop();
        let polled = serving
            .as_mut()
            .poll(&mut std::task::Context::from_waker(waker));
        assert!(polled.is_pending());
        drop(serving);
        assert!(server.sockets().is_empty());
        Ok(())
    });
}
