//! hyper's client in the loop's tasks: nine people of an API at once, then pages that take too long.
//!
//! Its connections are tokio's, and so are the tasks that drive them. The server is the one of the
//! other examples; `--url URL` asks another one, where `{id}` stands for the number.
//!
//! Run: cargo run --release --manifest-path guests/Cargo.toml --bin guest_hyper
//! CI: --scale 0.2

use std::time::{Duration, Instant};

use bytes::Bytes;
use hilos::asyncio::{self, Result, create_task, gather, sleep, timeout};
use http_body_util::{BodyExt, Empty};
use http_server::Server;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

#[path = "../../../examples/common/http_server.rs"]
mod http_server;
#[path = "../../../examples/common/scale.rs"]
mod scale;
#[path = "../../../examples/common/url.rs"]
mod url;

/// How long the server takes, in seconds.
const LATENCY: f64 = 0.5;

/// A client that keeps its connections: clones share them.
#[derive(Clone)]
struct Session(Client<HttpConnector, Empty<Bytes>>);

impl Session {
    async fn get(&self, url: &str) -> Result<String> {
        let response = self.0.get(url.parse()?).await?;
        let body = response.into_body().collect().await?;
        Ok(String::from_utf8(body.to_bytes().to_vec())?)
    }
}

async fn people(session: Session, api: &str) -> Result<Vec<String>> {
    let urls = (1..10).map(|id| api.replace("{id}", &id.to_string()));
    let people = urls.map(|url| {
        let session = session.clone();
        async move { session.get(&url).await }
    });
    gather(people.collect::<Vec<_>>()).await
}

/// Gives a page a quarter of the time that it takes.
async fn too_late(session: Session, url: &str, latency: f64) -> Result<()> {
    let page = timeout(latency / 4.0, async |_| session.get(url).await).await;
    println!("timeout: {:?}", page.as_ref().map_err(|e| e.type_name()));
    assert!(page.unwrap_err().is_timeout());
    Ok(())
}

/// Asks for a page in a task, and cancels the task while it waits.
async fn cancelled(session: Session, url: String, latency: f64) -> Result<()> {
    let task = create_task(async move { session.get(&url).await });
    sleep(latency / 4.0).await?;
    task.cancel();
    let page = task.await;
    println!("cancel: {:?}", page.as_ref().map_err(|e| e.type_name()));
    assert!(page.unwrap_err().is_cancelled());
    Ok(())
}

fn main() -> Result<()> {
    let latency = LATENCY * scale::from_args(1.0);
    let person = |path: &str| Some(format!("person {}", path.trim_matches('/')));
    let server = Server::start(Duration::from_secs_f64(latency), person)?;
    let given = url::from_args();
    let is_own = given.is_none();
    let api = given.unwrap_or_else(|| server.url("/{id}/"));
    let page = api.replace("{id}", "1");

    asyncio::run(async move {
        let session = Session(Client::builder(TokioExecutor::new()).build_http());
        let start = Instant::now();
        let people = people(session.clone(), &api).await?;
        let taken = start.elapsed().as_secs_f64();
        println!("{}", people.join("\n"));
        if !is_own {
            return Ok(());
        }
        let expected: Vec<_> = (1..10).map(|id| format!("person {id}")).collect();
        assert_eq!(people, expected);
        assert!(taken < 2.0 * latency, "all nine in less than two latencies");

        too_late(session.clone(), &page, latency).await?;
        cancelled(session.clone(), page.clone(), latency).await?;
        println!("then: {}", session.get(&page).await?);
        Ok(())
    })
}
