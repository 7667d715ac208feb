//! C1: the headers of a page, fetched by waiting and put together by computing.
//!
//! Fetching is bound to input and output, putting the lines together to the processor. The page
//! comes from a server that the program starts itself; `--url URL` asks another one.
//!
//! Run: cargo run --release --example asyncio_headers

use std::error::Error;
use std::time::{Duration, Instant};

use hilos::asyncio;
use http_server::Server;
use session::ClientSession;

#[path = "common/http_server.rs"]
mod http_server;
#[path = "common/session.rs"]
mod session;
#[path = "common/url.rs"]
mod url;

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start(Duration::from_millis(200), |_| {
        Some("Example Domain".into())
    })?;
    let url = url::from_args().unwrap_or_else(|| server.url("/"));

    let inicio = Instant::now();
    let respuesta = asyncio::run(async move { ClientSession.get(&url).await })?;
    let espera = inicio.elapsed();

    let inicio = Instant::now();
    let items = respuesta.headers.iter();
    let cabeceras: Vec<String> = items
        .map(|(key, header)| format!("{key}: {header}"))
        .collect();
    let calculo = inicio.elapsed();

    println!("{}", cabeceras.join("\n"));
    println!("E/S: {espera:?}, CPU: {calculo:?}");
    assert_eq!(respuesta.status, 200);
    assert!(
        cabeceras
            .iter()
            .any(|cabecera| cabecera.starts_with("Content-Length: "))
    );
    assert!(calculo < espera, "the wait takes the time");
    Ok(())
}
