//! A manager of CPython's, to be the other side.

use std::path::Path;

use hilos::multiprocessing::connection::Address;
use hilos::multiprocessing::managers::{Exception, RemoteManager, Server, SyncManager};
use nix::sys::signal::Signal;

use crate::program::Program;
use crate::python;
use crate::support::{LONG, wait_until};

pub(super) const AUTHKEY: &[u8] = b"secret";

/// A server with types of its own, which goes when its standard input is closed.
const SERVER: &str = r#"
import sys, threading, os, multiprocessing
from multiprocessing.managers import SyncManager

class Account:
    def __init__(self, balance=0): self.balance = balance
    def deposit(self, amount): self.balance += amount
    def get(self): return self.balance
    def describe(self, *args, **kwargs): return repr((args, kwargs))
    def fail(self, kind, *args):
        import zlib, builtins
        raise {**vars(builtins), 'zlib.error': zlib.error}[kind](*args)
    def unpicklable(self): return threading.Lock()
    def hidden(self): return 'hidden'
    def sleep(self, seconds):
        import time
        time.sleep(seconds)
    def child(self): return Account(7)

class Manager(SyncManager): pass

shared = {}
exposed = ('deposit', 'get', 'describe', 'fail', 'unpicklable', 'sleep', 'child')
Manager.register('Account', Account, exposed=exposed, method_to_typeid={'child': 'Child'})
Manager.register('Child', None, exposed=exposed, create_method=False)
Manager.register('shared', lambda name, typeid: shared[name] if name in shared else
    shared.setdefault(name, Manager._registry[typeid][0]()))

Manager.register('shared_list', lambda name: shared.setdefault(name, []),
    exposed=('append', '__getitem__'))
if 'set' not in Manager._registry:
    names = [name for name in dir(set) if name in ('__contains__', '__len__', '__iter__') or name[0] != '_']
    Manager.register('set', set, exposed=names, method_to_typeid={'__iter__': 'Iterator'})

def bye():
    # Not through sys.stdin: a forked worker would wait for its lock.
    os.read(0, 1)
    os._exit(0)

if __name__ == '__main__':
    multiprocessing.current_process().authkey = b'secret'
    where = sys.argv[1]
    if where == 'inet': where = ('127.0.0.1', 0)
    elif where.startswith('port '): where = ('127.0.0.1', int(where[5:]))
    server = Manager(where, authkey=b'secret').get_server()
    address = server.address
    print('says', address if isinstance(address, str) else address[1], flush=True)
    threading.Thread(target=bye, daemon=True).start()
    server.serve_forever()
"#;

/// A server that runs, until this is dropped.
pub(super) struct Python {
    program: Program,
    pub(super) address: Address,
}

impl Python {
    /// One of the newest CPython, at a Unix socket; `None` if there is no Python.
    pub(super) fn start() -> Option<Self> {
        Self::over(python::start(SERVER, &[&path()])?)
    }

    /// One of the newest CPython, on the network of this machine.
    pub(super) fn start_inet() -> Option<Self> {
        Self::over(python::start(SERVER, &["inet"])?)
    }

    /// One at a port that a server had before.
    pub(super) fn start_at_port(port: u16) -> Option<Self> {
        Self::over(python::start(SERVER, &[&format!("port {port}")])?)
    }

    /// Servers of the oldest and the newest CPython, and one between, as far as they are there.
    pub(super) fn all() -> Vec<Self> {
        let is_old = |python: &Path| {
            let path = python.to_string_lossy();
            path.contains("/3.8.") || path.contains("/3.11.")
        };
        let old = python::of_pyenv().into_iter();
        let old = old.filter(|python| is_old(python)).filter_map(|python| {
            let program = python::start_with(&python, SERVER, &[&path()]);
            Self::over(program)
        });
        old.chain(Self::start()).collect()
    }

    fn over(mut program: Program) -> Option<Self> {
        let place = program.line();
        let address = match place.parse::<u16>() {
            Ok(port) => ("127.0.0.1", port).into(),
            Err(_) => place.as_str().into(),
        };
        Some(Self { program, address })
    }

    /// A connection, all calls of which end in time.
    pub(super) fn connect(&self) -> RemoteManager {
        let manager = RemoteManager::connect(self.address.clone(), AUTHKEY).unwrap();
        manager.with_timeout(LONG)
    }

    /// How many files and connections it has open.
    pub(super) fn open_files(&self) -> usize {
        let directory = format!("/proc/{}/fd", self.program.pid());
        std::fs::read_dir(directory).unwrap().count()
    }

    /// Stops the server, but for the system's part in its connections.
    pub(super) fn stand_still(&self) {
        self.program.signal(Signal::SIGSTOP);
        let stat = format!("/proc/{}/stat", self.program.pid());
        wait_until("the server stands still", || {
            let stat = std::fs::read_to_string(&stat).unwrap();
            stat.rsplit_once(") ").unwrap().1.starts_with('T')
        });
    }

    /// Lets it go on.
    pub(super) fn go_on(&self) {
        self.program.signal(Signal::SIGCONT);
    }
}

/// A server that is killed leaves its socket.
impl Drop for Python {
    fn drop(&mut self) {
        if let Address::Unix(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A name for a socket that nobody else uses.
fn path() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (pid, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(format!("hilos-proxies-{pid}-{count}"));
    path.to_str().unwrap().to_owned()
}

/// Runs a test with each server.
pub(crate) fn with_each(test: impl Fn(&RemoteManager)) {
    for server in Python::all() {
        test(&server.connect());
    }
}

/// Runs a test with each server, and with one of this crate's.
pub(super) fn with_all(test: impl Fn(&RemoteManager)) {
    with_own(&test);
    with_each(test);
}

/// Runs a test with a server of this crate's, which has what CPython has from 3.14 on.
pub(super) fn with_own(test: impl FnOnce(&RemoteManager)) {
    let manager = SyncManager::new().with_authkey(AUTHKEY);
    let server = manager.get_server().unwrap();
    register_functions(&server);
    let serving = server.clone();
    let thread = std::thread::spawn(move || serving.serve_forever());
    let manager = RemoteManager::connect(server.address().clone(), AUTHKEY).unwrap();
    test(&manager.with_timeout(LONG));
    server.stop();
    thread.join().unwrap();
}

/// What Python has anyhow, as far as the tests call it.
fn register_functions(server: &Server) {
    server.register_function("math.factorial", |args| {
        let (n,): (i64,) = args.parse()?;
        match n {
            ..0 => Err(Exception::new(
                "ValueError",
                "not defined for negative values",
            )),
            n => Ok((1..=n).product::<i64>()),
        }
    });
    server.register_function("math.pow", |args| {
        let (x, y): (f64, f64) = args.parse()?;
        Ok(x.powf(y))
    });
    server.register_function("time.sleep", |args| {
        let (seconds,): (f64,) = args.parse()?;
        std::thread::sleep(std::time::Duration::from_secs_f64(seconds));
        Ok(())
    });
}

/// Runs a test with the newest server.
pub(super) fn with_newest(test: impl FnOnce(&RemoteManager)) {
    if let Some(server) = Python::start() {
        test(&server.connect());
    }
}
