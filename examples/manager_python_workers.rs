//! A pool of workers in Python, fed by queues of this program: the worker side of a Python system
//! stays as it is while its server has moved to Rust.
//!
//! Run: cargo run --release --example manager_python_workers
//!
//! It starts the workers itself, examples/python/manager_python_workers.py, by `HILOS_PYTHON` or
//! `python3`, and gives them its key in the environment.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::process::{Child, Command};
use std::sync::Arc;

use hilos::multiprocessing::connection::Address;
use hilos::multiprocessing::current_process;
use hilos::multiprocessing::managers::{BaseManager, Server};
use hilos::pickle::{Object, from_object};
use hilos::queue::Queue;

const NUMBERS: std::ops::Range<u64> = 10_000..10_100;
const WORKERS: u64 = 3;
/// How long the workers may take for a number, in seconds.
const PATIENCE: u32 = 60;

type Shared = Arc<Queue<Object>>;

fn main() -> Result<(), Box<dyn Error>> {
    let authkey = random_key();
    let manager = BaseManager::new()
        .with_address(("127.0.0.1", 0))
        .with_authkey(authkey.as_bytes());
    let server = manager.get_server()?;
    let (tasks, results) = (share(&server, "get_tasks"), share(&server, "get_results"));
    let serving = server.clone();
    std::thread::spawn(move || serving.serve_forever());

    match start_workers(server.address(), &authkey) {
        Ok(mut workers) => {
            hand_out(&tasks)?;
            check(&collect(&results)?);
            assert!(workers.wait()?.success());
        }
        Err(_) => println!("SKIPPED: no Python found; HILOS_PYTHON can name one"),
    }
    server.stop();
    Ok(())
}

/// A queue that this program has, and that clients get by this name.
fn share(server: &Server, name: &str) -> Shared {
    let queue = Arc::new(Queue::new(0));
    let shared = queue.clone();
    server.register(name, move |_| Ok(shared.clone()));
    queue
}

/// The key of this process, in letters.
fn random_key() -> String {
    let bytes = current_process().authkey();
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn start_workers(address: &Address, authkey: &str) -> Result<Child, Box<dyn Error>> {
    let Address::Inet(host, port) = address else {
        return Err("an address of the network".into());
    };
    let python = std::env::var("HILOS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let root = env!("CARGO_MANIFEST_DIR");
    let script = format!("{root}/examples/python/manager_python_workers.py");
    let mut command = Command::new(python);
    // Not among the arguments, which everybody on this machine can see.
    command.env("HILOS_AUTHKEY", authkey);
    let arguments = [script, format!("{host}:{port}"), WORKERS.to_string()];
    Ok(command.args(arguments).spawn()?)
}

fn hand_out(tasks: &Shared) -> Result<(), Box<dyn Error>> {
    for n in NUMBERS {
        tasks.put(n.into())?;
    }
    for _ in 0..WORKERS {
        tasks.put(Object::None)?;
    }
    Ok(())
}

fn collect(results: &Shared) -> Result<BTreeMap<u64, Vec<u64>>, Box<dyn Error>> {
    let mut factors = BTreeMap::new();
    for _ in NUMBERS {
        let (n, its): (u64, Vec<u64>) = from_object(&results.get_timeout(PATIENCE)?)?;
        factors.insert(n, its);
    }
    Ok(factors)
}

fn check(factors: &BTreeMap<u64, Vec<u64>>) {
    assert!(factors.keys().copied().eq(NUMBERS));
    assert!(
        factors
            .iter()
            .all(|(n, its)| its.iter().product::<u64>() == *n)
    );
    let primes = factors.values().filter(|its| its.len() == 1).count();
    println!("{} numbers, {primes} of them prime", factors.len());
    assert_eq!(primes, 11);
}
