//! `Future`, without an executor.

use std::io;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use hilos::concurrent::futures::{
    AsCompleted, Awaiting, Exception, Future, FutureError, Map, ThreadPoolExecutor,
};
use hilos::threading::Thread;

use crate::backend::DEADLINE;
use crate::hook::captured;

/// Python's `OSError()`.
pub(crate) fn os_error() -> Exception {
    Exception::new("OSError", io::Error::other("no such thing"))
}

pub(crate) fn pending() -> Future<i32> {
    Future::new()
}

pub(crate) fn running() -> Future<i32> {
    let future = Future::new();
    assert!(future.set_running_or_notify_cancel().unwrap());
    future
}

pub(crate) fn cancelled() -> Future<i32> {
    let future = Future::new();
    assert!(future.cancel());
    future
}

pub(crate) fn cancelled_and_notified() -> Future<i32> {
    let future = cancelled();
    assert!(!future.set_running_or_notify_cancel().unwrap());
    future
}

pub(crate) fn failed() -> Future<i32> {
    let future = Future::new();
    future.set_exception(os_error()).unwrap();
    future
}

pub(crate) fn successful() -> Future<i32> {
    let future = Future::new();
    future.set_result(42).unwrap();
    future
}

/// Completes a future by `complete` in another thread, after this one has most likely begun to wait.
fn complete_later(future: &Future<i32>, complete: fn(&Future<i32>)) -> Thread {
    let (ready, started) = mpsc::channel();
    let future = future.clone();
    let thread = Thread::new(move || {
        ready.send(()).unwrap();
        for _ in 0..100 {
            std::thread::yield_now();
        }
        complete(&future);
    });
    thread.start().unwrap();
    started.recv().unwrap();
    thread
}

/// What one callback saw of its future.
type Seen<R> = Arc<Mutex<Vec<R>>>;

fn watch<R: Send + 'static>(
    future: &Future<i32>,
    look: impl FnOnce(&Future<i32>) -> R + Send + 'static,
) -> Seen<R> {
    let seen = Seen::default();
    let slot = seen.clone();
    future.add_done_callback(move |future| slot.lock().unwrap().push(look(future)));
    seen
}

