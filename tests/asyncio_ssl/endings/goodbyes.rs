//! Which side says goodbye first, and what arrives after that.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::mpsc::{TryRecvError, channel};
use std::time::Duration;

use hilos::asyncio::{self, Future, Result, Server, StreamReader, StreamWriter};

use super::{MUCH, ping, pong_server};
use crate::certificates::believing;
use crate::parties::{between, joined, relay};
use crate::support::{fails, port, run};

const A_MOMENT: Duration = Duration::from_millis(5);

/// Whether the last of the encrypted bytes is an alert, as goodbye is.
fn ends_with_goodbye(bytes: &[u8]) -> bool {
    let last = &bytes[bytes.len() - 24..];
    last.starts_with(&[23, 3, 3, 0, 19])
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_shutdown_cleanly
#[test]
fn a_server_that_says_goodbye_is_the_end_of_the_stream() {
    run(async {
        let server = pong_server(async |_reader, writer: StreamWriter| {
            writer.close();
            writer.wait_closed().await
        });
        let server = server.await?;
        let at = port(&server);
        let clients = (0..25).map(|_| async move {
            let (reader, writer) = ping(at).await?;
            assert_eq!(reader.read_to_end().await?, b"");
            writer.close();
            writer.wait_closed().await
        });
        asyncio::gather(clients.collect::<Vec<_>>()).await?;
        server.close();
        server.wait_closed().await
    });
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_flush_before_shutdown
#[test]
fn what_is_written_before_the_end_arrives() {
    run(async {
        let got = asyncio::get_running_loop()?.create_future();
        let all = got.clone();
        let server = pong_server(async move |reader: StreamReader, writer: StreamWriter| {
            let data = reader.read_to_end().await?;
            writer.close();
            all.set_result(data.len())?;
            Ok(())
        });
        let server = server.await?;
        let (port, wire) = between(&server, |client, server| {
            relay(&server, &client);
            relay(&client, &server).join().unwrap()
        });
        let (_reader, writer) = ping(port).await?;
        for _ in 0..32 {
            writer.write(vec![b'x'; MUCH / 32])?;
        }
        assert!(writer.transport().get_write_buffer_size() > MUCH / 4);
        writer.close();
        writer.wait_closed().await?;
        assert_eq!(got.await?, MUCH);
        assert!(ends_with_goodbye(&joined(wire).await?));
        server.close();
        Ok(())
    });
}

/// What a client that has much to send sends after the other side's end, which comes by half
/// closing or from a server that waits for `written`.
async fn trailing_data(
    server: Server,
    written: asyncio::Event,
    half_closes: bool,
) -> Result<Vec<u8>> {
    let (go, wait) = channel::<()>();
    let (held, holds) = channel::<()>();
    let (port, wire) = between(&server, move |client, server| {
        let back = relay(&server, &client);
        let mut bytes = [0; 64 * 1024];
        // Until the client has its answer, its bytes pass.
        client.set_read_timeout(Some(A_MOMENT)).unwrap();
        while wait.try_recv().is_err() {
            if let Ok(count) = (&client).read(&mut bytes) {
                (&server).write_all(&bytes[..count]).unwrap();
            }
        }
        client.set_read_timeout(None).unwrap();
        held.send(()).unwrap();
        wait.recv().unwrap();
        if half_closes {
            client.shutdown(Shutdown::Write).unwrap();
        }
        wait.recv().unwrap();
        let rest = relay(&client, &server).join().unwrap();
        back.join().unwrap();
        rest
    });
    let (reader, writer) = ping(port).await?;
    go.send(())?;
    asyncio::try_to_thread(move || holds.recv()).await?;
    for _ in 0..32 {
        writer.write(vec![b'x'; MUCH / 32])?;
    }
    go.send(())?;
    written.set();
    assert_eq!(reader.read_to_end().await?, b"");
    go.send(())?;
    writer.close();
    writer.wait_closed().await?;
    server.close();
    joined(wire).await
}

// cpython: test_asyncio/test_ssl.py::TestSSL::test_remote_shutdown_receives_trailing_data
// cpython: test_asyncio/test_ssl.py::TestSSL::test_remote_shutdown_receives_trailing_data_on_slow_socket
#[test]
fn a_side_that_says_goodbye_first_still_gets_the_rest() {
    run(async {
        let written = asyncio::Event::new();
        let wait = written.clone();
        let goodbye = async move |_reader, writer: StreamWriter| {
            wait.wait().await?;
            writer.close();
            writer.wait_closed().await
        };
        let rest = trailing_data(pong_server(goodbye).await?, written.clone(), false).await?;
        assert!(rest.len() > MUCH && ends_with_goodbye(&rest));

        let got: Future<usize> = asyncio::get_running_loop()?.create_future();
        let all = got.clone();
        let reads_on = async move |reader: StreamReader, writer: StreamWriter| {
            let data = reader.read_to_end().await?;
            writer.close();
            all.set_result(data.len())?;
            Ok(())
        };
        let rest = trailing_data(pong_server(reads_on).await?, written, true).await?;
        assert!(rest.len() > MUCH && ends_with_goodbye(&rest));
        assert_eq!(got.await?, MUCH);
        Ok(())
    });
}

#[test]
fn a_goodbye_that_is_not_answered_ends_in_time() {
    run(async {
        let server =
            pong_server(async |reader: StreamReader, _writer| reader.read_to_end().await.map(drop));
        let server = server.await?;
        let (done, wait) = channel::<()>();
        let (port, wire) = between(&server, move |client, server| {
            relay(&server, &client);
            let mut bytes = [0; 4096];
            client.set_read_timeout(Some(A_MOMENT)).unwrap();
            while let Err(TryRecvError::Empty) = wait.try_recv() {
                // Nothing of the end passes.
                if let Ok(count) = (&client).read(&mut bytes)
                    && count != 24
                {
                    (&server).write_all(&bytes[..count]).unwrap();
                }
            }
        });
        let open = asyncio::open_connection("127.0.0.1", port).with_ssl(&believing());
        let (reader, writer) = open.with_ssl_shutdown_timeout(0.05).await?;
        writer.write(b"ping")?;
        assert_eq!(reader.readexactly(4).await?, b"pong");
        writer.close();
        let message = fails(writer.wait_closed().await, "TimeoutError");
        assert_eq!(message, "SSL shutdown timed out");
        drop(done);
        joined(wire).await?;
        server.close();
        Ok(())
    });
}
