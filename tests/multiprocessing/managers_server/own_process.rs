//! A manager's server in a process of its own.

use std::sync::Arc;

use hilos::multiprocessing::connection::{Address, Family};
use hilos::multiprocessing::managers::{BaseManager, DictProxy, SyncManager};
use hilos::multiprocessing::{Error, Process, StartMethod, manager};
use hilos::pickle::Object;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::own_types::{Foo, Prefixed};
use crate::support::{LONG, each_start_method};

each_start_method! {
    fn a_dict_of_several_processes(method: StartMethod) {
        fn child(d: DictProxy<i64, String>, key: i64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            d.insert(key, format!("from {key}"))?;
            Ok(())
        }
        let manager = SyncManager::new().with_start_method(method);
        manager.start().unwrap();
        let d = manager.dict_of::<i64, String>().unwrap();
        for key in 0..3 {
            let process = Process::new(child, (d.clone(), key)).with_start_method(method);
            process.start().unwrap();
            process.join(LONG).unwrap();
            assert_eq!(process.result(), Some(Ok(())));
        }
        assert_eq!(d.to_string(), "{0: 'from 0', 1: 'from 1', 2: 'from 2'}");
        manager.shutdown();
    }

    // cpython: _test_multiprocessing.py::_TestMyManager::test_mymanager
    // cpython: _test_multiprocessing.py::_TestMyManager::test_mymanager_context
    // cpython: _test_multiprocessing.py::_TestMyManager::test_mymanager_context_prestarted
    fn types_of_ones_own(method: StartMethod) {
        fn common(manager: &BaseManager) {
            let foo = manager.create("Foo", ()).unwrap();
            let text = foo.call("f", ()).unwrap();
            assert_eq!(text, Object::from("f()"));
            let error = foo.call("g", ()).unwrap_err();
            assert_eq!(format!("{error:?}"), "ValueError: ");
            assert!(foo.call("_h", ()).is_err(), "not exposed");
            assert_eq!(manager.number_of_objects().unwrap(), 1);
        }
        let new = || {
            let mut manager = BaseManager::new().with_start_method(method);
            manager.register("Foo", |_| Ok(Arc::new(Foo)));
            manager
        };
        let manager = new();
        manager.start().unwrap();
        assert!(matches!(manager.start(), Err(Error::Process("Already started server"))));
        common(&manager);
        manager.shutdown();
        assert!(matches!(manager.start(), Err(Error::Process("Manager has shut down"))));
        assert!(manager.create("Foo", ()).is_err());

        let manager = new();
        manager.with(common).unwrap();
        let manager = new();
        manager.start().unwrap();
        manager.with(common).unwrap();
    }
}

// cpython: _test_multiprocessing.py::_TestManagerRestart::test_rapid_restart
#[test]
fn an_address_is_free_after_a_shutdown() {
    let manager = SyncManager::new().with_address(Address::arbitrary(Family::Inet).unwrap());
    manager.start().unwrap();
    let address = manager.address().unwrap();
    let again = SyncManager::new().with_address(address.clone());
    let Err(Error::Os(in_use)) = again.start() else {
        panic!("two servers at one address")
    };
    assert_eq!(in_use.kind(), std::io::ErrorKind::AddrInUse);
    let queue = manager.create("Queue", ()).unwrap();
    queue.call("put", ("hello world",)).unwrap();
    manager.shutdown();

    let restarted = SyncManager::new().with_address(address);
    restarted.start().unwrap();
    assert_eq!(restarted.number_of_objects().unwrap(), 0);
}

// cpython: _test_multiprocessing.py::TestInitializers::test_manager_initializer
#[test]
fn the_process_first_calls_the_initializer() {
    fn initialize(prefix: String) {
        Prefixed::set(prefix);
    }
    let mut manager = BaseManager::new();
    manager.register("Prefixed", |_| Ok(Arc::new(Prefixed)));
    manager.start_with(initialize, ("x".to_string(),)).unwrap();
    let prefixed = manager.create("Prefixed", ()).unwrap();
    let text = prefixed.call("prefix", ()).unwrap();
    assert_eq!(text, Object::from("x"));

    fn fail(_: u8) -> Result<(), std::num::ParseIntError> {
        "x".parse::<i32>().map(drop)
    }
    let error = BaseManager::new().start_with(fail, (0,)).unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("invalid digit"), "{text}");
}

#[test]
fn a_dropped_manager_s_process_ends_and_leaves_no_socket() {
    let manager = manager().unwrap();
    let Some(Address::Unix(path)) = manager.address() else {
        panic!("a Unix socket")
    };
    assert!(path.exists());
    let pid = server_pid(&manager);
    drop(manager);
    assert!(!path.exists() && !path.parent().unwrap().exists());
    assert!(kill(pid, None).is_err(), "the process is gone");
}

#[test]
fn a_server_that_does_not_end_is_killed() {
    let manager = SyncManager::new().with_shutdown_timeout(0.05);
    manager.start().unwrap();
    let Some(Address::Unix(path)) = manager.address() else {
        panic!("a Unix socket")
    };
    let pid = server_pid(&manager);
    kill(pid, Signal::SIGSTOP).unwrap();
    manager.shutdown();
    assert!(kill(pid, None).is_err(), "the process is gone");
    assert!(!path.exists());
    manager.shutdown();
}

#[test]
fn ctrl_c_is_left_to_the_parent() {
    let manager = manager().unwrap();
    kill(server_pid(&manager), Signal::SIGINT).unwrap();
    manager.dict().unwrap().insert(1, 2).unwrap();
    assert_eq!(manager.number_of_objects().unwrap(), 0);
}

#[test]
fn a_manager_waits_to_be_started() {
    let manager = SyncManager::new();
    assert_eq!(manager.address(), None);
    assert_eq!(format!("{manager:?}"), "<SyncManager initial>");
    assert!(matches!(manager.connect(), Err(Error::Value(_))));
    manager.shutdown();
    manager.join(None).unwrap();
    let used = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| manager.dict().map(drop)));
    let panic = used.unwrap_err();
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or(panic.downcast_ref::<&str>().copied());
    assert_eq!(message, Some("server not yet started"));
}

/// The process of a manager's server.
fn server_pid(manager: &BaseManager) -> Pid {
    let pid = manager.process().unwrap().pid().unwrap();
    Pid::from_raw(pid as i32)
}
