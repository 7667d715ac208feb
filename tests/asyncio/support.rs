//! What the tests share.

#[allow(dead_code, reason = "it is another test's too")]
#[path = "log.rs"]
mod log;

use std::fmt::Debug;

use hilos::asyncio::{self, EventLoop, Exception, ExceptionContext, Result};

pub(crate) use log::Log;

/// Runs a coroutine on virtual time, and panics with what it fails with.
#[track_caller]
pub(crate) fn run<T: 'static, F: Future<Output = Result<T>> + 'static>(main: F) -> T {
    match asyncio::testing::run(main) {
        Ok(value) => value,
        Err(exception) => panic!("{exception:?}"),
    }
}

/// Lets a loop that is not running do what is ready.
pub(crate) fn run_briefly(event_loop: &EventLoop) {
    event_loop.run_until_complete(async { Ok(()) }).unwrap();
}

/// An exception under the name of one of Python's.
pub(crate) fn raise<T>(name: &'static str, message: &str) -> Result<T> {
    Err(Exception::new(name, message))
}

/// Checks that a call failed with an exception whose type has this name, and returns its message.
#[track_caller]
pub(crate) fn fails<T: Debug>(result: Result<T>, type_name: &str) -> String {
    let exception = result.expect_err("it should have failed");
    assert_eq!(exception.type_name(), type_name, "{exception:?}");
    exception.to_string()
}

/// Checks that a call failed with a `CancelledError`.
#[track_caller]
pub(crate) fn is_cancelled<T: Debug>(result: Result<T>) {
    fails(result, "CancelledError");
}

/// Has a loop's errors that nobody can catch listed instead of printed.
pub(crate) fn watch(event_loop: &EventLoop) -> Log<ExceptionContext> {
    let log = Log::new();
    let seen = log.clone();
    event_loop.set_exception_handler(move |_, context| {
        seen.push(context.clone());
    });
    log
}

/// The messages of the errors so far.
pub(crate) fn messages(log: &Log<ExceptionContext>) -> Vec<String> {
    log.take()
        .into_iter()
        .map(|context| context.message)
        .collect()
}

/// What Python prints of a lock's state: `locked, waiters:1`.
pub(crate) fn extras<L: std::fmt::Display>(lock: &L) -> String {
    let repr = lock.to_string();
    let (before, extras) = repr.split_once(" [").expect("a state in brackets");
    assert!(before.starts_with("<asyncio.locks."), "{before}");
    assert!(before.contains(" object at 0x"), "{before}");
    extras.strip_suffix("]>").expect("it ends so").to_owned()
}

/// Has the running loop cancel a task in its next iteration.
pub(crate) fn cancel_soon<T: 'static>(task: &asyncio::Task<T>) {
    let task = task.clone();
    let event_loop = asyncio::get_running_loop().unwrap();
    event_loop.call_soon(move || drop(task.cancel())).unwrap();
}
