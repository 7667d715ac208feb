//! A worker on the command line.

use std::process::exit;
use std::time::Duration;

use super::builder::Worker;

const USAGE: &str = "\
usage: PROGRAM worker --queue NAME [--url URL] [--slots N] [--lease SECONDS]
               [--max-retries N] [--prefetch N] [--maxtasksperchild N] [--max-memory KIB]

Without --url, the variable HILOS_CLUSTER_URL says where the server is; use that
for a URL with a password, since everybody can see a command line.
";

/// Has this program be a worker if its first argument is `worker`, and returns otherwise.
///
/// Call it in `main` after [`register!`](crate::register!). As a worker the process ends in it,
/// with 0 after SIGTERM or Ctrl-C.
///
/// ```text
/// program worker --queue NAME [--url URL] [--slots N] [--lease SECONDS] [--max-retries N]
///     [--prefetch N] [--maxtasksperchild N] [--max-memory KIB]
/// ```
pub fn worker_main() {
    worker_main_with(|worker| worker);
}

/// Like [`worker_main`], and has `set_up` change the worker first: for an initializer.
pub fn worker_main_with<F: FnOnce(Worker) -> Worker>(set_up: F) {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("worker") {
        return;
    }
    let arguments: Vec<String> = arguments.collect();
    if arguments
        .iter()
        .any(|argument| matches!(&**argument, "-h" | "--help"))
    {
        print!("{USAGE}");
        exit(0);
    }
    let worker = parse(&arguments).unwrap_or_else(|problem| {
        eprint!("{problem}\n\n{USAGE}");
        exit(2)
    });
    match set_up(worker).run() {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("worker: {error:?}");
            exit(1)
        }
    }
}

fn parse(arguments: &[String]) -> Result<Worker, String> {
    let pairs = pairs(arguments);
    let find = |name: &str| {
        let last = pairs.iter().rfind(|(other, _)| *other == name);
        last.map(|(_, value)| *value)
    };
    let queue = find("--queue").ok_or("--queue is missing")?;
    let from_environment = std::env::var("HILOS_CLUSTER_URL").ok();
    let url = find("--url")
        .or(from_environment.as_deref())
        .ok_or("--url is missing")?;
    let worker = Worker::new(url, queue);
    pairs
        .iter()
        .try_fold(worker, |worker, (name, value)| set(worker, name, value))
}

/// Options and their values.
fn pairs(arguments: &[String]) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        pairs.push(match name.split_once('=') {
            Some(pair) => pair,
            None => (&**name, rest.next().map_or("", |value| value)),
        });
    }
    pairs
}

fn set(worker: Worker, name: &str, value: &str) -> Result<Worker, String> {
    Ok(match name {
        "--queue" | "--url" => worker,
        "--slots" => worker.with_slots(number(name, value)?),
        "--lease" => worker.with_lease(seconds(name, value)?),
        "--max-retries" => worker.with_max_retries(number(name, value)?),
        "--prefetch" => worker.with_prefetch(number(name, value)?),
        "--maxtasksperchild" => worker.with_maxtasksperchild(number(name, value)?),
        "--max-memory" => worker.with_max_memory_per_child(number(name, value)?),
        unknown => return Err(format!("{unknown} is unknown")),
    })
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{name}: {value:?} is not a number"))
}

fn seconds(name: &str, value: &str) -> Result<Duration, String> {
    let seconds = Duration::try_from_secs_f64(number(name, value)?);
    seconds.map_err(|error| format!("{name}: {error}"))
}
