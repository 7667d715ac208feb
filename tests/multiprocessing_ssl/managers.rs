//! Managers whose connections are encrypted.

use std::thread::JoinHandle;

use hilos::multiprocessing::connection::{Address, pipe};
use hilos::multiprocessing::managers::{
    DictProxy, ListProxy, RemoteError, RemoteManager, Server, SyncManager,
};
use hilos::multiprocessing::{Error, Process, StartMethod};
use hilos::ssl::SslContext;

use crate::certificates::{believing, showing};
use crate::parties::{demanding, known, ssl_error};
use crate::support::LONG;

const KEY: &[u8] = b"secret";

/// A server in a thread of this process, until this is dropped.
struct Serving {
    server: Server,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    fn start(context: &SslContext) -> Self {
        let manager = SyncManager::new().with_address(("127.0.0.1", 0));
        let manager = manager.with_authkey(KEY).with_ssl(context);
        let server = manager.get_server().unwrap();
        let serving = server.clone();
        let thread = Some(std::thread::spawn(move || serving.serve_forever()));
        Self { server, thread }
    }

    fn connect(&self, context: &SslContext) -> Result<RemoteManager, RemoteError> {
        let address = self.server.address().clone();
        RemoteManager::connect_with_ssl(address, KEY, context)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.server.stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn use_it(manager: &RemoteManager) {
    let manager = manager.with_timeout(LONG);
    let outer: DictProxy<String, ListProxy<i64>> = manager.dict_of().unwrap();
    outer
        .insert("inner", manager.list([1, 2]).unwrap())
        .unwrap();
    // Whoever hears of an object goes the same way to it.
    let inner = outer.get("inner").unwrap().unwrap();
    inner.extend(vec![7; 100_000]).unwrap();
    assert_eq!(inner.len().unwrap(), 100_002);
    let (queue, event) = (manager.queue::<i64>(0).unwrap(), manager.event().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                event.wait(LONG).unwrap();
                queue.put(1).unwrap();
            });
        }
        event.set().unwrap();
    });
    assert_eq!(queue.qsize().unwrap(), 4);
}

#[test]
fn proxies_go_through_encrypted_connections() {
    let serving = Serving::start(&showing("server"));
    use_it(&serving.connect(&believing()).unwrap());
    let manager = SyncManager::new().with_address(serving.server.address().clone());
    let manager = manager.with_authkey(KEY).with_ssl(&believing());
    manager.connect().unwrap();
    use_it(&manager);
    assert!(!format!("{manager:?}").contains("secret"));
}

#[test]
fn both_show_who_they_are() {
    let serving = Serving::start(&demanding());
    use_it(&serving.connect(&known("server")).unwrap());
    for stranger in [believing(), known("alone")] {
        let RemoteError::Connection(error) = serving.connect(&stranger).unwrap_err() else {
            panic!("of the connection")
        };
        ssl_error(&error);
    }
}

#[test]
fn a_server_that_is_not_believed_is_not_used() {
    let serving = Serving::start(&showing("alone"));
    let RemoteError::Connection(error) = serving.connect(&believing()).unwrap_err() else {
        panic!("of the connection")
    };
    assert!(ssl_error(&error).is_verification());
    let manager = SyncManager::new().with_address(serving.server.address().clone());
    let manager = manager.with_authkey(KEY).with_ssl(&believing());
    assert!(ssl_error(&manager.connect().unwrap_err()).is_verification());
}

#[test]
fn a_process_that_is_given_a_proxy_connects_before() {
    fn child(list: ListProxy<i64>) -> Result<(), RemoteError> {
        list.append(1)
    }
    fn connecting(address: Address, gate: hilos::multiprocessing::connection::Connection) {
        let manager = RemoteManager::connect_with_ssl(address, KEY, &believing()).unwrap();
        gate.send(&()).unwrap();
        let list: ListProxy<i64> = gate.recv().unwrap();
        list.append(2).unwrap();
        drop(manager);
    }
    let serving = Serving::start(&showing("server"));
    let manager = serving.connect(&believing()).unwrap();
    let list = manager.list::<[i64; 0]>([]).unwrap();

    let process = Process::new(child, (list.clone(),)).with_start_method(StartMethod::Spawn);
    process.start().unwrap();
    process.join(LONG).unwrap();
    let text = format!("{:?}", process.result());
    assert!(text.contains("UnpicklingError"), "{text}");

    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(connecting, (serving.server.address().clone(), theirs));
    process.start().unwrap();
    ours.recv::<()>().unwrap();
    ours.send(&list).unwrap();
    process.join(LONG).unwrap();
    assert_eq!(process.result(), Some(Ok(())));
    assert_eq!(list.to_vec().unwrap(), [2]);
}

#[test]
fn a_server_s_process_is_not_started() {
    let manager = SyncManager::new().with_ssl(&showing("server"));
    assert!(matches!(manager.start(), Err(Error::Value(_))));
    let none = SyncManager::new().with_address(("127.0.0.1", 0));
    let none = none.with_ssl(&SslContext::new());
    assert!(matches!(none.get_server(), Err(Error::Os(_))));
}
