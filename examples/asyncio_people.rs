//! R7: nine people of an API, asked for at once in one session.
//!
//! The people come from a server that the program starts itself, and which lets everyone wait for
//! a while; `--url URL` asks another one, where `{id}` stands for the number. `--scale F` makes the wait F times as long.
//!
//! Run: cargo run --release --example asyncio_people

use std::error::Error;
use std::time::{Duration, Instant};

use hilos::asyncio::{self, Result};
use http_server::Server;
use session::ClientSession;

#[path = "common/http_server.rs"]
mod http_server;
#[path = "common/logging.rs"]
mod logging;
#[path = "common/scale.rs"]
mod scale;
#[path = "common/session.rs"]
mod session;
#[path = "common/url.rs"]
mod url;

/// How long the server takes, in seconds.
const LATENCY: f64 = 0.5;

const PEOPLE: [&str; 9] = [
    "Luke Skywalker",
    "C-3PO",
    "R2-D2",
    "Darth Vader",
    "Leia Organa",
    "Owen Lars",
    "Beru Whitesun lars",
    "R5-D4",
    "Biggs Darklighter",
];

/// Asks for one person, and prints who it is.
async fn get_person(session: ClientSession, api: &str, id: usize) -> Result<String> {
    let url = api.replace("{id}", &id.to_string());
    let response = session.get(&url).await?;
    logging::info!("Request person number {id}");
    let name = response
        .body
        .split('"')
        .nth(3)
        .unwrap_or_default()
        .to_owned();
    logging::info!("Person number {id} = {name}");
    Ok(name)
}

async fn all(api: String) -> Result<Vec<String>> {
    let session = ClientSession;
    let people = (1..10).map(|id| {
        let (session, api) = (session.clone(), api.clone());
        async move { get_person(session, &api, id).await }
    });
    asyncio::gather(people.collect::<Vec<_>>()).await
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    logging::basic_config(|_, _, message| format!("[ {message} ]"));
    let latency = Duration::from_secs_f64(LATENCY * scale::from_args(1.0));
    let person = |path: &str| {
        let id: usize = path.trim_matches('/').parse().ok()?;
        Some(format!("{{\"name\": \"{}\"}}", PEOPLE.get(id - 1)?))
    };
    let server = Server::start(latency, person)?;
    let given = url::from_args();
    let is_own = given.is_none();
    let api = given.unwrap_or_else(|| server.url("/{id}/"));
    let start = Instant::now();
    let names = asyncio::run(all(api))?;
    if is_own {
        assert_eq!(names, PEOPLE);
        assert!(
            start.elapsed() < 2 * latency,
            "all nine in less than two latencies"
        );
    }
    Ok(())
}
