//! `queue`: items that some threads put and others get; a turn is one item of each.

#[path = "common/settings.rs"]
mod settings;
#[path = "common/team.rs"]
mod team;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use crossbeam_channel::{bounded, unbounded};
use hilos::queue::{Queue, SimpleQueue};
use settings::row;
use team::Team;

criterion_group!(queues, simple_queue, queue);
criterion_main!(queues);

fn simple_queue(criterion: &mut Criterion) {
    for pairs in [1, 4] {
        let mut row = row(criterion, &format!("simple_queue_{pairs}_{pairs}"));
        row.bench_function("hilos", |bencher| {
            let queue = SimpleQueue::new();
            let getter = queue.clone();
            let team = traffic(pairs, move |item| queue.put(item), move || getter.get());
            bencher.iter_custom(|turns| team.run(turns));
        });
        row.bench_function("crossbeam", |bencher| {
            let team = channel(pairs, unbounded());
            bencher.iter_custom(|turns| team.run(turns));
        });
    }
}

fn queue(criterion: &mut Criterion) {
    for (pairs, maxsize) in [(1, 0), (1, 1024), (4, 0), (4, 1024)] {
        let bound = match maxsize {
            0 => "unbounded".to_owned(),
            _ => maxsize.to_string(),
        };
        let mut row = row(criterion, &format!("queue_{pairs}_{pairs}_{bound}"));
        row.bench_function("hilos", |bencher| {
            let queue = Queue::new(maxsize);
            let getter = queue.clone();
            let put = move |item| queue.put(item).unwrap();
            let team = traffic(pairs, put, move || getter.get().unwrap());
            bencher.iter_custom(|turns| team.run(turns));
        });
        row.bench_function("crossbeam", |bencher| {
            let ends = match maxsize {
                0 => unbounded(),
                _ => bounded(maxsize),
            };
            let team = channel(pairs, ends);
            bencher.iter_custom(|turns| team.run(turns));
        });
    }
}

type Ends = (
    crossbeam_channel::Sender<u64>,
    crossbeam_channel::Receiver<u64>,
);

fn channel(pairs: usize, (sender, receiver): Ends) -> Team {
    let put = move |item| sender.send(item).unwrap();
    traffic(pairs, put, move || receiver.recv().unwrap())
}

/// As many threads that put as threads that get.
fn traffic<P, G>(pairs: usize, put: P, get: G) -> Team
where
    P: Fn(u64) + Send + Sync + 'static,
    G: Fn() -> u64 + Send + Sync + 'static,
{
    Team::new(2 * pairs, move |member, turns| {
        for item in 0..turns {
            if member < pairs {
                put(black_box(item));
            } else {
                black_box(get());
            }
        }
    })
}
