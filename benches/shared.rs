//! What processes share: a lock, a number under it, a queue.

#[path = "common/settings.rs"]
mod settings;

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use hilos::multiprocessing::{Lock, Process, Queue, Value};
use ipc_channel::ipc::{self, IpcOneShotServer, IpcReceiver, IpcSender};
use settings::row;

criterion_group!(shared, lock, value, queue);
criterion_main!(shared);

fn lock(criterion: &mut Criterion) {
    let mut row = row(criterion, "process_lock_uncontended");
    row.bench_function("hilos", |bencher| {
        let lock = Lock::new().unwrap();
        bencher.iter(|| {
            lock.acquire().unwrap();
            lock.release().unwrap();
        });
    });
    row.bench_function("pthread_robust", |bencher| {
        let mutex = RobustMutex::new();
        bencher.iter(|| mutex.lock_and_unlock());
    });
}

fn value(criterion: &mut Criterion) {
    let mut row = row(criterion, "process_value_add");
    row.bench_function("hilos", |bencher| {
        let value = Value::new(0_u64).unwrap();
        bencher.iter(|| value.update(|n| *n += 1).unwrap());
    });
}

/// One process puts numbers and this one gets them.
fn queue(criterion: &mut Criterion) {
    let mut row = row(criterion, "process_queue_one_way");
    row.bench_function("hilos", |bencher| {
        let (orders, items) = (Queue::new(0).unwrap(), Queue::new(0).unwrap());
        let process = Process::new(put, (orders.clone(), items.clone())).with_daemon(true);
        process.start().unwrap();
        bencher.iter_custom(|turns| {
            orders.put(&turns).unwrap();
            let begin = Instant::now();
            for _ in 0..turns {
                black_box(items.get().unwrap());
            }
            begin.elapsed()
        });
        process.terminate().unwrap();
    });
    row.bench_function("ipc_channel", |bencher| {
        let (server, name) = IpcOneShotServer::<(IpcSender<u64>, IpcReceiver<u64>)>::new().unwrap();
        let process = Process::new(send, (name,)).with_daemon(true);
        process.start().unwrap();
        let (_, (orders, items)) = server.accept().unwrap();
        bencher.iter_custom(|turns| {
            orders.send(turns).unwrap();
            let begin = Instant::now();
            for _ in 0..turns {
                black_box(items.recv().unwrap());
            }
            begin.elapsed()
        });
        process.terminate().unwrap();
    });
}

fn put(orders: Queue<u64>, items: Queue<u64>) {
    loop {
        for item in 0..orders.get().unwrap() {
            items.put(&item).unwrap();
        }
    }
}

fn send(name: String) {
    let (order, orders) = ipc::channel::<u64>().unwrap();
    let (item, items) = ipc::channel::<u64>().unwrap();
    IpcSender::connect(name)
        .unwrap()
        .send((order, items))
        .unwrap();
    while let Ok(turns) = orders.recv() {
        for number in 0..turns {
            item.send(number).unwrap();
        }
    }
}

/// The C library's mutex for several processes that survives its owner's death.
struct RobustMutex(Box<UnsafeCell<libc::pthread_mutex_t>>);

impl RobustMutex {
    fn new() -> Self {
        let mutex = Box::new(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        // SAFETY: the attributes are initialised before they are set, and the mutex is initialised
        // once, where it stays.
        unsafe {
            let mut attributes = std::mem::zeroed();
            assert_eq!(libc::pthread_mutexattr_init(&raw mut attributes), 0);
            let shared = libc::PTHREAD_PROCESS_SHARED;
            libc::pthread_mutexattr_setpshared(&raw mut attributes, shared);
            libc::pthread_mutexattr_setrobust(&raw mut attributes, libc::PTHREAD_MUTEX_ROBUST);
            assert_eq!(
                libc::pthread_mutex_init(mutex.get(), &raw const attributes),
                0
            );
        }
        Self(mutex)
    }

    fn lock_and_unlock(&self) {
        // SAFETY: the mutex is initialised, and unlocked by the thread that has locked it.
        unsafe {
            assert_eq!(libc::pthread_mutex_lock(self.0.get()), 0);
            libc::pthread_mutex_unlock(self.0.get());
        }
    }
}
