//! An estimate of π by workers of a cluster, one of which is killed in the middle.
//!
//! It starts a redis-server and two workers on this machine; with `--url URL` it uses a server that
//! is there, to which workers on other machines may belong: `cluster_pi worker --queue pi --url URL`.
//!
//! Run: cargo run --release --features cluster --example cluster_pi

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio, exit};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hilos::cluster::{self, Cluster as _};
use hilos::multiprocessing::Pool;
use indicatif::{ProgressBar, ProgressStyle};

/// How many tasks there are, and how many points each one throws.
const TASKS: u64 = 400;
const POINTS: u64 = 1_000_000;

/// How many of so many random points in a square hit the circle in it.
fn hits(seed: u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..POINTS)
        .filter(|_| random().powi(2) + random().powi(2) <= 1.0)
        .count() as u64
}

fn main() -> Result<(), Box<dyn Error>> {
    cluster::register!(hits);
    cluster::worker_main();
    let mut arguments = std::env::args().skip_while(|argument| argument != "--url");
    let (_server, url) = match arguments.nth(1) {
        Some(url) => (None, url),
        None => start_server()?,
    };
    let mut workers = [worker(&url)?, worker(&url)?];
    let bar = ProgressBar::new(TASKS);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} tasks")?);
    let show = bar.clone();

    let pool = Pool::cluster(&url, "pi")?.with_chunksize(1);
    let job = pool
        .with_progress(move |done, _| show.set_position(done as u64))
        .map_async(hits, 1..=TASKS)?;
    while bar.position() < TASKS / 4 {
        sleep(Duration::from_millis(10));
    }
    workers[0].0.kill()?;
    bar.println("one of the two workers was killed");
    let total: u64 = job.get(None)?.iter().sum();
    bar.finish();

    let pi = 4.0 * total as f64 / (TASKS * POINTS) as f64;
    println!("π is about {pi:.4}");
    print!("{}", cluster::status(&url, "pi")?);
    assert!((pi - std::f64::consts::PI).abs() < 0.001);
    Ok(())
}

/// A process that is killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This program as a worker.
fn worker(url: &str) -> Result<Killed, Box<dyn Error>> {
    let mut program = Command::new(std::env::current_exe()?);
    program.args(["worker", "--queue", "pi", "--slots", "1"]);
    Ok(Killed(program.env("HILOS_CLUSTER_URL", url).spawn()?))
}

/// A server on a free port.
fn start_server() -> Result<(Option<Killed>, String), Box<dyn Error>> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let options = [
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--port",
        &port.to_string(),
    ];
    let mut program = Command::new("redis-server");
    let started = program.args(options).stdout(Stdio::null()).spawn();
    let Ok(server) = started else {
        eprintln!("SKIPPED: there is no redis-server; Debian has it in the package redis-server");
        exit(i32::from(
            std::env::var("CI").is_ok_and(|value| value == "true"),
        ));
    };
    let (server, deadline) = (Killed(server), Instant::now() + Duration::from_secs(10));
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "redis-server does not answer");
        sleep(Duration::from_millis(10));
    }
    Ok((Some(server), format!("redis://127.0.0.1:{port}/0")))
}
