//! How a process ends, and what it leaves.

use std::os::fd::AsFd;

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::{Error, Process, ProcessFailure, StartMethod, active_children};
use hilos::threading::Thread;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{nothing, ready_and_sleep};
use crate::support::{LONG, each_start_method, run_to_end};

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestProcess::test_terminate
    fn terminate_ends_it_by_sigterm(method: StartMethod) {
        assert_eq!(exitcode_after(method, Process::terminate), Some(-15));
    }

    // cpython: _test_multiprocessing.py::_TestProcess::test_kill
    fn kill_ends_it_by_sigkill(method: StartMethod) {
        assert_eq!(exitcode_after(method, Process::kill), Some(-9));
    }

    // cpython: _test_multiprocessing.py::_TestProcess::test_interrupt
    // cpython: _test_multiprocessing.py::_TestProcess::test_interrupt_no_handler
    fn interrupt_ends_it_by_sigint(method: StartMethod) {
        assert_eq!(exitcode_after(method, Process::interrupt), Some(-2));
    }

    // cpython: _test_multiprocessing.py::_TestProcess::test_sentinel
    fn the_sentinel_is_readable_when_it_has_ended(method: StartMethod) {
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(ready_and_sleep, (theirs,)).with_start_method(method);
        assert!(process.sentinel().is_none());
        process.start().unwrap();
        ours.recv::<()>().unwrap();
        let readable = |timeout: PollTimeout| {
            let sentinel = process.sentinel().unwrap();
            poll(&mut [PollFd::new(sentinel.as_fd(), PollFlags::POLLIN)], timeout).unwrap() == 1
        };
        assert!(!readable(PollTimeout::ZERO));
        process.kill().unwrap();
        assert!(readable(PollTimeout::NONE));
        process.join(LONG).unwrap();
    }

    // cpython: _test_multiprocessing.py::_TestProcess::test_close
    fn close_refuses_a_running_process(method: StartMethod) {
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(ready_and_sleep, (theirs,)).with_start_method(method);
        process.start().unwrap();
        ours.recv::<()>().unwrap();
        let refused = process.close().unwrap_err().to_string();
        assert!(refused.starts_with("Cannot close a process while it is still running"));
        assert!(process.is_alive());
        process.kill().unwrap();
        process.join(LONG).unwrap();
        process.close().unwrap();
        for closed in [process.join(None), process.terminate(), process.start()] {
            assert_eq!(closed.unwrap_err().to_string(), "process object is closed");
        }
        assert!(process.to_string().ends_with(" closed>"));
    }

    // cpython: _test_multiprocessing.py::_TestProcess::test_wait_for_threads
    fn the_child_waits_for_its_threads(method: StartMethod) {
        fn child(connection: Connection) -> Result<(), hilos::threading::Error> {
            Thread::new(move || {
                // The child's function returns meanwhile.
                std::thread::sleep(std::time::Duration::from_millis(50));
                connection.send(&"after all")
            })
            .with_daemon(false)
            .start()
        }
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(child, (theirs,)).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
        assert_eq!(ours.recv::<String>().unwrap(), "after all");
    }

    // cpython: _test_multiprocessing.py::_TestSubclassingProcess::test_stderr_flush
    fn a_failure_gives_exit_code_1_and_is_told(method: StartMethod) {
        fn panics() {
            let nothing: Vec<u8> = Vec::new();
            drop(nothing[3..].to_vec());
        }
        fn fails() -> Result<(), std::num::ParseIntError> {
            "seven".parse::<i32>().map(drop)
        }
        let process = Process::new(panics, ()).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(1));
        let Some(Err(ProcessFailure::Failed(failure))) = process.result() else { panic!() };
        assert_eq!(failure.type_name(), "panic");
        assert!(failure.message().contains("out of range"), "{failure}");
        assert!(failure.place().unwrap().contains("endings.rs"));

        let process = Process::new(fails, ()).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(1));
        let Some(Err(ProcessFailure::Failed(failure))) = process.result() else { panic!() };
        assert_eq!(failure.to_string(), "ParseIntError: invalid digit found in string");
    }

    // cpython: _test_multiprocessing.py::_TestSubclassingProcess::test_sys_exit
    fn exit_codes_arrive(method: StartMethod) {
        let run = |process: Process| run_to_end(&process.with_start_method(method));
        assert_eq!(run(Process::new(|| std::process::exit(0), ())), Some(0));
        assert_eq!(run(Process::new(|| std::process::exit(8), ())), Some(8));
        assert_eq!(run(Process::new(|| std::process::exit(300), ())), Some(300 & 255));
        assert_eq!(run(Process::new(|| hilos::threading::exit(), ())), Some(0));
        assert_eq!(run(Process::new(|| std::process::abort(), ())), Some(-6));
    }
}

/// The exit code of a process that sleeps, after something was done to it.
fn exitcode_after(method: StartMethod, end: fn(&Process) -> Result<(), Error>) -> Option<i32> {
    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(ready_and_sleep, (theirs,)).with_start_method(method);
    process.start().unwrap();
    ours.recv::<()>().unwrap();
    assert!(process.is_alive());
    process.join(0).unwrap();
    process.join(-1).unwrap();
    assert_eq!(process.exitcode(), None);
    end(&process).unwrap();
    process.join(LONG).unwrap();
    assert!(!process.is_alive());
    let killed = matches!(process.result(), Some(Err(ProcessFailure::Killed { .. })));
    assert!(killed, "{:?}", process.result());
    process.exitcode()
}

#[test]
fn processes_that_have_ended_hold_no_descriptors() {
    fn count() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }
    fn test() {
        // The fork server and what it needs stay.
        run_to_end(&Process::new(nothing, ()));
        active_children();
        let before = count();
        let process = Process::new(nothing, ());
        assert_eq!(run_to_end(&process), Some(0));
        process.close().unwrap();
        active_children();
        assert_eq!((count(), process.exitcode()), (before, Some(0)));
        for _ in 0..100 {
            run_to_end(&Process::new(nothing, ()));
        }
        assert!(
            count() <= before + 2,
            "each start clears away those before it"
        );
    }
    crate::support::with_one_thread(Process::new(test, ()));
}
