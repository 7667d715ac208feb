//! Clients that die or do harm: the server goes on, and nobody else notices.

use std::sync::Arc;
use std::time::Duration;

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::{Connection, client};
use hilos::multiprocessing::managers::{RemoteManager, Server, SyncManager};
use hilos::pickle::{Dict, Object, Tuple, dumps, loads};
use hilos::queue::Queue;
use hilos::threading::{Condition, Lock, RLock};
use nix::sys::signal::Signal;

use crate::program::Program;
use crate::python;
use crate::serving::{KEY, PREAMBLE, Serving};
use crate::support::{LONG, wait_until};

/// Runs a script that has `m`, a manager that is connected, with one Python after the other.
pub(crate) fn with_each_client(serving: &Serving, script: &str, mut test: impl FnMut(Program)) {
    let script = format!("{PREAMBLE}\n{script}");
    let args = [&*serving.server.address().to_string(), KEY];
    for python in python::oldest_and_newest() {
        test(python::start_with(&python, &script, &args));
    }
}

pub(crate) fn kill(mut client: Program) {
    client.signal(Signal::SIGKILL);
    client.rest();
}

pub(crate) fn connect(serving: &Serving) -> RemoteManager {
    let address = serving.server.address().clone();
    let manager = RemoteManager::connect(address, KEY.as_bytes()).unwrap();
    manager.with_timeout(LONG)
}

#[test]
fn a_killed_client_s_references_are_taken_back() {
    let serving = Serving::start(|_| {});
    let manager = connect(&serving);
    let ours = manager.list([1]).unwrap();
    let script = "
d, l = m.dict(), m.list([[1]])
l.append(d)
inner = l[1]
thread = threading.Thread(target=lambda: m.Queue().get(), daemon=True)
thread.start()
while m._number_of_objects() < 4: pass
print('says', 'ready', flush=True)
sys.stdin.read()
";
    with_each_client(&serving, script, |mut client| {
        assert_eq!(client.line(), "ready");
        assert!(manager.number_of_objects().unwrap() >= 4);
        kill(client);
        // One of its threads still waits for an item, in the server.
        wait_until("the end of its objects", || {
            manager.number_of_objects().unwrap() == 1
        });
        assert_eq!(ours.to_vec().unwrap(), [1], "others keep theirs");
    });
}

#[test]
fn a_forked_child_keeps_what_its_parent_had() {
    let serving = Serving::start(|_| {});
    let manager = connect(&serving);
    let script = "
import os
l = m.list([1])
l.append(2)
if os.fork():
    os._exit(0)
print('says', 'ready', flush=True)
sys.stdin.readline()
print('says', l, flush=True)
";
    with_each_client(&serving, script, |mut client| {
        assert_eq!(client.line(), "ready");
        for _ in 0..20 {
            manager.number_of_objects().unwrap();
        }
        client.go_on();
        assert_eq!(client.line(), "[1, 2]");
    });
}

#[test]
fn a_lock_of_a_killed_client() {
    let (lock, rlock) = (Arc::new(Lock::new()), Arc::new(RLock::new()));
    let condition = Arc::new(Condition::new(RLock::new()));
    let shared = (lock.clone(), rlock.clone(), condition.clone());
    let serving = Serving::start(|server| {
        let (lock, rlock, condition) = shared;
        server.register("get_lock", move |_| Ok(lock.clone()));
        server.register("get_rlock", move |_| Ok(rlock.clone()));
        server.register("get_condition", move |_| Ok(condition.clone()));
    });
    let script = "
from multiprocessing.managers import AcquirerProxy
for name in 'get_lock', 'get_rlock', 'get_condition':
    Manager.register(name, proxytype=AcquirerProxy)
lock, rlock, condition = m.get_lock(), m.get_rlock(), m.get_condition()
print('says', lock.acquire(), rlock.acquire(), rlock.acquire(), condition.acquire(), flush=True)
sys.stdin.read()
";
    let manager = connect(&serving);
    let acquire = |name: &str| {
        let proxy = manager.create(name, ()).unwrap();
        let acquired = proxy.call("acquire", (true, LONG)).unwrap().is_true();
        acquired.then(|| proxy.call("release", ()).unwrap())
    };
    with_each_client(&serving, script, |mut client| {
        assert_eq!(client.line(), "True True True True");
        assert!(lock.locked() && rlock.locked() && condition.locked());
        let theirs = manager.create("get_rlock", ()).unwrap();
        assert!(!theirs.call("acquire", (false,)).unwrap().is_true());
        kill(client);
        // Nobody else could release what was its thread's.
        assert!(acquire("get_rlock").is_some());
        assert!(acquire("get_condition").is_some());
        // A plain lock is anybody's, and stays as it is in CPython until somebody releases it.
        assert!(lock.locked());
        let theirs = manager.create("get_lock", ()).unwrap();
        theirs.call("release", ()).unwrap();
        assert!(acquire("get_lock").is_some());
    });
}

