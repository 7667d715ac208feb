//! `with_callback` and `with_error_callback`.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{ThreadId, current};
use std::time::Duration;

use hilos::multiprocessing::Event;
use hilos::multiprocessing::pool::{AsyncResult, JobError, MapResult, Pool, ThreadPool};

use super::{pool, square};
use crate::support::LONG;

const LIMIT: Duration = Duration::from_secs(LONG as u64);

/// What callbacks were called with.
type Calls<R> = Arc<Mutex<Vec<Result<R, JobError>>>>;

/// Has both callbacks of a job take down what they are called with.
fn record<R: Clone + Send + 'static>(job: AsyncResult<R>, calls: &Calls<R>) -> AsyncResult<R> {
    let (results, errors) = (calls.clone(), calls.clone());
    job.with_callback(move |result| results.lock().unwrap().push(Ok(result.clone())))
        .with_error_callback(move |error| errors.lock().unwrap().push(Err(error.clone())))
}

fn int(text: String) -> i64 {
    text.parse().expect("invalid literal")
}

/// A job that is done when the test says so.
fn pass(gate: Event) -> i64 {
    assert!(gate.wait(LONG));
    7
}

fn raising() -> i64 {
    panic!("key")
}

fn is_panic<R>(result: &Result<R, JobError>, message: &str) -> bool {
    matches!(result, Err(JobError::Failed(failure)) if failure.message().contains(message))
}

// cpython: _test_multiprocessing.py::_TestPool::test_map_async_callbacks
#[test]
fn a_map_calls_the_one_that_fits() {
    let (pool, threads) = (pool(), ThreadPool::new(4).unwrap());
    let items = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    calls_the_one_that_fits(|texts| pool.map_async(int, items(texts)).unwrap());
    calls_the_one_that_fits(|texts| threads.map_async(int, items(texts)).unwrap());
}

fn calls_the_one_that_fits(map: impl Fn(&[&str]) -> MapResult<i64>) {
    let calls = Calls::default();
    assert!(record(map(&["1"]), &calls).wait(LONG));
    assert_eq!(*calls.lock().unwrap(), [Ok(vec![1])]);
    assert!(record(map(&["a"]), &calls).wait(LONG));
    assert!(record(map(&["3", "b", "5", "6", "7"]), &calls).wait(LONG));
    assert!(record(map(&["3", "4", "5", "6", "7"]), &calls).wait(LONG));
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 4, "one call for each map");
    assert!(is_panic(&calls[1], "invalid literal") && is_panic(&calls[2], "invalid literal"));
    assert_eq!(calls[3], Ok(vec![3, 4, 5, 6, 7]));
}

// cpython: _test_multiprocessing.py::_TestPoolWorkerErrors::test_async_error_callback
#[test]
fn a_job_that_fails_calls_the_one_for_errors() {
    let pool = Pool::new(2).unwrap();
    let calls = Calls::default();
    let job = record(pool.apply_async(raising, ()).unwrap(), &calls);
    assert!(is_panic(&job.get(LONG), "key"));
    assert!(is_panic(&calls.lock().unwrap()[0], "key"));
    assert_eq!(calls.lock().unwrap().len(), 1);
    pool.close();
    pool.join(LONG).unwrap();
}

/// A callback that says that it is called, and in which thread, and returns when it is told to.
fn stopping() -> (impl FnOnce(&i64) + Send, Receiver<ThreadId>, Sender<()>) {
    let (called, calls) = channel();
    let (go, stop) = channel::<()>();
    let callback = move |_: &i64| {
        called.send(current().id()).unwrap();
        stop.recv_timeout(LIMIT).unwrap();
    };
    (callback, calls, go)
}

#[test]
fn who_waits_goes_on_after_the_callbacks() {
    let pool = pool();
    let (callback, calls, go) = stopping();
    let gate = Event::new().unwrap();
    let job = pool.apply_async(pass, (gate.clone(),)).unwrap();
    let job = job.with_callback(callback);
    gate.set();
    let thread = calls.recv_timeout(LIMIT).unwrap();
    assert_ne!(thread, current().id(), "the pool's thread calls it");
    assert!(!job.ready() && !job.wait(0.01));
    // Those that come meanwhile are called next, in their order, by the same thread.
    let (second, later) = channel();
    let third = second.clone();
    let job = job.with_callback(move |_| second.send((2, current().id())).unwrap());
    let job = job.with_callback(move |_| third.send((3, current().id())).unwrap());
    assert!(later.try_recv().is_err());
    go.send(()).unwrap();
    assert!(job.wait(LONG));
    let later: Vec<_> = later.try_iter().collect();
    assert_eq!(later, [(2, thread), (3, thread)]);
    assert_eq!(job.get(0), Ok(7), "the callbacks only look at it");
    assert_eq!(job.get(0), Err(JobError::Taken));
}

