//! Calls of objects of any type.

use std::collections::BTreeMap;

use hilos::multiprocessing::Error;
use hilos::multiprocessing::managers::{Proxy, RemoteError, RemoteManager, Reply};
use hilos::pickle::Object;

use super::server::{AUTHKEY, Python, with_each, with_newest};

fn account(manager: &RemoteManager) -> Proxy {
    manager.create("Account", (100,)).unwrap()
}

#[test]
fn a_method_is_called_in_the_server() {
    with_each(|manager| {
        let account = account(manager);
        account.call("deposit", (20,)).unwrap();
        assert_eq!(account.call_as::<i64, _>("get", ()).unwrap(), 120);
        let kwargs = BTreeMap::from([("a", 1)]);
        let reply = account.call_with("describe", ("x", 2), kwargs).unwrap();
        let Reply::Value(text) = reply else {
            panic!("a value")
        };
        assert_eq!(text, Object::from("(('x', 2), {'a': 1})"));
    });
}

#[test]
fn an_exception_comes_back_by_its_type() {
    with_newest(|manager| {
        let account = account(manager);
        let fail = |kind: &str| account.call("fail", (kind, "text")).unwrap_err();
        assert!(matches!(fail("KeyError"), RemoteError::Key(key) if key == Object::from("text")));
        assert!(matches!(fail("ValueError"), RemoteError::Value(text) if text == "text"));
        assert!(matches!(fail("IndexError"), RemoteError::Index(text) if text == "text"));
        let other = fail("zlib.error");
        assert_eq!(format!("{other:?}"), "error: text");
        let os = account
            .call("fail", ("OSError", 2, "gone", "f"))
            .unwrap_err();
        assert_eq!(format!("{os:?}"), "FileNotFoundError: [Errno 2] gone: 'f'");
        assert_eq!(
            account.call_as::<i64, _>("get", ()).unwrap(),
            100,
            "it goes on"
        );
    });
}

#[test]
fn what_the_server_refuses_is_told() {
    with_each(|manager| {
        let account = account(manager);
        let hidden = account.call("hidden", ()).unwrap_err();
        assert!(
            matches!(&hidden, RemoteError::Traceback(text) if text.contains("is not in exposed"))
        );
        let unpicklable = account.call("unpicklable", ()).unwrap_err();
        assert!(matches!(unpicklable, RemoteError::Unserializable(_)));
        let unknown = manager.create("Unknown", ()).unwrap_err();
        assert!(matches!(unknown, RemoteError::Traceback(_)));
        let text: Result<String, _> = account.call_as("get", ());
        assert!(matches!(text, Err(RemoteError::Conversion(_))));
        assert_eq!(
            account.call_as::<i64, _>("get", ()).unwrap(),
            100,
            "it goes on"
        );
    });
}

#[test]
fn a_result_may_stay_in_the_server() {
    with_each(|manager| {
        let child = account(manager).call_proxy("child", ()).unwrap();
        assert_eq!(child.token().typeid, "Child");
        assert_eq!(child.call_as::<i64, _>("get", ()).unwrap(), 7);
        let value = child.call_proxy("get", ()).unwrap_err();
        assert!(matches!(value, RemoteError::Conversion(_)));
    });
}

#[test]
fn the_last_proxy_frees_the_object() {
    with_each(|manager| {
        let before = manager.number_of_objects().unwrap();
        let account = account(manager);
        let clone = account.clone();
        assert_eq!(manager.number_of_objects().unwrap(), before + 1);
        drop(account);
        assert_eq!(clone.call_as::<i64, _>("get", ()).unwrap(), 100);
        drop(clone);
        assert_eq!(manager.number_of_objects().unwrap(), before);
    });
}

#[test]
fn a_wrong_key_is_refused() {
    let Some(server) = Python::start() else {
        return;
    };
    let error = RemoteManager::connect(server.address.clone(), b"wrong").unwrap_err();
    assert!(matches!(
        error,
        RemoteError::Connection(Error::Authentication(_))
    ));
    RemoteManager::connect(server.address.clone(), AUTHKEY).unwrap();
}
