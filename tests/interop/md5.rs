//! A side that refuses MD5: CPython 3.8, which knows nothing else, is turned away; 3.13 is not.

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::{Address, Listener, client_without_md5};
use hilos::multiprocessing::managers::{BaseManager, RemoteManager, SyncManager};

use crate::program::Program;
use crate::python;
use crate::serving::KEY;
use crate::support::LONG;

const CALLER: &str = r"
import ast, sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
try:
    with Client(ast.literal_eval(sys.argv[1]), authkey=sys.argv[2].encode()) as connection:
        connection.send_bytes(b'welcome')
        connection.recv_bytes()
        print('says', 'bye', flush=True)
except AuthenticationError as error:
    print('says', error, flush=True)
";

/// Asks for the digest of its third argument, if there is one.
const LISTENER: &str = r"
import sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener, answer_challenge, deliver_challenge
key = sys.argv[2].encode()
with Listener(None) as listener:
    print('says', listener.address, flush=True)
    with listener.accept() as connection:
        try:
            deliver_challenge(connection, key, *sys.argv[3:])
            answer_challenge(connection, key)
            print('says', connection.recv_bytes().decode(), flush=True)
        except AuthenticationError as error:
            print('says', error, flush=True)
";

const MANAGER: &str = r"
import sys
from multiprocessing.managers import SyncManager
manager = SyncManager(None, sys.argv[2].encode())
server = manager.get_server()
print('says', server.address, flush=True)
server.serve_forever()
";

/// A manager that makes a list in the server, and what its end is if it cannot.
const CLIENT: &str = r"
import ast, sys
from multiprocessing import AuthenticationError, current_process
from multiprocessing.managers import SyncManager
current_process().authkey = key = sys.argv[2].encode()
manager = SyncManager(ast.literal_eval(sys.argv[1]), key)
try:
    manager.connect()
    print('says', manager.list([1, 2]), flush=True)
except AuthenticationError as error:
    print('says', error, flush=True)
";

/// Runs a script with each Python, and says whether that one knows only MD5.
fn with_each(script: &str, args: &[&str], check: impl Fn(Program, bool)) {
    for python in python::oldest_and_newest() {
        let version = "import sys; print('says', sys.version_info < (3, 12))";
        let is_old = python::start_with(&python, version, &[]).line() == "True";
        check(python::start_with(&python, script, args), is_old);
    }
}

fn is_authentication(error: &Error) -> bool {
    matches!(error, Error::Authentication(_))
}

#[test]
fn a_listener() {
    let listener = Listener::new(None).unwrap();
    let listener = listener.with_md5(false).with_authkey(KEY.as_bytes());
    let address = listener.address().to_string();
    with_each(
        CALLER,
        &[&address, KEY],
        |mut caller, is_old| match listener.accept_timeout(LONG) {
            Ok(connection) => {
                assert!(!is_old);
                assert_eq!(connection.recv_bytes().unwrap(), b"welcome");
                connection.send_bytes(b"").unwrap();
                assert_eq!(caller.line(), "bye");
            }
            Err(error) => {
                assert!(is_old && is_authentication(&error), "{error:?}");
                let text = "the answer is by MD5, which is refused here";
                assert_eq!(error.to_string(), text);
                assert_eq!(caller.line(), "digest sent was rejected");
            }
        },
    );
}

#[test]
fn a_caller() {
    with_each(LISTENER, &["", KEY], |mut listener, is_old| {
        let address = Address::from(&*listener.line());
        match client_without_md5(address, KEY.as_bytes()) {
            Ok(connection) => {
                assert!(!is_old);
                connection.send_bytes(b"hello").unwrap();
                assert_eq!(listener.line(), "hello");
            }
            Err(error) => {
                assert!(is_old && is_authentication(&error), "{error:?}");
                assert_eq!(error.to_string(), "digest sent was rejected");
                assert_eq!(listener.line(), "digest received was wrong");
            }
        }
    });
}

/// CPython then takes SHA-256 as well.
#[test]
fn a_caller_that_is_asked_for_md5() {
    let Some(mut listener) = python::start(LISTENER, &["", KEY, "md5"]) else {
        return;
    };
    let address = Address::from(&*listener.line());
    let connection = client_without_md5(address, KEY.as_bytes()).unwrap();
    connection.send_bytes(b"hello").unwrap();
    assert_eq!(listener.line(), "hello");
}

#[test]
fn the_server_of_a_manager() {
    let manager = SyncManager::new()
        .with_authkey(KEY.as_bytes())
        .with_md5(false);
    manager.start().unwrap();
    assert_eq!(*manager.list([3]).unwrap().to_vec().unwrap(), [3]);
    let address = manager.address().unwrap().to_string();
    with_each(CLIENT, &[&address, KEY], |mut client, is_old| {
        let expected = if is_old {
            "digest sent was rejected"
        } else {
            "[1, 2]"
        };
        assert_eq!(client.line(), expected);
    });
}

#[test]
fn the_client_of_a_manager() {
    with_each(MANAGER, &["", KEY], |mut server, is_old| {
        let address = Address::from(&*server.line());
        let manager = BaseManager::new().with_address(address.clone());
        let manager = manager.with_md5(false).with_authkey(KEY.as_bytes());
        let connected = manager.connect();
        assert_eq!(connected.is_err(), is_old);
        assert!(connected.err().as_ref().is_none_or(is_authentication));
        let remote = RemoteManager::connect_without_md5(address, KEY.as_bytes());
        assert_eq!(remote.is_err(), is_old);
        if let Ok(remote) = remote {
            assert_eq!(remote.list([1]).unwrap().to_vec().unwrap(), [1]);
        }
        server.signal(nix::sys::signal::Signal::SIGTERM);
    });
}
