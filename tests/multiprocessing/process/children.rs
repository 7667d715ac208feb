//! What a child is given, what it has, and what it knows.

use std::io::BufRead;

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::{
    Error, Process, StartMethod, active_children, current_process, parent_process,
};

use super::{nothing, ready_and_sleep};
use crate::support::{LONG, each_start_method, run_to_end};

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
