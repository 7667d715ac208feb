//! A5, Unix sockets: the streams of a server that has a path instead of a port.
//!
//! Run: cargo run --release --example asyncio_unix_echo

use std::path::Path;

use hilos::asyncio::{self, Result, StreamReader, StreamWriter};

/// Sends each line back, upside down.
async fn handle_client(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    while let Some(line) = reader.next().await? {
        let text = String::from_utf8(line)?;
        let reversed: String = text.trim_end().chars().rev().collect();
        writer.write(format!("{reversed}\n"))?;
        writer.drain().await?;
    }
    writer.close();
    writer.wait_closed().await
}

async fn talk(path: &Path) -> Result<Vec<String>> {
    let (reader, writer) = asyncio::open_unix_connection(path).await?;
    writer.writelines(["hola\n", "mundo\n"])?;
    writer.write_eof()?;
    let mut answers = Vec::new();
    while let Some(line) = reader.next().await? {
        print!("{}", String::from_utf8_lossy(&line));
        answers.push(String::from_utf8(line)?);
    }
    writer.close();
    writer.wait_closed().await?;
    Ok(answers)
}

fn main() -> Result<()> {
    let path = std::env::temp_dir().join(format!("hilos-unix-{}", std::process::id()));
    let at = path.clone();
    asyncio::run(async move {
        let server = asyncio::start_unix_server(handle_client, &at).await?;
        let answers = talk(&at).await?;
        assert_eq!(answers, ["aloh\n", "odnum\n"]);
        server.close();
        server.wait_closed().await
    })?;
    println!("the socket is gone: {}", !path.exists());
    assert!(!path.exists());
    Ok(())
}
