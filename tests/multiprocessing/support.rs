//! What the tests share.

use std::time::{Duration, Instant};

use hilos::multiprocessing::{Process, StartMethod};

/// Longer than anything here takes, on any machine.
pub(crate) const LONG: f64 = 60.0;

/// Polls until `condition` is true.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed().as_secs_f64() < LONG,
            "still waiting for: {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

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
