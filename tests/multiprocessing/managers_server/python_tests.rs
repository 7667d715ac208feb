//! CPython's own tests of managers, against hilos's server.

use hilos::multiprocessing::connection::{Address, Family};

use super::{KEY, Serving};
use crate::python;

const SCRIPT: &str = include_str!("python_tests.py");

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
    for family in [Family::Unix, Family::Inet] {
        let serving = Serving::at(Some(Address::arbitrary(family).unwrap()), |_| {});
        let address = serving.server.address().to_string();
        if let Some((output, errors)) = python::run(SCRIPT, &[&address, KEY]) {
            assert_eq!(output, "says passed\n", "{errors}");
        }
    }
}
