//! What the tests share.

#[path = "../threading/waiting.rs"]
mod waiting;

use hilos::multiprocessing::{Process, StartMethod};

pub(crate) use waiting::{LONG, wait_until};

/// Starts a process and waits for its end.
pub(crate) fn run_to_end(process: &Process) -> Option<i32> {
    process.start().unwrap();
    process.join(LONG).unwrap();
    process.exitcode()
}

/// Runs a test of processes in a process of its own that has one thread, so that it can fork.
pub(crate) fn with_one_thread(test: Process) {
    let test = test.with_start_method(StartMethod::ForkServer);
    test.start().unwrap();
    test.join(2.0 * LONG).unwrap();
    assert_eq!(
        test.result(),
        Some(Ok(())),
        "the test failed in its own process"
    );
}

/// One test function for each way to start a process, from one body that is given the way.
macro_rules! each_start_method {
    ($($(#[$attribute:meta])* fn $name:ident($method:ident: StartMethod) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not every test needs every name")]
            use super::*;

            fn body($method: StartMethod) $body

            $(#[$attribute])*
            #[test]
            fn forkserver() {
                body(StartMethod::ForkServer);
            }

            $(#[$attribute])*
            #[test]
            fn spawn() {
                body(StartMethod::Spawn);
            }

            $(#[$attribute])*
            #[test]
            fn fork() {
                let test = Process::new(|| body(StartMethod::Fork), ());
                $crate::support::with_one_thread(test);
            }
        }
    )*};
}
pub(crate) use each_start_method;
