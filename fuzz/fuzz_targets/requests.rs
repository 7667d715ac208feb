//! Whatever a client sends that knows the key, the server replies to it in time, and goes on.

#![no_main]

use std::cell::RefCell;
use std::sync::Arc;
use std::thread::JoinHandle;

use hilos_multiprocessing::connection::{Connection, client};
use hilos_multiprocessing::managers::{
    Array, Namespace, RemoteManager, Server, SyncManager, Value,
};
use hilos_pickle::{Dict, List, Object, Set, dumps, loads};
use libfuzzer_sys::fuzz_target;

/// Between the messages of an input.
const SEPARATOR: &[u8] = b"\xff\xff\xff\xff";

/// So many inputs one server gets, if they do not change which objects it has.
const LONGEST_LIFE: usize = 1000;

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

// The first byte says whether a function of the server is called, or methods of objects.
fuzz_target!(|data: &[u8]| {
    let Some((first, messages)) = data.split_first() else {
        return;
    };
    HOST.with_borrow_mut(|host| {
        let serving = host.get_or_insert_with(Host::new);
        serving.send(first % 2 == 0, messages);
        serving.clear();
        if serving.inputs == LONGEST_LIFE || changes_objects(messages) {
            *host = None;
        }
    });
});

fn changes_objects(messages: &[u8]) -> bool {
    let names = [
        &b"create"[..],
        b"ref",
        b"shutdown",
        b"__iter__",
        b"__reversed__",
    ];
    let named = |name: &&[u8]| messages.windows(name.len()).any(|window| window == *name);
    names.iter().any(named)
}

/// A server with an object of each kind whose methods do not wait, named 1, 2, 3 and so on.
struct Host {
    server: Server,
    thread: Option<JoinHandle<()>>,
    list: Arc<List>,
    dict: Arc<Dict>,
    set: Arc<Set>,
    inputs: usize,
}

impl Host {
    fn new() -> Self {
        let server = SyncManager::new()
            .with_authkey(b"secret")
            .get_server()
            .unwrap();
        let (list, dict, set) = <(Arc<List>, Arc<Dict>, Arc<Set>)>::default();
        let host = (list.clone(), dict.clone(), set.clone());
        server.register("1", move |_| Ok(host.0.clone()));
        server.register("2", move |_| Ok(host.1.clone()));
        server.register("3", move |_| Ok(host.2.clone()));
        server.register("4", |_| Ok(Arc::new(Namespace::new())));
        server.register("5", |_| Ok(Arc::new(Value::new("i", 0))));
        server.register("6", |_| Array::new("i", 0..4).map(Arc::new));
        let serving = server.clone();
        let thread = std::thread::spawn(move || serving.serve_forever());
        let manager = RemoteManager::connect(server.address().clone(), b"secret").unwrap();
        for number in 1..=6 {
            let proxy = manager.create(&number.to_string(), ()).unwrap();
            assert_eq!(proxy.token().id, number.to_string());
            // The reference stays the server's.
            std::mem::forget(proxy);
        }
        Self {
            server,
            thread: Some(thread),
            list,
            dict,
            set,
            inputs: 0,
        }
    }

    fn send(&mut self, methods: bool, messages: &[u8]) {
        self.inputs += 1;
        let connection = client(self.server.address().clone(), Some(b"secret")).unwrap();
        if methods {
            let begin = Object::from((Object::None, "accept_connection", ("fuzz",), Dict::new()));
            connection.send_bytes(&dumps(&begin).unwrap()).unwrap();
            reply(&connection).expect("served");
        }
        for message in split(messages) {
            // One that says nothing is a farewell.
            if connection.send_bytes(message).is_err() || reply(&connection).is_none() {
                return;
            }
        }
    }

    fn clear(&self) {
        self.list.clear();
        self.dict.clear();
        self.set.clear();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.server.stop();
        self.thread.take().map(JoinHandle::join);
    }
}

fn split(mut messages: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let at = |rest: &[u8]| rest.windows(4).position(|window| window == SEPARATOR);
    while let Some(end) = at(messages) {
        found.push(&messages[..end]);
        messages = &messages[end + SEPARATOR.len()..];
    }
    found.push(messages);
    found
}

/// The kind of the reply; nothing if the server has hung up.
fn reply(connection: &Connection) -> Option<String> {
    assert!(connection.poll(20).unwrap(), "no reply");
    let bytes = connection.recv_bytes().ok()?;
    let (kind, _value): (String, Object) = loads(&bytes).expect("a reply");
    let kinds = [
        "#RETURN",
        "#ERROR",
        "#TRACEBACK",
        "#UNSERIALIZABLE",
        "#PROXY",
    ];
    assert!(kinds.contains(&&*kind), "{kind}");
    Some(kind)
}
