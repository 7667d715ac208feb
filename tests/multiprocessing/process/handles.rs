//! What a handle tells of its process, and what it refuses.

use hilos::multiprocessing::connection::pipe;
use hilos::multiprocessing::{
    self, Error, Process, active_children, current_process, parent_process,
};

use super::{nothing, ready_and_sleep};
use crate::support::{LONG, run_to_end, wait_until};

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
