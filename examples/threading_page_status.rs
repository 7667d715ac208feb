//! C6: the status of a page, twice in turn and then in two threads at once.
//!
//! The page comes from a server that the program starts itself, and which lets everyone wait for a
//! while; both threads wait at the same time. `--scale F` makes the wait F times as long, `--url URL` asks
//! another server.
//!
//! Run: cargo run --release --example threading_page_status

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use hilos::threading::Thread;
use http_server::Server;

#[path = "common/http_client.rs"]
mod http_client;
#[path = "common/http_server.rs"]
mod http_server;
#[path = "common/scale.rs"]
mod scale;
#[path = "common/url.rs"]
mod url;

/// How long the server takes, in seconds.
const LATENCY: f64 = 0.5;

fn leer_ejemplo(url: &str) -> io::Result<()> {
    let respuesta = http_client::get(url)?;
    println!(
        "{} ({} bytes)",
        respuesta.status_code,
        respuesta.content.len()
    );
    assert_eq!(respuesta.status_code, 200);
    Ok(())
}

/// Reads the page twice, the second time after the first.
fn sincrono(url: &str) -> io::Result<Duration> {
    let inicio = Instant::now();
    leer_ejemplo(url)?;
    leer_ejemplo(url)?;
    Ok(inicio.elapsed())
}

/// Reads the page twice at once.
fn multihilo(url: &str) -> Result<Duration, Box<dyn Error>> {
    let hilo = |url: String| Thread::returning(move || leer_ejemplo(&url));
    let (thread_1, thread_2) = (hilo(url.to_owned()), hilo(url.to_owned()));
    let inicio_thread = Instant::now();
    thread_1.start()?;
    thread_2.start()?;
    println!("Todos los subprocesos corriendo!");
    thread_1.join(None)??;
    thread_2.join(None)??;
    Ok(inicio_thread.elapsed())
}

fn main() -> Result<(), Box<dyn Error>> {
    let latency = Duration::from_secs_f64(LATENCY * scale::from_args(1.0));
    let server = Server::start(latency, |_| Some("Example Domain".into()))?;
    let url = url::from_args().unwrap_or_else(|| server.url("/"));
    let (in_turn, at_once) = (sincrono(&url)?, multihilo(&url)?);
    let [in_turn, at_once] = [in_turn, at_once].map(|elapsed| elapsed.as_secs_f64());
    println!("Ejecutar sincronicamente toma {in_turn:.4} segundos.");
    println!("Ejecutar en dos hilos toma {at_once:.4} segundos.");
    assert!(at_once < 0.75 * in_turn, "about half the time");
    Ok(())
}
