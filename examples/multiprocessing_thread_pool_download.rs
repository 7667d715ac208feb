//! M11: six threads download five pages, and each saves its own as a file.
//!
//! The pages come from a server that the program starts itself, and which lets everyone wait for a
//! while; together they take little longer than one. `--scale F` makes the wait F times as long, `--url URL`
//! asks another one, such as `http://jsonplaceholder.typicode.com`.
//!
//! Run: cargo run --release --example multiprocessing_thread_pool_download

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use hilos::multiprocessing::pool::ThreadPool;
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
const LATENCY: f64 = 0.2;

/// Downloads a page to `path_data`, and returns its URL if the server has it.
fn download_url(url: &str, path_data: &Path) -> io::Result<Option<String>> {
    println!("downloading:  {url}");
    let file_name_start_pos = url.rfind('/').map_or(0, |slash| slash + 1);
    let file_name = &url[file_name_start_pos..];
    let r = http_client::get(url)?;
    if r.status_code != 200 {
        return Ok(None);
    }
    fs::write(path_data.join(file_name), r.content)?;
    Ok(Some(url.to_owned()))
}

/// What the server has at a path: a list of ten of what the path names.
fn page(path: &str) -> Option<String> {
    let known = ["posts", "comments", "photos", "todos", "albums"];
    let name = known.iter().find(|name| path == format!("/{name}"))?;
    let items: Vec<String> = (1..=10)
        .map(|id| format!(r#"{{"id": {id}, "title": "{name} {id}"}}"#))
        .collect();
    Some(format!("[{}]", items.join(",\n ")))
}

fn main() -> Result<(), Box<dyn Error>> {
    let latency = Duration::from_secs_f64(LATENCY * scale::from_args(1.0));
    let server = Server::start(latency, page)?;
    let given = url::from_args();
    let is_own = given.is_none();
    let site = given.unwrap_or_else(|| server.url(""));
    let urls =
        ["posts", "comments", "photos", "todos", "albums"].map(|name| format!("{site}/{name}"));
    let path_data = env::temp_dir().join(format!("hilos-data-{}", std::process::id()));
    fs::create_dir_all(&path_data)?;

    let start = Instant::now();
    let directory = path_data.clone();
    let download = move |url: String| download_url(&url, &directory);
    let results = ThreadPool::new(6)?.imap_unordered(download, urls.clone());
    let mut downloaded = Vec::new();
    for r in results {
        let url = r??.ok_or("the server has all pages")?;
        println!("{url}");
        downloaded.push(url);
    }
    let elapsed = start.elapsed();

    for name in ["posts", "comments", "photos", "todos", "albums"] {
        let saved = fs::read_to_string(path_data.join(name))?;
        assert!(!is_own || Some(saved) == page(&format!("/{name}")));
    }
    fs::remove_dir_all(path_data)?;
    downloaded.sort();
    let mut urls = urls;
    urls.sort();
    assert_eq!(downloaded, urls);
    let (seconds, waits) = (elapsed.as_secs_f64(), latency.as_secs_f64());
    println!("five files in {seconds:.2} s, each of which takes {waits:.2} s");
    Ok(())
}
