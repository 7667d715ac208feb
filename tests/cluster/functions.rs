//! What the workers can be asked to do.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::exit;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use hilos::cluster::{self, ClusterPool, Worker};
use hilos::multiprocessing::pool::MapResult;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{getpid, getppid};

pub(crate) fn register() {
    cluster::register!(square, power, add, nap, note, note_nap, fail, die, die_once);
    cluster::register!(kill_worker, length, zeros, process, initialized);
    cluster::register!(echo, hoard);
    cluster::register!("answer" => || 42);
}

/// Changes workers as the test wishes that starts them.
pub(crate) fn set_up(worker: Worker) -> Worker {
    match std::env::var("HILOS_TEST_INITIALIZER").ok().as_deref() {
        Some("good") => worker.with_initializer(initialize, (7,)),
        Some("bad") => worker.with_initializer(refuse, ()),
        _ => worker,
    }
}

static INITIALIZED: AtomicU32 = AtomicU32::new(0);

fn initialize(number: u32) {
    INITIALIZED.fetch_add(number, Ordering::Relaxed);
}

fn refuse() {
    panic!("no database");
}

pub(crate) fn initialized() -> u32 {
    INITIALIZED.load(Ordering::Relaxed)
}

/// Has a pool run [`note`] with each number below `tasks`, all in one file; `progress` hears how many are done.
pub(crate) fn note_all<P>(
    pool: &ClusterPool,
    path: &Path,
    tasks: usize,
    progress: P,
) -> MapResult<u64>
where
    P: Fn(usize) + Send + Sync + 'static,
{
    let name = path.to_str().unwrap().to_owned();
    pool.with_chunksize(1)
        .with_progress(move |done, _| progress(done))
        .starmap_async(note, (0..tasks as u64).map(|n| (name.clone(), n)))
        .unwrap()
}

pub(crate) fn square(x: i64) -> i64 {
    x * x
}

pub(crate) fn power(base: i64, exponent: u32) -> i64 {
    base.pow(exponent)
}

pub(crate) fn add(a: i64, b: i64) -> i64 {
    a + b
}

pub(crate) fn nap(millis: u64) -> u64 {
    sleep(Duration::from_millis(millis));
    millis
}

fn append(path: &str, number: u64) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(format!("{number}\n").as_bytes()).unwrap();
}

/// Leaves a line that counts the execution.
pub(crate) fn note(path: String, number: u64) -> u64 {
    append(&path, number);
    number * 2
}

pub(crate) fn note_nap(path: String, number: u64, millis: u64) -> u64 {
    append(&path, number);
    nap(millis);
    number * 2
}

pub(crate) fn fail(text: String) {
    panic!("{text}");
}

pub(crate) fn die(code: i32) {
    kill(getpid(), Signal::SIGKILL).unwrap();
    exit(code);
}

/// Dies at the first attempt.
pub(crate) fn die_once(path: String) -> u32 {
    if !std::path::Path::new(&path).exists() {
        append(&path, 0);
        die(1);
    }
    getpid().as_raw() as u32
}

/// Takes the worker along, and not only the slot's process.
pub(crate) fn kill_worker(path: String) {
    append(&path, 0);
    kill(getppid(), Signal::SIGKILL).unwrap();
    // The process of the slot dies with its worker.
    sleep(Duration::from_secs(60));
}

pub(crate) fn length(text: String) -> usize {
    text.len()
}

pub(crate) fn zeros(count: usize) -> String {
    "0".repeat(count)
}

pub(crate) fn echo(text: String) -> String {
    text
}

/// Keeps so many bytes for good; the process that does.
pub(crate) fn hoard(bytes: usize) -> u32 {
    std::mem::forget(vec![1_u8; bytes]);
    process(0)
}

pub(crate) fn process(_: u32) -> u32 {
    getpid().as_raw() as u32
}
