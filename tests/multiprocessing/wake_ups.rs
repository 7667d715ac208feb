//! Who waits is woken. A wait also looks around by itself now and then, so that a wake-up that is
//! missing costs time and no more: here it would cost too much.

use std::time::{Duration, Instant};

use hilos::multiprocessing::{
    Barrier, Condition, Event, JoinableQueue, Lock, Process, Queue, RawValue, Semaphore,
};
use serde::{Deserialize, Serialize};

use crate::support::LONG;

const ROUNDS: u32 = 100;
/// When a wait first looks around by itself.
const LOOK: Duration = Duration::from_millis(10);

/// How far two processes are: one that waits, odd while it does, and one that ends its waits.
#[derive(Clone, Serialize, Deserialize)]
struct Pair {
    waiting: RawValue<u32>,
    ended: RawValue<u32>,
    /// How many waits were over before the process could find out by itself.
    woken: RawValue<u32>,
}

fn until(value: &RawValue<u32>, expected: u32) {
    let start = Instant::now();
    while value.get() != expected {
        assert!(
            start.elapsed().as_secs_f64() < LONG,
            "the other one is gone"
        );
        std::thread::yield_now();
    }
}

impl Pair {
    fn new() -> Self {
        let [waiting, ended, woken] = [(); 3].map(|()| RawValue::new(0).unwrap());
        Self {
            waiting,
            ended,
            woken,
        }
    }

    fn wait(&self, wait: impl Fn()) {
        for round in 0..ROUNDS {
            until(&self.ended, round);
            let start = Instant::now();
            self.waiting.set(2 * round + 1);
            wait();
            let woken = u32::from(start.elapsed() < LOOK);
            self.woken.set(self.woken.get() + woken);
            self.waiting.set(2 * round + 2);
        }
    }

    /// Ends each wait by `end`; `again` makes that there is something to wait for.
    fn end(&self, process: Process, end: impl Fn(), again: impl Fn()) {
        process.start().unwrap();
        for round in 0..ROUNDS {
            until(&self.waiting, 2 * round + 1);
            // So that it sleeps, in most rounds.
            std::thread::sleep(Duration::from_millis(1));
            end();
            until(&self.waiting, 2 * round + 2);
            again();
            self.ended.set(round + 1);
        }
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
        // Far from all, as a busy machine takes its time; next to none without wake-ups.
        let woken = self.woken.get();
        assert!(woken > ROUNDS / 10, "it found out by itself: {woken}");
    }
}

#[test]
fn of_a_lock() {
    let (pair, lock) = (Pair::new(), Lock::new().unwrap());
    let wait = |pair: Pair, lock: Lock| pair.wait(|| lock.with(|| ()).unwrap());
    let process = Process::new(wait, (pair.clone(), lock.clone()));
    lock.acquire().unwrap();
    pair.end(
        process,
        || lock.release().unwrap(),
        || lock.acquire().unwrap(),
    );
}

#[test]
fn of_all_who_wait_for_a_lock() {
    let (pair, lock) = (Pair::new(), Lock::new().unwrap());
    let wait = |pair: Pair, lock: Lock| {
        let all = || {
            let others = [(); 3].map(|()| {
                let lock = lock.clone();
                std::thread::spawn(move || lock.with(|| ()).unwrap())
            });
            others.into_iter().for_each(|other| other.join().unwrap());
        };
        pair.wait(all);
    };
    let process = Process::new(wait, (pair.clone(), lock.clone()));
    lock.acquire().unwrap();
    pair.end(
        process,
        || lock.release().unwrap(),
        || lock.acquire().unwrap(),
    );
}

#[test]
fn of_a_semaphore() {
    let (pair, semaphore) = (Pair::new(), Semaphore::new(0).unwrap());
    let wait = |pair: Pair, semaphore: Semaphore| pair.wait(|| semaphore.acquire().unwrap());
    let process = Process::new(wait, (pair.clone(), semaphore.clone()));
    pair.end(process, || semaphore.release().unwrap(), || ());
}

#[test]
fn of_an_event() {
    let (pair, event) = (Pair::new(), Event::new().unwrap());
    let wait = |pair: Pair, event: Event| pair.wait(|| assert!(event.wait(LONG)));
    let process = Process::new(wait, (pair.clone(), event.clone()));
    pair.end(process, || event.set(), || event.clear());
}

#[test]
fn of_a_condition() {
    let (pair, condition, state) = (
        Pair::new(),
        Condition::new().unwrap(),
        RawValue::new(0).unwrap(),
    );
    let wait = |pair: Pair, condition: Condition, state: RawValue<i32>| {
        pair.wait(|| {
            let _held = condition.lock().unwrap();
            assert!(condition.wait_for(|| state.get() == 1, LONG).unwrap());
            state.set(0);
        });
    };
    let process = Process::new(wait, (pair.clone(), condition.clone(), state.clone()));
    let end = || {
        let _held = condition.lock().unwrap();
        state.set(1);
        condition.notify(1).unwrap();
    };
    pair.end(process, end, || ());
}

#[test]
fn of_a_barrier() {
    let (pair, barrier) = (Pair::new(), Barrier::new(2).unwrap());
    let wait = |pair: Pair, barrier: Barrier| pair.wait(|| assert!(barrier.wait(LONG).is_ok()));
    let process = Process::new(wait, (pair.clone(), barrier.clone()));
    pair.end(process, || assert!(barrier.wait(LONG).is_ok()), || ());
}

#[test]
fn of_a_queue_s_getter() {
    let (pair, queue) = (Pair::new(), Queue::new(0).unwrap());
    let wait = |pair: Pair, queue: Queue<i32>| pair.wait(|| assert_eq!(queue.get().unwrap(), 1));
    let process = Process::new(wait, (pair.clone(), queue.clone()));
    pair.end(process, || queue.put(&1).unwrap(), || ());
}

#[test]
fn of_a_queue_s_putter() {
    let (pair, queue) = (Pair::new(), Queue::new(1).unwrap());
    let wait = |pair: Pair, queue: Queue<i32>| pair.wait(|| queue.put(&1).unwrap());
    let process = Process::new(wait, (pair.clone(), queue.clone()));
    queue.put(&1).unwrap();
    pair.end(process, || assert_eq!(queue.get().unwrap(), 1), || ());
}

#[test]
fn of_one_who_joins_a_queue() {
    let (pair, tasks) = (Pair::new(), JoinableQueue::new(0).unwrap());
    let wait = |pair: Pair, tasks: JoinableQueue<i32>| pair.wait(|| tasks.join().unwrap());
    let process = Process::new(wait, (pair.clone(), tasks.clone()));
    tasks.put(&1).unwrap();
    let end = || {
        tasks.get().unwrap();
        tasks.task_done().unwrap();
    };
    pair.end(process, end, || tasks.put(&1).unwrap());
}
