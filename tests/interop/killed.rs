//! Clients that are killed while a call of theirs waits in the server: it frees what it kept for them.

use std::sync::Arc;

use hilos::multiprocessing::connection::{Address, Family};
use hilos::multiprocessing::managers::{Answer, Args, Exception, Referent, SyncManager};
use hilos::threading::{Barrier, Condition, Event, Lock};
use nix::sys::signal::Signal;

use crate::program::Program;
use crate::python;
use crate::serving::{KEY, PREAMBLE, Serving};
use crate::support::{LONG, wait_until};

/// A server in a process of its own, whose threads are counted.
fn start(family: Family) -> (SyncManager, u32) {
    let manager = SyncManager::new().with_authkey(KEY.as_bytes());
    let manager = match family {
        Family::Unix => manager,
        family => manager.with_address(Address::arbitrary(family).unwrap()),
    };
    manager.start().unwrap();
    let pid = manager.process().unwrap().pid().unwrap();
    (manager, pid)
}

fn threads(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/task"))
        .unwrap()
        .count()
}

fn client(manager: &SyncManager, script: &str) -> Option<Program> {
    let script = format!("{PREAMBLE}\n{script}");
    let address = manager.address().unwrap().to_string();
    python::start(&script, &[&address, KEY])
}

fn kill(mut client: Program) {
    client.signal(Signal::SIGKILL);
    client.rest();
}

/// Waits in many ways at once, and says so when all requests are sent.
const WAITING: &str = "
lock, semaphore, event, rlock = m.Lock(), m.Semaphore(0), m.Event(), m.RLock()
condition, free, barrier = m.Condition(rlock), m.Condition(), m.Barrier(2)
full, joinable = m.Queue(1), m.JoinableQueue()
lock.acquire(), rlock.acquire(), full.put(1), joinable.put(1)
def notified():
    free.acquire()
    free.wait()
calls = lock.acquire, m.Queue().get, semaphore.acquire, event.wait, rlock.acquire, condition.acquire
calls += notified, barrier.wait, lambda: full.put(2), joinable.join
# Each asks for a connection and calls its method; one acquires a lock between.
replies = threading.Semaphore(0)
receive = multiprocessing.connection.Connection.recv
def awaited(connection):
    replies.release()
    return receive(connection)
multiprocessing.connection.Connection.recv = awaited
for call in calls:
    threading.Thread(target=call).start()
for _ in range(2 * len(calls) + 1):
    replies.acquire()
print('says', len(calls), flush=True)
";

fn the_threads_that_waited_end(family: Family) {
    let (manager, pid) = start(family);
    let ours = manager.list([1_i64]).unwrap();
    let before = threads(pid);
    for _ in 0..2 {
        let Some(mut client) = client(&manager, WAITING) else {
            return;
        };
        let calls: usize = client.line().parse().unwrap();
        assert!(threads(pid) >= before + calls, "each has a thread");
        kill(client);
        wait_until("the end of the threads", || threads(pid) <= before);
    }
    assert_eq!(ours.to_vec().unwrap(), [1], "others go on");
}

#[test]
fn its_threads_end() {
    the_threads_that_waited_end(Family::Unix);
}

#[test]
fn its_threads_end_over_a_network() {
    the_threads_that_waited_end(Family::Inet);
}

/// A lock that tells when a client begins to wait for it, and when that ends.
#[derive(Default)]
struct Told {
    lock: Lock,
    entered: Event,
    left: Event,
}

impl Referent for Told {
    fn type_name(&self) -> &str {
        "Told"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["acquire", "release"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        self.entered.set();
        let answer = Referent::call(&self.lock, method, args);
        self.left.set();
        answer
    }
}

const ACQUIRING: &str = "
Manager.register('get_lock', proxytype=AcquirerProxy)
m.get_lock().acquire()
";

#[test]
fn a_lock_that_it_would_have_got_is_free() {
    for family in [Family::Unix, Family::Inet] {
        let told = Arc::new(Told::default());
        let shared = told.clone();
        let serving = Serving::at(Some(Address::arbitrary(family).unwrap()), move |server| {
            server.register("get_lock", move |_| Ok(shared.clone()));
        });
        told.lock.acquire();
        let script = format!("{PREAMBLE}\n{ACQUIRING}");
        let address = serving.server.address().to_string();
        let Some(client) = python::start(&script, &[&address, KEY]) else {
            return;
        };
        assert!(told.entered.wait(LONG));
        kill(client);
        told.lock.release().unwrap();
        // Either it has got it, or it has looked for its client just before.
        assert!(told.left.wait(LONG));
        assert!(told.lock.acquire_timeout(LONG).unwrap());
    }
}

/// Waits at a barrier, and for a condition whose lock it holds.
const IN_LINE: &str = "
from multiprocessing.managers import BarrierProxy, ConditionProxy
Manager.register('get_barrier', proxytype=BarrierProxy)
Manager.register('get_condition', proxytype=ConditionProxy)
threading.Thread(target=m.get_barrier().wait).start()
condition = m.get_condition()
condition.acquire()
condition.wait()
";

#[test]
fn others_at_its_barrier_hear_of_it_and_its_condition_is_free() {
    for family in [Family::Unix, Family::Inet] {
        let barrier = Arc::new(Barrier::new(3).unwrap());
        let condition = Arc::new(Condition::default());
        let shared = (barrier.clone(), condition.clone());
        let serving = Serving::at(Some(Address::arbitrary(family).unwrap()), move |server| {
            let (barrier, condition) = shared;
            server.register("get_barrier", move |_| Ok(barrier.clone()));
            server.register("get_condition", move |_| Ok(condition.clone()));
        });
        let theirs = barrier.clone();
        let other = std::thread::spawn(move || theirs.wait(LONG));
        let script = format!("{PREAMBLE}\n{IN_LINE}");
        let address = serving.server.address().to_string();
        let client = python::start(&script, &[&address, KEY]);
        let waits = || condition.to_string().ends_with(", 1)>");
        if let Some(client) = client {
            wait_until("they wait", || barrier.n_waiting() == 2 && waits());
            kill(client);
            assert!(other.join().unwrap().is_err() && barrier.broken());
            wait_until("the line is empty", || !waits());
        } else {
            barrier.abort();
        }
        let _held = condition.lock();
        condition.notify_all().unwrap();
    }
}
