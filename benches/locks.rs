//! What threads meet at: `threading`'s locks, events, semaphores, conditions and barriers.

#[path = "common/settings.rs"]
mod settings;
#[path = "common/team.rs"]
mod team;

use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;

use criterion::{Criterion, criterion_group, criterion_main};
use hilos::threading::{Barrier, Condition, Event, Lock, RLock, Semaphore};
use settings::row;
use team::Team;

criterion_group!(
    locks,
    lock_uncontended,
    rlock_uncontended,
    rlock_nested_3,
    lock_contended_2,
    lock_contended_8,
    event_ping_pong,
    semaphore_uncontended,
    semaphore_ping_pong,
    condition_ping_pong,
    barrier_4,
);
criterion_main!(locks);

fn lock_uncontended(criterion: &mut Criterion) {
    let mut row = row(criterion, "lock_uncontended");
    let lock = Lock::new();
    row.bench_function("hilos", |bencher| {
        bencher.iter(|| {
            black_box(&lock).acquire();
            lock.release().unwrap();
        });
    });
    let lock = parking_lot::Mutex::new(());
    row.bench_function("parking_lot", |bencher| {
        bencher.iter(|| drop(black_box(&lock).lock()));
    });
}

fn rlock_uncontended(criterion: &mut Criterion) {
    rlock::<1>(criterion, "rlock_uncontended");
}

fn rlock_nested_3(criterion: &mut Criterion) {
    rlock::<3>(criterion, "rlock_nested_3");
}

/// Acquires a lock `DEPTH` times and releases it as often.
fn rlock<const DEPTH: usize>(criterion: &mut Criterion, name: &str) {
    let mut row = row(criterion, name);
    let lock = RLock::new();
    row.bench_function("hilos", |bencher| {
        bencher.iter(|| {
            (0..DEPTH).for_each(|_| black_box(&lock).acquire());
            (0..DEPTH).for_each(|_| black_box(&lock).release().unwrap());
        });
    });
    let lock = parking_lot::ReentrantMutex::new(());
    row.bench_function("parking_lot", |bencher| {
        bencher.iter(|| {
            let guards: [_; DEPTH] = std::array::from_fn(|_| black_box(&lock).lock());
            guards.into_iter().for_each(|guard| drop(black_box(guard)));
        });
    });
}

fn lock_contended_2(criterion: &mut Criterion) {
    lock_contended(criterion, "lock_contended_2", 2);
}

fn lock_contended_8(criterion: &mut Criterion) {
    lock_contended(criterion, "lock_contended_8", 8);
}

