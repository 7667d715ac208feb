//! A server on tokio's sockets, in the loop's own tasks: it echoes lines, and hangs up on a client that says nothing.
//!
//! Run: cargo run --release --features tokio --example asyncio_tokio_guest

use std::net::SocketAddr;

use hilos::asyncio::{self, create_task, gather, task_group, timeout};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Sends back each line, in capitals; a client may take a fifth of a second for one.
async fn echo(mut stream: TcpStream) -> asyncio::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    loop {
        // What awaits nothing of asyncio's ends all the same when its time is up.
        match timeout(0.2, async |_| Ok(lines.next_line().await?)).await {
            Ok(Some(line)) => {
                writer
                    .write_all(format!("{}\n", line.to_uppercase()).as_bytes())
                    .await?
            }
            Ok(None) => return Ok(()),
            Err(error) if error.is_timeout() => return Ok(writer.write_all(b"too late\n").await?),
            Err(error) => return Err(error),
        }
    }
}

/// Serves clients until its task is cancelled.
async fn serve(listener: TcpListener) -> asyncio::Result<()> {
    task_group(async |clients| {
        loop {
            let (stream, _) = listener.accept().await?;
            clients.create_task(echo(stream));
        }
    })
    .await
}

async fn ask(address: SocketAddr, text: &str) -> asyncio::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(text.as_bytes()).await?;
    if !text.is_empty() {
        stream.shutdown().await?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn main() -> asyncio::Result<()> {
    let answers = asyncio::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = create_task(serve(listener));
        let answers =
            gather(["hola\nqué tal\n", "", "adiós\n"].map(|text| ask(address, text))).await?;
        server.cancel();
        assert!(server.await.unwrap_err().is_cancelled());
        Ok(answers)
    })?;
    for answer in &answers {
        print!("{answer}");
    }
    assert_eq!(answers, ["HOLA\nQUÉ TAL\n", "too late\n", "ADIÓS\n"]);
    Ok(())
}
