//! `main` returns while threads run.

use std::process::ExitCode;
use std::time::Duration;

use hilos::threading::{self, Event, Thread, Timer};

use crate::driver::{Scenario, quiet};

pub(crate) const SCENARIOS: &[Scenario] = &[
    // cpython: test_threading.py::ThreadJoinOnShutdown::test_1_join_on_shutdown
    // cpython: test_threading.py::ThreadTests::test_join_nondaemon_on_shutdown
    quiet(
        "main_waits_for_its_threads",
        waits,
        "end of main\nend of thread\n",
    ),
    // cpython: test_threading.py::ThreadJoinOnShutdown::test_thread_from_thread
    quiet(
        "main_waits_for_threads_of_threads",
        threads_of_threads,
        "end of main\n1\n2\n3\n",
    ),
    // cpython: test_threading.py::ThreadJoinOnShutdown::test_4_daemon_threads
    quiet("main_leaves_daemons_behind", daemons, "end of main\n"),
    quiet(
        "a_waiting_timer_keeps_the_program",
        timer,
        "end of main\nring\n",
    ),
    quiet(
        "a_waiting_daemon_timer_does_not",
        daemon_timer,
        "end of main\n",
    ),
    quiet(
        "a_cancelled_timer_does_not",
        cancelled_timer,
        "end of main\n",
    ),
    quiet("print_without_a_newline_arrives", no_newline, "one two"),
    quiet(
        "main_thread_can_be_joined",
        join_main,
        "end of main\njoined\n",
    ),
    Scenario {
        name: "an_error_of_main_keeps_its_code",
        run: fails,
        code: 1,
        stdout: "end of main\nend of thread\n",
        stderr: &[],
    },
    Scenario {
        name: "a_panic_of_main_keeps_its_code",
        run: panics,
        code: 101,
        stdout: "end of thread\n",
        stderr: &["panicked at", "in main"],
    },
];

/// Set when `main` has all but returned.
static END: Event = Event::new();

fn end_of_main() -> ExitCode {
    println!("end of main");
    END.set();
    ExitCode::SUCCESS
}

/// Starts a thread that ends some time after `main`.
fn start_late_thread() {
    let late = || {
        END.wait(None);
        std::thread::sleep(Duration::from_millis(100));
        println!("end of thread");
    };
    Thread::new(late).start().unwrap();
}

fn waits() -> ExitCode {
    start_late_thread();
    end_of_main()
}

fn threads_of_threads() -> ExitCode {
    fn next(number: u32) {
        threading::main_thread().join(None).unwrap();
        println!("{number}");
        if number < 3 {
            Thread::new(move || next(number + 1)).start().unwrap();
        }
    }
    Thread::new(|| next(1)).start().unwrap();
    end_of_main()
}

fn daemons() -> ExitCode {
    for _ in 0..16 {
        let busy = || loop {
            std::thread::yield_now();
        };
        Thread::new(busy).with_daemon(true).start().unwrap();
    }
    end_of_main()
}

fn timer() -> ExitCode {
    Timer::new(0.1, || println!("ring")).start().unwrap();
    end_of_main()
}

fn daemon_timer() -> ExitCode {
    let timer = Timer::new(600, || println!("never")).with_daemon(true);
    timer.start().unwrap();
    end_of_main()
}

fn cancelled_timer() -> ExitCode {
    let timer = Timer::new(600, || println!("never"));
    timer.start().unwrap();
    timer.cancel();
    end_of_main()
}

fn no_newline() -> ExitCode {
    let late = || {
        threading::main_thread().join(None).unwrap();
        print!(" two");
    };
    Thread::new(late).start().unwrap();
    print!("one");
    ExitCode::SUCCESS
}

fn join_main() -> ExitCode {
    let waits = || {
        let main = threading::main_thread();
        main.join(0.01).unwrap();
        assert!(main.is_alive());
        END.wait(None);
        main.join(None).unwrap();
        assert!(!main.is_alive());
        println!("joined");
    };
    let thread = Thread::new(waits);
    thread.start().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    end_of_main()
}

fn fails() -> ExitCode {
    start_late_thread();
    end_of_main();
    ExitCode::FAILURE
}

fn panics() -> ExitCode {
    start_late_thread();
    END.set();
    panic!("in main");
}
