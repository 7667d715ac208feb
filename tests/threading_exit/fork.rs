//! A program forks.

use std::process::ExitCode;

use hilos::threading::{self, Thread, Timer};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use crate::driver::{Scenario, quiet};

pub(crate) const SCENARIOS: &[Scenario] = &[
    quiet(
        "a_forked_child_waits_for_its_own_threads_alone",
        exits,
        "child thread\nparent thread\n",
    ),
    quiet(
        "a_forked_child_knows_itself_alone",
        knows,
        "1 _MainThread\nends\n",
    ),
    quiet(
        "a_thread_that_forks_is_the_childs_main",
        from_thread,
        "Worker is main\n",
    ),
    quiet(
        "a_forked_child_has_timers_of_its_own",
        timers,
        "child timer\n",
    ),
];

/// Runs `child` in a copy of this process, and waits for its end.
fn in_child(child: impl FnOnce() -> i32) {
    // SAFETY: the child uses only what hilos keeps whole across a fork, and the standard output,
    // which no other thread of these programs uses at that time.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => std::process::exit(child()),
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
        }
    }
}

/// Starts a thread that ends when the program's input does, which is after `main`.
fn start_parent_thread() -> Thread {
    let thread = Thread::new(|| {
        threading::main_thread().join(None).unwrap();
        println!("parent thread");
    });
    thread.start().unwrap();
    thread
}

fn exits() -> ExitCode {
    let parents = start_parent_thread();
    in_child(|| {
        // Waiting for this one would take for ever: it is not in this process.
        assert!(!parents.is_alive());
        parents.join(None).unwrap();
        Thread::new(|| println!("child thread")).start().unwrap();
        0
    });
    ExitCode::SUCCESS
}

fn knows() -> ExitCode {
    let parents = Thread::new(|| {
        threading::main_thread().join(None).unwrap();
        println!("ends");
    });
    parents.start().unwrap();
    in_child(|| {
        let main = threading::main_thread().to_string();
        let class = &main[1..main.find('(').unwrap()];
        println!("{} {class}", threading::active_count());
        assert_eq!(threading::enumerate(), [threading::current_thread()]);
        0
    });
    assert_eq!(threading::active_count(), 2);
    ExitCode::SUCCESS
}

fn from_thread() -> ExitCode {
    let forks = || {
        in_child(|| {
            let current = threading::current_thread();
            assert!(threading::main_thread() == current);
            println!("{} is main", current.name());
            0
        });
    };
    let thread = Thread::new(forks).with_name("Worker");
    thread.start().unwrap();
    thread.join(None).unwrap();
    ExitCode::SUCCESS
}

fn timers() -> ExitCode {
    let parents = Timer::new(600, || println!("never"));
    parents.start().unwrap();
    in_child(|| {
        let timer = Timer::new(0.01, || println!("child timer"));
        timer.start().unwrap();
        timer.join(None).unwrap();
        0
    });
    parents.cancel();
    ExitCode::SUCCESS
}
