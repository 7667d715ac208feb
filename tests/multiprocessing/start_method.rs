//! `TestStartMethod`.

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::{
    Error, Process, StartMethod, get_all_start_methods, get_start_method, set_start_method,
};

use crate::support::{LONG, run_to_end};

// cpython: _test_multiprocessing.py::TestStartMethod::test_get_all
// cpython: _test_multiprocessing.py::TestStartMethod::test_get_all_start_methods
#[test]
fn the_default_is_first() {
    let methods = get_all_start_methods();
    assert_eq!(methods[0], StartMethod::ForkServer);
    assert_eq!(
        methods
            .iter()
            .map(|method| method.name())
            .collect::<Vec<_>>(),
        ["forkserver", "spawn", "fork"]
    );
    for method in methods {
        assert_eq!(method.name().parse::<StartMethod>().unwrap(), method);
    }
    let wrong = "thread".parse::<StartMethod>().unwrap_err();
    assert_eq!(
        format!("{wrong:?}"),
        "ValueError: cannot find context for 'thread'"
    );
}

// cpython: _test_multiprocessing.py::TestStartMethod::test_set_get
#[test]
fn it_is_set_once_or_by_force() {
    // In a process of its own, for it is a setting of the whole process.
    fn test() -> Result<(), Error> {
        set_start_method(StartMethod::Spawn, true)?;
        assert_eq!(get_start_method(), StartMethod::Spawn);
        let again = set_start_method(StartMethod::Fork, false).unwrap_err();
        assert_eq!(
            format!("{again:?}"),
            "RuntimeError: context has already been set"
        );
        assert_eq!(get_start_method(), StartMethod::Spawn);
        set_start_method(StartMethod::Fork, true)?;
        assert_eq!(get_start_method(), StartMethod::Fork);
        Ok(())
    }
    assert_eq!(run_to_end(&Process::new(test, ())), Some(0));
}

// cpython: _test_multiprocessing.py::TestStartMethod::test_context
// cpython: _test_multiprocessing.py::TestStartMethod::test_mixed_startmethod
#[test]
fn a_child_starts_its_children_as_it_was_started() {
    fn child(connection: Connection) -> Result<(), Error> {
        connection.send(&get_start_method())
    }
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(child, (theirs,)).with_start_method(method);
        process.start().unwrap();
        assert_eq!(ours.recv::<StartMethod>().unwrap(), method);
        process.join(LONG).unwrap();
    }
}

// cpython: _test_multiprocessing.py::TestStartMethod::test_nested_startmethod
#[test]
fn a_child_may_use_another_method() {
    fn outer(connection: Connection, method: StartMethod) -> Result<(), Error> {
        let inner = |connection: Connection| connection.send(&std::process::id());
        let inner = Process::new(inner, (connection,)).with_start_method(method);
        inner.start()?;
        inner.join(LONG)?;
        assert_eq!(inner.exitcode(), Some(0));
        Ok(())
    }
    for inner in get_all_start_methods() {
        let (ours, theirs) = pipe(true).unwrap();
        assert_eq!(run_to_end(&Process::new(outer, (theirs, inner))), Some(0));
        assert_ne!(ours.recv::<u32>().unwrap(), std::process::id());
    }
}
