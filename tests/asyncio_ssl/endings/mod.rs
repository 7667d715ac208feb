//! How encrypted connections end, and what they must not lose.

mod closed;
mod failures;
mod goodbyes;
mod pauses;

use std::net::TcpStream;

use hilos::asyncio::{self, Result, Server, StreamReader, StreamWriter};
use nix::sys::socket::{setsockopt, sockopt};

use crate::certificates::{believing, showing};

const MUCH: usize = 4 << 20;

/// A server that answers "ping", and then does what `then` says.
async fn pong_server<F>(then: F) -> Result<Server>
where
    F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
{
    let serve = async move |reader: StreamReader, writer: StreamWriter| {
        assert_eq!(reader.readexactly(4).await?, b"ping");
        writer.write(b"pong")?;
        then(reader, writer).await
    };
    asyncio::start_server(serve, "127.0.0.1", 0)
        .with_ssl(&showing("server"))
        .await
}

/// Opens an encrypted connection to a local port, and says "ping".
async fn ping(port: u16) -> Result<(StreamReader, StreamWriter)> {
    let socket = TcpStream::connect(("127.0.0.1", port))?;
    // What is sent waits in the loop, not in the system.
    setsockopt(&socket, sockopt::SndBuf, &1)?;
    let open = asyncio::open_connection_over(socket).with_ssl(&believing());
    let (reader, writer) = open.with_server_hostname("localhost").await?;
    writer.write(b"ping")?;
    assert_eq!(reader.readexactly(4).await?, b"pong");
    Ok((reader, writer))
}
