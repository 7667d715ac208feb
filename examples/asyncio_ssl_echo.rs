//! A5, SSL: an encrypted connection, to a server whose certificate the client believes, and to one
//! whose it does not.
//!
//! The certificates are those of the project's tests; `openssl` makes others.
//!
//! Run: cargo run --release --features ssl --example asyncio_ssl_echo

use std::path::{Path, PathBuf};

use hilos::asyncio::ssl::SslContext;
use hilos::asyncio::{self, Result, StreamReader, StreamWriter};

fn certificate(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("asyncio_ssl/certificates").join(name)
}

async fn handle_echo(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    let line = reader.readline().await?;
    writer.write(line)?;
    writer.close();
    writer.wait_closed().await
}

/// Says hello to an encrypted server of the certificate `name`.
async fn talk(name: &str) -> Result<Vec<u8>> {
    let (chain, key) = (format!("{name}.pem"), format!("{name}.key"));
    let context = SslContext::server(certificate(&chain), certificate(&key))?;
    let server = asyncio::start_server(handle_echo, "127.0.0.1", 0)
        .with_ssl(&context)
        .await?;
    let port = server.sockets()[0]
        .getsockname()?
        .port()
        .unwrap_or_default();

    let context = SslContext::new().with_cafile(certificate("authority.pem"))?;
    let opened = asyncio::open_connection("localhost", port)
        .with_ssl(&context)
        .await;
    server.close();
    let (reader, writer) = opened?;
    let shown = |name| writer.get_extra_info(name).map(|info| info.to_string());
    println!(
        "{} with {}",
        shown("version").unwrap_or_default(),
        shown("cipher").unwrap_or_default()
    );
    writer.write(b"hello, in secret\n")?;
    let answer = reader.readline().await?;
    writer.close();
    writer.wait_closed().await?;
    Ok(answer)
}

fn main() -> Result<()> {
    asyncio::run(async {
        let answer = talk("server").await?;
        print!("{}", String::from_utf8_lossy(&answer));
        assert_eq!(answer, b"hello, in secret\n");
        let exception = talk("expired").await.expect_err("its time is over");
        println!("{exception:?}");
        assert_eq!(exception.type_name(), "SSLCertVerificationError");
        Ok(())
    })
}