/// Each thread counts under the lock and does a little on its own.
fn lock_contended(criterion: &mut Criterion, name: &str, threads: usize) {
    let mut row = row(criterion, name);
    row.bench_function("hilos", |bencher| {
        let team = contenders(threads, Lock::new(), |lock, count| {
            lock.acquire();
            count();
            lock.release().unwrap();
        });
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("parking_lot", |bencher| {
        let team = contenders(threads, parking_lot::Mutex::new(()), |lock, count| {
            let _held = lock.lock();
            count();
        });
        bencher.iter_custom(|turns| team.run(turns));
    });
}

/// A lock and what it guards, apart from everything else.
#[repr(C, align(128))]
struct Contended<L> {
    lock: L,
    count: AtomicU64,
}

/// Threads that call `critical` with the lock and with the work to do under it.
fn contenders<L, F>(threads: usize, lock: L, critical: F) -> Team
where
    L: Send + Sync + 'static,
    F: Fn(&L, &dyn Fn()) + Send + Sync + 'static,
{
    let shared = Contended {
        lock,
        count: AtomicU64::new(0),
    };
    Team::new(threads, move |_, turns| {
        let count = || {
            let count = shared.count.load(Ordering::Relaxed);
            shared.count.store(count + 1, Ordering::Relaxed);
        };
        for _ in 0..turns {
            critical(&shared.lock, &count);
            for step in 0..30 {
                black_box(step);
            }
        }
    })
}

/// Two threads wake each other in turn; a turn is there and back.
fn ping_pong<T, S, W>(pair: [T; 2], set: S, wait: W) -> Team
where
    T: Send + Sync + 'static,
    S: Fn(&T) + Send + Sync + 'static,
    W: Fn(&T) + Send + Sync + 'static,
{
    let pair = pair.map(Apart);
    Team::new(2, move |member, turns| {
        for _ in 0..turns {
            if member == 0 {
                set(&pair[1].0);
                wait(&pair[0].0);
            } else {
                wait(&pair[1].0);
                set(&pair[0].0);
            }
        }
    })
}

/// Keeps two primitives out of each other's cache lines.
#[repr(align(128))]
struct Apart<T>(T);

fn event_ping_pong(criterion: &mut Criterion) {
    let mut row = row(criterion, "event_ping_pong");
    row.bench_function("hilos", |bencher| {
        let team = ping_pong([Event::new(), Event::new()], Event::set, |event| {
            event.wait(None);
            event.clear();
        });
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("std", |bencher| {
        let pair = [Parker::default(), Parker::default()];
        let team = ping_pong(pair, Parker::unpark, Parker::park);
        bencher.iter_custom(|turns| team.run(turns));
    });
}

/// The standard library's `park`, with the flag that one keeps against chance wake-ups.
#[derive(Default)]
struct Parker {
    thread: OnceLock<Thread>,
    flag: AtomicBool,
}

impl Parker {
    fn park(&self) {
        self.thread.get_or_init(std::thread::current);
        while !self.flag.swap(false, Ordering::Acquire) {
            std::thread::park();
        }
    }

    fn unpark(&self) {
        self.flag.store(true, Ordering::Release);
        self.thread.wait().unpark();
    }
}

fn semaphore_uncontended(criterion: &mut Criterion) {
    let mut row = row(criterion, "semaphore_uncontended");
    let semaphore = Semaphore::new(1);
    row.bench_function("hilos", |bencher| {
        bencher.iter(|| {
            black_box(&semaphore).acquire();
            semaphore.release().unwrap();
        });
    });
    let semaphore = async_lock::Semaphore::new(1);
    row.bench_function("async_lock", |bencher| {
        bencher.iter(|| drop(black_box(&semaphore).acquire_blocking()));
    });
    let semaphore = StdSemaphore::new(1);
    row.bench_function("std", |bencher| {
        bencher.iter(|| {
            black_box(&semaphore).acquire();
            semaphore.release();
        });
    });
    let semaphore = ParkingLotSemaphore::new(1);
    row.bench_function("parking_lot", |bencher| {
        bencher.iter(|| {
            black_box(&semaphore).acquire();
            semaphore.release();
        });
    });
}

fn semaphore_ping_pong(criterion: &mut Criterion) {
    let mut row = row(criterion, "semaphore_ping_pong");
    row.bench_function("hilos", |bencher| {
        let pair = [Semaphore::new(0), Semaphore::new(0)];
        let team = ping_pong(pair, |s| s.release().unwrap(), Semaphore::acquire);
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("async_lock", |bencher| {
        let pair = [async_lock::Semaphore::new(0), async_lock::Semaphore::new(0)];
        let team = ping_pong(
            pair,
            |s| s.add_permits(1),
            |s| s.acquire_blocking().forget(),
        );
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("std", |bencher| {
        let pair = [StdSemaphore::new(0), StdSemaphore::new(0)];
        let team = ping_pong(pair, StdSemaphore::release, StdSemaphore::acquire);
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("parking_lot", |bencher| {
        let pair = [ParkingLotSemaphore::new(0), ParkingLotSemaphore::new(0)];
        let team = ping_pong(
            pair,
            ParkingLotSemaphore::release,
            ParkingLotSemaphore::acquire,
        );
        bencher.iter_custom(|turns| team.run(turns));
    });
}

/// A semaphore as one writes it with the standard library.
struct StdSemaphore {
    value: std::sync::Mutex<usize>,
    released: std::sync::Condvar,
}

impl StdSemaphore {
    fn new(value: usize) -> Self {
        let (value, released) = (std::sync::Mutex::new(value), std::sync::Condvar::new());
        Self { value, released }
    }

    fn acquire(&self) {
        let value = self.value.lock().unwrap();
        *self
            .released
            .wait_while(value, |value| *value == 0)
            .unwrap() -= 1;
    }

    fn release(&self) {
        *self.value.lock().unwrap() += 1;
        self.released.notify_one();
    }
}

/// A semaphore as one writes it with parking_lot.
struct ParkingLotSemaphore {
    value: parking_lot::Mutex<usize>,
    released: parking_lot::Condvar,
}

impl ParkingLotSemaphore {
    fn new(value: usize) -> Self {
        let (value, released) = (parking_lot::Mutex::new(value), parking_lot::Condvar::new());
        Self { value, released }
    }

    fn acquire(&self) {
        let mut value = self.value.lock();
        self.released.wait_while(&mut value, |value| *value == 0);
        *value -= 1;
    }

    fn release(&self) {
        *self.value.lock() += 1;
        self.released.notify_one();
    }
}

/// Two threads hand a number back and forth under one condition; a turn is there and back.
fn condition_ping_pong(criterion: &mut Criterion) {
    let mut row = row(criterion, "condition_ping_pong");
    row.bench_function("hilos", |bencher| {
        let (condition, holder) = (Condition::default(), AtomicU64::new(0));
        let team = Team::new(2, move |member, turns| {
            for _ in 0..turns {
                let _held = condition.lock();
                let mine = || holder.load(Ordering::Relaxed) == member as u64;
                condition.wait_for(mine, None).unwrap();
                holder.store(1 - member as u64, Ordering::Relaxed);
                condition.notify(1).unwrap();
            }
        });
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("std", |bencher| {
        let (holder, changed) = (std::sync::Mutex::new(0), std::sync::Condvar::new());
        let team = Team::new(2, move |member, turns| {
            for _ in 0..turns {
                let held = holder.lock().unwrap();
                let mut held = changed.wait_while(held, |held| *held != member).unwrap();
                *held = 1 - member;
                changed.notify_one();
            }
        });
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("parking_lot", |bencher| {
        let (holder, changed) = (parking_lot::Mutex::new(0), parking_lot::Condvar::new());
        let team = Team::new(2, move |member, turns| {
            for _ in 0..turns {
                let mut held = holder.lock();
                changed.wait_while(&mut held, |held| *held != member);
                *held = 1 - member;
                changed.notify_one();
            }
        });
        bencher.iter_custom(|turns| team.run(turns));
    });
}

/// Four threads meet again and again.
fn barrier_4(criterion: &mut Criterion) {
    let mut row = row(criterion, "barrier_4");
    row.bench_function("hilos", |bencher| {
        let barrier = Barrier::new(4).unwrap();
        let team = rounds(move || _ = barrier.wait(None).unwrap());
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("std", |bencher| {
        let barrier = std::sync::Barrier::new(4);
        let team = rounds(move || _ = barrier.wait());
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("async_lock", |bencher| {
        let barrier = async_lock::Barrier::new(4);
        let team = rounds(move || _ = barrier.wait_blocking());
        bencher.iter_custom(|turns| team.run(turns));
    });
    row.bench_function("parking_lot", |bencher| {
        let barrier = ParkingLotBarrier::default();
        let team = rounds(move || barrier.wait(4));
        bencher.iter_custom(|turns| team.run(turns));
    });
}

fn rounds<F: Fn() + Send + Sync + 'static>(meet: F) -> Team {
    Team::new(4, move |_, turns| (0..turns).for_each(|_| meet()))
}

/// A barrier as one writes it with parking_lot: how many have come, and in which round.
#[derive(Default)]
struct ParkingLotBarrier {
    state: parking_lot::Mutex<(usize, usize)>,
    opened: parking_lot::Condvar,
}

impl ParkingLotBarrier {
    fn wait(&self, parties: usize) {
        let mut state = self.state.lock();
        let round = state.1;
        state.0 += 1;
        if state.0 == parties {
            *state = (0, round + 1);
            self.opened.notify_all();
        } else {
            self.opened.wait_while(&mut state, |state| state.1 == round);
        }
    }
}
