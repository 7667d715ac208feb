//! Many connections and much data, and what goes wrong in between.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;

use hilos::asyncio::subprocess::PIPE;
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
fn a_slow_reader_is_waited_for_and_gets_everything() {
    const CHUNK: usize = 100_000;
    const CHUNKS: usize = 400;
    let written = Rc::new(Cell::new(0));
    let count = written.clone();
    run(async move {
        let flood = async move |_reader: StreamReader, writer: StreamWriter| {
            for i in 0..CHUNKS {
                writer.write([i as u8; CHUNK])?;
                writer.drain().await?;
                count.set(i + 1);
            }
            writer.close();
            writer.wait_closed().await
        };
        let server = asyncio::start_server(flood, "127.0.0.1", 0).await?;
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        // Nobody reads: soon nobody writes either.
        until(|| reader.to_string().contains(" paused")).await?;
        let mut before = usize::MAX;
        while before != written.get() {
            before = written.get();
            asyncio::sleep(0.05).await?;
        }
        assert!(before < CHUNKS, "{before} chunks of {CHUNK} bytes");
        for i in 0..CHUNKS {
            assert!(reader.readexactly(CHUNK).await? == [i as u8; CHUNK]);
        }
        assert_eq!(reader.read(1).await?, b"");
        writer.close();
        server.close();
        server.wait_closed().await
    });
}

#[test]
fn either_side_may_close_its_half_first() {
    run(async {
        let much = vec![b'x'; 1 << 20];
        let answer = much.clone();
        let serve = async move |reader: StreamReader, writer: StreamWriter| {
            let first = reader.read_to_end().await?;
            writer.write(&answer)?;
            writer.write(first)?;
            writer.close();
            writer.wait_closed().await
        };
        let server = asyncio::start_server(serve, "127.0.0.1", 0).await?;
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        writer.write(&much)?;
        writer.write_eof()?;
        assert!(reader.read_to_end().await? == [&*much, &*much].concat());
        writer.close();
        writer.wait_closed().await?;
        server.close();

        let heard = asyncio::get_running_loop()?.create_future();
        let all = heard.clone();
        let serve = async move |reader: StreamReader, writer: StreamWriter| {
            writer.write_eof()?;
            all.set_result(reader.read_to_end().await?.len())?;
            writer.close();
            writer.wait_closed().await
        };
        let server = asyncio::start_server(serve, "127.0.0.1", 0).await?;
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        assert_eq!(reader.read(1).await?, b"");
        // The other half is open as long as it is needed.
        writer.write(&much)?;
        writer.drain().await?;
        writer.close();
        assert_eq!(heard.await?, much.len());
        server.close();
        server.wait_closed().await
    });
}

#[test]
fn a_client_that_is_half_closed_and_then_reset_is_the_end_of_its_task_only() {
    run(async {
        let log = watch();
        let serve = async |reader: StreamReader, writer: StreamWriter| {
            reader.read_to_end().await?;
            loop {
                writer.write([0; 100_000])?;
                writer.drain().await?;
            }
        };
        let server = asyncio::start_server(serve, "127.0.0.1", 0).await?;
        let address = server.sockets()[0].getsockname()?.as_inet().unwrap();
        let rude = TcpStream::connect(address)?;
        (&rude).write_all(b"x")?;
        rude.shutdown(Shutdown::Write)?;
        rude.set_nonblocking(true)?;
        until(|| (&rude).read(&mut [0; 1]).is_ok()).await?;
        // What it does not read makes a reset of its end.
        drop(rude);
        until(|| log.len() == 1).await?;
        let exception = log.take().remove(0).exception.unwrap();
        assert!(
            ["ConnectionResetError", "BrokenPipeError"].contains(&exception.type_name()),
            "{exception:?}"
        );
        server.close();
        server.wait_closed().await
    });
}

#[test]
fn a_child_may_write_a_hundred_megabytes_of_errors() {
    const MUCH: usize = 100_000_000;
    run(async {
        // It says that it is done when all is read: the one pipe does not wait for the other.
        let command = format!("head -c {MUCH} /dev/zero >&2; echo done");
        let shell = asyncio::create_subprocess_shell(&command);
        let process = shell.with_stdout(PIPE).with_stderr(PIPE).await?;
        let (stdout, stderr) = (
            process.stdout().cloned().unwrap(),
            process.stderr().unwrap(),
        );
        let done = asyncio::create_task(async move { stdout.read_to_end().await });
        let mut count = 0;
        loop {
            let data = stderr.read(1 << 20).await?;
            if data.is_empty() {
                break;
            }
            assert!(
                data.len() <= 512 * 1024,
                "no more is kept than the limits allow"
            );
            count += data.len();
        }
        assert_eq!(count, MUCH);
        assert_eq!(done.await?, b"done\n");
        assert_eq!(process.wait().await?, 0);

        let shell = asyncio::create_subprocess_shell(&command);
        let process = shell.with_stdout(PIPE).with_stderr(PIPE).await?;
        let (stdout, stderr) = process.communicate(None).await?;
        assert_eq!((&*stdout, stderr.len()), (&b"done\n"[..], MUCH));
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
