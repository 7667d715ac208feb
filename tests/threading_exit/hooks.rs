//! What is printed when a thread fails.

use std::process::ExitCode;

use hilos::threading::{self, ExceptHookArgs, Exception, Mutex, Thread};

use crate::driver::Scenario;

pub(crate) const SCENARIOS: &[Scenario] = &[
    // cpython: test_threading.py::ThreadingExceptionTests::test_print_exception
    // cpython: test_threading.py::ExceptHookTests::test_excepthook
    fails(
        "a_panic_is_printed_with_its_place",
        panics,
        &[
            "Exception in thread Boom:\n  at tests/threading_exit/hooks.rs:",
            "\npanic: it went wrong\n",
        ],
    ),
    fails(
        "an_error_is_printed_with_its_type_and_cause",
        errors,
        &["Exception in thread Boom:\nOuter: the outer one\n  caused by: the inner one\n"],
    ),
    // cpython: test_threading.py::ExceptHookTests::test_excepthook_thread_None
    fails(
        "without_a_thread_its_number_is_printed",
        no_thread,
        &["Exception in thread 1", ":\nError: nobody's\n"],
    ),
    // cpython: test_threading.py::ExceptHookTests::test_custom_excepthook
    // cpython: test_threading.py::ExceptHookTests::test_original_excepthook
    fails(
        "a_hook_of_ones_own_takes_its_place",
        custom,
        &["original: panic: two\n"],
    ),
    // cpython: test_threading.py::ExceptHookTests::test_custom_excepthook_fail
    fails(
        "a_hook_that_fails_is_reported_itself",
        failing_hook,
        &[
            "Exception in threading.excepthook:\n",
            "panic: the hook failed\n",
        ],
    ),
    fails("what_a_thread_catches_is_not_printed", caught, &[]),
    fails(
        "a_timer_that_fails_is_reported",
        timer,
        &["Exception in thread Ring:\n", "panic: late"],
    ),
];

const fn fails(
    name: &'static str,
    run: fn() -> ExitCode,
    stderr: &'static [&'static str],
) -> Scenario {
    Scenario {
        name,
        run,
        code: 0,
        stdout: "end of main\n",
        stderr,
    }
}

/// Runs a thread named `Boom` to its end.
fn run(thread: Thread) -> ExitCode {
    let thread = thread.with_name("Boom");
    thread.start().unwrap();
    thread.join(None).unwrap();
    println!("end of main");
    ExitCode::SUCCESS
}

fn panics() -> ExitCode {
    run(Thread::new(|| {
        panic!("it went wrong");
    }))
}

#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the outer one")
    }
}

impl std::fmt::Display for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the inner one")
    }
}

impl std::error::Error for Inner {}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn errors() -> ExitCode {
    run(Thread::new(|| Err::<(), _>(Outer(Inner))))
}

fn no_thread() -> ExitCode {
    threading::excepthook(&ExceptHookArgs::new(
        Exception::new("Error", "nobody's"),
        None,
    ));
    println!("end of main");
    ExitCode::SUCCESS
}

fn custom() -> ExitCode {
    static TOLD: Mutex<Option<ExceptHookArgs>> = Mutex::new(None);
    threading::set_excepthook(|args| *TOLD.lock() = Some(args.clone()));
    let first = Thread::new(|| {
        panic!("one");
    });
    let first = first.with_name("First");
    first.start().unwrap();
    first.join(None).unwrap();
    // A hook's own panic would only be printed.
    let args = TOLD.lock().take().expect("the hook was called");
    assert_eq!(args.exc_type(), "panic");
    assert_eq!(args.exc_value().to_string(), "one");
    assert!(args.exc_value().error().is_none());
    assert!(args.exc_traceback().unwrap().contains("hooks.rs"));
    assert!(args.thread() == Some(&first));
    threading::set_excepthook(|args| {
        eprintln!("original: {:?}", args.exc_value());
    });
    run(Thread::new(|| {
        panic!("two");
    }))
}

fn failing_hook() -> ExitCode {
    threading::set_excepthook(|_| panic!("the hook failed"));
    run(Thread::new(|| {
        panic!("first");
    }))
}

fn caught() -> ExitCode {
    run(Thread::new(|| {
        let caught = std::panic::catch_unwind(|| panic!("nobody hears of it"));
        assert!(caught.is_err());
    }))
}

fn timer() -> ExitCode {
    let timer = threading::Timer::new(0.01, || {
        panic!("late");
    });
    let timer = timer.with_name("Ring");
    timer.start().unwrap();
    timer.join(None).unwrap();
    println!("end of main");
    ExitCode::SUCCESS
}
