//! Models of the queues, which loom explores in every order.
//!
//! A thread that nobody wakes fails its model: loom then finds that no thread can go on.
//!
//! Run: RUSTFLAGS="--cfg loom" cargo test --release --package hilos-queue --test loom

#![cfg(loom)]

use std::time::Duration;

use hilos_core::sync::model::{check, expire_timeouts};
use hilos_queue::{Empty, Full, GetError, PutError, Queue, ShutDown, SimpleQueue};
use loom::thread::{self, JoinHandle};

/// A timeout that only [`expire_timeouts`] ends.
const LATER: Duration = Duration::from_secs(1_000_000);

/// A queue that has the items from 0 to `n`.
fn queue(maxsize: usize, n: i32) -> Queue<i32> {
    let q = Queue::new(maxsize);
    (0..n).for_each(|item| q.put_nowait(item).unwrap());
    q
}

/// A model's threads share a queue by its clones.
fn spawn<Q: Clone + 'static, R: 'static>(q: &Q, body: fn(Q) -> R) -> JoinHandle<R> {
    let q = q.clone();
    thread::spawn(move || body(q))
}

#[test]
fn a_get_meets_a_put() {
    check(|| {
        let q = queue(0, 0);
        let get = spawn(&q, |q| q.get());
        q.put(0).unwrap();
        assert_eq!(get.join().unwrap(), Ok(0));
        assert!(q.empty());
    });
}

#[test]
fn of_two_gets_one_has_the_one_item() {
    check(|| {
        let q = queue(0, 0);
        let gets = [(); 2].map(|()| spawn(&q, |q| q.get()));
        q.put(0).unwrap();
        q.shutdown(false);
        let results = gets.map(|get| get.join().unwrap());
        assert_eq!(results.iter().filter(|&&r| r == Ok(0)).count(), 1);
        assert_eq!(results.iter().filter(|&&r| r == Err(ShutDown)).count(), 1);
    });
}

#[test]
fn two_gets_meet_two_puts() {
    check(|| {
        let q = queue(0, 0);
        let gets = [(); 2].map(|()| spawn(&q, |q| q.get().unwrap()));
        q.put(0).unwrap();
        q.put(1).unwrap();
        let items = gets.map(|get| get.join().unwrap());
        assert!(items == [0, 1] || items == [1, 0]);
    });
}

#[test]
fn a_put_waits_for_the_room_that_a_get_makes() {
    check(|| {
        let q = queue(1, 1);
        let put = spawn(&q, |q| q.put(1));
        assert_eq!(q.get(), Ok(0));
        assert_eq!(q.get(), Ok(1));
        put.join().unwrap().unwrap();
        assert!(q.empty());
    });
}

#[test]
fn two_puts_wait_for_the_room_that_two_gets_make() {
    check(|| {
        let q = queue(1, 1);
        let put = spawn(&q, |q| q.put(1).unwrap());
        let other = spawn(&q, |q| q.put(1).unwrap());
        assert_eq!(q.get(), Ok(0));
        assert!(q.qsize() <= 1);
        assert_eq!(q.get(), Ok(1));
        put.join().unwrap();
        other.join().unwrap();
        assert_eq!(q.get_nowait(), Ok(1));
    });
}

#[test]
fn a_greater_maxsize_wakes_a_put() {
    check(|| {
        let q = queue(1, 1);
        let put = spawn(&q, |q| q.put(1));
        q.set_maxsize(2);
        put.join().unwrap().unwrap();
        assert_eq!(q.qsize(), 2);
    });
}

#[test]
fn a_shutdown_wakes_a_get() {
    check(|| {
        let q = queue(0, 0);
        let gets = [(); 2].map(|()| spawn(&q, |q| q.get()));
        q.shutdown(false);
        assert_eq!(gets.map(|get| get.join().unwrap()), [Err(ShutDown); 2]);
    });
}

#[test]
fn a_shutdown_wakes_a_put() {
    check(|| {
        let q = queue(1, 1);
        let put = spawn(&q, |q| q.put(1));
        q.shutdown(false);
        assert_eq!(put.join().unwrap(), Err(PutError::ShutDown(1)));
        assert_eq!(q.get(), Ok(0));
        assert_eq!(q.get(), Err(ShutDown));
    });
}

#[test]
fn a_put_that_a_shutdown_meets_is_refused_or_its_item_can_be_got() {
    check(|| {
        let q = queue(1, 0);
        let put = spawn(&q, |q| q.put(0));
        q.shutdown(false);
        match put.join().unwrap() {
            Ok(()) => assert_eq!(q.get(), Ok(0)),
            refused => assert_eq!(refused, Err(PutError::ShutDown(0))),
        }
        assert_eq!(q.get(), Err(ShutDown));
    });
}

#[test]
fn a_join_meets_a_task_done() {
    check(|| {
        let q = queue(0, 1);
        let join = spawn(&q, |q| q.join());
        q.get().unwrap();
        q.task_done().unwrap();
        join.join().unwrap();
    });
}

#[test]
fn a_join_meets_the_task_dones_of_two_threads() {
    check(|| {
        let q = queue(0, 2);
        let done = spawn(&q, |q| q.task_done().unwrap());
        let join = spawn(&q, |q| q.join());
        q.task_done().unwrap();
        join.join().unwrap();
        done.join().unwrap();
        assert!(q.task_done().is_err());
    });
}

#[test]
fn an_immediate_shutdown_ends_a_join() {
    check(|| {
        let q = queue(0, 2);
        let join = spawn(&q, |q| q.join());
        q.shutdown(true);
        join.join().unwrap();
    });
}

