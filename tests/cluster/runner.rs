//! Runs tests one after the other, and starts the program again for their workers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::time::{Duration, Instant};

use crate::server;

/// A test and its name.
pub(crate) type Case = (&'static str, fn());

/// How long anything may take that should come at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn main(groups: &[&[Case]]) {
    let (filters, skips) = arguments();
    let chosen = |name: &str| {
        let named = |filters: &[String]| filters.iter().any(|filter| name.contains(&**filter));
        (filters.is_empty() || named(&filters)) && !named(&skips)
    };
    if server::program().is_none() {
        let required = ["CI", "HILOS_REQUIRE_REDIS"]
            .iter()
            .any(|name| std::env::var(name).is_ok_and(|value| matches!(&*value, "true" | "1")));
        eprintln!("SKIPPED: there is no redis-server, and no test of the cluster has run");
        println!("\ntest result: ok. 0 passed; 0 failed; 0 ignored");
        exit(i32::from(required));
    }
    let (mut passed, mut failed) = (0, Vec::new());
    for (name, test) in groups
        .iter()
        .copied()
        .flatten()
        .filter(|(name, _)| chosen(name))
    {
        let start = Instant::now();
        match catch_unwind(AssertUnwindSafe(test)) {
            Ok(()) => passed += 1,
            Err(_) => failed.push(*name),
        }
        let result = if failed.last() == Some(name) {
            "FAILED"
        } else {
            "ok"
        };
        println!(
            "test {name} ... {result} ({:.1} s)",
            start.elapsed().as_secs_f64()
        );
    }
    let result = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {result}. {passed} passed; {} failed; 0 ignored",
        failed.len()
    );
    exit(i32::from(!failed.is_empty()));
}

/// Names that tests must or must not have.
fn arguments() -> (Vec<String>, Vec<String>) {
    let (mut filters, mut skips) = (Vec::new(), Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--skip" => skips.extend(arguments.next()),
            // What `cargo test` hands on to other tests.
            option if option.starts_with('-') => {}
            _ => filters.push(argument),
        }
    }
    (filters, skips)
}

/// Waits until something is so.
pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}
