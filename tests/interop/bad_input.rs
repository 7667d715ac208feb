//! What is asked of a manager that it cannot do: CPython's exception by type and wording, from either
//! side, over a connection that stays usable.

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::Address;
use hilos::multiprocessing::managers::{
    DictProxy, ListProxy, Proxy, RemoteError, RemoteManager, Server, SyncManager,
};
use hilos::pickle::Object;

use crate::program::Program;
use crate::python;
use crate::serving::{KEY, Serving};
use crate::support::LONG;

/// A manager of CPython's, until its standard input is closed.
const SERVER: &str = "
import os, sys, threading, multiprocessing
from multiprocessing.managers import SyncManager
multiprocessing.current_process().authkey = sys.argv[1].encode()
server = SyncManager(('127.0.0.1', 0), authkey=sys.argv[1].encode()).get_server()
print('says', server.address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.read(0, 1)
os._exit(0)
";

/// Tests with managers of hilos's and of CPython's.
fn with_all(test: impl Fn(&RemoteManager, Address)) {
    let serving = Serving::start(|_: &Server| {});
    let address = serving.server.address().clone();
    test(&connect(address.clone()), address);
    for python in python::oldest_and_newest() {
        let mut program: Program = python::start_with(&python, SERVER, &[KEY]);
        let address = Address::from(("127.0.0.1", program.line().parse().unwrap()));
        test(&connect(address.clone()), address);
    }
}

fn connect(address: Address) -> RemoteManager {
    let manager = RemoteManager::connect(address, KEY.as_bytes()).unwrap();
    manager.with_timeout(LONG)
}

#[test]
fn a_wrong_key_tells_nothing_more() {
    with_all(|manager, address| {
        let error = RemoteManager::connect(address.clone(), b"wrong").unwrap_err();
        let RemoteError::Connection(error) = error else {
            panic!("{error:?}")
        };
        let text = "AuthenticationError: digest sent was rejected";
        assert_eq!(format!("{error:?}"), text);
        let wrong = SyncManager::new().with_address(address).with_authkey(b"");
        assert!(matches!(wrong.connect(), Err(Error::Authentication(_))));
        manager.list([1]).unwrap();
    });
}

/// The last line of a traceback.
fn last_line(error: &RemoteError) -> String {
    let RemoteError::Traceback(text) = error else {
        panic!("no traceback: {error:?}")
    };
    text.trim_end().lines().last().unwrap().to_owned()
}

#[test]
fn what_is_not_exposed_and_what_is_not_registered() {
    with_all(|manager, _| {
        let list: Proxy = manager.create("list", ([1],)).unwrap();
        let error = list.call("__class__", ()).unwrap_err();
        assert_eq!(last_line(&error), "KeyError: '__class__'");
        let RemoteError::Traceback(text) = &error else {
            panic!("{error:?}")
        };
        let begin =
            "AttributeError: method '__class__' of <class 'list'> object is not in exposed=";
        assert!(text.contains(begin), "{text}");

        let error = manager.create("nothing", ()).unwrap_err();
        assert_eq!(last_line(&error), "KeyError: 'nothing'");
        let error = manager.create("list", (5,)).unwrap_err();
        let text = "TypeError: 'int' object is not iterable";
        assert_eq!(last_line(&error), text);
        assert_eq!(list.call_as::<usize, _>("__len__", ()).unwrap(), 1);
    });
}

#[test]
fn an_object_that_is_gone() {
    with_all(|manager, _| {
        let list = manager.list([1]).unwrap();
        let object = Object::from(&list);
        drop(list);
        let error = Proxy::from_object(&object).unwrap_err();
        assert!(matches!(error, RemoteError::Stale(_)), "{error:?}");
        assert_eq!(error.name(), "RemoteError");
        manager.list([1]).unwrap();
    });
}

#[test]
fn values_that_do_not_fit() {
    with_all(|manager, _| {
        let made = manager.create("list", (["text"],)).unwrap();
        let (typed, list) = (
            ListProxy::<i64>::from(made.clone()),
            ListProxy::<Object>::from(made),
        );
        let error = typed.get(0).unwrap_err();
        assert!(matches!(error, RemoteError::Conversion(_)), "{error:?}");
        let error = list.get(7).unwrap_err();
        assert_eq!(format!("{error:?}"), "IndexError: list index out of range");

        let dict: DictProxy = manager.dict().unwrap();
        let error = dict.insert(Object::from(vec![1]), 1).unwrap_err();
        // Its wording has changed with the versions.
        let text = format!("{error:?}");
        assert!(
            text.starts_with("TypeError: unhashable type: 'list'"),
            "{text}"
        );
        let error = dict.get_item("no").unwrap_err();
        assert_eq!(format!("{error:?}"), "KeyError: 'no'");

        let numbers = manager.array("b", [1]).unwrap();
        let error = numbers.set(0, 1000).unwrap_err();
        let text = format!("{error:?}");
        assert!(
            text.starts_with("OverflowError: signed char is greater"),
            "{text}"
        );

        let lock = manager.lock().unwrap();
        let error = lock.release().unwrap_err();
        assert_eq!(format!("{error:?}"), "RuntimeError: release unlocked lock");
        assert_eq!(list.len().unwrap(), 1);
    });
}

/// The same from Python, to a manager at an address.
const SCRIPT: &str = "
import ast, sys, threading, multiprocessing
from multiprocessing import AuthenticationError
from multiprocessing.managers import RebuildProxy, RemoteError, SyncManager, ListProxy
address, key = ast.literal_eval(sys.argv[1]), sys.argv[2].encode()
multiprocessing.current_process().authkey = key

def attempt(action):
    try:
        action()
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip('-')]
        print('says', type(error).__name__, lines[-1] if lines else '', flush=True)
        return
    print('says', 'nothing', flush=True)

class Manager(SyncManager): pass
Manager.register('nothing')
attempt(SyncManager(address, b'wrong').connect)
m = Manager(address, key)
m.connect()
l, d, a = m.list(['text']), m.dict(), m.Array('b', [1])
attempt(lambda: l._callmethod('__class__'))
attempt(lambda: m.nothing())
attempt(lambda: m.list(5))
attempt(lambda: l[7])
attempt(lambda: d['no'])
attempt(lambda: a.__setitem__(0, 1000))
attempt(m.Lock().release)
attempt(lambda: l.append(threading.Lock()))
gone = m.list()
token = gone._token
del gone
attempt(lambda: ListProxy(token, 'pickle', authkey=key))
l.append(1)
print('says', l, flush=True)
";

#[test]
fn python_is_told_in_its_own_words() {
    let serving = Serving::start(|_: &Server| {});
    for python in python::oldest_and_newest() {
        let args = [&*serving.server.address().to_string(), KEY];
        let mut client = python::start_with(&python, SCRIPT, &args);
        let expected = [
            "AuthenticationError digest sent was rejected",
            "RemoteError KeyError: '__class__'",
            "RemoteError KeyError: 'nothing'",
            "RemoteError TypeError: 'int' object is not iterable",
            "IndexError list index out of range",
            "KeyError 'no'",
            "OverflowError signed char is greater than maximum",
            "RuntimeError release unlocked lock",
        ];
        for line in expected {
            assert_eq!(client.line(), line, "{python:?}");
        }
        // Its own pickle refuses the lock, before anything is sent.
        assert!(client.line().starts_with("TypeError "));
        assert!(client.line().starts_with("RemoteError KeyError: "));
        assert_eq!(client.line(), "['text', 1]", "the connection is usable");
    }
}
