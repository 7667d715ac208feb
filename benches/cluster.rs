//! A cluster on this machine: a redis-server, this client and its workers share its processors.
//!
//! Where a limit is a number and no program, the rival is that number: `prototype` takes as long as
//! 15,000 tasks a second do, or 150,000 in chunks; `perfect` is what the workers' naps add up to.

#![cfg(target_os = "linux")]

#[path = "common/settings.rs"]
mod settings;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use hilos::cluster::{self, ClusterPool};
use settings::row;

fn main() {
    cluster::register!(square, nap);
    cluster::worker_main();
    let Some(server) = Server::start() else {
        eprintln!("SKIPPED: there is no redis-server, and the cluster is not measured");
        return;
    };
    let mut criterion = Criterion::default().configure_from_args();
    round_trip(&mut criterion, &server);
    tiny_tasks(&mut criterion, &server);
    scaling(&mut criterion, &server);
    criterion.final_summary();
    if is_wanted("cluster_memory") {
        memory(&server);
    }
}

/// Whether the arguments name a row that is no time, or none at all.
fn is_wanted(row: &str) -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut filters = arguments.iter().filter(|it| !it.starts_with('-'));
    let listing = arguments.iter().any(|it| it == "--list");
    !listing && (filters.clone().next().is_none() || filters.any(|it| row.contains(it.as_str())))
}

fn square(x: i64) -> i64 {
    x * x
}

fn nap(millis: u64) {
    sleep(Duration::from_millis(millis));
}

/// One task that does next to nothing, beside two commands that do nothing.
fn round_trip(criterion: &mut Criterion, server: &Server) {
    let _worker = server.worker("round_trip");
    let pool = ClusterPool::new(&server.url(), "round_trip").unwrap();
    let mut row = row(criterion, "cluster_round_trip");
    row.bench_function("hilos", |bencher| {
        bencher.iter(|| pool.apply(square, (3,)).unwrap());
    });
    row.bench_function("two_commands", |bencher| {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        bencher.iter(|| (command(&mut stream), command(&mut stream)));
    });
}

fn command(stream: &mut TcpStream) {
    let mut reply = [0; 7];
    stream.write_all(b"*1\r\n$4\r\nPING\r\n").unwrap();
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+PONG\r\n");
}

fn tiny_tasks(criterion: &mut Criterion, server: &Server) {
    let _workers = [1, 2].map(|_| server.worker("tiny"));
    let pool = ClusterPool::new(&server.url(), "tiny").unwrap();
    for (name, chunksize, rate) in [("chunksize_1", 1, 15_000), ("chunksize_100", 100, 150_000)] {
        let mut row = row(criterion, &format!("cluster_tiny_10000_{name}"));
        let pool = pool.with_chunksize(chunksize);
        row.bench_function("hilos", |bencher| {
            bencher.iter(|| pool.map(square, 0..10_000).unwrap());
        });
        given(&mut row, "prototype", Duration::from_secs(10_000) / rate);
    }
}

/// Workers that sleep for 10 ms at a time, 50 times each.
fn scaling(criterion: &mut Criterion, server: &Server) {
    for count in [2, 4, 8] {
        let queue = format!("naps_{count}");
        let _workers: Vec<_> = (0..count).map(|_| server.worker(&queue)).collect();
        let pool = ClusterPool::new(&server.url(), &queue)
            .unwrap()
            .with_chunksize(1);
        while cluster::status(&server.url(), &queue).unwrap().slots() < count {
            sleep(Duration::from_millis(10));
        }
        let mut row = row(criterion, &format!("cluster_{queue}"));
        row.bench_function("hilos", |bencher| {
            bencher.iter(|| pool.map(nap, vec![10; 50 * count]).unwrap());
        });
        given(&mut row, "perfect", Duration::from_millis(500));
    }
}

/// How much more memory a client has after a million tasks through an imap than after a thousand.
fn memory(server: &Server) {
    let _workers = [1, 2].map(|_| server.worker("memory"));
    let pool = ClusterPool::new(&server.url(), "memory").unwrap();
    let pool = pool.with_chunksize(100);
    let begin = Instant::now();
    let (mut first, mut most) = (None, 0);
    for (done, result) in (1..).zip(pool.imap(square, 0..1_000_000)) {
        assert!(result.is_ok());
        if done % 1000 == 0 {
            most = resident().max(most);
            first.get_or_insert(most);
        }
    }
    let (seconds, more) = (begin.elapsed().as_secs_f64(), most - first.unwrap());
    println!("cluster_memory/hilos        {more} KiB more for 1,000,000 tasks in {seconds:.1} s");
}

/// This process's memory in KiB.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let resident: u64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    resident * 4
}

/// A rival that is a number.
fn given(row: &mut BenchmarkGroup<'_, WallTime>, name: &str, time: Duration) {
    row.bench_function(name, |bencher| {
        bencher.iter_custom(|turns| time.mul_f64(turns as f64));
    });
}

/// A process that is killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Server {
    _process: Killed,
    port: u16,
}

impl Server {
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--port",
                &port.to_string(),
            ])
            .stdout(Stdio::null())
            .spawn();
        let process = Killed(process.ok()?);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            sleep(Duration::from_millis(10));
        }
        Some(Self {
            _process: process,
            port,
        })
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    fn worker(&self, queue: &str) -> Killed {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args([
            "worker",
            "--slots",
            "1",
            "--queue",
            queue,
            "--url",
            &self.url(),
        ]);
        Killed(program.spawn().unwrap())
    }
}
