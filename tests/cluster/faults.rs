//! Faults on purpose: whatever dies, each task has one result, and none lies about for long.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use hilos::cluster::{ClusterPool, status};
use hilos::multiprocessing::pool::MapResult;
use nix::sys::signal::Signal;

use crate::functions::{kill_worker, note_all, note_nap, square};
use crate::proxy::Proxy;
use crate::runner::{Case, PATIENCE, until};
use crate::server::{LEASE, Server, Worker, ask, lines};

pub(crate) const CASES: &[Case] = &[
    ("faults::worker_killed", worker_killed),
    ("faults::server_killed", server_killed),
    ("faults::server_empty", server_empty),
    ("faults::worker_stopped", worker_stopped),
    ("faults::deadly_task", deadly_task),
    ("faults::client_dies", client_dies),
    ("faults::network_cut", network_cut),
    ("faults::network_replaced", network_replaced),
    ("faults::expired_come_first", expired_come_first),
    ("faults::server_away", server_away),
    ("faults::server_full", server_full),
];

/// Workers look for expired leases so often.
const SCAN: Duration = Duration::from_millis(500);

/// How long the server was away in the faults that take it away.
const AWAY: Duration = Duration::from_secs(1);

/// What a busy machine may add to a lease and a scan: the time in which a worker that is not dead
/// does not come to look, or in which a test starts another one.
const MARGIN: Duration = Duration::from_secs(6);

/// The longest in ms that a task has lain with a worker without a sign of life.
const LONGEST: &str = "EVAL \"local held, longest = redis.pcall('XPENDING', KEYS[1], 'workers', '-', '+', 10000), 0 \
    for _, task in ipairs(held) do longest = math.max(longest, task[3]) end return longest\" 1 hilos:{q}:tasks";

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
    tasks: usize,
    /// How many results the client has.
    received: Arc<AtomicUsize>,
    /// How many may run more than once: those that lie with the workers, which a busy machine may
    /// take for dead.
    may_run_again: usize,
}

/// Does something to a scene, as often as asked for, and sees what has come of it.
fn each_time(what: &str, fault: impl Fn(&mut Scene)) {
    for _ in 0..setting("HILOS_CLUSTER_RUNS", 1) {
        let mut scene = Scene::new(setting("HILOS_CLUSTER_TASKS", 10_000));
        let third = scene.tasks / 3;
        until("a third is done", || lines(&scene.path).len() > third);
        let (began, watch) = (Instant::now(), Watch::start(scene.server.port));
        fault(&mut scene);
        assert!(scene.job.wait(PATIENCE), "{what}: some tasks are missing");
        let (seconds, lain) = (began.elapsed().as_secs_f64(), watch.stop());
        assert!(
            lain < AWAY + LEASE + SCAN + MARGIN,
            "{what}: a task lay for {lain:?}"
        );
        let executions = scene.check(what);
        println!(
            "{what}: {} tasks, {executions} executions, {seconds:.1} s to the end, none lay for \
             more than {:.1} s",
            scene.tasks,
            lain.as_secs_f64(),
        );
        scene.leave(what);
    }
}

impl Scene {
    fn new(tasks: usize) -> Self {
        let server = Server::start();
        let proxy = Proxy::new(server.port);
        let path = server.file("log");
        let workers =
            [proxy.url(), server.url()].map(|url| Worker::start(&url, "q", &["--slots", "1"]));
        let pool = ClusterPool::new(&server.url(), "q").unwrap();
        let received = Arc::new(AtomicUsize::new(0));
        let seen = received.clone();
        let job = note_all(&pool, &path, tasks, move |done| {
            seen.store(done, Ordering::SeqCst);
        });
        Self {
            server,
            proxy,
            workers,
            pool,
            job,
            path,
            tasks,
            received,
            may_run_again: 500,
        }
    }

    /// One result for each task; how many times tasks were run for that.
    fn check(&self, what: &str) -> usize {
        let results = self.job.get(None).unwrap();
        let right = (0..).zip(&results).all(|(n, result)| *result == 2 * n);
        assert!(right, "{what}: a wrong result");
        assert_eq!(results.len(), self.tasks);
        let mut run = lines(&self.path);
        let executions = run.len();
        run.sort_unstable();
        run.dedup();
        assert_eq!(run.len(), self.tasks, "{what}: some have not run");
        let again = executions - self.tasks;
        assert!(again <= self.may_run_again, "{what}: {again} again");
        executions
    }

