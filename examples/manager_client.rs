//! A worker in Rust joins a manager that a Python program runs, as in the documentation of Python's
//! `multiprocessing` under "Using a remote manager": the Python side offers two queues, this side
//! takes the tasks of one and puts results into the other.
//!
//! Run: cargo run --release --example manager_client
//!
//! It starts the Python program itself, examples/python/manager_client.py, by `HILOS_PYTHON` or `python3`;
//! `-- --address 127.0.0.1:50000 --authkey KEY` joins one that runs already.

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use hilos::multiprocessing::managers::{QueueProxy, RemoteManager};

/// How long the other side may take for an answer.
const PATIENCE: u32 = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = std::env::args().skip(1);
    let (mut address, mut authkey) = (None, "abracadabra".to_owned());
    while let (Some(name), Some(value)) = (options.next(), options.next()) {
        match &*name {
            "--address" => address = Some(value),
            "--authkey" => authkey = value,
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    match address {
        Some(address) => work(&address, authkey.as_bytes()),
        None => with_python(authkey.as_bytes()),
    }
}

/// Takes tasks until there are no more: Python's `None`.
fn work(address: &str, authkey: &[u8]) -> Result<(), Box<dyn Error>> {
    let (host, port) = address.rsplit_once(':').ok_or("the address is HOST:PORT")?;
    let manager = RemoteManager::connect((host, port.parse()?), authkey)?.with_timeout(PATIENCE);
    let tasks: QueueProxy<Option<u64>> = manager.create("get_tasks", ())?.into();
    let results: QueueProxy<(u64, u64)> = manager.create("get_results", ())?.into();
    while let Some(n) = tasks.get()? {
        println!("task {n}");
        results.put((n, (1..=n).product::<u64>()))?;
    }
    Ok(())
}

/// Starts the Python program, works for it, and shows what it has got.
fn with_python(authkey: &[u8]) -> Result<(), Box<dyn Error>> {
    let python = std::env::var("HILOS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/python/manager_client.py"
    );
    let program = Command::new(python)
        .arg(script)
        // Not among the arguments, which everybody on this machine can see.
        .env("HILOS_AUTHKEY", std::str::from_utf8(authkey)?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut program) = program else {
        println!("SKIPPED: no Python found; HILOS_PYTHON can name one");
        return Ok(());
    };
    let mut output = BufReader::new(program.stdout.take().ok_or("it has an output")?);
    let mut address = String::new();
    output.read_line(&mut address)?;
    work(address.trim(), authkey)?;
    // The program ends with its input.
    drop(program.stdin.take());
    let mut got = String::new();
    output.read_to_string(&mut got)?;
    assert!(program.wait()?.success());
    print!("{got}");
    assert_eq!(got, "Python has got {0: 1, 1: 1, 2: 2, 3: 6, 4: 24}\n");
    Ok(())
}
