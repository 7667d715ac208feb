//! Models of futures, which loom explores in every order.
//!
//! A thread that nobody wakes fails its model: loom then finds that no thread can go on.
//!
//! Run: RUSTFLAGS="--cfg loom" cargo test --release --package hilos-futures --test loom

#![cfg(loom)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hilos_core::sync::model::{check, expire_timeouts};
use hilos_futures::{ALL_COMPLETED, FIRST_COMPLETED, Future, RuntimeError, as_completed, wait};
use loom::thread::{self, JoinHandle};

/// A timeout that only [`expire_timeouts`] ends.
const LATER: Duration = Duration::from_secs(1_000_000);

/// A model's threads share a future by its clones.
fn spawn<R: 'static>(future: &Future<i32>, body: fn(Future<i32>) -> R) -> JoinHandle<R> {
    let future = future.clone();
    thread::spawn(move || body(future))
}

/// What an executor does with a future.
fn run(future: Future<i32>) {
    if future.set_running_or_notify_cancel().unwrap() {
        future.set_result(42).unwrap();
    }
}

#[test]
fn a_result_wakes_who_waits() {
    check(|| {
        let future = Future::new();
        let ask = spawn(&future, |future| future.result(None).unwrap());
        future.set_result(42).unwrap();
        assert_eq!(ask.join().unwrap(), 42);
    });
}

#[test]
fn a_timeout_meets_the_result() {
    check(|| {
        let future = Future::new();
        let ask = spawn(&future, |future| future.result_cloned(LATER));
        let finish = spawn(&future, |future| future.set_result(42).unwrap());
        expire_timeouts();
        match ask.join().unwrap() {
            Ok(result) => assert_eq!(result, 42),
            Err(error) => assert!(error.is_timeout()),
        }
        finish.join().unwrap();
        assert_eq!(future.result(0).unwrap(), 42);
    });
}

#[test]
fn a_call_is_either_cancelled_or_run() {
    check(|| {
        let future = Future::new();
        let worker = spawn(&future, run);
        let cancelled = future.cancel();
        let result = future.result(None);
        assert_eq!(result.is_err(), cancelled);
        assert_eq!(future.cancelled(), cancelled);
        worker.join().unwrap();
    });
}

#[test]
fn a_callback_is_called_once() {
    check(|| {
        let (future, calls) = (Future::new(), Arc::new(AtomicUsize::new(0)));
        let worker = spawn(&future, run);
        let count = calls.clone();
        future.add_done_callback(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        worker.join().unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn only_one_caller_takes_the_result() {
    check(|| {
        let future = Future::new();
        let ask = spawn(&future, |future| future.result(None).is_ok());
        future.set_result(42).unwrap();
        let mine = future.result(None).is_ok();
        assert!(mine ^ ask.join().unwrap());
    });
}

#[test]
fn a_call_begins_once() {
    check(|| {
        let future = Future::<i32>::new();
        let begin = |future: Future<i32>| future.set_running_or_notify_cancel();
        let other = spawn(&future, begin);
        let begun = [begin(future), other.join().unwrap()];
        assert_eq!(
            begun
                .iter()
                .filter(|begun| matches!(begun, Ok(true)))
                .count(),
            1
        );
        let unexpected = |begun: &&_| matches!(begun, Err(RuntimeError::UnexpectedState));
        assert_eq!(begun.iter().filter(unexpected).count(), 1);
    });
}

#[test]
fn wait_sees_every_future() {
    check(|| {
        let fs = [Future::new(), Future::new()];
        let workers = fs.each_ref().map(|future| spawn(future, run));
        assert_eq!(wait(&fs, None, ALL_COMPLETED).done, fs);
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

#[test]
fn wait_sees_the_cancellation_that_a_worker_comes_across() {
    check(|| {
        let future = Future::new();
        assert!(future.cancel());
        let worker = spawn(&future, run);
        assert_eq!(wait([&future], None, FIRST_COMPLETED).done, [future]);
        worker.join().unwrap();
    });
}

#[test]
fn as_completed_yields_every_future() {
    check(|| {
        let fs = [Future::new(), Future::new()];
        let workers = fs.each_ref().map(|future| spawn(future, run));
        let completed: Vec<_> = as_completed(&fs, None).map(Result::unwrap).collect();
        assert_eq!(completed.len(), 2);
        assert_ne!(completed[0], completed[1]);
        for worker in workers {
            worker.join().unwrap();
        }
    });
}
