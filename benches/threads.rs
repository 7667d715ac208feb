//! Threads and timers.

#[path = "common/settings.rs"]
mod settings;

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use hilos::threading::{Thread, Timer};
use settings::row;

/// How many timers wait at once.
const TIMERS: usize = 10_000;

criterion_group!(threads, thread_start_join, timers_10000_pending);
criterion_main!(threads);

fn thread_start_join(criterion: &mut Criterion) {
    let mut row = row(criterion, "thread_start_join");
    row.bench_function("hilos", |bencher| {
        bencher.iter(|| {
            let thread = Thread::new(|| ());
            thread.start().unwrap();
            thread.join(None).unwrap();
        });
    });
    row.bench_function("std", |bencher| {
        bencher.iter(|| std::thread::spawn(|| ()).join().unwrap());
    });
}

/// Starts many timers, and then cancels and joins them all.
fn timers_10000_pending(criterion: &mut Criterion) {
    let mut row = row(criterion, "timers_10000_pending");
    row.sample_size(10);
    row.bench_function("hilos", |bencher| {
        bencher.iter(|| {
            let start = |_| {
                let timer = Timer::new(3600, || ());
                timer.start().unwrap();
                timer
            };
            let timers: Vec<_> = (0..TIMERS).map(start).collect();
            timers.iter().for_each(Timer::cancel);
            timers.iter().for_each(|timer| timer.join(None).unwrap());
        });
    });
    row.bench_function("std", |bencher| {
        bencher.iter(|| {
            let start = |_| {
                let (cancel, cancelled) = channel::<()>();
                let wait = move || cancelled.recv_timeout(Duration::from_secs(3600));
                (cancel, std::thread::spawn(wait))
            };
            let timers: Vec<_> = (0..TIMERS).map(start).collect();
            let (cancels, threads): (Vec<_>, Vec<_>) = timers.into_iter().unzip();
            drop(cancels);
            for thread in threads {
                let ended = thread.join().unwrap();
                assert_eq!(ended, Err(RecvTimeoutError::Disconnected));
            }
        });
    });
}