    /// Nothing of the client stays on the server.
    fn leave(self, what: &str) {
        self.pool.close();
        self.pool.join(PATIENCE).unwrap();
        let left = self.server.command("KEYS hilos:{q}:submitted:*");
        assert_eq!(left, "*0", "{what}");
    }
}

/// Looks all the time how long a task has lain with a worker that gave no sign of life.
struct Watch {
    thread: JoinHandle<Duration>,
    stop: Arc<AtomicBool>,
}

impl Watch {
    fn start(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let look = move || ask(port, LONGEST)?.strip_prefix(':')?.parse().ok();
        let watch = move || {
            let mut longest = 0;
            while !stopped.load(Ordering::SeqCst) {
                longest = look().unwrap_or(0).max(longest);
                sleep(Duration::from_millis(10));
            }
            Duration::from_millis(longest)
        };
        let thread = thread::spawn(watch);
        Self { thread, stop }
    }

    /// The longest that it was.
    fn stop(self) -> Duration {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
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
        sleep(AWAY);
        scene.server.run();
    });
}

fn server_empty() {
    each_time("kill -9 of the server, back empty", |scene| {
        scene.server.kill();
        let received = scene.received.load(Ordering::SeqCst);
        scene.server.wipe();
        scene.server.run();
        // What is done is lost, too, unless the client has come to read it.
        scene.may_run_again += lines(&scene.path).len() - received;
    });
}

fn worker_stopped() {
    each_time("SIGSTOP of a worker for two leases", |scene| {
        scene.workers[0].signal(Signal::SIGSTOP);
        sleep(Duration::from_secs(2));
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
        sleep(2 * LEASE);
        assert_eq!(scene.pool.apply(square, (3,)).unwrap(), 9);
        scene.proxy.cut(false);
    });
}

/// The worker's connections are dead and it hears nothing of it; there can be new ones.
fn network_replaced() {
    each_time("a worker's connections that are dead", |scene| {
        scene.proxy.forget_connections();
        let url = scene.server.url();
        let slots = || status(&url, "q").unwrap().slots();
        until("the server misses it", || slots() == 1);
        until("it is back", || slots() == 2);
    });
}

/// What a dead worker had does not wait until the queue is empty.
fn expired_come_first() {
    let server = Server::start();
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let worker = server.worker("q", &["--slots", "1"]);
    let lost = pool
        .apply_async(note_nap, (name.clone(), 1000, 3_600_000))
        .unwrap();
    until("it runs", || !lines(&path).is_empty());
    let others = (0..50).map(|n| (name.clone(), n, 100));
    let others = pool
        .with_chunksize(1)
        .starmap_async(note_nap, others)
        .unwrap();
    drop(worker);
    let _worker = server.worker("q", &["--slots", "1"]);
    until("it runs again", || {
        lines(&path).iter().filter(|line| *line == "1000").count() == 2
    });
    // A lease and a scan take as long as fifteen of the others.
    let before = lines(&path).len();
    assert!(before < 40, "{before} others were done first");
    pool.terminate();
    assert!(lost.wait(PATIENCE) && others.wait(PATIENCE));
}

/// A worker and a client beyond a proxy, which has counted their connections for a while in which
/// the server was of no use. They come back afterwards.
fn knock(take_away: impl Fn(&mut Server), bring_back: impl Fn(&mut Server)) {
    let mut server = Server::start();
    let proxy = Proxy::new(server.port);
    let _worker = Worker::start(&proxy.url(), "q", &["--slots", "1"]);
    let pool = ClusterPool::new(&proxy.url(), "q").unwrap();
    assert_eq!(pool.apply(square, (3,)).unwrap(), 9);
    take_away(&mut server);
    let job = pool.apply_async(square, (4,)).unwrap();
    let (began, before) = (Instant::now(), proxy.connections());
    until("they try again", || proxy.connections() > before + 8);
    sleep(Duration::from_secs(2));
    // Each of four, six times in the first second and then twice in each. Without a pause it would
    // be thousands, and with the same one every time hundreds.
    let allowed = 25 * (began.elapsed().as_secs() as usize + 2);
    let counted = proxy.connections() - before;
    assert!(counted <= allowed, "{counted} connections");
    bring_back(&mut server);
    assert_eq!(job.get(PATIENCE).unwrap(), 16);
}

fn server_away() {
    knock(Server::kill, Server::run);
}

/// It lets everybody in and refuses what they want.
fn server_full() {
    let limit = |server: &mut Server, bytes| {
        let reply = server.command(&format!("CONFIG SET maxmemory {bytes}"));
        assert_eq!(reply, "+OK");
    };
    knock(|server| limit(server, 1), |server| limit(server, 0));
}