#[test]
fn a_client_that_is_killed_while_it_waits() {
    let queue = Arc::new(Queue::<Object>::new(0));
    let shared = queue.clone();
    let serving = Serving::start(|server| {
        server.register("get_queue", move |_| Ok(shared.clone()));
    });
    let script = "
Manager.register('get_queue')
q = m.get_queue()
q.qsize()
receive = multiprocessing.connection.Connection.recv
def awaited(connection):
    print('says', 'it has asked', flush=True)
    return receive(connection)
multiprocessing.connection.Connection.recv = awaited
q.get()
";
    let manager = connect(&serving);
    let theirs = manager.create("get_queue", ()).unwrap();
    let mut killed = 0;
    with_each_client(&serving, script, |mut client| {
        assert_eq!(client.line(), "it has asked");
        kill(client);
        killed += 1;
    });
    // CPython's server gives the first items to those who are gone.
    for item in 0..=killed {
        theirs.call("put", (item,)).unwrap();
    }
    for item in 0..=killed {
        let got = theirs.call("get", (true, LONG)).unwrap();
        assert_eq!(i64::try_from(&got).unwrap(), item);
    }
}

/// A server in a process of its own, whose memory is looked at.
pub(crate) struct Watched {
    pub(crate) manager: SyncManager,
}

impl Watched {
    pub(crate) fn start() -> Self {
        let manager = SyncManager::new().with_authkey(KEY.as_bytes());
        manager.start().unwrap();
        Self { manager }
    }

    /// How much memory it has had at most, in KiB.
    pub(crate) fn peak(&self) -> u64 {
        let pid = self.manager.process().unwrap().pid().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let number = line.unwrap().split_whitespace().nth(1).unwrap();
        number.parse().unwrap()
    }

    fn connection(&self) -> Connection {
        let address = self.manager.address().unwrap();
        client(address, Some(KEY.as_bytes())).unwrap()
    }

    /// The name of a new list of these items.
    pub(crate) fn list(&self, items: Object) -> String {
        let (kind, value) = exchange(
            &self.connection(),
            &request(None, "create", ("list", items)),
        );
        assert_eq!(kind, "#RETURN");
        Tuple::try_from(&value).unwrap()[0].to_string()
    }

    /// A connection on which calls are served.
    pub(crate) fn session(&self) -> Connection {
        let connection = self.connection();
        let reply = exchange(&connection, &request(None, "accept_connection", ("name",)));
        assert_eq!(reply.0, "#RETURN");
        connection
    }
}

pub(crate) fn exchange(connection: &Connection, request: &[u8]) -> (String, Object) {
    connection.send_bytes(request).unwrap();
    assert!(connection.poll(3.0 * LONG).unwrap(), "no reply");
    loads(&connection.recv_bytes().unwrap()).unwrap()
}

pub(crate) fn request<A: Into<Object>>(ident: Option<&str>, method: &str, args: A) -> Vec<u8> {
    let ident = ident.map_or(Object::None, Object::from);
    dumps(&Object::from((ident, method, args, Dict::new()))).unwrap()
}

pub(crate) const MIB: u64 = 1024;

#[test]
fn what_is_announced_takes_no_memory() {
    let watched = Watched::start();
    let ours = watched.manager.list([1]).unwrap();
    let before = watched.peak();
    let bombs: [&[u8]; 8] = [
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04\x8b\xff\xff\xff\x7fabc",
        b"\x80\x04\x8b\xff\xff\xff\xffabc",
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc",
        b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\x00\x00abc",
        b"\x80\x04Np99999999999999\n0g99999999999999\n.",
        b"\x80\x04]r\xff\xff\xff\xff(K\x01e.",
    ];
    let session = watched.session();
    for bomb in bombs {
        let (kind, text) = exchange(&session, bomb);
        assert_eq!(kind, "#TRACEBACK", "{text}");
    }
    // Lengths of messages: 2^63, and others that nobody ever sends.
    let lengths: [&[u8]; 5] = [
        b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0",
        b"\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\0\0\x10\0\0\0\0\0",
        b"\x7f\xff\xff\xff",
        b"\xff\xff\xff\xfe",
    ];
    let liars: Vec<_> = lengths.iter().map(|length| lie(&watched, length)).collect();
    assert_eq!(ours.to_vec().unwrap(), [1], "others go on");
    let grown = watched.peak() - before;
    assert!(grown < 64 * MIB, "{grown} KiB");
    drop(liars);
}