#[test]
fn a_job_that_is_done_calls_at_once() {
    let pool = pool();
    let job = pool.apply_async(square, (7,)).unwrap();
    assert!(job.wait(LONG));
    let (called, calls) = channel();
    let job = job.with_callback(move |&result| called.send((result, current().id())).unwrap());
    assert_eq!(calls.try_recv(), Ok((49, current().id())));

    let calls = Calls::default();
    let job = record(job, &calls);
    assert_eq!(*calls.lock().unwrap(), [Ok(49)]);
    assert_eq!(job.get(0), Ok(49));
    // What has been taken can be shown to nobody.
    record(job, &calls);
    assert_eq!(calls.lock().unwrap().len(), 1);

    let nothing = record(pool.map_async(square, []).unwrap(), &Calls::default());
    assert_eq!(nothing.get(0), Ok(vec![]));
}

#[test]
fn a_panic_in_one_is_not_the_pools() {
    let pool = Pool::new(1).unwrap();
    let panicking = |_: &i64| std::panic::resume_unwind(Box::new("not the pool's"));
    let calls = Calls::default();
    let gate = Event::new().unwrap();
    let job = pool.apply_async(pass, (gate.clone(),)).unwrap();
    let job = record(job.with_callback(panicking), &calls);
    gate.set();
    assert_eq!(job.get(LONG), Ok(7));
    assert_eq!(*calls.lock().unwrap(), [Ok(7)], "the next one is called");
    let failing = pool.apply_async(raising, ()).unwrap();
    let failing = failing.with_error_callback(|_| std::panic::resume_unwind(Box::new("nor this")));
    assert!(is_panic(&failing.get(LONG), "key"));
    assert_eq!(pool.apply(square, (3,)), Ok(9));
    // In the caller's thread too.
    let job = pool.apply_async(square, (4,)).unwrap();
    assert!(job.wait(LONG));
    assert_eq!(job.with_callback(panicking).get(0), Ok(16));
}

/// What can be sent, but not received.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
struct Bad {
    panics: bool,
}

impl<'de> serde::Deserialize<'de> for Bad {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer)? {
            true => panic!("no good"),
            false => Err(serde::de::Error::custom("no good")),
        }
    }
}

#[test]
fn a_result_that_cannot_be_decoded_is_an_error() {
    let pool = pool();
    let calls = Calls::default();
    let job = pool.apply_async(|| Bad { panics: false }, ()).unwrap();
    let refusing = record(job, &calls);
    assert!(matches!(refusing.get(LONG), Err(JobError::Encoding(_))));
    assert_eq!(refusing.successful(), Ok(false));
    let job = pool.apply_async(|| Bad { panics: true }, ()).unwrap();
    let panicking = record(job, &calls);
    assert!(is_panic(&panicking.get(LONG), "no good"));
    let calls = calls.lock().unwrap();
    assert!(matches!(calls[0], Err(JobError::Encoding(_))));
    assert!(is_panic(&calls[1], "no good") && calls.len() == 2);
}

#[test]
fn a_lost_worker_and_a_terminated_pool_call_the_one_for_errors() {
    let pool = Pool::new(1).unwrap();
    let (lost, dropped) = (Calls::default(), Calls::default());
    let job = pool.apply_async(|| -> i64 { std::process::exit(3) }, ());
    let job = record(job.unwrap(), &lost);
    assert!(job.get(LONG).unwrap_err().is_worker_lost());
    assert!(matches!(&lost.lock().unwrap()[..], [Err(error)] if error.is_worker_lost()));

    let gate = Event::new().unwrap();
    record(pool.apply_async(pass, (gate.clone(),)).unwrap(), &dropped);
    record(pool.apply_async(square, (3,)).unwrap(), &dropped);
    pool.terminate();
    pool.join(LONG).unwrap();
    assert_eq!(
        *dropped.lock().unwrap(),
        [Err(JobError::Terminated), Err(JobError::Terminated)]
    );
}
