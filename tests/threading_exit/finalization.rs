//! What can still be done when the program has waited for its threads.

use std::process::ExitCode;

use hilos::threading::{self, Error, Event, RuntimeError, Thread};
use hilos_core::process::{AtExit, at_exit};

use crate::driver::{Scenario, quiet};

pub(crate) const SCENARIOS: &[Scenario] = &[
    // cpython: test_threading.py::AtexitTests::test_atexit_output
    quiet(
        "callbacks_run_last_first_before_the_join",
        order,
        "main\nlast\nfirst\nthread\n",
    ),
    // cpython: test_threading.py::AtexitTests::test_atexit_called_once
    quiet("a_callback_runs_once", once, "callback\n"),
    // cpython: test_threading.py::AtexitTests::test_atexit_after_shutdown
    quiet(
        "a_callback_too_late_is_refused",
        too_late,
        "can't register atexit after shutdown\n",
    ),
    // cpython: test_threading.py::ThreadTests::test_start_new_thread_at_finalization
    quiet(
        "a_thread_too_late_is_refused",
        thread_too_late,
        "can't create new thread at interpreter shutdown\n",
    ),
    // cpython: test_threading.py::ThreadTests::test_join_daemon_thread_in_finalization
    quiet(
        "joining_a_running_daemon_is_refused",
        join_daemon,
        "cannot join thread at interpreter shutdown\n",
    ),
    // cpython: test_threading.py::ThreadTests::test_join_finished_daemon_thread_in_finalization
    quiet(
        "joining_a_daemon_that_has_ended_is_fine",
        join_ended_daemon,
        "joined\n",
    ),
    Scenario {
        name: "a_panic_in_a_callback_is_told_and_the_others_run",
        run: panicking_callback,
        code: 0,
        stdout: "the other\n",
        stderr: &[
            "Exception in thread MainThread:\n",
            "panic: in the callback",
        ],
    },
];

/// Registers what runs after the program has waited for its threads: the C library calls first
/// what was registered last, and hilos registers with the first thread.
fn at_the_very_end<H: AtExit>() {
    at_exit::<H>();
}

fn order() -> ExitCode {
    static STOP: Event = Event::new();
    threading::register_atexit(|| {
        println!("first");
        STOP.set();
    })
    .unwrap();
    threading::register_atexit(|| println!("last")).unwrap();
    let waits = || {
        STOP.wait(None);
        println!("thread");
    };
    Thread::new(waits).start().unwrap();
    println!("main");
    ExitCode::SUCCESS
}

fn once() -> ExitCode {
    threading::register_atexit(|| println!("callback")).unwrap();
    threading::shutdown();
    threading::shutdown();
    ExitCode::SUCCESS
}

fn too_late() -> ExitCode {
    let register = || {
        let refused = threading::register_atexit(|| println!("never")).unwrap_err();
        assert!(matches!(refused, RuntimeError::RegisterAtExit));
        println!("{refused}");
    };
    threading::register_atexit(register).unwrap();
    ExitCode::SUCCESS
}

fn thread_too_late() -> ExitCode {
    struct StartThread;
    impl AtExit for StartThread {
        fn run() {
            let thread = Thread::new(|| println!("never"));
            let Error::Runtime(refused) = thread.start().unwrap_err() else {
                return;
            };
            println!("{refused}");
            assert!(!thread.is_alive());
        }
    }
    at_the_very_end::<StartThread>();
    Thread::new(|| ()).start().unwrap();
    ExitCode::SUCCESS
}

static DAEMON: std::sync::OnceLock<Thread> = std::sync::OnceLock::new();

fn join_daemon() -> ExitCode {
    struct JoinDaemon;
    impl AtExit for JoinDaemon {
        fn run() {
            println!("{}", DAEMON.get().unwrap().join(None).unwrap_err());
        }
    }
    at_the_very_end::<JoinDaemon>();
    let daemon = Thread::new(|| {
        loop {
            std::thread::park();
        }
    });
    let daemon = DAEMON.get_or_init(|| daemon.with_daemon(true));
    daemon.start().unwrap();
    ExitCode::SUCCESS
}

fn join_ended_daemon() -> ExitCode {
    struct JoinEnded;
    impl AtExit for JoinEnded {
        fn run() {
            DAEMON.get().unwrap().join(None).unwrap();
            println!("joined");
        }
    }
    at_the_very_end::<JoinEnded>();
    let daemon = DAEMON.get_or_init(|| Thread::new(|| ()).with_daemon(true));
    daemon.start().unwrap();
    daemon.join(None).unwrap();
    ExitCode::SUCCESS
}

fn panicking_callback() -> ExitCode {
    threading::register_atexit(|| println!("the other")).unwrap();
    threading::register_atexit(|| panic!("in the callback")).unwrap();
    ExitCode::SUCCESS
}
