//! Servers that are gone, slow or others than before.

use std::time::{Duration, Instant};

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::{Address, Listener};
use hilos::multiprocessing::managers::{RemoteError, RemoteManager};

use super::server::{AUTHKEY, Python, with_newest};

#[test]
fn nobody_listens() {
    let error = RemoteManager::connect("/no/such/socket", AUTHKEY).unwrap_err();
    assert!(
        matches!(error, RemoteError::Connection(Error::Os(_))),
        "{error:?}"
    );
    assert!(error.is_connection());
}

#[test]
fn a_server_that_is_gone_is_told_from_one_that_is_new() {
    let Some(server) = Python::start_inet() else {
        return;
    };
    let Address::Inet(_, port) = server.address else {
        panic!("a port")
    };
    let manager = server.connect();
    let list = manager.list([1_i64]).unwrap();
    assert_eq!(list.len().unwrap(), 1);
    drop(server);
    let error = list.len().unwrap_err();
    assert!(matches!(error, RemoteError::Connection(_)), "{error:?}");
    let error = list.len().unwrap_err();
    assert!(
        matches!(error, RemoteError::Connection(Error::Os(_))),
        "{error:?}"
    );
    let Some(server) = Python::start_at_port(port) else {
        return;
    };
    assert_eq!(
        manager.list([1, 2]).unwrap().len().unwrap(),
        2,
        "it is found again"
    );
    let error = list.len().unwrap_err();
    assert!(matches!(error, RemoteError::Stale(_)), "{error:?}");
    drop(server);
}

#[test]
fn an_object_that_is_gone_is_stale() {
    with_newest(|manager| {
        let list = manager.list([1_i64]).unwrap();
        let object = hilos::pickle::Object::from(&list);
        drop(list);
        let error = hilos::multiprocessing::managers::Proxy::from_object(&object).unwrap_err();
        assert!(matches!(error, RemoteError::Stale(_)), "{error:?}");
        manager.list([1]).unwrap();
    });
}

#[test]
fn a_call_ends_in_time() {
    with_newest(|manager| {
        let account = manager.create("Account", (1,)).unwrap();
        let hasty = account.with_timeout(0.1);
        let error = hasty.call("sleep", (0.5,)).unwrap_err();
        assert!(matches!(error, RemoteError::Unanswered), "{error:?}");
        // The late answer is not taken for this one's.
        assert_eq!(account.call_as::<i64, _>("get", ()).unwrap(), 1);
    });
}

#[test]
fn a_server_that_stands_still_is_not_waited_for() {
    let Some(server) = Python::start() else {
        return;
    };
    let manager = server.connect();
    let list = manager.list([7_i64]).unwrap();
    list.len().unwrap();
    let hasty = list.with_timeout(0.2);
    server.stand_still();
    let start = Instant::now();
    let waits = [
        hasty.len().map(drop),
        // The connection is a new one, and this more than the system buffers.
        hasty.extend(vec![7; 1 << 20]),
        manager.with_timeout(0.2).list([1]).map(drop),
    ];
    let took = start.elapsed();
    server.go_on();
    for wait in waits {
        assert!(matches!(wait, Err(RemoteError::Unanswered)), "{wait:?}");
    }
    assert!(took >= Duration::from_millis(600));
    assert_eq!(list.get(0).unwrap(), 7, "it goes on");
}

#[test]
fn a_long_request_is_not_waited_for_either() {
    let Some(server) = Python::start() else {
        return;
    };
    let list = server.connect().list([1_i64]).unwrap();
    list.len().unwrap();
    server.stand_still();
    let error = list.with_timeout(0.2).extend(vec![7; 1 << 20]).unwrap_err();
    server.go_on();
    assert!(matches!(error, RemoteError::Unanswered), "{error:?}");
}

/// Whatever is at the address that does not speak.
#[test]
fn a_silent_listener_is_not_waited_for() {
    let listener = Listener::new(None).unwrap();
    let Some(server) = Python::start() else {
        return;
    };
    drop(server);
    let start = Instant::now();
    let manager = RemoteManager::connect_timeout(listener.address().clone(), AUTHKEY, 0.2);
    assert!(matches!(manager, Err(RemoteError::Unanswered)));
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[test]
fn nonsense_is_an_error() {
    let listener = Listener::new(None).unwrap().with_authkey(AUTHKEY);
    let address = listener.address().clone();
    let server = std::thread::spawn(move || {
        for answer in [&b"nonsense"[..], b"", b"N.", b"(lp0\n."] {
            let connection = listener.accept().unwrap();
            connection.recv_bytes().unwrap();
            connection.send_bytes(answer).unwrap();
        }
    });
    for _ in 0..4 {
        let error = RemoteManager::connect(address.clone(), AUTHKEY).unwrap_err();
        assert!(matches!(error, RemoteError::Conversion(_)), "{error:?}");
    }
    server.join().unwrap();
}