fn take<R>(seen: &Seen<R>) -> Vec<R> {
    std::mem::take(&mut *seen.lock().unwrap())
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_done_callback_with_result
#[test]
fn a_callback_sees_the_result() {
    let future = pending();
    let seen = watch(&future, |future| future.result(0).unwrap());
    assert!(take(&seen).is_empty());
    future.set_result(5).unwrap();
    assert_eq!(take(&seen), [5]);
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_done_callback_with_exception
#[test]
fn a_callback_sees_the_exception() {
    let future = pending();
    let seen = watch(&future, |future| future.exception(0).unwrap().unwrap());
    future
        .set_exception(Exception::new("Exception", "test"))
        .unwrap();
    assert_eq!(take(&seen)[0].to_string(), "test");
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_done_callback_with_cancel
#[test]
fn a_callback_sees_the_cancellation() {
    let future = pending();
    let seen = watch(&future, Future::cancelled);
    assert!(future.cancel());
    assert_eq!(take(&seen), [true]);
    assert!(future.cancel());
    assert!(!future.set_running_or_notify_cancel().unwrap());
    assert!(take(&seen).is_empty(), "a callback runs once");
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_done_callback_raises
#[test]
fn a_callback_that_panics_is_reported_and_the_next_one_runs() {
    let reports = captured(|| {
        let future = pending();
        future.add_done_callback(|_| panic!("doh!"));
        let seen = watch(&future, Future::done);
        future.set_result(5).unwrap();
        assert_eq!(take(&seen), [true]);
        assert_eq!(future.result(0).unwrap(), 5);
    });
    let [(report, cause)] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert!(
        report.contains("exception calling callback for <Future at 0x"),
        "{report}"
    );
    assert!(report.contains("future.rs:"), "{report}");
    assert_eq!(cause.as_deref(), Some("doh!"));
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_done_callback_already_successful
#[test]
fn a_callback_runs_at_once_if_there_is_a_result() {
    let seen = watch(&successful(), |future| future.result(0).unwrap());
    assert_eq!(take(&seen), [42]);
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_done_callback_already_failed
#[test]
fn a_callback_runs_at_once_if_there_is_an_exception() {
    let seen = watch(&failed(), |future| future.exception(0).unwrap().is_some());
    assert_eq!(take(&seen), [true]);
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_done_callback_already_cancelled
#[test]
fn a_callback_runs_at_once_if_the_future_is_cancelled() {
    assert_eq!(take(&watch(&cancelled(), Future::cancelled)), [true]);
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_done_callback_raises_already_succeeded
#[test]
fn a_callback_that_runs_at_once_and_panics_is_reported() {
    let reports = captured(|| successful().add_done_callback(|_| panic!("doh!")));
    let [(report, cause)] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert!(
        report.contains("exception calling callback for"),
        "{report}"
    );
    assert_eq!(cause.as_deref(), Some("doh!"));
}

#[test]
fn callbacks_run_in_order_in_the_thread_that_completes_the_future() {
    let future = pending();
    let order = Seen::default();
    for number in 0..3 {
        let order = order.clone();
        future.add_done_callback(move |_| {
            let thread = std::thread::current().id();
            order.lock().unwrap().push((number, thread));
        });
    }
    let completer = std::thread::spawn({
        let future = future.clone();
        move || {
            future.set_result(1).unwrap();
            std::thread::current().id()
        }
    });
    let id = completer.join().unwrap();
    assert_eq!(take(&order), [(0, id), (1, id), (2, id)]);
}

#[test]
fn a_callback_may_use_the_future() {
    let future = pending();
    let seen = Seen::default();
    let slot = seen.clone();
    future.add_done_callback(move |future| {
        let inner = slot.clone();
        future.add_done_callback(move |future| {
            inner.lock().unwrap().push(future.to_string());
        });
    });
    future.set_result(5).unwrap();
    assert!(take(&seen)[0].ends_with("state=finished returned i32>"));
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_repr
#[test]
fn the_text_tells_the_state() {
    let text = |future: Future<i32>| {
        let text = future.to_string();
        assert_eq!(format!("{future:?}"), text);
        let rest = text.strip_prefix("<Future at 0x").unwrap();
        let (address, state) = rest.split_once(' ').unwrap();
        assert!(usize::from_str_radix(address, 16).unwrap() > 0);
        state.to_owned()
    };
    assert_eq!(text(pending()), "state=pending>");
    assert_eq!(text(running()), "state=running>");
    assert_eq!(text(cancelled()), "state=cancelled>");
    assert_eq!(text(cancelled_and_notified()), "state=cancelled>");
    assert_eq!(text(failed()), "state=finished raised OSError>");
    assert_eq!(text(successful()), "state=finished returned i32>");

    let list = Future::<Vec<String>>::new();
    list.set_result(vec![]).unwrap();
    assert!(list.to_string().ends_with("returned Vec>"));
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_cancel
#[test]
fn only_a_pending_future_can_be_cancelled() {
    let states = |future: Future<i32>| (future.cancel(), future.cancelled(), future.done());
    assert_eq!(states(pending()), (true, true, true));
    assert_eq!(states(running()), (false, false, false));
    assert_eq!(states(cancelled()), (true, true, true));
    assert_eq!(states(cancelled_and_notified()), (true, true, true));
    assert_eq!(states(failed()), (false, false, true));
    assert_eq!(states(successful()), (false, false, true));
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_cancelled
#[test]
fn cancelled_is_true_of_cancelled_futures() {
    assert!(!pending().cancelled());
    assert!(!running().cancelled());
    assert!(cancelled().cancelled());
    assert!(cancelled_and_notified().cancelled());
    assert!(!failed().cancelled());
    assert!(!successful().cancelled());
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_done
#[test]
fn done_is_true_of_cancelled_and_finished_futures() {
    assert!(!pending().done());
    assert!(!running().done());
    assert!(cancelled().done());
    assert!(cancelled_and_notified().done());
    assert!(failed().done());
    assert!(successful().done());
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_running
#[test]
fn running_is_true_of_running_futures() {
    assert!(!pending().running());
    assert!(running().running());
    assert!(!cancelled().running());
    assert!(!cancelled_and_notified().running());
    assert!(!failed().running());
    assert!(!successful().running());
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_result_with_timeout
#[test]
fn result_without_waiting() {
    assert!(pending().result(0).unwrap_err().is_timeout());
    assert!(running().result(0.001).unwrap_err().is_timeout());
    assert!(pending().result(-1).unwrap_err().is_timeout());
    assert!(cancelled().result(0).unwrap_err().is_cancelled());
    assert!(
        cancelled_and_notified()
            .result(0)
            .unwrap_err()
            .is_cancelled()
    );
    match failed().result(0) {
        Err(FutureError::Failed(exception)) => assert_eq!(exception.type_name(), "OSError"),
        other => panic!("{other:?}"),
    }
    assert_eq!(successful().result(0).unwrap(), 42);
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_result_with_success
#[test]
fn result_waits_for_the_result() {
    let future = pending();
    let thread = complete_later(&future, |future| future.set_result(42).unwrap());
    assert_eq!(future.result(DEADLINE).unwrap(), 42);
    thread.join(None).unwrap();
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_result_with_cancel
#[test]
fn result_waits_for_the_cancellation() {
    let future = pending();
    let thread = complete_later(&future, |future| assert!(future.cancel()));
    assert!(future.result(DEADLINE).unwrap_err().is_cancelled());
    thread.join(None).unwrap();
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_exception_with_timeout
#[test]
fn exception_without_waiting() {
    assert!(pending().exception(0).unwrap_err().is_timeout());
    assert!(running().exception(0).unwrap_err().is_timeout());
    assert!(cancelled().exception(0).unwrap_err().is_cancelled());
    assert!(
        cancelled_and_notified()
            .exception(0)
            .unwrap_err()
            .is_cancelled()
    );
    let exception = failed().exception(0).unwrap().unwrap();
    assert!(exception.error().unwrap().is::<io::Error>());
    assert!(successful().exception(0).unwrap().is_none());
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_exception_with_success
#[test]
fn exception_waits_for_the_exception() {
    let future = pending();
    let thread = complete_later(&future, |future| future.set_exception(os_error()).unwrap());
    assert!(future.exception(DEADLINE).unwrap().is_some());
    thread.join(None).unwrap();
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_multiple_set_result
#[test]
fn a_result_is_set_once() {
    let future = pending();
    future.set_result(1).unwrap();
    let error = future.set_result(2).unwrap_err().to_string();
    assert!(error.starts_with("FINISHED: <Future at 0x"), "{error}");
    assert!(error.ends_with(" state=finished returned i32>"), "{error}");
    assert!(future.done());
    assert_eq!(future.result(0).unwrap(), 1);
}

// cpython: test_concurrent_futures/test_future.py::FutureTests::test_multiple_set_exception
#[test]
fn an_exception_is_set_once() {
    let future = pending();
    let first = Exception::new("ValueError", "first");
    future.set_exception(first).unwrap();
    let second = Exception::new("Exception", "second");
    let error = future.set_exception(second).unwrap_err().to_string();
    assert!(error.starts_with("FINISHED: <Future at 0x"), "{error}");
    assert!(
        error.ends_with(" state=finished raised ValueError>"),
        "{error}"
    );
    assert_eq!(future.exception(0).unwrap().unwrap().to_string(), "first");
}

#[test]
fn a_cancelled_future_gets_no_result() {
    let error = cancelled().set_result(1).unwrap_err().to_string();
    assert!(error.starts_with("CANCELLED: <Future at 0x"), "{error}");
    let error = cancelled_and_notified().set_result(1).unwrap_err();
    assert!(
        error.to_string().starts_with("CANCELLED_AND_NOTIFIED: "),
        "{error}"
    );
}

#[test]
fn a_call_begins_once() {
    for future in [running(), cancelled_and_notified(), failed(), successful()] {
        let error = future.set_running_or_notify_cancel().unwrap_err();
        assert_eq!(
            format!("{error:?}"),
            "RuntimeError: Future in unexpected state"
        );
    }
}

#[test]
fn one_caller_takes_the_result_and_others_clone_it() {
    let future = successful();
    assert_eq!(future.result_cloned(0).unwrap(), 42);
    assert_eq!(future.result_cloned(None).unwrap(), 42);
    assert_eq!(future.clone().result(0).unwrap(), 42);
    assert!(matches!(future.result(0), Err(FutureError::Taken)));
    assert!(matches!(future.result_cloned(0), Err(FutureError::Taken)));
    assert!(future.done());
    assert!(future.exception(0).unwrap().is_none());

    struct NotClone;
    let future = Future::new();
    future.set_result(NotClone).unwrap();
    let NotClone = future.result(None).unwrap();
}

#[test]
fn an_exception_stays_for_every_caller() {
    let future = failed();
    for _ in 0..2 {
        assert!(matches!(future.result(0), Err(FutureError::Failed(_))));
        assert!(matches!(
            future.result_cloned(0),
            Err(FutureError::Failed(_))
        ));
    }
}

#[test]
fn clones_are_equal_and_others_are_not() {
    let future = pending();
    assert_eq!(future, future.clone());
    assert_ne!(future, pending());
}

#[test]
fn what_is_shared_between_threads_can_be() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}

    // A result is handed over, never shared.
    shared::<Future<std::cell::Cell<i32>>>();
    shared::<ThreadPoolExecutor>();
    shared::<FutureError>();
    sent::<AsCompleted<i32>>();
    sent::<Awaiting<i32>>();
    sent::<Map<'static, i32>>();
}
