//! The system refuses a thread.

use std::process::ExitCode;

use hilos::threading::{self, Error, RuntimeError, Thread, Timer};

use crate::driver::{Scenario, quiet};

pub(crate) const SCENARIOS: &[Scenario] = &[
    // cpython: test_threading.py::ThreadTests::test_start_new_thread_failed
    // cpython: test_threading.py::ThreadTests::test_limbo_cleanup
    quiet("a_refused_thread_can_be_started_later", refused, "ran\n"),
    quiet(
        "a_timer_whose_thread_is_refused_fires_later",
        timer,
        "ring\n",
    ),
];

/// Has the system refuse every thread while `f` runs: no memory has room for their stacks.
fn without_room<R>(f: impl FnOnce() -> R) -> R {
    threading::set_stack_size(1 << 47).unwrap();
    let result = f();
    threading::set_stack_size(0).unwrap();
    result
}

fn refused() -> ExitCode {
    let thread = Thread::new(|| println!("ran"));
    let before = threading::enumerate();
    let error = without_room(|| thread.start()).unwrap_err();
    assert!(matches!(
        error,
        Error::Runtime(RuntimeError::CannotStart(_))
    ));
    assert!(
        error.to_string().starts_with("can't start new thread: "),
        "{error}"
    );
    assert_eq!(threading::enumerate(), before);
    assert!(!thread.is_alive() && thread.ident().is_none());
    assert!(thread.to_string().ends_with(", initial)>"));
    thread.start().unwrap();
    thread.join(None).unwrap();
    ExitCode::SUCCESS
}

fn timer() -> ExitCode {
    // The thread that waits for timers is there before room becomes scarce.
    let other = Timer::new(600, || ());
    other.start().unwrap();
    let timer = Timer::new(0.01, || println!("ring"));
    timer.start().unwrap();
    without_room(|| std::thread::sleep(std::time::Duration::from_millis(100)));
    timer.join(None).unwrap();
    other.cancel();
    ExitCode::SUCCESS
}
