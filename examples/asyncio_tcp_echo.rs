//! A5, TCP: a server of streams and three clients of it at once.
//!
//! Run: cargo run --release --example asyncio_tcp_echo

use hilos::asyncio::{self, Result, StreamReader, StreamWriter};

async fn handle_echo(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    let data = reader.read(100).await?;
    let message = String::from_utf8_lossy(&data);
    println!("Received {message:?}");
    writer.write(&data)?;
    writer.drain().await?;
    writer.close();
    writer.wait_closed().await
}

async fn tcp_echo_client(port: u16, message: String) -> Result<String> {
    let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
    writer.write(&message)?;
    writer.drain().await?;
    let data = reader.read(100).await?;
    println!("Received back: {:?}", String::from_utf8_lossy(&data));
    writer.close();
    writer.wait_closed().await?;
    Ok(String::from_utf8(data)?)
}

fn main() -> Result<()> {
    asyncio::run(async {
        let server = asyncio::start_server(handle_echo, "127.0.0.1", 0).await?;
        let address = server.sockets()[0].getsockname()?;
        println!("Serving on {address}");
        let port = address.port().unwrap_or_default();
        let clients = (1..=3).map(|i| tcp_echo_client(port, format!("Hello World {i}!")));
        let answers = asyncio::gather(clients.collect::<Vec<_>>()).await?;
        assert_eq!(
            answers,
            ["Hello World 1!", "Hello World 2!", "Hello World 3!"]
        );
        server.close();
        server.wait_closed().await
    })
}
