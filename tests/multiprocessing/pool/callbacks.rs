//! Callbacks of jobs.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{ThreadId, current};
use std::time::Duration;

use hilos::multiprocessing::Event;
use hilos::multiprocessing::pool::{AsyncResult, JobError, Pool, ThreadPool};

use super::{pool, square};
use crate::support::LONG;

const LIMIT: Duration = Duration::from_secs(LONG as u64);

/// What callbacks were told.
type Told = Arc<Mutex<Vec<Result<Vec<i32>, JobError>>>>;

fn tell(
    told: &Told,
) -> (
    impl FnOnce(&Vec<i32>) + use<>,
    impl FnOnce(&JobError) + use<>,
) {
    let (results, errors) = (told.clone(), told.clone());
    (
        move |list: &Vec<i32>| results.lock().unwrap().push(Ok(list.clone())),
        move |error: &JobError| errors.lock().unwrap().push(Err(error.clone())),
    )
}

// cpython: _test_multiprocessing.py::_TestPool::test_map_async_callbacks
#[test]
fn a_map_tells_its_callbacks() {
    let pool = Pool::new(2).unwrap();
    let parse = |text: String| text.parse::<i32>().expect("a number");
    let told = Told::default();
    for (text, count) in [("1", 1), ("a", 2)] {
        let (callback, error_callback) = tell(&told);
        let result = pool.map_async(parse, [text.to_string()]).unwrap();
        let result = result
            .with_callback(callback)
            .with_error_callback(error_callback);
        assert!(result.wait(LONG));
        // As soon as the result is ready they have been called.
        assert_eq!(told.lock().unwrap().len(), count);
    }
    let told = told.lock().unwrap();
    assert_eq!(told[0], Ok(vec![1]));
    assert!(
        matches!(&told[1], Err(JobError::Failed(_))),
        "{:?}",
        told[1]
    );
}

// cpython: _test_multiprocessing.py::_TestPoolWorkerErrors::test_async_error_callback
#[test]
fn a_failed_job_tells_its_error_callback_and_its_owner() {
    let pool = Pool::new(2).unwrap();
    let seen = Arc::new(Mutex::new(None));
    let theirs = seen.clone();
    let result = pool
        .apply_async(|| -> i32 { panic!("no such key") }, ())
        .unwrap();
    let result = result
        .with_callback(|_| panic!("there is no result"))
        .with_error_callback(move |error| *theirs.lock().unwrap() = Some(error.clone()));
    let error = result.get(LONG).unwrap_err();
    assert_eq!(seen.lock().unwrap().take(), Some(error));
    assert!(!result.successful().unwrap());
}

#[test]
fn the_result_is_there_for_its_owner_too() {
    let pool = Pool::new(1).unwrap();
    let sum = Arc::new(Mutex::new(0));
    let theirs = sum.clone();
    let result = pool.apply_async(|| 42, ()).unwrap();
    let result = result.with_callback(move |n| *theirs.lock().unwrap() += n);
    assert_eq!(result.get(LONG), Ok(42));
    assert_eq!(*sum.lock().unwrap(), 42);
    assert_eq!(result.get(LONG), Err(JobError::Taken));
}

#[test]
fn a_callback_that_comes_late_is_called_at_once() {
    let pool = Pool::new(1).unwrap();
    let result = pool.map_async(|n: i32| n + 1, [1, 2]).unwrap();
    assert!(result.wait(LONG));
    let told = Told::default();
    let result = result
        .with_callback(tell(&told).0)
        .with_callback(tell(&told).0);
    assert_eq!(*told.lock().unwrap(), [Ok(vec![2, 3]), Ok(vec![2, 3])]);
    assert_eq!(result.get(LONG), Ok(vec![2, 3]));
}

#[test]
fn a_callback_that_panics_harms_nobody() {
    let pool = Pool::new(1).unwrap();
    let result = pool
        .apply_async(|| 1, ())
        .unwrap()
        .with_callback(|_| panic!("in a callback"));
    assert_eq!(result.get(LONG), Ok(1));
    assert_eq!(pool.apply(|| 2, ()), Ok(2));
}

#[test]
fn callbacks_of_threads() {
    let pool = ThreadPool::new(2).unwrap();
    let told = Told::default();
    let result = pool
        .map_async(|n: i32| n * 2, 0..3)
        .unwrap()
        .with_callback(tell(&told).0);
    assert_eq!(result.get(LONG).unwrap(), [0, 2, 4]);
    assert_eq!(*told.lock().unwrap(), [Ok(vec![0, 2, 4])]);
}

#[test]
fn a_callback_can_use_the_pool() {
    let pool = Arc::new(Pool::new(1).unwrap());
    let (theirs, next) = (pool.clone(), Arc::new(Mutex::new(None)));
    let place = next.clone();
    let first = pool.apply_async(|| 1, ()).unwrap().with_callback(move |n| {
        let job = theirs.apply_async(|n: i32| n + 1, (*n,)).unwrap();
        *place.lock().unwrap() = Some(job);
    });
    assert_eq!(first.get(LONG), Ok(1));
    let second = next.lock().unwrap().take().unwrap();
    assert_eq!(second.get(LONG), Ok(2));
}

/// What callbacks were called with.
type Calls<R> = Arc<Mutex<Vec<Result<R, JobError>>>>;

/// Has both callbacks of a job take down what they are called with.
fn record<R: Clone + Send + 'static>(job: AsyncResult<R>, calls: &Calls<R>) -> AsyncResult<R> {
    let (results, errors) = (calls.clone(), calls.clone());
    job.with_callback(move |result| results.lock().unwrap().push(Ok(result.clone())))
        .with_error_callback(move |error| errors.lock().unwrap().push(Err(error.clone())))
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
    let _ = record(job, &calls);
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
    let _ = record(pool.apply_async(pass, (gate.clone(),)).unwrap(), &dropped);
    let _ = record(pool.apply_async(square, (3,)).unwrap(), &dropped);
    pool.terminate();
    pool.join(LONG).unwrap();
    assert_eq!(
        *dropped.lock().unwrap(),
        [Err(JobError::Terminated), Err(JobError::Terminated)]
    );
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("dropped"));
    }
}

#[test]
fn what_a_callback_holds_may_panic_when_it_is_dropped() {
    let pool = Pool::new(1).unwrap();
    let gate = Event::new().unwrap();
    let job = pool.apply_async(pass, (gate.clone(),)).unwrap();
    let (one, other) = (Bomb, Bomb);
    let job = job
        .with_callback(move |_| drop(std::hint::black_box(one)))
        .with_error_callback(move |_| drop(std::hint::black_box(other)));
    gate.set();
    assert_eq!(job.get(LONG), Ok(7));
    assert_eq!(pool.apply_async(square, (3,)).unwrap().get(LONG), Ok(9));
}
