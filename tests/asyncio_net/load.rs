//! Many connections and much data, and what goes wrong in between.

use std::io::Read;
use std::net::TcpStream;

use hilos::asyncio::{self, Result, StreamReader, StreamWriter};

use crate::support::{fails, port, run, until, watch};

async fn echo(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    loop {
        let data = reader.read(64 * 1024).await?;
        if data.is_empty() {
            writer.close();
            return writer.wait_closed().await;
        }
        writer.write(data)?;
        writer.drain().await?;
    }
}

#[test]
fn a_hundred_clients_at_once_each_get_their_own() {
    run(async {
        let server = asyncio::start_server(echo, "127.0.0.1", 0).await?;
        let port = port(&server);
        let clients = (0..100_u32).map(|i| async move {
            let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
            for turn in 0..20_u32 {
                let message = format!("client {i} turn {turn}");
                writer.write(&message)?;
                assert_eq!(
                    reader.readexactly(message.len()).await?,
                    message.into_bytes()
                );
            }
            writer.close();
            writer.wait_closed().await
        });
        asyncio::gather(clients.collect::<Vec<_>>()).await?;
        server.close();
        server.wait_closed().await
    });
}

#[test]
fn much_data_arrives_whole_through_small_windows() {
    run(async {
        let server = asyncio::start_server(echo, "127.0.0.1", 0)
            .with_limit(4096)
            .await?;
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        let data: Vec<u8> = (0..8 << 20).map(|i: u32| (i % 251) as u8).collect();
        let expected = data.clone();
        let sender = asyncio::create_task(async move {
            for chunk in data.chunks(100_000) {
                writer.write(chunk)?;
                writer.drain().await?;
            }
            writer.write_eof()?;
            Ok(writer)
        });
        assert!(reader.read_to_end().await? == expected);
        sender.await?.close();
        server.close();
        Ok(())
    });
}

#[test]
fn a_client_that_resets_its_connection_harms_no_other() {
    run(async {
        let log = watch();
        let server = asyncio::start_server(echo, "127.0.0.1", 0).await?;
        let address = server.sockets()[0].getsockname()?.as_inet().unwrap();
        let (reader, writer) = asyncio::open_connection("127.0.0.1", address.port()).await?;
        let rude = TcpStream::connect(address)?;
        let linger = libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        nix::sys::socket::setsockopt(&rude, nix::sys::socket::sockopt::Linger, &linger)?;
        std::io::Write::write_all(&mut &rude, b"x")?;
        asyncio::sleep(0.01).await?;
        drop(rude);
        until(|| log.len() == 1).await?;
        let context = log.take().remove(0);
        assert_eq!(
            context.message,
            "Unhandled exception in client_connected_cb"
        );
        assert_eq!(
            context.exception.unwrap().type_name(),
            "ConnectionResetError"
        );
        writer.write(b"fine")?;
        assert_eq!(reader.readexactly(4).await?, b"fine");
        writer.close();
        server.close();
        Ok(())
    });
}

#[test]
fn two_tasks_cannot_read_at_once() {
    run(async {
        let server = asyncio::start_server(echo, "127.0.0.1", 0).await?;
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        let first = reader.clone();
        let task = asyncio::create_task(async move { first.read(1).await });
        asyncio::sleep(0).await?;
        fails(reader.readexactly(1).await, "RuntimeError");
        writer.write(b"x")?;
        assert_eq!(task.await?, b"x");
        writer.close();
        server.close();
        Ok(())
    });
}

#[test]
fn a_loop_that_is_closed_lets_go_of_its_sockets() {
    let client = {
        let event_loop = asyncio::new_event_loop();
        let client = event_loop
            .run_until_complete(async {
                let server = asyncio::start_server(echo, "127.0.0.1", 0).await?;
                let address = server.sockets()[0].getsockname()?.as_inet().unwrap();
                let client = TcpStream::connect(address)?;
                asyncio::sleep(0.01).await?;
                Ok(client)
            })
            .unwrap();
        event_loop.close().unwrap();
        client
    };
    client
        .set_read_timeout(Some(std::time::Duration::from_secs(60)))
        .unwrap();
    let mut rest = Vec::new();
    // The end of the stream, or a reset: but it ends.
    let ended = (&client).read_to_end(&mut rest);
    assert!(
        ended.is_ok() || ended.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
    );
}
