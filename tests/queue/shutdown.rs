//! The suite's second half: what `shutdown` does to each of the three queues.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hilos::queue::{BaseQueue, Empty, GetError, PutError, ShutDown, ValueError};
use hilos::threading::Event;

use super::base::{Kind, suite};
use super::support::{LONG, spawn_blocked};

suite! {
    after_shutdown_an_empty_queue_refuses
    after_shutdown_the_items_can_be_got
    an_immediate_shutdown_drops_the_items
    shutdown_can_be_repeated_and_sharpened
    every_method_after_shutdown
    every_method_after_an_immediate_shutdown
    many_threads_use_every_method_around_a_shutdown
    many_threads_use_every_method_around_an_immediate_shutdown
    gets_after_shutdown
    gets_after_an_immediate_shutdown
    puts_after_shutdown
    puts_after_an_immediate_shutdown
    join_returns_after_an_immediate_shutdown
    join_waits_for_the_items_that_a_shutdown_leaves
    an_immediate_shutdown_with_a_put_and_a_join
    a_shutdown_with_a_put_and_a_join
    a_shutdown_with_gets_task_dones_and_joins
    a_shutdown_wakes_a_get
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_empty
fn after_shutdown_an_empty_queue_refuses<K: Kind>() {
    let q = K::queue(0);
    q.shutdown(false);
    assert_eq!(q.put(1), Err(PutError::ShutDown(1)));
    assert_eq!(q.get(), Err(ShutDown));
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_nonempty
fn after_shutdown_the_items_can_be_got<K: Kind>() {
    let q = K::queue(0);
    q.put(1).unwrap();
    q.shutdown(false);
    assert_eq!(q.get(), Ok(1));
    assert_eq!(q.get(), Err(ShutDown));
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_immediate
fn an_immediate_shutdown_drops_the_items<K: Kind>() {
    let q = K::queue(0);
    q.put(1).unwrap();
    q.shutdown(true);
    assert_eq!(q.get(), Err(ShutDown));
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_allowed_transitions
fn shutdown_can_be_repeated_and_sharpened<K: Kind>() {
    let q = K::queue(0);
    q.put(1).unwrap();
    assert!(!q.is_shutdown());
    q.shutdown(false);
    assert!(q.is_shutdown());
    assert_eq!(q.qsize(), 1);
    q.shutdown(true);
    assert!(q.is_shutdown());
    assert_eq!(q.qsize(), 0);
    q.shutdown(false);
    assert!(q.is_shutdown());
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_all_methods_in_one_thread
fn every_method_after_shutdown<K: Kind>() {
    let q = full_queue_after_shutdown::<K>(false);
    for _ in 0..2 {
        assert!(matches!(q.get(), Ok(1 | 2)));
        q.task_done().unwrap();
    }
    q.join();
    assert_eq!(q.get(), Err(ShutDown));
    assert_eq!(q.get_nowait(), Err(ShutDown));
    assert_eq!(q.get_timeout(LONG), Err(ShutDown));
    assert_eq!(q.task_done(), Err(ValueError));
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_immediate_all_methods_in_one_thread
fn every_method_after_an_immediate_shutdown<K: Kind>() {
    let q = full_queue_after_shutdown::<K>(true);
    assert_eq!(q.get(), Err(ShutDown));
    assert_eq!(q.get_nowait(), Err(ShutDown));
    assert_eq!(q.get_timeout(LONG), Err(ShutDown));
    assert_eq!(q.task_done(), Err(ValueError));
    q.join();
}

fn full_queue_after_shutdown<K: Kind>(immediate: bool) -> BaseQueue<i32, K> {
    let q = K::queue(2);
    q.put(1).unwrap();
    q.put_nowait(2).unwrap();
    q.shutdown(immediate);
    assert_eq!(q.put(3), Err(PutError::ShutDown(3)));
    assert_eq!(q.put_nowait(4), Err(PutError::ShutDown(4)));
    assert_eq!(q.put_timeout(5, LONG), Err(PutError::ShutDown(5)));
    q
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_all_methods_in_many_threads
fn many_threads_use_every_method_around_a_shutdown<K: Kind>() {
    let (q, put, got) = shutdown_among_many_threads::<K>(false);
    assert_eq!(got, put);
    q.join();
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_immediate_all_methods_in_many_threads
fn many_threads_use_every_method_around_an_immediate_shutdown<K: Kind>() {
    let (q, put, got) = shutdown_among_many_threads::<K>(true);
    assert!(got <= put);
    q.join();
}

const WRITERS: usize = 4;
const READERS: usize = 6;
const MESSAGES: usize = 16 * 1024;
const BEFORE_SHUTDOWN: usize = MESSAGES / 2;

/// What many threads use, among which one shuts a queue down.
struct Traffic<K: Kind> {
    q: BaseQueue<i32, K>,
    put: AtomicUsize,
    got: AtomicUsize,
    /// Where they wait until each has done something.
    start: Barrier,
    /// So much was put that the queue may be shut down.
    enough: Event,
}

impl<K: Kind> Traffic<K> {
    fn write(&self) {
        for i in 0..BEFORE_SHUTDOWN / 2 {
            self.q.put(i as i32).unwrap();
            self.put.fetch_add(1, Ordering::Relaxed);
        }
        self.start.wait();
        for i in BEFORE_SHUTDOWN / 2..MESSAGES {
            match self.q.put(i as i32) {
                Ok(()) => self.put.fetch_add(1, Ordering::Relaxed),
                Err(error) => {
                    assert_eq!(error, PutError::ShutDown(i as i32));
                    break;
                }
            };
            if i == BEFORE_SHUTDOWN {
                self.enough.set();
            }
        }
    }

    fn read(&self) {
        self.q.get().unwrap();
        self.note_got();
        self.start.wait();
        loop {
            match self.q.get_nowait() {
                Ok(_) => self.note_got(),
                Err(ShutDown) => break,
                Err(error) => assert_eq!(error, Empty),
            }
        }
    }

    fn note_got(&self) {
        self.q.task_done().unwrap();
        self.got.fetch_add(1, Ordering::Relaxed);
    }

    fn join(&self) {
        self.start.wait();
        self.q.join();
    }

    fn shut_down(&self, immediate: bool) {
        self.enough.wait(None);
        self.q.shutdown(immediate);
        assert!(!immediate || self.q.empty());
    }
}

/// Returns the queue after the shutdown, and how many items were put and got.
fn shutdown_among_many_threads<K: Kind>(immediate: bool) -> (BaseQueue<i32, K>, usize, usize) {
    let joiners = if immediate { 2 } else { 0 };
    let traffic = Traffic {
        q: K::queue(0),
        put: AtomicUsize::new(0),
        got: AtomicUsize::new(0),
        start: Barrier::new(WRITERS + READERS + joiners),
        enough: Event::new(),
    };
    thread::scope(|scope| {
        (0..WRITERS).for_each(|_| drop(scope.spawn(|| traffic.write())));
        (0..READERS).for_each(|_| drop(scope.spawn(|| traffic.read())));
        (0..joiners).for_each(|_| drop(scope.spawn(|| traffic.join())));
        scope.spawn(|| traffic.shut_down(immediate));
    });
    assert!(traffic.q.empty());
    (
        traffic.q,
        traffic.put.into_inner(),
        traffic.got.into_inner(),
    )
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_get
fn gets_after_shutdown<K: Kind>() {
    let mut results = gets_around_shutdown::<K>(false, 3);
    results.sort_by_key(|result| result.unwrap_or(i32::MAX));
    assert_eq!(results, [Ok(1), Ok(2), Err(ShutDown)]);
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_immediate_get
fn gets_after_an_immediate_shutdown<K: Kind>() {
    let results = gets_around_shutdown::<K>(true, 2);
    assert_eq!(results, [Err(ShutDown), Err(ShutDown)]);
}

fn gets_around_shutdown<K: Kind>(immediate: bool, n: usize) -> Vec<Result<i32, GetError>> {
    let q = K::queue(2);
    q.put(1).unwrap();
    q.put(2).unwrap();
    let go = Event::new();
    let get = || {
        go.wait(None);
        q.get()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n).map(|_| scope.spawn(get)).collect();
        q.shutdown(immediate);
        go.set();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_put
fn puts_after_shutdown<K: Kind>() {
    puts_around_shutdown::<K>(false);
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_immediate_put
fn puts_after_an_immediate_shutdown<K: Kind>() {
    puts_around_shutdown::<K>(true);
}

/// Some of the puts sleep in the full queue when it is shut down, the others come later.
fn puts_around_shutdown<K: Kind>(immediate: bool) {
    let q = &K::queue(2);
    q.put(1).unwrap();
    q.put(2).unwrap();
    let go = &Event::new();
    thread::scope(|scope| {
        let blocked = [3, 4].map(|item| spawn_blocked(scope, move || q.put(item)));
        let later = [5, 6].map(|item| {
            scope.spawn(move || {
                go.wait(None);
                q.put(item)
            })
        });
        q.shutdown(immediate);
        go.set();
        let results = blocked.into_iter().chain(later).map(|t| t.join().unwrap());
        let expected = (3..=6).map(|item| Err(PutError::ShutDown(item)));
        assert!(results.eq(expected));
    });
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_immediate_join
fn join_returns_after_an_immediate_shutdown<K: Kind>() {
    let q = K::queue(0);
    q.put(1).unwrap();
    thread::scope(|scope| {
        let joins = [(); 2].map(|()| spawn_blocked(scope, || q.join()));
        assert!(joins.iter().all(|thread| !thread.is_finished()));
        q.shutdown(true);
    });
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_join
fn join_waits_for_the_items_that_a_shutdown_leaves<K: Kind>() {
    let q = K::queue(0);
    q.put(1).unwrap();
    thread::scope(|scope| {
        let joins = [(); 2].map(|()| spawn_blocked(scope, || q.join()));
        q.shutdown(false);
        assert_eq!(q.get(), Ok(1));
        assert!(!q.join_timeout(0));
        assert!(joins.iter().all(|thread| !thread.is_finished()));
        q.task_done().unwrap();
    });
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_immediate_put_join
fn an_immediate_shutdown_with_a_put_and_a_join<K: Kind>() {
    shutdown_with_a_put_and_a_join::<K>(true);
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_put_join
fn a_shutdown_with_a_put_and_a_join<K: Kind>() {
    shutdown_with_a_put_and_a_join::<K>(false);
}

fn shutdown_with_a_put_and_a_join<K: Kind>(immediate: bool) {
    let q = K::queue(2);
    q.put(1).unwrap();
    let go = Event::new();
    thread::scope(|scope| {
        let put = scope.spawn(|| {
            go.wait(None);
            q.put(2)
        });
        spawn_blocked(scope, || q.join());
        assert!(format!("{q:?}").contains("unfinished_tasks: 1"));
        q.shutdown(immediate);
        go.set();
        if immediate {
            assert_eq!(q.get_nowait(), Err(ShutDown));
        } else {
            assert_eq!(q.get(), Ok(1));
            q.task_done().unwrap();
        }
        assert_eq!(put.join().unwrap(), Err(PutError::ShutDown(2)));
    });
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_get_task_done_join
fn a_shutdown_with_gets_task_dones_and_joins<K: Kind>() {
    let q = K::queue(2);
    q.put(1).unwrap();
    q.put(2).unwrap();
    assert!(format!("{q:?}").contains("unfinished_tasks: 2"));
    let (go, done) = (Event::new(), AtomicUsize::new(0));
    let get = || {
        go.wait(None);
        let item = q.get().unwrap();
        done.fetch_add(1, Ordering::Relaxed);
        q.task_done().unwrap();
        item
    };
    thread::scope(|scope| {
        let gets = [(); 2].map(|()| scope.spawn(get));
        for _ in 0..2 {
            scope.spawn(|| {
                q.join();
                assert_eq!(done.load(Ordering::Relaxed), 2);
            });
        }
        go.set();
        q.shutdown(false);
        let mut items = gets.map(|thread| thread.join().unwrap());
        items.sort();
        assert_eq!(items, [1, 2]);
    });
}

// cpython: test_queue.py::BaseQueueTestMixin::test_shutdown_pending_get
fn a_shutdown_wakes_a_get<K: Kind>() {
    let q = K::queue(0);
    thread::scope(|scope| {
        let get = spawn_blocked(scope, || q.get());
        let get_timeout = spawn_blocked(scope, || q.get_timeout(LONG));
        q.shutdown(false);
        assert_eq!(get.join().unwrap(), Err(ShutDown));
        assert_eq!(get_timeout.join().unwrap(), Err(ShutDown));
    });
}
