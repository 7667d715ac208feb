//! `SimpleQueue`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hilos::queue::{Empty, GetError, InvalidTimeout, SimpleQueue};

use super::support::{LONG, do_blocking_test, spawn_blocked};

type Item = Option<usize>;

/// Feeds `n` threads' worth of consumers from `n` feeders, and returns what they got.
///
/// Each feeder ends with a `None`, which ends one consumer.
fn run_threads(
    n: usize,
    inputs: usize,
    get: impl Fn(&SimpleQueue<Item>) -> Item + Sync,
) -> Vec<usize> {
    let q = SimpleQueue::new();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(vec![]);
    let feed = || {
        loop {
            let value = next.fetch_add(1, Ordering::Relaxed);
            if value >= inputs {
                break;
            }
            q.put(Some(value));
            // Every other item another thread may go on first.
            if value.is_multiple_of(2) {
                thread::yield_now();
            }
        }
        q.put(None);
    };
    let consume = || {
        while let Some(value) = get(&q) {
            results.lock().unwrap().push(value);
        }
    };
    thread::scope(|scope| {
        (0..n).for_each(|_| drop(scope.spawn(feed)));
        (0..n).for_each(|_| drop(scope.spawn(consume)));
    });
    assert!(q.empty());
    assert_eq!(q.qsize(), 0);
    results.into_inner().unwrap()
}

fn assert_every_input(mut results: Vec<usize>, inputs: usize) {
    results.sort();
    assert!(results.into_iter().eq(0..inputs));
}

/// Calls `get` until it has an item.
fn until_there(mut get: impl FnMut() -> Result<Item, GetError>) -> Item {
    loop {
        match get() {
            Ok(item) => return item,
            Err(error) => assert_eq!(error, Empty),
        }
        thread::yield_now();
    }
}

// cpython: test_queue.py::BaseSimpleQueueTest::test_basic
#[test]
fn puts_and_gets() {
    let q = SimpleQueue::new();
    assert!(q.empty());
    assert_eq!(q.qsize(), 0);
    q.put(1);
    assert!(!q.empty());
    assert_eq!(q.qsize(), 1);
    q.put(2);
    q.put_nowait(3);
    q.put(4);
    assert!(!q.empty());
    assert_eq!(q.qsize(), 4);

    assert_eq!(q.get(), 1);
    assert_eq!(q.qsize(), 3);
    assert_eq!(q.get_nowait(), Ok(2));
    assert_eq!(q.qsize(), 2);
    assert_eq!(q.get_timeout(0), Ok(3));
    assert!(!q.empty());
    assert_eq!(q.qsize(), 1);
    assert_eq!(q.get_timeout(0.1), Ok(4));
    assert!(q.empty());
    assert_eq!(q.qsize(), 0);

    assert_eq!(q.get_timeout(0), Err(Empty));
    assert_eq!(q.get_timeout(1e-3), Err(Empty));
    assert_eq!(q.get_nowait(), Err(Empty));
    assert!(q.empty());
    assert_eq!(q.qsize(), 0);
}

// cpython: test_queue.py::BaseSimpleQueueTest::test_negative_timeout_raises_exception
#[test]
fn a_negative_timeout_is_an_error() {
    let q = SimpleQueue::new();
    q.put(1);
    let negative = InvalidTimeout::Negative;
    assert_eq!(q.get_timeout(-1), Err(GetError::Timeout(negative)));
    assert_eq!(q.qsize(), 1);
}

// cpython: test_queue.py::BaseSimpleQueueTest::test_order
#[test]
fn one_consumer_gets_what_one_feeder_puts_in_its_order() {
    let results = run_threads(1, 100, SimpleQueue::get);
    assert!(results.into_iter().eq(0..100));
}

// cpython: test_queue.py::BaseSimpleQueueTest::test_many_threads
#[test]
fn many_threads_put_and_get() {
    let results = run_threads(50, 10_000, SimpleQueue::get);
    assert_every_input(results, 10_000);
}

// cpython: test_queue.py::BaseSimpleQueueTest::test_many_threads_nonblock
#[test]
fn many_threads_put_and_get_without_blocking() {
    let results = run_threads(50, 10_000, |q| until_there(|| q.get_nowait()));
    assert_every_input(results, 10_000);
}

// cpython: test_queue.py::BaseSimpleQueueTest::test_many_threads_timeout
#[test]
fn many_threads_put_and_get_with_a_timeout() {
    let results = run_threads(50, 1000, |q| until_there(|| q.get_timeout(1e-5)));
    assert_every_input(results, 1000);
}

#[test]
fn many_threads_get_in_every_way() {
    let turn = AtomicUsize::new(0);
    let results = run_threads(8, 20_000, |q| {
        until_there(|| match turn.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => Ok(q.get()),
            1 => q.get_nowait(),
            2 => q.get_timeout(1e-6),
            _ => q.get_timeout(LONG),
        })
    });
    assert_every_input(results, 20_000);
}

#[test]
fn each_producers_items_keep_their_order() {
    const PRODUCERS: usize = 4;
    const ITEMS: usize = 5000;
    let q = &SimpleQueue::new();
    // A consumer's own items of one producer come in that producer's order.
    let consume = || {
        let mut last = [None; PRODUCERS];
        while let Some((producer, i)) = q.get() {
            assert!(last[producer] < Some(i), "{i} came after {last:?}");
            last[producer] = Some(i);
        }
    };
    thread::scope(|scope| {
        let consumers = [(); 2].map(|()| scope.spawn(consume));
        let producers: [_; PRODUCERS] = std::array::from_fn(|producer| {
            scope.spawn(move || (0..ITEMS).for_each(|i| q.put(Some((producer, i)))))
        });
        producers
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        consumers.iter().for_each(|_| q.put(None));
    });
    assert!(q.empty());
}

#[test]
fn a_get_waits_for_a_put() {
    let q = SimpleQueue::new();
    assert_eq!(do_blocking_test(|| q.get(), || q.put(1)), 1);
    assert_eq!(do_blocking_test(|| q.get_timeout(LONG), || q.put(2)), Ok(2));
    assert_eq!(do_blocking_test(|| q.get_timeout(None), || q.put(3)), Ok(3));
}

#[test]
fn each_item_wakes_a_get() {
    let q = SimpleQueue::new();
    thread::scope(|scope| {
        let gets = [(); 4].map(|()| spawn_blocked(scope, || q.get()));
        assert!(gets.iter().all(|get| !get.is_finished()));
        (0..4).for_each(|i| q.put(i));
        let mut items = gets.map(|get| get.join().unwrap());
        items.sort();
        assert_eq!(items, [0, 1, 2, 3]);
    });
}

#[test]
fn qsize_counts_what_is_before_and_behind_the_last_get() {
    let q = SimpleQueue::new();
    (0..3).for_each(|i| q.put(i));
    assert_eq!(q.get(), 0);
    (3..5).for_each(|i| q.put(i));
    assert_eq!(q.qsize(), 4);
    for i in 1..5 {
        assert_eq!(q.get_nowait(), Ok(i));
        assert_eq!(q.qsize(), 4 - i);
    }
}
