//! Every method of every type gives what it gives with CPython's own manager.

use std::path::PathBuf;
use std::process::Command;

use hilos::multiprocessing::connection::{Address, Family};

use super::{KEY, Serving};
use crate::program::Program;
use crate::python;

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
fn with_every_python_of_this_machine() {
    for python in pythons() {
        let serving = Serving::start(|_| {});
        let address = serving.server.address().to_string();
        let mut command = Command::new(&python);
        command.args(["-E", "-c", SCRIPT, &address, KEY, LINES]);
        let mut program = Program::run(command);
        let output = program.rest();
        let (_, errors) = program.finish();
        assert_eq!(output, "says compared True\n", "{python:?}: {errors}");
    }
}

/// Those of pyenv's that are new enough.
fn pythons() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").unwrap_or_default();
    let default = PathBuf::from(home).join(".pyenv");
    let root = std::env::var_os("PYENV_ROOT").map_or(default, PathBuf::from);
    let versions = std::fs::read_dir(root.join("versions"))
        .into_iter()
        .flatten()
        .flatten();
    let recent = versions.filter(|version| {
        let name = version.file_name();
        let minor = name
            .to_str()
            .and_then(|name| name.strip_prefix("3.")?.split('.').next());
        minor.and_then(|minor| minor.parse::<u32>().ok()) >= Some(8)
    });
    recent
        .map(|version| version.path().join("bin/python"))
        .filter(|python| python.exists())
        .collect()
}
