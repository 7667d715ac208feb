//! A user's storage, or a user's `Ord`, that panics: the queue stays usable.

use std::cmp::Ordering::{self, Less};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use hilos::queue::{BaseQueue, Empty, Fifo, Full, PriorityQueue, ShutDown, Storage};

use super::support::{LONG, SIZE, do_blocking_test};

/// What makes the next call fail.
#[derive(Clone, Default)]
struct Failure(Arc<AtomicBool>);

impl Failure {
    fn arm(&self) {
        self.0.store(true, Relaxed);
    }

    fn strike(&self) {
        if self.0.swap(false, Relaxed) {
            // As a panic, but silent.
            resume_unwind(Box::new("You lose"));
        }
    }
}

fn assert_fails<R>(call: impl FnOnce() -> R) {
    let payload = catch_unwind(AssertUnwindSafe(call)).err();
    let payload = payload.expect("the call did not fail when it should have");
    assert_eq!(payload.downcast_ref(), Some(&"You lose"));
}

#[derive(Default)]
struct FailingStorage {
    items: Fifo<&'static str>,
    put: Failure,
    get: Failure,
}

impl Storage<&'static str> for FailingStorage {
    fn put(&mut self, item: &'static str) {
        self.put.strike();
        self.items.put(item);
    }

    fn get(&mut self) -> Option<&'static str> {
        if self.qsize() > 0 {
            self.get.strike();
        }
        self.items.get()
    }

    fn qsize(&self) -> usize {
        self.items.qsize()
    }
}

struct FailingQueue {
    q: BaseQueue<&'static str, FailingStorage>,
    next_put: Failure,
    next_get: Failure,
}

impl FailingQueue {
    fn new(maxsize: usize) -> Self {
        let storage = FailingStorage::default();
        Self {
            next_put: storage.put.clone(),
            next_get: storage.get.clone(),
            q: BaseQueue::with_storage(storage, maxsize),
        }
    }
}

// cpython: test_queue.py::FailingQueueTest::test_failing_queue
#[test]
fn a_storage_that_panics_leaves_the_queue_usable() {
    let failing = FailingQueue::new(SIZE);
    failing_puts(&failing);
    failing_gets(&failing);
    failing_puts(&failing);
    failing_gets(&failing);
}

/// Begins with an empty queue and ends with an empty one.
fn failing_puts(FailingQueue { q, next_put, .. }: &FailingQueue) {
    assert!(q.empty());
    for _ in 0..SIZE - 1 {
        q.put("item").unwrap();
    }
    next_put.arm();
    assert_fails(|| q.put_nowait("oops"));
    next_put.arm();
    assert_fails(|| q.put_timeout("oops", 0.1));
    q.put("last").unwrap();
    assert!(q.full());

    // A put that had to wait for room fails, the get that made room does not.
    next_put.arm();
    do_blocking_test(|| assert_fails(|| q.put("full")), || q.get().unwrap());
    q.put("last").unwrap();
    next_put.arm();
    let put = || assert_fails(|| q.put_timeout("full", LONG));
    do_blocking_test(put, || q.get().unwrap());
    q.put("last").unwrap();

    assert!(q.full());
    q.get().unwrap();
    assert!(!q.full());
    q.put("last").unwrap();
    assert!(q.full());
    assert_eq!(q.put_nowait("full"), Err(Full("full")));
    do_blocking_test(|| q.put("full"), || q.get().unwrap()).unwrap();
    for _ in 0..SIZE {
        q.get().unwrap();
    }
}

/// Begins with an empty queue and ends with an empty one.
fn failing_gets(FailingQueue { q, next_get, .. }: &FailingQueue) {
    assert!(q.empty());
    q.put("first").unwrap();
    next_get.arm();
    assert_fails(|| q.get());
    assert_eq!(q.qsize(), 1);
    next_get.arm();
    assert_fails(|| q.get_timeout(0.1));
    assert_eq!(q.qsize(), 1);
    assert_eq!(q.get(), Ok("first"));
    assert_eq!(q.get_nowait(), Err(Empty));

    next_get.arm();
    do_blocking_test(|| assert_fails(|| q.get()), || q.put("item").unwrap());
    assert_eq!(q.get(), Ok("item"));
    assert!(q.empty());
}