/// A session that sends a length and nothing more.
fn lie(watched: &Watched, length: &[u8]) -> Connection {
    let session = watched.session();
    let fd = session.fileno().unwrap();
    let written = nix::sys::socket::send(fd, length, nix::sys::socket::MsgFlags::empty());
    assert_eq!(written.unwrap(), length.len());
    session
}

#[test]
fn a_small_value_of_endless_text() {
    let watched = Watched::start();
    let mut tuple = Object::from(Tuple::new());
    for _ in 0..64 {
        tuple = Object::from((tuple.clone(), tuple));
    }
    let (session, ident) = (watched.session(), watched.list(Tuple::new().into()));
    let reply = exchange(&session, &request(Some(&ident), "append", (tuple,)));
    assert_eq!(reply.0, "#RETURN");
    let before = watched.peak();
    let (kind, text) = exchange(&session, &request(Some(&ident), "__repr__", Tuple::new()));
    assert_eq!(kind, "#UNSERIALIZABLE");
    let text = text.to_string();
    assert!(
        text.contains("RuntimeError: the text is longer than 16 MiB"),
        "{text}"
    );
    watched.manager.debug_info().unwrap();
    let (kind, _) = exchange(&session, &request(Some(&ident), "pop", Tuple::new()));
    assert_eq!(kind, "#RETURN", "it is still a value");
    let grown = watched.peak() - before;
    assert!(grown < 200 * MIB, "{grown} KiB");
}

#[test]
fn who_does_not_read_keeps_nobody_waiting() {
    let watched = Watched::start();
    let ident = watched.list(vec!["x".repeat(1 << 18)].into());
    let list = watched.manager.list([1]).unwrap();
    let before = watched.peak();
    let slow: Vec<_> = (0..8).map(|_| watched.session()).collect();
    let get = request(Some(&ident), "__getitem__", (0,));
    for session in &slow {
        for _ in 0..200 {
            session.send_bytes(&get).unwrap();
        }
    }
    // What they asked for is not made before they take it.
    for _ in 0..20 {
        assert_eq!(list.len().unwrap(), 1);
    }
    let grown = watched.peak() - before;
    assert!(grown < 100 * MIB, "{grown} KiB");
    for _ in 0..50 {
        let reply: (String, Object) = loads(&slow[0].recv_bytes().unwrap()).unwrap();
        assert_eq!(reply.0, "#RETURN");
    }
}

#[test]
fn a_handshake_that_nobody_finishes_ends() {
    let watched = Watched::start();
    let address = watched.manager.address().unwrap();
    let silent: Vec<_> = (0..50)
        .map(|_| client(address.clone(), None).unwrap())
        .collect();
    let list = watched.manager.list([1]).unwrap();
    assert_eq!(list.to_vec().unwrap(), [1], "others go on");
    for connection in &silent {
        let challenge = connection.recv_bytes().unwrap();
        assert!(challenge.starts_with(b"#CHALLENGE#{sha256}"));
        let end = connection.recv_timeout::<u8, _>(Duration::from_secs(2 * LONG as u64));
        assert!(matches!(end, Err(Error::Eof)), "{end:?}");
    }
    assert_eq!(list.to_vec().unwrap(), [1]);
}

#[test]
fn hundreds_of_clients_at_once() {
    let serving = Serving::start(|_: &Server| {});
    let manager = connect(&serving);
    let value = manager.value("i", 0_i64).unwrap();
    let (lock, start) = (manager.lock().unwrap(), manager.barrier(256).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..256 {
            scope.spawn(|| {
                start.wait(LONG).unwrap();
                for _ in 0..4 {
                    lock.acquire().unwrap();
                    value.set(value.get().unwrap() + 1).unwrap();
                    lock.release().unwrap();
                }
            });
        }
    });
    assert_eq!(value.get().unwrap(), 4 * 256);
}
