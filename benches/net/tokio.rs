//! The same work in tokio.

use std::hint::black_box;
use std::io::Result;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::process::Command;
use tokio::task::{LocalSet, spawn_local};

use super::cpu::cpu_time;
use super::{BLOCK, MESSAGE};

fn run<F: Future<Output = Result<Duration>>>(main: F) -> Duration {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, main).unwrap()
}

/// Two ends of a connection, without delay as asyncio's are.
async fn connect(listener: &TcpListener) -> Result<(TcpStream, TcpStream)> {
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

pub(crate) fn tcp_echo(connections: u64, turns: u64) -> Duration {
    run(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut clients = Vec::new();
        for _ in 0..connections {
            let (mut client, server) = connect(&listener).await?;
            spawn_local(echo(server));
            ask(&mut client, 1).await?;
            clients.push(client);
        }
        let each = turns.div_ceil(connections);
        let begin = cpu_time();
        let talk = |mut client| spawn_local(async move { ask(&mut client, each).await });
        let talks: Vec<_> = clients.into_iter().map(talk).collect();
        for talk in talks {
            talk.await??;
        }
        let taken = cpu_time() - begin;
        Ok(taken.mul_f64(turns as f64 / (each * connections) as f64))
    })
}

async fn echo(mut stream: TcpStream) -> Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
    }
}

async fn ask(stream: &mut TcpStream, turns: u64) -> Result<()> {
    for _ in 0..turns {
        stream.write_all(&MESSAGE).await?;
        let mut answer = MESSAGE;
        stream.read_exact(&mut answer).await?;
        black_box(answer);
    }
    Ok(())
}

/// What reads all that comes, as `tokio::io::copy` does it.
pub(crate) async fn copy(mut stream: TcpStream) -> Result<()> {
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

/// The same with as much room as hilos has.
pub(crate) async fn read(mut stream: TcpStream) -> Result<()> {
    let mut buffer = vec![0; BLOCK.len()];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

pub(crate) fn throughput<F>(turns: u64, sink: fn(TcpStream) -> F) -> Duration
where
    F: Future<Output = Result<()>> + 'static,
{
    run(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (mut client, server) = connect(&listener).await?;
        let ended = spawn_local(sink(server));
        let begin = cpu_time();
        for _ in 0..turns {
            client.write_all(&BLOCK).await?;
        }
        client.shutdown().await?;
        ended.await??;
        Ok(cpu_time() - begin)
    })
}

pub(crate) fn udp_echo(turns: u64) -> Duration {
    run(async move {
        let server = UdpSocket::bind("127.0.0.1:0").await?;
        let client = UdpSocket::bind("127.0.0.1:0").await?;
        client.connect(server.local_addr()?).await?;
        let echo = spawn_local(async move {
            let mut buffer = [0; 1024];
            while let Ok((count, from)) = server.recv_from(&mut buffer).await {
                let _ = server.send_to(&buffer[..count], from).await;
            }
        });
        let begin = cpu_time();
        for _ in 0..turns {
            client.send(&MESSAGE).await?;
            let mut answer = [0; 1024];
            let count = client.recv(&mut answer).await?;
            black_box(&answer[..count]);
        }
        let taken = cpu_time() - begin;
        echo.abort();
        Ok(taken)
    })
}

pub(crate) fn subprocess(turns: u64) -> Duration {
    run(async move {
        let begin = cpu_time();
        for _ in 0..turns {
            let mut process = Command::new("/bin/true").spawn()?;
            assert!(process.wait().await?.success());
        }
        Ok(cpu_time() - begin)
    })
}
