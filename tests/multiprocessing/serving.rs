//! A manager's server of hilos's, for clients of this process and of CPython's.

use std::thread::JoinHandle;

use hilos::multiprocessing::connection::Address;
use hilos::multiprocessing::managers::{Server, SyncManager};

use crate::python;

pub(crate) const KEY: &str = "an example key";

/// A server that runs in a thread of this process until this is dropped.
pub(crate) struct Serving {
    pub(crate) server: Server,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// At an address of its own, with Python's types and those that `register` adds.
    pub(crate) fn start(register: impl FnOnce(&Server)) -> Self {
        Self::at(None, register)
    }

    pub(crate) fn at(address: Option<Address>, register: impl FnOnce(&Server)) -> Self {
        let mut manager = SyncManager::new().with_authkey(KEY.as_bytes());
        if let Some(address) = address {
            manager = manager.with_address(address);
        }
        let server = manager.get_server().unwrap();
        register(&server);
        let serving = server.clone();
        let thread = Some(std::thread::spawn(move || serving.serve_forever()));
        Self { server, thread }
    }

    /// A client of this process.
    pub(crate) fn client(&self) -> SyncManager {
        let manager = SyncManager::new().with_authkey(KEY.as_bytes());
        let manager = manager.with_address(self.server.address().clone());
        manager.connect().unwrap();
        manager
    }

    /// Runs a script of Python's that gets `m`, a manager that is connected, and `address`; returns
    /// what it printed.
    pub(crate) fn python(&self, script: &str) -> Option<String> {
        let script = format!("{PREAMBLE}\n{script}");
        let address = self.server.address().to_string();
        python::run(&script, &[&address, KEY]).map(|(output, _)| output)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.server.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// What scripts begin with.
pub(crate) const PREAMBLE: &str = "\
import ast, faulthandler, multiprocessing, queue, sys, threading
from multiprocessing.managers import *
from multiprocessing.managers import AcquirerProxy, BaseProxy, IteratorProxy, RemoteError
faulthandler.dump_traceback_later(100, exit=True)
address, key = ast.literal_eval(sys.argv[1]), sys.argv[2].encode()
multiprocessing.current_process().authkey = key
class Manager(SyncManager): pass
def connect():
    manager = Manager(address, key)
    manager.connect()
    return manager
m = connect()
";