#[test]
fn an_immediate_shutdown_leaves_to_a_join_what_was_got() {
    check(|| {
        let q = queue(0, 2);
        let worker = spawn(&q, |q| q.get().and_then(|_| Ok(q.task_done().unwrap())));
        let join = spawn(&q, |q| q.join());
        q.shutdown(true);
        join.join().unwrap();
        assert!(matches!(worker.join().unwrap(), Ok(()) | Err(ShutDown)));
        assert!(q.task_done().is_err());
    });
}

#[test]
fn an_item_is_got_before_the_timeout_or_still_there() {
    check(|| {
        let q = queue(0, 0);
        let get = spawn(&q, |q| q.get_timeout(LATER));
        expire_timeouts();
        q.put(0).unwrap();
        got_or_still_there(get.join().unwrap(), q.get_nowait());
    });
}

fn got_or_still_there(got: Result<i32, GetError>, left: Result<i32, GetError>) {
    match got {
        Ok(item) => assert_eq!((item, left), (0, Err(Empty))),
        timed_out => assert_eq!((timed_out, left), (Err(Empty), Ok(0))),
    }
}

#[test]
fn a_get_that_times_out_leaves_the_item_to_the_other() {
    check(|| {
        let q = queue(0, 0);
        let hasty = spawn(&q, |q| q.get_timeout(LATER));
        let patient = spawn(&q, |q| q.get().unwrap());
        expire_timeouts();
        q.put(0).unwrap();
        let got = hasty.join().unwrap();
        if got == Ok(0) {
            q.put(0).unwrap();
        } else {
            assert_eq!(got, Err(Empty));
        }
        assert_eq!(patient.join().unwrap(), 0);
    });
}

#[test]
fn a_put_that_times_out_leaves_the_room_to_the_other() {
    check(|| {
        let q = queue(1, 1);
        let hasty = spawn(&q, |q| q.put_timeout(1, LATER));
        let patient = spawn(&q, |q| q.put(1).unwrap());
        expire_timeouts();
        assert_eq!(q.get(), Ok(0));
        let put = hasty.join().unwrap();
        if put.is_ok() {
            assert_eq!(q.get(), Ok(1));
        } else {
            assert_eq!(put, Err(Full(1)));
        }
        patient.join().unwrap();
        assert_eq!(q.get_nowait(), Ok(1));
    });
}

#[test]
fn a_join_with_a_timeout_says_whether_all_is_done() {
    check(|| {
        let q = queue(0, 1);
        let join = spawn(&q, |q| {
            q.join_timeout(LATER).then(|| q.task_done().is_err())
        });
        expire_timeouts();
        q.task_done().unwrap();
        assert!(matches!(join.join().unwrap(), None | Some(true)));
        assert!(q.join_timeout(LATER));
    });
}

#[test]
fn a_simple_get_meets_a_put() {
    check(|| {
        let q = SimpleQueue::new();
        let get = spawn(&q, |q| q.get());
        q.put(0);
        assert_eq!(get.join().unwrap(), 0);
        assert!(q.empty());
    });
}

#[test]
fn no_simple_get_sleeps_while_an_item_is_there() {
    check(|| {
        let q = SimpleQueue::new();
        let gets = [(); 2].map(|()| spawn(&q, |q| q.get()));
        q.put(0);
        q.put(1);
        let items = gets.map(|get| get.join().unwrap());
        assert!(items == [0, 1] || items == [1, 0]);
        assert!(q.empty());
    });
}

#[test]
fn two_simple_gets_meet_the_puts_of_two_threads() {
    check(|| {
        let q = SimpleQueue::new();
        let get = spawn(&q, |q| q.get());
        let put = spawn(&q, |q| q.put(1));
        q.put(0);
        let items = [q.get(), get.join().unwrap()];
        assert!(items == [0, 1] || items == [1, 0]);
        put.join().unwrap();
    });
}

#[test]
fn simple_items_keep_their_order() {
    check(|| {
        let q = SimpleQueue::new();
        let put = spawn(&q, |q| (0..3).for_each(|item| q.put(item)));
        assert_eq!([q.get(), q.get(), q.get()], [0, 1, 2]);
        put.join().unwrap();
    });
}

#[test]
fn a_simple_item_is_got_before_the_timeout_or_still_there() {
    check(|| {
        let q = SimpleQueue::new();
        let get = spawn(&q, |q| q.get_timeout(LATER));
        expire_timeouts();
        q.put(0);
        got_or_still_there(get.join().unwrap(), q.get_nowait());
    });
}

#[test]
fn a_simple_get_that_times_out_leaves_the_item_to_the_other() {
    check(|| {
        let q = SimpleQueue::new();
        let hasty = spawn(&q, |q| q.get_timeout(LATER));
        let patient = spawn(&q, |q| q.get());
        expire_timeouts();
        q.put(0);
        match hasty.join().unwrap() {
            Ok(item) => q.put(item),
            timed_out => assert_eq!(timed_out, Err(Empty)),
        }
        assert_eq!(patient.join().unwrap(), 0);
    });
}

#[test]
fn simple_qsize_misses_no_item_on_its_way_between_the_halves() {
    check(|| {
        let q = SimpleQueue::new();
        q.put(0);
        q.put(1);
        let get = spawn(&q, |q| q.get_nowait());
        assert!(matches!(q.qsize(), 1 | 2));
        assert_eq!(get.join().unwrap(), Ok(0));
        assert_eq!(q.qsize(), 1);
    });
}
