//! A server that lives on, with all its connections, and has forgotten something.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hilos::cluster::ClusterPool;
use hilos::multiprocessing::pool::MapResult;
use parking_lot::Mutex;

use crate::functions::{note_all, square};
use crate::proxy::Proxy;
use crate::runner::{Case, PATIENCE, until};
use crate::server::{Server, lines};

pub(crate) const CASES: &[Case] = &[
    ("forgetful::everything_in_mid_run", everything_in_mid_run),
    ("forgetful::everything_that_waits", everything_that_waits),
    ("forgetful::what_was_submitted", what_was_submitted),
    ("forgetful::results_not_read", results_not_read),
    (
        "forgetful::results_and_connections",
        results_and_connections,
    ),
    ("forgetful::how_far_it_had_counted", how_far_it_had_counted),
];

/// A third of it is how often a client says something that has nothing to say.
const EXPIRY: Duration = Duration::from_secs(3);

/// A client and its tasks.
struct Scene {
    server: Server,
    proxy: Proxy,
    _pool: ClusterPool,
    job: MapResult<u64>,
    path: PathBuf,
    tasks: usize,
    /// How many results the client said it had, each time that it had one more.
    progress: Arc<Mutex<Vec<usize>>>,
}

impl Scene {
    fn new(tasks: usize) -> Self {
        let server = Server::start();
        let proxy = Proxy::new(server.port);
        let path = server.file("log");
        let builder = ClusterPool::builder(&proxy.url(), "q").with_expiry(EXPIRY);
        let pool = builder.build().unwrap();
        let progress = Arc::new(Mutex::new(Vec::new()));
        let seen = progress.clone();
        let job = note_all(&pool, &path, tasks, move |done| seen.lock().push(done));
        let scene = Self {
            server,
            proxy,
            _pool: pool,
            job,
            path,
            tasks,
            progress,
        };
        until("all are there", || scene.waiting() == tasks as i64);
        scene
    }

    fn waiting(&self) -> i64 {
        self.server.number("XLEN hilos:{q}:tasks")
    }

    /// Deletes one of the client's keys.
    fn delete(&self, kind: &str) {
        let delete = format!(
            "EVAL \"return redis.call('DEL', unpack(redis.call('KEYS', 'hilos:{{q}}:{kind}:*')))\" 0"
        );
        assert_eq!(self.server.command(&delete), ":1");
    }

    /// Each task has one result; how many times tasks were run for that.
    fn check(&self) -> usize {
        let results = self.job.get(PATIENCE).unwrap();
        assert!(
            results
                .into_iter()
                .eq((0..self.tasks as u64).map(|n| 2 * n))
        );
        assert!(
            self.progress.lock().iter().copied().eq(1..=self.tasks),
            "a result came twice"
        );
        lines(&self.path).len()
    }
}

fn everything_in_mid_run() {
    let scene = Scene::new(2000);
    let _workers = [1, 2].map(|_| scene.server.worker("q", &["--slots", "1"]));
    until("a third is done", || lines(&scene.path).len() > 700);
    assert_eq!(scene.server.command("FLUSHALL"), "+OK");
    scene.check();
}

fn everything_that_waits() {
    let scene = Scene::new(100);
    assert_eq!(scene.server.command("FLUSHALL"), "+OK");
    until("all are there again", || scene.waiting() == 100);
    let _worker = scene.server.worker("q", &["--slots", "1"]);
    assert_eq!(scene.check(), 100, "some have run twice");
}

/// What remains of it runs, too, and its results are results too many.
fn what_was_submitted() {
    let scene = Scene::new(100);
    scene.delete("submitted");
    until("all are there again", || scene.waiting() == 200);
    let _worker = scene.server.worker("q", &["--slots", "1"]);
    scene.check();
    until("nothing is left", || scene.waiting() == 0);
    assert_eq!(lines(&scene.path).len(), 200);
}

/// They are no longer in the queue, but known all the same: until the client has said that it has
/// their results, which it never will.
fn results_not_read() {
    lose_results(|_| {});
}

/// A client that comes back is told what the server knows.
fn results_and_connections() {
    lose_results(|server| {
        let killed = server.number("CLIENT KILL TYPE normal");
        assert!(killed >= 2, "{killed}");
    });
}

fn lose_results(and: impl Fn(&Server)) {
    let scene = Scene::new(100);
    scene.proxy.cut(true);
    let _worker = scene.server.worker("q", &["--slots", "1"]);
    until("all are done", || scene.waiting() == 0);
    scene.delete("results");
    and(&scene.server);
    scene.proxy.cut(false);
    // One of them was on its way to the client.
    assert!(scene.check() >= 199);
}

/// Results of before had a later time than those that come, because the clock went back.
fn how_far_it_had_counted() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1"]);
    let builder = ClusterPool::builder(&server.url(), "q").with_expiry(EXPIRY);
    let pool = builder.build().unwrap();
    assert_eq!(pool.apply(square, (1,)).unwrap(), 1);
    run_ahead(&server);
    assert_eq!(pool.apply(square, (2,)).unwrap(), 4);
    assert_eq!(server.command("FLUSHALL"), "+OK");
    let job = pool.apply_async(square, (3,)).unwrap();
    assert_eq!(job.get(PATIENCE).unwrap(), 9);
}

/// Has the one client's results be counted from a time far ahead.
pub(crate) fn run_ahead(server: &Server) {
    let far_ahead = "EVAL \"local known = redis.call('KEYS', 'hilos:{q}:submitted:*')[1] \
        local results = string.gsub(known, 'submitted', 'results') \
        redis.call('XADD', results, '9999999999999-0', 'n', 0, 'o', '') return 1\" 0";
    assert_eq!(server.command(far_ahead), ":1");
}
