//! Somebody calls `exit`.

use std::process::ExitCode;
use std::time::Duration;

use hilos::threading::{self, Barrier, Event, Thread};

use crate::driver::{Scenario, quiet};

pub(crate) const SCENARIOS: &[Scenario] = &[
    with_code(
        "exit_from_main_waits_for_threads",
        7,
        from_main,
        "end of thread\n",
    ),
    with_code(
        "exit_from_a_std_thread_waits_for_threads",
        7,
        from_std_thread,
        "end of thread\n",
    ),
    with_code(
        "exit_from_a_thread_waits_for_the_others",
        7,
        from_thread,
        "end of thread\n",
    ),
    with_code("of_several_exits_at_once_the_first_counts", 7, several, ""),
    // The code is the one that `main` returned; what counts is that the program ends.
    quiet(
        "exit_after_main_has_returned_ends_the_program",
        after_main,
        "end of main\n",
    ),
    with_code(
        "os_exit_after_main_has_returned",
        5,
        os_exit_after_main,
        "end of main\n",
    ),
    with_code(
        "shutdown_keeps_the_code_of_a_later_exit",
        9,
        shutdown_first,
        "end of main\n",
    ),
    quiet(
        "shutdown_may_be_called_again",
        shutdown_twice,
        "one\ntwo\nthree\n",
    ),
    quiet(
        "exit_thread_ends_the_thread_alone",
        exit_thread,
        "dropped\nend of main\n",
    ),
    with_code("os_exit_waits_for_nobody", 3, os_exit_at_once, ""),
];

const fn with_code(
    name: &'static str,
    code: i32,
    run: fn() -> ExitCode,
    stdout: &'static str,
) -> Scenario {
    Scenario {
        code,
        ..quiet(name, run, stdout)
    }
}

fn start_late_thread() {
    let late = || {
        std::thread::sleep(Duration::from_millis(100));
        println!("end of thread");
    };
    Thread::new(late).start().unwrap();
}

fn wait_for_ever() -> ExitCode {
    loop {
        std::thread::park();
    }
}

fn from_main() -> ExitCode {
    start_late_thread();
    std::process::exit(7)
}

fn from_std_thread() -> ExitCode {
    start_late_thread();
    std::thread::spawn(|| std::process::exit(7));
    wait_for_ever()
}

fn from_thread() -> ExitCode {
    start_late_thread();
    Thread::new(|| std::process::exit(7)).start().unwrap();
    wait_for_ever()
}

fn several() -> ExitCode {
    static GATE: std::sync::LazyLock<Barrier> =
        std::sync::LazyLock::new(|| Barrier::new(4).unwrap());
    for _ in 0..4 {
        let exits = || {
            GATE.wait(None).unwrap();
            std::process::exit(7);
        };
        Thread::new(exits).start().unwrap();
    }
    wait_for_ever()
}

/// Runs `exit` in a thread once `main` has returned.
fn after_main_has_returned(exit: fn()) -> ExitCode {
    let late = move || {
        threading::main_thread().join(None).unwrap();
        exit();
    };
    Thread::new(late).start().unwrap();
    println!("end of main");
    ExitCode::SUCCESS
}

fn after_main() -> ExitCode {
    after_main_has_returned(|| std::process::exit(5))
}

fn os_exit_after_main() -> ExitCode {
    after_main_has_returned(|| threading::os_exit(5))
}

fn shutdown_first() -> ExitCode {
    static END: Event = Event::new();
    let late = || {
        END.wait(None);
        std::process::exit(9);
    };
    Thread::new(late).start().unwrap();
    println!("end of main");
    END.set();
    threading::shutdown();
    ExitCode::SUCCESS
}

fn shutdown_twice() -> ExitCode {
    for text in ["one", "two"] {
        Thread::new(move || println!("{text}")).start().unwrap();
        threading::shutdown();
    }
    Thread::new(|| println!("three")).start().unwrap();
    ExitCode::SUCCESS
}

// cpython: test_threading.py::ExceptHookTests::test_system_exit
fn exit_thread() -> ExitCode {
    struct Noisy;
    impl Drop for Noisy {
        fn drop(&mut self) {
            println!("dropped");
        }
    }
    let thread = Thread::new(|| {
        let _noisy = Noisy;
        threading::exit();
    });
    thread.start().unwrap();
    thread.join(None).unwrap();
    println!("end of main");
    ExitCode::SUCCESS
}

fn os_exit_at_once() -> ExitCode {
    start_late_thread();
    threading::os_exit(3)
}
