//! `multiprocessing.managers`: calls of objects in another process, by proxies here and in CPython.
//!
//! Calls are measured in the processor time of both processes, what waits for the network or for many in
//! time that passes.

#![cfg(target_os = "linux")]

#[path = "common/processes.rs"]
mod processes;
#[path = "common/python_client.rs"]
mod python_client;
#[path = "common/settings.rs"]
mod settings;
#[path = "common/team.rs"]
mod team;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use hilos::multiprocessing::Process;
use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::managers::{
    Answer, Args, BaseManager, DictProxy, Exception, Proxy, QueueProxy, Referent, SyncManager,
};
use hilos::pickle::{Dict, Object, Tuple, dumps_with_protocol};
use processes::{AT_LEAST, Clocks};
use python_client::{AUTHKEY, PythonClient, find_python};
use settings::row;
use team::Team;

criterion_group!(managers, dict, queue, python_client, creation, counter);
criterion_main!(managers);

/// A value of a key, and the way back.
fn dict(criterion: &mut Criterion) {
    let manager = started();
    let dict: DictProxy<String, i64> = manager.dict_of().unwrap();
    dict.insert("key", 1000).unwrap();

    let clocks = Clocks::with(&manager.process().unwrap());
    let mut getting = row(criterion, "manager_dict_get");
    getting.bench_function("hilos", |bencher| {
        let get = || _ = black_box(dict.get_item(black_box("key")).unwrap());
        bencher.iter_custom(|turns| clocks.measure(turns, get));
    });
    ping_pong(&mut getting, &[Sizes::of("__getitem__", ("key",), 1000)]);
    drop(getting);

    let mut setting = row(criterion, "manager_dict_set");
    setting.bench_function("hilos", |bencher| {
        let set = || dict.insert(black_box("key"), 1000).unwrap();
        bencher.iter_custom(|turns| clocks.measure(turns, set));
    });
    ping_pong(&mut setting, &[Sizes::of("__setitem__", ("key", 1000), ())]);
}

/// Puts an item into a queue and gets it.
fn queue(criterion: &mut Criterion) {
    let manager = started();
    let queue: QueueProxy<i64> = manager.queue(0).unwrap();
    let clocks = Clocks::with(&manager.process().unwrap());
    let mut row = row(criterion, "manager_queue_put_get");
    row.bench_function("hilos", |bencher| {
        let put_get = || {
            queue.put(black_box(1000)).unwrap();
            black_box(queue.get().unwrap());
        };
        bencher.iter_custom(|turns| clocks.measure(turns, put_get));
    });
    let sizes = [
        Sizes::of("put", (1000,), ()),
        Sizes::of("get", Tuple::new(), 1000),
    ];
    ping_pong(&mut row, &sizes);
}

fn started() -> SyncManager {
    let manager = SyncManager::new();
    manager.start().unwrap();
    manager
}

/// How long a request and its reply are.
struct Sizes {
    request: usize,
    reply: usize,
}

impl Sizes {
    fn of<A: Into<Object>, R: Into<Object>>(method: &str, args: A, result: R) -> Self {
        let length = |message| dumps_with_protocol::<Object>(message, 4).unwrap().len();
        Self {
            request: length(&("1", method, args, Dict::new()).into()),
            reply: length(&("#RETURN", result).into()),
        }
    }
}

/// The same bytes there and back, and nothing done with them.
fn ping_pong(row: &mut BenchmarkGroup<'_, WallTime>, exchanges: &[Sizes]) {
    row.bench_function("connection", |bencher| {
        let (ours, theirs) = pipe(true).unwrap();
        let replies: Vec<usize> = exchanges.iter().map(|sizes| sizes.reply).collect();
        let process = Process::new(echo, (theirs, replies)).with_daemon(true);
        process.start().unwrap();
        let requests: Vec<_> = exchanges
            .iter()
            .map(|sizes| vec![7; sizes.request])
            .collect();
        let clocks = Clocks::with(&process);
        let exchange = || {
            for request in &requests {
                ours.send_bytes(request).unwrap();
                black_box(ours.recv_bytes().unwrap());
            }
        };
        bencher.iter_custom(|turns| clocks.measure(turns, exchange));
        process.terminate().unwrap();
    });
}

fn echo(connection: Connection, replies: Vec<usize>) {
    let replies: Vec<_> = replies.into_iter().map(|length| vec![7; length]).collect();
    for reply in replies.iter().cycle() {
        if connection.recv_bytes().is_err() {
            return;
        }
        connection.send_bytes(reply).unwrap();
    }
}

/// The same calls by a client in CPython, which does not know what language the server is in.
fn python_client(criterion: &mut Criterion) {
    for work in ["dict_get", "dict_set", "queue_put_get"] {
        by_python(criterion, work, "unix", SyncManager::new());
    }
}

/// A client in CPython has an object made, over TCP.
fn creation(criterion: &mut Criterion) {
    let manager = SyncManager::new().with_address(("127.0.0.1", 0));
    by_python(criterion, "create", "tcp", manager);
}

fn by_python(criterion: &mut Criterion, work: &str, family: &str, manager: SyncManager) {
    let Some(python) = find_python() else {
        return eprintln!("no Python: manager_python_{work} is not measured");
    };
    let manager = manager.with_authkey(AUTHKEY);
    manager.start().unwrap();
    let address = manager.address().expect("a started manager has one");
    let mut row = row(criterion, &format!("manager_python_{work}_{family}"));
    let pid = manager.process().and_then(|process| process.pid());
    let here = (address, pid.expect("a process that runs"));
    for (name, server) in [("hilos", Ok(here)), ("cpython_server", Err(family))] {
        row.bench_function(name, |bencher| {
            let client = PythonClient::start(&python, work, server.clone());
            bencher.iter_custom(|turns| {
                let done = if work == "create" {
                    turns
                } else {
                    turns.max(AT_LEAST)
                };
                client.run(done).mul_f64(turns as f64 / done as f64)
            });
        });
    }
}

/// What all clients count with.
struct Counter(AtomicI64);

impl Referent for Counter {
    fn type_name(&self) -> &str {
        "Counter"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["increment"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "increment" => {
                let (step,): (i64,) = args.parse()?;
                Ok((self.0.fetch_add(step, Ordering::Relaxed) + step).into())
            }
            _ => Err(self.no_attribute(method)),
        }
    }
}

/// A turn is one increment, by whichever client.
fn counter(criterion: &mut Criterion) {
    let mut manager = BaseManager::new();
    manager.register("Counter", |_| Ok(Arc::new(Counter(AtomicI64::new(0)))));
    manager.start().unwrap();
    let counter = manager.create("Counter", ()).unwrap();
    let mut row = row(criterion, "manager_counter_256_clients");
    for (name, clients) in [("hilos", 256), ("one_client", 1)] {
        let counter = counter.clone();
        let team = Team::new(clients, move |_, turns| increment(&counter, turns));
        row.bench_function(name, |bencher| {
            bencher.iter_custom(|turns| {
                let each = turns.div_ceil(clients as u64);
                let done = each * clients as u64;
                team.run(each).mul_f64(turns as f64 / done as f64)
            });
        });
    }
}

fn increment(counter: &Proxy, turns: u64) {
    for _ in 0..turns {
        black_box(counter.call_as::<i64, _>("increment", (1,)).unwrap());
    }
}
