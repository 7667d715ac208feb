//! Faults on purpose: whatever dies, each task has one result.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hilos::cluster::{ClusterPool, status};
use hilos::multiprocessing::pool::MapResult;
use nix::sys::signal::Signal;

use crate::functions::{kill_worker, note, square};
use crate::proxy::Proxy;
use crate::runner::{Case, PATIENCE, until};
use crate::server::{Server, Worker, lines};

pub(crate) const CASES: &[Case] = &[
    ("faults::worker_killed", worker_killed),
    ("faults::server_killed", server_killed),
    ("faults::server_empty", server_empty),
    ("faults::worker_stopped", worker_stopped),
    ("faults::deadly_task", deadly_task),
    ("faults::client_dies", client_dies),
    ("faults::network_cut", network_cut),
];

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// Many tasks on two workers, of which a third is done.
struct Scene {
    server: Server,
    proxy: Proxy,
    /// The first of them beyond the proxy.
    workers: [Worker; 2],
    pool: ClusterPool,
    job: MapResult<u64>,
    path: PathBuf,
}

/// Does something to a scene, as often as asked for, and sees what has come of it.
fn each_time(what: &str, fault: impl Fn(&mut Scene)) {
    for _ in 0..setting("HILOS_CLUSTER_RUNS", 1) {
        let tasks = setting("HILOS_CLUSTER_TASKS", 10_000);
        let mut scene = Scene::new(tasks);
        until("a third is done", || lines(&scene.path).len() > tasks / 3);
        let began = Instant::now();
        fault(&mut scene);
        assert!(scene.job.wait(PATIENCE), "{what}: some tasks are missing");
        let results = scene.job.get(None).unwrap();
        assert!(
            (0..).zip(&results).all(|(n, result)| *result == 2 * n),
            "{what}"
        );
        let (executions, seconds) = (lines(&scene.path).len(), began.elapsed().as_secs_f64());
        println!("{what}: {tasks} tasks, {executions} executions, {seconds:.1} s to the end");
        assert!(executions >= tasks);
        assert_eq!(results.len(), tasks);
        scene.pool.close();
        scene.pool.join(PATIENCE).unwrap();
        assert_eq!(
            scene.server.command("KEYS hilos:{q}:submitted:*"),
            "*0",
            "{what}"
        );
    }
}

impl Scene {
    fn new(tasks: usize) -> Self {
        let server = Server::start();
        let proxy = Proxy::new(server.port);
        let path = server.file("log");
        let name = path.to_str().unwrap().to_owned();
        let workers =
            [proxy.url(), server.url()].map(|url| Worker::start(&url, "q", &["--slots", "1"]));
        let pool = ClusterPool::new(&server.url(), "q").unwrap();
        let items = (0..tasks as u64).map(|n| (name.clone(), n));
        let job = pool.with_chunksize(1).starmap_async(note, items).unwrap();
        Self {
            server,
            proxy,
            workers,
            pool,
            job,
            path,
        }
    }
}

fn worker_killed() {
    each_time("kill -9 of a worker", |scene| {
        scene.workers[0].signal(Signal::SIGKILL);
    });
}

fn server_killed() {
    each_time("kill -9 of the server, back after 1 s", |scene| {
        scene.server.kill();
        std::thread::sleep(Duration::from_secs(1));
        scene.server.run();
    });
}

fn server_empty() {
    each_time("kill -9 of the server, back empty", |scene| {
        scene.server.kill();
        scene.server.wipe();
        scene.server.run();
    });
}

fn worker_stopped() {
    each_time("SIGSTOP of a worker for two leases", |scene| {
        scene.workers[0].signal(Signal::SIGSTOP);
        std::thread::sleep(Duration::from_secs(2));
        scene.workers[0].signal(Signal::SIGCONT);
    });
}

fn deadly_task() {
    each_time("a task that kills whole workers", |scene| {
        let path = scene.server.file("deaths");
        let name = path.to_str().unwrap().to_owned();
        let deadly = scene.pool.apply_async(kill_worker, (name,)).unwrap();
        while !deadly.wait(0.1) {
            for worker in &mut scene.workers {
                if worker.0.try_wait().unwrap().is_some() {
                    *worker = scene.server.worker("q", &["--slots", "1"]);
                }
            }
        }
        assert!(deadly.get(None).unwrap_err().is_worker_lost());
        assert_eq!(lines(&path).len(), 4, "three retries");
    });
}

/// What the client does that dies: its tasks take an hour.
pub(crate) fn doomed_client() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("client") {
        let url = arguments.next().unwrap();
        let builder = ClusterPool::builder(&url, "q").with_expiry(Duration::from_secs(2));
        let pool = builder.build().unwrap();
        let _ = pool.map(crate::functions::nap, [3_600_000; 20]);
    }
}

fn client_dies() {
    each_time("kill -9 of another client", |scene| {
        let url = scene.server.url();
        let mut client = Command::new(std::env::current_exe().unwrap())
            .args(["client", &url])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let clients = || scene.server.command("KEYS hilos:{q}:submitted:*");
        until("it has submitted", || clients() == "*2");
        client.kill().unwrap();
        client.wait().unwrap();
        until("its keys expire", || clients() == "*1");
        assert_eq!(scene.pool.apply(square, (3,)).unwrap(), 9);
        until("its tasks are dropped", || {
            let status = status(&url, "q").unwrap();
            let busy: usize = status.workers.iter().map(|worker| worker.busy).sum();
            scene.job.ready() && status.queued + status.held == 0 && busy == 0
        });
    });
}

fn network_cut() {
    each_time("a network cut between a worker and the server", |scene| {
        scene.proxy.cut(true);
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(scene.pool.apply(square, (3,)).unwrap(), 9);
        scene.proxy.cut(false);
    });
}
