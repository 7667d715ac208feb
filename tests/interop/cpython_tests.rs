//! CPython's own tests of managers, against hilos's server.

use hilos::multiprocessing::connection::{Address, Family};
use hilos::multiprocessing::managers::{Args, Exception, Server};
use hilos::pickle::{Dict, List, Object};

use crate::python;
use crate::serving::{KEY, Serving};

const SCRIPT: &str = include_str!("cpython_tests.py");

// cpython: _test_multiprocessing.py::_TestContainers::test_list_iter
// cpython: _test_multiprocessing.py::_TestContainers::test_dict_iter
// cpython: _test_multiprocessing.py::_TestContainers::test_nested_queue
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_event
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_lock
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_rlock
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_semaphore
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_bounded_semaphore
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_condition
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_barrier
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_pool
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_queue
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_joinable_queue
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_list
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_dict
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_value
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_array
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_namespace
// cpython: _test_multiprocessing.py::TestManagerExceptions::test_queue_get
// cpython: _test_multiprocessing.py::TestManagerExceptions::test_dispatch
#[test]
fn cpython_s_tests_of_managers_pass() {
    for python in python::oldest_and_newest() {
        for family in [Family::Unix, Family::Inet] {
            let serving = Serving::at(Some(Address::arbitrary(family).unwrap()), register);
            let address = serving.server.address().to_string();
            let mut program = python::start_with(&python, SCRIPT, &[&address, KEY]);
            let output = program.rest();
            let (_, errors) = program.finish();
            assert_eq!(output, "says passed\n", "{python:?}: {errors}");
        }
    }
}

/// The functions of CPython's test module, in Rust.
fn register(server: &Server) {
    let named = |name| format!("test._test_multiprocessing.{name}");
    server.register_function(&named("sqr"), |args| {
        let argument = |place: usize, name: &str| match args.positional().get(place) {
            Some(argument) => Ok(Some(argument.clone())),
            None => args.keywords().get(name),
        };
        let x = i64::try_from(&Object::from(argument(0, "x")?))?;
        let wait = argument(1, "wait")?.unwrap_or(Object::from(0.0));
        std::thread::sleep(std::time::Duration::from_secs_f64(f64::try_from(&wait)?));
        Ok(x * x)
    });
    server.register_function(&named("mul"), |args| {
        let x = i64::try_from(&args.positional()[0])?;
        let y = args.positional().get(1).map(i64::try_from).transpose()?;
        Ok(x * y.unwrap_or(2))
    });
    server.register_function(&named("identity"), |args| Ok(args.positional()[0].clone()));
    server.register_function(&named("AppendTrue"), append_true);
}

/// An object of this class appends to a list that it has a proxy of.
fn append_true(args: &Args<'_>) -> Result<(), Exception> {
    let Object::Instance(instance) = &args.positional()[0] else {
        return Err(Exception::new("TypeError", "no object"));
    };
    let state = instance
        .state()
        .map(|state| Dict::try_from(&state))
        .transpose()?;
    let proxy = state.unwrap_or_default().get_item("obj")?;
    List::try_from(&args.value(&proxy)?)?.append(true);
    Ok(())
}