#[test]
fn a_task_that_could_not_be_put_does_not_count() {
    let FailingQueue { q, next_put, .. } = FailingQueue::new(0);
    next_put.arm();
    assert_fails(|| q.put("oops"));
    q.join();
    q.put("item").unwrap();
    q.task_done().unwrap();
    q.join();
}

#[test]
fn a_shutdown_that_panics_can_be_repeated() {
    let FailingQueue { q, next_get, .. } = FailingQueue::new(SIZE);
    for _ in 0..SIZE {
        q.put("item").unwrap();
    }
    next_get.arm();
    assert_fails(|| q.shutdown(true));
    assert!(q.is_shutdown());
    q.shutdown(true);
    assert_eq!(q.get(), Err(ShutDown));
    q.join();
}

#[test]
fn a_shutdown_that_panics_half_way_counts_what_it_dropped() {
    /// Panics at the third of its items.
    struct Three(Vec<i32>, bool);

    impl Storage<i32> for Three {
        fn put(&mut self, item: i32) {
            self.0.push(item);
        }

        fn get(&mut self) -> Option<i32> {
            if self.0.len() == 3 && std::mem::take(&mut self.1) {
                resume_unwind(Box::new("You lose"));
            }
            self.0.pop()
        }

        fn qsize(&self) -> usize {
            self.0.len()
        }
    }

    let q = BaseQueue::with_storage(Three(vec![], true), 0);
    for i in 0..5 {
        q.put(i).unwrap();
    }
    let waits = || q.join();
    let shuts_down = || {
        assert_fails(|| q.shutdown(true));
        assert_eq!(q.qsize(), 3);
        q.shutdown(true);
    };
    do_blocking_test(waits, shuts_down);
}

/// An item whose comparison fails on demand.
struct Moody(u32, Failure);

impl Ord for Moody {
    fn cmp(&self, other: &Self) -> Ordering {
        self.1.strike();
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Moody {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Moody {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Moody {}

#[test]
fn an_ord_that_panics_in_put_leaves_the_priority_queue_usable() {
    let (q, failure) = (PriorityQueue::new(0), Failure::default());
    let moody = |rank| Moody(rank, failure.clone());
    for rank in [5, 3, 4] {
        q.put(moody(rank)).unwrap();
    }
    failure.arm();
    assert_fails(|| q.put(moody(1)));
    for rank in [2, 6] {
        q.put(moody(rank)).unwrap();
    }
    // As in Python, the item that failed is in the queue, wherever it came to lie.
    let ranks: Vec<_> = q.try_iter().map(|item| item.0).collect();
    assert_eq!(ranks.len(), 6);
    assert_eq!(BTreeSet::from_iter(ranks), BTreeSet::from_iter(1..=6));

    for rank in [8, 7] {
        q.put(moody(rank)).unwrap();
    }
    assert_eq!([(); 2].map(|()| q.get().unwrap().0), [7, 8]);
}

#[test]
fn an_ord_that_panics_in_get_leaves_the_priority_queue_usable() {
    let (q, failure) = (PriorityQueue::new(0), Failure::default());
    let moody = |rank| Moody(rank, failure.clone());
    for rank in [5, 3, 4, 1, 2] {
        q.put(moody(rank)).unwrap();
    }
    failure.arm();
    assert_fails(|| q.get());
    // The item in question is lost, as in Python; the others are not.
    let ranks = BTreeSet::from_iter(q.try_iter().map(|item| item.0));
    assert_eq!(ranks, BTreeSet::from_iter(2..=5));
    assert_eq!(q.get_nowait().err(), Some(Empty));

    q.put(moody(9)).unwrap();
    q.put(moody(8)).unwrap();
    assert_eq!(q.get().unwrap().cmp(&moody(9)), Less);
}
