//! Servers to try by hand: an echo for `nc`, pages for `curl`, and both encrypted, for
//! `openssl s_client` and `curl --cacert`. They serve until Ctrl-C, or for some seconds.
//!
//! Run: cargo run --release --features ssl --example asyncio_serve -- [--port 8000] [--seconds S]
//! CI: --port 0 --seconds 0.5

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hilos::asyncio::ssl::SslContext;
use hilos::asyncio::{self, Result, Server, StartServer, StreamReader, StreamWriter};

/// What follows `name` among the program's arguments.
fn argument<T: FromStr>(name: &str) -> Option<T> {
    let mut args = std::env::args().skip_while(|arg| arg != name).skip(1);
    args.next().and_then(|value| value.parse().ok())
}

fn certificate(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("asyncio_ssl/certificates").join(name)
}

/// Says each line again.
async fn echo(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    while let Some(line) = reader.next().await? {
        writer.write(line)?;
        writer.drain().await?;
    }
    writer.close();
    writer.wait_closed().await
}

/// Answers each request with a page that greets whom its path names.
async fn page(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    let head = reader.readuntil(b"\r\n\r\n").await?;
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or("/");
    let body = format!("Hello, {}!\n", path.trim_start_matches('/'));
    let length = body.len();
    writer.write(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))?;
    writer.close();
    writer.wait_closed().await
}

async fn serve(what: &str, start: StartServer) -> Result<Server> {
    let server = start.await?;
    println!("{what} on {}", server.sockets()[0].getsockname()?);
    Ok(server)
}

async fn serve_all(port: u16) -> Result<()> {
    let context = SslContext::server(certificate("server.pem"), certificate("server.key"))?;
    let at = |offset| if port == 0 { 0 } else { port + offset };
    let plain_echo = asyncio::start_server(echo, "127.0.0.1", at(0));
    let plain_page = asyncio::start_server(page, "127.0.0.1", at(1));
    let secret_echo = asyncio::start_server(echo, "127.0.0.1", at(2)).with_ssl(&context);
    let secret_page = asyncio::start_server(page, "127.0.0.1", at(3)).with_ssl(&context);
    let servers = [
        serve("an echo", plain_echo).await?,
        serve("pages", plain_page).await?,
        serve("an encrypted echo", secret_echo).await?,
        serve("encrypted pages", secret_page).await?,
    ];
    let forever = servers.map(|server| async move { server.serve_forever().await });
    asyncio::gather(forever).await.map(drop)
}

fn main() -> Result<()> {
    let port = argument("--port").unwrap_or(8000);
    asyncio::run(async move {
        match argument::<f64>("--seconds") {
            None => serve_all(port).await,
            Some(seconds) => match asyncio::wait_for(serve_all(port), seconds).await {
                Err(exception) if exception.is_timeout() => Ok(()),
                result => result,
            },
        }
    })
}
