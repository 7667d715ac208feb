//! `_TestProcess` and `_TestSubclassingProcess`.

use std::io::BufRead;
use std::os::fd::AsFd;

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::{
    self, Error, Process, ProcessFailure, StartMethod, active_children, current_process,
    parent_process,
};
use hilos::threading::Thread;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::support::{LONG, each_start_method, run_to_end, wait_until};

fn nothing() {}

fn sleep_long() {
    std::thread::sleep(std::time::Duration::from_secs_f64(2.0 * LONG));
}

/// Says that it runs, and then waits to be killed.
fn ready_and_sleep(connection: Connection) -> Result<(), Error> {
    connection.send(&())?;
    sleep_long();
    Ok(())
}

fn report(connection: Connection, text: String, numbers: Vec<i64>) -> Result<(), Error> {
    let me = current_process();
    let whole = (
        text,
        numbers,
        me.name().to_owned(),
        me.authkey(),
        me.pid(),
        me.daemon(),
    );
    connection.send(&whole)
}

type Report = (String, Vec<i64>, String, Vec<u8>, u32, bool);

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestProcess::test_process
    fn arguments_arrive_and_the_states_follow(method: StartMethod) {
        let (ours, theirs) = pipe(true).unwrap();
        let args = (theirs, "ñ".to_string(), vec![i64::MIN, 0, 7]);
        let process = Process::new(report, args).with_start_method(method).with_daemon(true);
        assert!(!process.is_alive());
        assert_eq!((process.exitcode(), process.pid()), (None, None));
        assert!(!active_children().contains(&process));

        process.start().unwrap();
        let (text, numbers, name, authkey, pid, daemon) = ours.recv::<Report>().unwrap();
        assert_eq!((text.as_str(), numbers), ("ñ", vec![i64::MIN, 0, 7]));
        assert_eq!(name, process.name());
        assert_eq!(authkey, current_process().authkey());
        assert_eq!(Some(pid), process.pid());
        assert_ne!(pid, std::process::id());
        assert!(daemon);

        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
        assert!(!process.is_alive());
        assert!(!active_children().contains(&process));
    }

    // cpython: _test_multiprocessing.py::_TestProcess::test_parent_process_attributes
    // cpython: _test_multiprocessing.py::_TestProcess::test_parent_process
    fn a_child_knows_its_parent(method: StartMethod) {
        fn child(connection: Connection) -> Result<(), Error> {
            let parent = parent_process().expect("a child has a parent");
            connection.send(&(parent.pid(), parent.name().to_owned(), parent.is_alive()))
        }
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(child, (theirs,)).with_start_method(method);
        process.start().unwrap();
        let expected = (std::process::id(), current_process().name().to_owned(), true);
        assert_eq!(ours.recv::<(u32, String, bool)>().unwrap(), expected);
        process.join(LONG).unwrap();
    }

    // cpython: _test_multiprocessing.py::_TestProcess::test_process_mainthread_native_id
    fn the_child_has_a_main_thread_of_its_own(method: StartMethod) {
        fn child(connection: Connection) -> Result<(), Error> {
            connection.send(&hilos::threading::get_native_id())
        }
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(child, (theirs,)).with_start_method(method);
        process.start().unwrap();
        assert_eq!(ours.recv::<u64>().unwrap(), u64::from(process.pid().unwrap()));
        process.join(LONG).unwrap();
    }

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

    // cpython: _test_multiprocessing.py::_TestProcess::test_recursion
    fn children_have_children(method: StartMethod) {
        fn child(connection: Connection, path: Vec<u32>, method: StartMethod) -> Result<(), Error> {
            connection.send(&path)?;
            if path.len() < 2 {
                for number in 0..2 {
                    let path = [&path[..], &[number]].concat();
                    let child = Process::new(child, (connection.clone(), path, method));
                    let child = child.with_start_method(method);
                    child.start()?;
                    child.join(LONG)?;
                }
            }
            Ok(())
        }
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(child, (theirs.clone(), vec![], method));
        let process = process.with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
        theirs.close();
        let paths: Vec<Vec<u32>> = std::iter::from_fn(|| ours.recv().ok()).collect();
        let expected: [&[u32]; 7] = [&[], &[0], &[0, 0], &[0, 1], &[1], &[1, 0], &[1, 1]];
        assert_eq!(paths, expected);
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

    // cpython: _test_multiprocessing.py::_TestProcess::test_many_processes
    fn many_at_once(method: StartMethod) {
        let count = if method == StartMethod::Spawn { 5 } else { 50 };
        let start = || {
            let process = Process::new(nothing, ()).with_start_method(method);
            process.start().unwrap();
            process
        };
        let processes: Vec<Process> = (0..count).map(|_| start()).collect();
        for process in &processes {
            process.join(LONG).unwrap();
            assert_eq!(process.exitcode(), Some(0));
        }
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

    // cpython: _test_multiprocessing.py::_TestProcess::test_child_fd_inflation
    // cpython: _test_multiprocessing.py::TestCloseFds::test_closefd
    fn a_child_has_no_descriptors_of_others(method: StartMethod) {
        fn child(connection: Connection) -> Result<(), Error> {
            connection.send(&std::fs::read_dir("/proc/self/fd")?.count())
        }
        let count = || {
            let (ours, theirs) = pipe(true).unwrap();
            let process = Process::new(child, (theirs,)).with_start_method(method);
            process.start().unwrap();
            let count = ours.recv::<usize>().unwrap();
            process.join(LONG).unwrap();
            count
        };
        let before = count();
        let (ours, theirs) = pipe(true).unwrap();
        let other = Process::new(ready_and_sleep, (theirs.clone(),)).with_start_method(method);
        other.start().unwrap();
        ours.recv::<()>().unwrap();
        ours.close();
        theirs.close();
        // A copy of this process has copies of what the handle `other` holds.
        let copied = if method == StartMethod::Fork { 2 } else { 0 };
        assert_eq!(count(), before + copied);
        other.kill().unwrap();
        other.join(LONG).unwrap();
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
        assert!(failure.place().unwrap().contains("process.rs"));

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

// cpython: _test_multiprocessing.py::_TestProcess::test_current
#[test]
fn the_main_process() {
    let current = current_process();
    assert_eq!(current.name(), "MainProcess");
    assert_eq!(
        current.to_string(),
        "<_MainProcess name='MainProcess' parent=None started>"
    );
    assert_eq!(current.pid(), std::process::id());
    assert!(!current.authkey().is_empty());
    assert!(!current.daemon());
    assert!(parent_process().is_none());
}

// cpython: _test_multiprocessing.py::_TestProcess::test_cpu_count
#[test]
fn there_is_a_processor() {
    assert!(multiprocessing::cpu_count() >= 1);
}

// cpython: _test_multiprocessing.py::_TestProcess::test_active_children
#[test]
fn active_children_are_those_that_run() {
    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(ready_and_sleep, (theirs,)).with_daemon(true);
    assert!(!active_children().contains(&process));
    process.start().unwrap();
    ours.recv::<()>().unwrap();
    assert!(active_children().contains(&process));
    process.kill().unwrap();
    process.join(LONG).unwrap();
    assert!(!active_children().contains(&process));
}

// cpython: _test_multiprocessing.py::_TestProcess::test_args_argument
#[test]
fn arguments_are_a_tuple() {
    fn check(expected: usize, given: Vec<u8>) {
        assert_eq!(given.len(), expected);
    }
    assert_eq!(run_to_end(&Process::new(nothing, ())), Some(0));
    assert_eq!(run_to_end(&Process::new(check, (2, vec![1, 2]))), Some(0));
    assert_eq!(
        run_to_end(&Process::new(|a: u8, b: u8| assert_eq!(a + b, 3), (1, 2))),
        Some(0)
    );
}

// cpython: _test_multiprocessing.py::_TestProcess::test_daemon_argument
#[test]
fn daemon_is_said_or_inherited() {
    assert!(!Process::new(nothing, ()).daemon());
    let daemon = Process::new(nothing, ()).with_daemon(true);
    assert!(daemon.daemon());
    daemon.set_daemon(false).unwrap();
    assert!(!daemon.daemon());
    daemon.start().unwrap();
    let refused = daemon.set_daemon(true).unwrap_err();
    assert_eq!(
        format!("{refused:?}"),
        "AssertionError: process has already started"
    );
    daemon.join(LONG).unwrap();

    fn inherited() {
        assert!(Process::new(nothing, ()).daemon());
    }
    assert_eq!(
        run_to_end(&Process::new(inherited, ()).with_daemon(true)),
        Some(0)
    );
}

// cpython: _test_multiprocessing.py::_TestProcess::test_lose_target_ref
#[test]
fn what_a_forked_closure_captures_is_dropped_by_the_parent() {
    fn test() {
        let captured = std::sync::Arc::new(5);
        let theirs = captured.clone();
        let process = Process::forked(move || assert_eq!(*theirs, 5));
        process.start().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&captured), 1);
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn wrong_order_is_refused_and_changes_nothing() {
    let process = Process::new(nothing, ());
    let before = process.to_string();
    assert_eq!(
        process.join(None).unwrap_err().to_string(),
        "can only join a started process"
    );
    assert!(matches!(process.terminate(), Err(Error::Assertion(_))));
    assert_eq!(process.to_string(), before);
    assert_eq!(run_to_end(&process), Some(0));
    assert_eq!(
        process.start().unwrap_err().to_string(),
        "cannot start a process twice"
    );
    assert!(matches!(
        process.join(f64::NAN),
        Err(Error::InvalidTimeout(_))
    ));
    process.terminate().unwrap();
    assert_eq!(process.exitcode(), Some(0));
}

#[test]
fn a_child_cannot_join_its_parents_other_children() {
    fn test() {
        let sibling = Process::new(nothing, ());
        sibling.start().unwrap();
        let theirs = sibling.clone();
        let child = Process::forked(move || {
            assert_eq!(
                theirs.join(0).unwrap_err().to_string(),
                "can only join a child process"
            );
        });
        assert_eq!(run_to_end(&child), Some(0));
        sibling.join(LONG).unwrap();
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn a_value_that_cannot_travel_fails_the_start_alone() {
    #[derive(Clone)]
    struct Refuses;
    impl serde::Serialize for Refuses {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not this one"))
        }
    }
    impl<'de> serde::Deserialize<'de> for Refuses {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    let process = Process::new(|_: Refuses| (), (Refuses,));
    let Err(Error::Encoding { type_name, .. }) = process.start() else {
        panic!()
    };
    assert!(type_name.contains("Refuses"), "{type_name}");
    assert_eq!((process.pid(), process.is_alive()), (None, false));
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

#[test]
fn it_writes_to_where_its_parent_writes_when_it_starts() {
    fn test() {
        // The fork server is older than the redirection, and so is the next process.
        run_to_end(&Process::new(nothing, ()));
        let (reader, writer) = std::io::pipe().unwrap();
        nix::unistd::dup2_stdout(&writer).unwrap();
        let hello = || println!("hello");
        let process = Process::new(hello, ()).with_start_method(StartMethod::ForkServer);
        assert_eq!(run_to_end(&process), Some(0));
        let mut line = String::new();
        std::io::BufReader::new(reader)
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "hello\n");
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn it_prints_as_in_python() {
    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(ready_and_sleep, (theirs,))
        .with_name("hijo")
        .with_daemon(true);
    let me = std::process::id();
    assert_eq!(
        process.to_string(),
        format!("<Process name='hijo' parent={me} initial daemon>")
    );
    process.start().unwrap();
    ours.recv::<()>().unwrap();
    let pid = process.pid().unwrap();
    let expected = format!("<Process name='hijo' pid={pid} parent={me} started daemon>");
    assert_eq!(process.to_string(), expected);
    process.kill().unwrap();
    process.join(LONG).unwrap();
    let end = "stopped exitcode=-SIGKILL daemon>";
    assert_eq!(
        process.to_string(),
        format!("<Process name='hijo' pid={pid} parent={me} {end}")
    );
    wait_until("the child to leave the list", || {
        !active_children().contains(&process)
    });
}
