//! E1 and E2: stock quotes, five one after the other and then fifteen at once.
//!
//! The quotes come from a server that the program starts itself, and which lets everyone wait for a
//! while; `--url URL` asks another one, where `{}` stands for the company. `--scale F` makes the wait F times as long.
//!
//! Run: cargo run --release --example asyncio_stock_quotes
//! CI: --scale 0.5

use std::error::Error;
use std::time::{Duration, Instant};

use hilos::asyncio::{self, Result, Task};
use http_server::Server;
use session::{ClientSession, Response};

#[path = "common/http_server.rs"]
mod http_server;
#[path = "common/scale.rs"]
mod scale;
#[path = "common/session.rs"]
mod session;
#[path = "common/url.rs"]
mod url;

/// How long the server takes, in seconds.
const LATENCY: f64 = 0.4;

const EMPRESAS: [&str; 15] = [
    "AAPL", "GOOG", "TSLA", "MSFT", "AAPL", "AAPL", "GOOG", "TSLA", "MSFT", "AAPL", "AAPL", "GOOG",
    "TSLA", "MSFT", "AAPL",
];

/// One company after the other.
async fn in_turn(url: &str, empresas: &[&str]) -> Result<Vec<String>> {
    let sesion = ClientSession;
    let mut datos = Vec::new();
    for empresa in empresas {
        println!("Consultando {empresa}...");
        let respuesta = sesion.get(&url.replace("{}", empresa)).await?;
        datos.push(respuesta.body);
    }
    Ok(datos)
}

fn get_requests(sesion: &ClientSession, url: &str) -> Vec<Task<Response>> {
    let mut peticiones = Vec::new();
    for empresa in EMPRESAS {
        let (sesion, url) = (sesion.clone(), url.replace("{}", empresa));
        peticiones.push(asyncio::create_task(async move { sesion.get(&url).await }));
    }
    peticiones
}

/// All companies at once.
async fn request(url: &str) -> Result<Vec<String>> {
    let sesion = ClientSession;
    let peticiones = get_requests(&sesion, url);
    let respuestas = asyncio::gather(peticiones).await?;
    Ok(respuestas
        .into_iter()
        .map(|respuesta| respuesta.body)
        .collect())
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let latency = Duration::from_secs_f64(LATENCY * scale::from_args(1.0));
    let quote = |path: &str| {
        Some(format!(
            "{{\"symbol\": \"{}\"}}",
            path.trim_start_matches('/')
        ))
    };
    let server = Server::start(latency, quote)?;
    let url = url::from_args().unwrap_or_else(|| server.url("/{}"));

    let inicio = Instant::now();
    let url_5 = url.clone();
    let datos = asyncio::run(async move { in_turn(&url_5, &EMPRESAS[..5]).await })?;
    let tiempo_5 = inicio.elapsed();
    println!(
        "Tomo {} segundos hacer la llamada a la API.",
        tiempo_5.as_secs_f64()
    );
    assert!(datos[2].contains("TSLA"), "the answers come in order");

    let inicio = Instant::now();
    let datos = asyncio::run(async move { request(&url).await })?;
    let tiempo_15 = inicio.elapsed();
    println!(
        "Tomo {} segundos realizar {} consultas a la API.",
        tiempo_15.as_secs_f64(),
        datos.len()
    );
    for (dato, empresa) in datos.iter().zip(EMPRESAS) {
        assert!(dato.contains(empresa), "the answers come in order");
    }
    assert!(tiempo_15 < tiempo_5, "three times as many in less time");
    Ok(())
}
