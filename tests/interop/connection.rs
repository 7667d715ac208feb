//! `Listener` and `Client`, one of hilos's and one of CPython's.

use std::sync::atomic::{AtomicU32, Ordering};

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::{Address, Connection, Family, Listener, client};
use hilos::pickle::{Object, dumps, loads};

use crate::program::Program;
use crate::python;
use crate::support::LONG;

const COMMON: &str = r#"
import ast, faulthandler, sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener, wait
faulthandler.dump_traceback_later(100, exit=True)
address, key = ast.literal_eval(sys.argv[1]), sys.argv[2].encode()

def talk(connection):
    """Sends back bytes, except that `objects` has it go on with objects."""
    try:
        while (message := connection.recv_bytes()) != b'objects':
            assert not connection.poll(0)
            connection.send_bytes(message)
        while True:
            connection.send((connection.recv(), connection.fileno() > 0))
    except EOFError:
        print('says bye', flush=True)
"#;

const CALLER: &str = r#"
try:
    with Client(address, authkey=key) as connection:
        talk(connection)
except AuthenticationError as error:
    print('says', error, flush=True)
"#;

const LISTENER: &str = r#"
with Listener(address, authkey=key) as listener:
    print('says', repr(listener.address), flush=True)
    try:
        with listener.accept() as connection:
            talk(connection)
    except AuthenticationError as error:
        print('says', error, flush=True)
"#;

fn script(rest: &str) -> String {
    format!("{COMMON}\n{rest}")
}

/// Messages of every form, there and back.
fn check(connection: &Connection) {
    for length in [0, 1, 2, 1000, 16_384, 16_385, 65_536, 3_000_000] {
        let message: Vec<u8> = (0..length).map(|place| place as u8).collect();
        connection.send_bytes(&message).unwrap();
        assert!(connection.poll(LONG).unwrap());
        assert!(connection.recv_bytes().unwrap() == message, "{length}");
    }
    connection.send_bytes(b"objects").unwrap();
    for object in [
        Object::from("ñ"),
        Object::None,
        vec![1, 2].into(),
        (1.5, &b"x"[..]).into(),
    ] {
        connection.send_bytes(&dumps(&object).unwrap()).unwrap();
        let (back, flag): (Object, bool) = loads(&connection.recv_bytes().unwrap()).unwrap();
        assert_eq!((back, flag), (object, true));
    }
    connection.close();
}

/// An address of each kind, with a name of its own.
fn addresses() -> [Address; 3] {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (pid, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let name = format!("\0hilos-interop-{pid}-{count}");
    [
        Address::from(("127.0.0.1", 0)),
        Address::arbitrary(Family::Unix).unwrap(),
        Address::from(name.as_str()),
    ]
}

fn say_bye(mut program: Program) {
    assert_eq!(program.line(), "bye");
    let (status, errors) = program.finish();
    assert!(status.success(), "{errors}");
}

// cpython: _test_multiprocessing.py::_TestListenerClient::test_listener_client
// cpython: _test_multiprocessing.py::_TestListener::test_abstract_socket
// cpython: _test_multiprocessing.py::_TestListener::test_empty_authkey
#[test]
fn cpython_calls_a_listener() {
    for python in python::oldest_and_newest() {
        for (address, key) in addresses().into_iter().zip(["secret", "", "another"]) {
            let listener = Listener::new(address).unwrap().with_authkey(key.as_bytes());
            let address = listener.address().to_string();
            let caller = python::start_with(&python, &script(CALLER), &[&address, key]);
            check(&listener.accept_timeout(LONG).unwrap());
            say_bye(caller);
        }
    }
}

// cpython: _test_multiprocessing.py::_TestListenerClient::test_issue14725
#[test]
fn cpython_s_listener_is_called() {
    for python in python::oldest_and_newest() {
        for (address, key) in addresses().into_iter().zip(["secret", "k", "another"]) {
            let args = [&*address.to_string(), key];
            let mut listener = python::start_with(&python, &script(LISTENER), &args);
            check(&client(listening(&listener.line()), Some(key.as_bytes())).unwrap());
            say_bye(listener);
            if let Address::Unix(path) = address {
                std::fs::remove_dir(path.parent().unwrap()).unwrap();
            }
        }
    }
}

/// The address that Python names so.
fn listening(line: &str) -> Address {
    let inner = line.trim_matches(['(', ')', 'b', '\'']);
    match (inner.split_once("', "), inner.strip_prefix("\\x00")) {
        (Some((host, port)), _) => (host, port.parse().unwrap()).into(),
        (_, Some(name)) => format!("\0{name}").as_str().into(),
        _ => inner.into(),
    }
}

// cpython: _test_multiprocessing.py::OtherTest::test_deliver_challenge_auth_failure
#[test]
fn a_wrong_key_is_said_by_both() {
    for python in python::oldest_and_newest() {
        let listener = Listener::new(None).unwrap().with_authkey(b"right");
        let address = listener.address().to_string();
        let mut caller = python::start_with(&python, &script(CALLER), &[&address, "wrong"]);
        let error = listener.accept_timeout(LONG).unwrap_err();
        assert_eq!(
            format!("{error:?}"),
            "AuthenticationError: digest received was wrong"
        );
        assert_eq!(caller.line(), "digest sent was rejected");

        let args = ["('127.0.0.1', 0)", "right"];
        let mut listener = python::start_with(&python, &script(LISTENER), &args);
        let error = client(listening(&listener.line()), Some(b"wrong")).unwrap_err();
        assert!(matches!(error, Error::Authentication(_)), "{error:?}");
        assert_eq!(error.to_string(), "digest sent was rejected");
        assert_eq!(listener.line(), "digest received was wrong");
    }
}
