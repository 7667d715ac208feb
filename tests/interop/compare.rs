//! Every method of every type gives what it gives with CPython's own manager.

use hilos::multiprocessing::connection::{Address, Family};

use crate::python;
use crate::serving::{KEY, Serving};

const SCRIPT: &str = include_str!("compare.py");
const LINES: &str = include_str!("lines.txt");

// cpython: _test_multiprocessing.py::_TestContainers::test_list
// cpython: _test_multiprocessing.py::_TestContainers::test_dict
// cpython: _test_multiprocessing.py::_TestContainers::test_namespace
// cpython: _test_multiprocessing.py::_TestContainers::test_list_proxy_in_list
// cpython: _test_multiprocessing.py::_TestContainers::test_dict_proxy_nested
#[test]
fn as_cpython_s_own_manager() {
    let serving = Serving::start(|_| {});
    let address = serving.server.address().to_string();
    if let Some((output, _)) = python::run(SCRIPT, &[&address, KEY, LINES]) {
        assert_eq!(output, "says compared True\n");
    }
}

#[test]
fn as_cpython_s_own_manager_over_tcp() {
    let serving = Serving::at(Some(Address::arbitrary(Family::Inet).unwrap()), |_| {});
    let address = serving.server.address().to_string();
    if let Some((output, _)) = python::run(SCRIPT, &[&address, KEY, LINES]) {
        assert_eq!(output, "says compared True\n");
    }
}

#[test]
fn as_cpython_s_own_manager_by_another_address_of_this_machine() {
    let serving = Serving::at(Some(("0.0.0.0", 0).into()), |_| {});
    let Address::Inet(_, port) = *serving.server.address() else {
        panic!("{:?}", serving.server);
    };
    let address = Address::from(("127.0.0.2", port)).to_string();
    if let Some((output, _)) = python::run(SCRIPT, &[&address, KEY, LINES]) {
        assert_eq!(output, "says compared True\n");
    }
}

#[test]
fn with_every_python_of_this_machine() {
    for python in python::of_pyenv() {
        let serving = Serving::start(|_| {});
        let address = serving.server.address().to_string();
        let mut program = python::start_with(&python, SCRIPT, &[&address, KEY, LINES]);
        let output = program.rest();
        let (_, errors) = program.finish();
        assert_eq!(output, "says compared True\n", "{python:?}: {errors}");
    }
}
