//! One suite for `Queue`, `LifoQueue` and `PriorityQueue`.

use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use hilos::queue::{
    BaseQueue, Empty, Fifo, Full, GetError, InvalidTimeout, Lifo, LifoQueue, Priority,
    PriorityQueue, PutError, Queue, Storage, ValueError,
};

use super::support::{LONG, SIZE, do_blocking_test};

/// One of the three queues, by what it keeps its items in.
pub(super) trait Kind: Storage<i32> + Sized + Send + 'static {
    /// How it gives back 111, 333, 222.
    const ORDER: [i32; 3];

    fn queue(maxsize: usize) -> BaseQueue<i32, Self>;
}

impl Kind for Fifo<i32> {
    const ORDER: [i32; 3] = [111, 333, 222];

    fn queue(maxsize: usize) -> Queue<i32> {
        Queue::new(maxsize)
    }
}

impl Kind for Lifo<i32> {
    const ORDER: [i32; 3] = [222, 333, 111];

    fn queue(maxsize: usize) -> LifoQueue<i32> {
        LifoQueue::new(maxsize)
    }
}

impl Kind for Priority<i32> {
    const ORDER: [i32; 3] = [111, 222, 333];

    fn queue(maxsize: usize) -> PriorityQueue<i32> {
        PriorityQueue::new(maxsize)
    }
}

/// Makes a test of every function named, for each kind of queue.
macro_rules! suite {
    ($($test:ident)*) => {
        suite!(fifo, hilos::queue::Fifo<i32>: $($test)*);
        suite!(lifo, hilos::queue::Lifo<i32>: $($test)*);
        suite!(priority, hilos::queue::Priority<i32>: $($test)*);
    };
    ($module:ident, $kind:ty: $($test:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::$test::<$kind>();
                }
            )*
        }
    };
}

pub(super) use suite;

suite! {
    task_done_without_a_task_is_an_error
    join_waits_until_every_task_is_done
    puts_and_gets_block_fail_and_time_out
    a_negative_timeout_is_an_error
    the_nowait_calls_fail_at_once
    a_smaller_maxsize_applies_to_the_items_that_are_there
}

// cpython: test_queue.py::BaseQueueTestMixin::test_queue_task_done
fn task_done_without_a_task_is_an_error<K: Kind>() {
    let q = K::queue(0);
    assert_eq!(q.task_done(), Err(ValueError));
    // Nothing has changed.
    q.join();
    q.put(1).unwrap();
    assert!(!q.join_timeout(0));
}

// cpython: test_queue.py::BaseQueueTestMixin::test_queue_join
fn join_waits_until_every_task_is_done<K: Kind>() {
    let q = K::queue(0);
    queue_join_test(&q);
    queue_join_test(&q);
    assert_eq!(q.task_done(), Err(ValueError));
}

fn queue_join_test<K: Kind>(q: &BaseQueue<i32, K>) {
    let cum = AtomicI32::new(0);
    let worker = || {
        loop {
            let x = q.get().unwrap();
            cum.fetch_add(x.max(0), Ordering::Relaxed);
            q.task_done().unwrap();
            if x < 0 {
                break;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(worker);
        }
        for i in 0..100 {
            q.put(i).unwrap();
        }
        q.join();
        assert_eq!(cum.load(Ordering::Relaxed), (0..100).sum());
        for _ in 0..2 {
            q.put(-1).unwrap();
        }
        q.join();
    });
}

// cpython: test_queue.py::BaseQueueTestMixin::test_basic
fn puts_and_gets_block_fail_and_time_out<K: Kind>() {
    let q = K::queue(SIZE);
    basic_queue_test(&q);
    basic_queue_test(&q);
}

fn basic_queue_test<K: Kind>(q: &BaseQueue<i32, K>) {
    assert!(q.empty());
    assert!(!q.full());
    assert_eq!(q.maxsize(), SIZE);
    for item in [111, 333, 222] {
        q.put(item).unwrap();
    }
    assert_eq!([(); 3].map(|()| q.get().unwrap()), K::ORDER);

    for i in 0..SIZE - 1 {
        q.put(i as i32).unwrap();
        assert_eq!(q.qsize(), i + 1);
        assert!(!q.full());
    }
    q.put(10).unwrap();
    assert_eq!(q.qsize(), SIZE);
    assert!(!q.empty());
    assert!(q.full());
    assert_eq!(q.put_nowait(30), Err(Full(30)));
    assert_eq!(q.put_timeout(30, 0.01), Err(Full(30)));
    do_blocking_test(|| q.put(30), || q.get().unwrap()).unwrap();
    do_blocking_test(|| q.put_timeout(30, LONG), || q.get().unwrap()).unwrap();

    for _ in 0..SIZE {
        q.get().unwrap();
    }
    assert_eq!(q.qsize(), 0);
    assert_eq!(q.get_nowait(), Err(Empty));
    assert_eq!(q.get_timeout(0.01), Err(Empty));
    let put = || q.put(7).unwrap();
    assert_eq!(do_blocking_test(|| q.get(), put), Ok(7));
    assert_eq!(do_blocking_test(|| q.get_timeout(LONG), put), Ok(7));
    assert!(q.empty());
}

// cpython: test_queue.py::BaseQueueTestMixin::test_negative_timeout_raises_exception
fn a_negative_timeout_is_an_error<K: Kind>() {
    let q = K::queue(SIZE);
    let negative = InvalidTimeout::Negative;
    assert_eq!(q.put_timeout(1, -1), Err(PutError::Timeout(1, negative)));
    assert_eq!(q.get_timeout(-1), Err(GetError::Timeout(negative)));
}

// cpython: test_queue.py::BaseQueueTestMixin::test_nowait
fn the_nowait_calls_fail_at_once<K: Kind>() {
    let q = K::queue(SIZE);
    for _ in 0..SIZE {
        q.put_nowait(1).unwrap();
    }
    assert_eq!(q.put_nowait(1), Err(Full(1)));
    for _ in 0..SIZE {
        q.get_nowait().unwrap();
    }
    assert_eq!(q.get_nowait(), Err(Empty));
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shrinking_queue
fn a_smaller_maxsize_applies_to_the_items_that_are_there<K: Kind>() {
    let q = K::queue(3);
    for i in 1..=3 {
        q.put(i).unwrap();
    }
    assert_eq!(q.put_nowait(4), Err(Full(4)));
    assert_eq!(q.qsize(), 3);
    q.set_maxsize(2);
    assert_eq!(q.maxsize(), 2);
    assert_eq!(q.put_nowait(4), Err(Full(4)));
    q.get().unwrap();
    assert_eq!(q.put_nowait(4), Err(Full(4)));
    q.get().unwrap();
    q.put_nowait(4).unwrap();
}
