//! The work in hilos.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use hilos::asyncio::{
    self, Address, DatagramProtocol, DatagramTransport, Future, Result, Server, StreamReader,
    StreamWriter,
};

use super::cpu::cpu_time;
use super::{BLOCK, MESSAGE};

fn run<F: std::future::Future<Output = Result<Duration>> + 'static>(main: F) -> Duration {
    asyncio::run(main).unwrap()
}

fn port(server: &Server) -> Result<u16> {
    Ok(server.sockets()[0]
        .getsockname()?
        .port()
        .unwrap_or_default())
}

pub(crate) fn tcp_echo(connections: u64, turns: u64) -> Duration {
    run(async move {
        let server = asyncio::start_server(echo, "127.0.0.1", 0).await?;
        let mut clients = Vec::new();
        for _ in 0..connections {
            let client = asyncio::open_connection("127.0.0.1", port(&server)?).await?;
            // Once there and back, so that the server has it too.
            ask(&client, 1).await?;
            clients.push(client);
        }
        let each = turns.div_ceil(connections);
        let begin = cpu_time();
        let talk = |client: (StreamReader, StreamWriter)| async move { ask(&client, each).await };
        asyncio::gather(clients.iter().cloned().map(talk)).await?;
        let taken = cpu_time() - begin;
        for (_, writer) in clients {
            writer.close();
        }
        server.close();
        Ok(taken.mul_f64(turns as f64 / (each * connections) as f64))
    })
}

async fn echo(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    loop {
        let data = reader.read(1024).await?;
        if data.is_empty() {
            return Ok(());
        }
        writer.write(data)?;
        writer.drain().await?;
    }
}

async fn ask((reader, writer): &(StreamReader, StreamWriter), turns: u64) -> Result<()> {
    for _ in 0..turns {
        writer.write(MESSAGE)?;
        writer.drain().await?;
        black_box(reader.readexactly(MESSAGE.len()).await?);
    }
    Ok(())
}

pub(crate) fn throughput(turns: u64) -> Duration {
    run(async move {
        let ended = asyncio::get_running_loop()?.create_future();
        let end = ended.clone();
        let sink = async move |reader: StreamReader, writer: StreamWriter| {
            while !reader.read(BLOCK.len()).await?.is_empty() {}
            writer.close();
            end.set_result(())
        };
        let server = asyncio::start_server(sink, "127.0.0.1", 0).await?;
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)?).await?;
        let begin = cpu_time();
        for _ in 0..turns {
            writer.write(&BLOCK[..])?;
            writer.drain().await?;
        }
        writer.write_eof()?;
        ended.await?;
        let taken = cpu_time() - begin;
        writer.close();
        server.close();
        Ok(taken)
    })
}

/// Sends everything back.
#[derive(Default)]
struct Echo(RefCell<Option<DatagramTransport>>);

impl DatagramProtocol for Echo {
    fn connection_made(&self, transport: &DatagramTransport) -> Result<()> {
        *self.0.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn datagram_received(&self, data: &[u8], addr: &Address) -> Result<()> {
        match &*self.0.borrow() {
            Some(transport) => transport.sendto(data, addr.clone()),
            None => Ok(()),
        }
    }
}

/// Hands each answer to the one who waits for it.
#[derive(Default)]
struct Answers(RefCell<Option<Future<Vec<u8>>>>);

impl DatagramProtocol for Answers {
    fn datagram_received(&self, data: &[u8], _addr: &Address) -> Result<()> {
        match self.0.take() {
            Some(waiter) => waiter.set_result(data.to_vec()),
            None => Ok(()),
        }
    }
}

pub(crate) fn udp_echo(turns: u64) -> Duration {
    run(async move {
        let event_loop = asyncio::get_running_loop()?;
        let serve = event_loop.create_datagram_endpoint(Echo::default);
        let (server, _) = serve.with_local_addr("127.0.0.1", 0).await?;
        let name = server.get_extra_info("sockname");
        let port = name.and_then(|name| name.as_address()?.port());
        let connect = event_loop.create_datagram_endpoint(Answers::default);
        let connect = connect.with_remote_addr("127.0.0.1", port.unwrap_or_default());
        let (client, answers) = connect.await?;
        let begin = cpu_time();
        for _ in 0..turns {
            let answer = event_loop.create_future();
            *answers.0.borrow_mut() = Some(answer.clone());
            client.sendto(MESSAGE, None)?;
            black_box(answer.await?);
        }
        let taken = cpu_time() - begin;
        client.close();
        server.close();
        Ok(taken)
    })
}

pub(crate) fn subprocess(turns: u64) -> Duration {
    run(async move {
        let begin = cpu_time();
        for _ in 0..turns {
            let process = asyncio::create_subprocess_exec("/bin/true", [""; 0]).await?;
            assert_eq!(process.wait().await?, 0);
        }
        Ok(cpu_time() - begin)
    })
}
