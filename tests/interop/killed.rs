//! Clients that are killed while a call of theirs waits in the server: it frees what it kept for them.

use hilos::multiprocessing::connection::{Address, Family};
use hilos::multiprocessing::managers::SyncManager;
use nix::sys::signal::Signal;

use crate::program::Program;
use crate::python;
use crate::serving::{KEY, PREAMBLE};
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

fn client(manager: &SyncManager, script: &str, args: &[&str]) -> Option<Program> {
    let script = format!("{PREAMBLE}\n{script}");
    let address = manager.address().unwrap().to_string();
    python::start(&script, &[&[&*address, KEY], args].concat())
}

fn kill(mut client: Program) {
    client.signal(Signal::SIGKILL);
    client.rest();
}

/// Waits in many ways at once, and says so.
const WAITING: &str = "
lock, semaphore, event, rlock = m.Lock(), m.Semaphore(0), m.Event(), m.RLock()
condition = m.Condition(rlock)
lock.acquire(), rlock.acquire()
calls = lock.acquire, semaphore.acquire, event.wait, rlock.acquire, condition.acquire
for call in calls:
    threading.Thread(target=call).start()
print('says', len(calls), flush=True)
";

fn the_threads_that_waited_end(family: Family) {
    let (manager, pid) = start(family);
    let ours = manager.list([1_i64]).unwrap();
    let before = threads(pid);
    for _ in 0..2 {
        let Some(mut client) = client(&manager, WAITING, &[]) else {
            return;
        };
        let calls: usize = client.line().parse().unwrap();
        wait_until("they wait", || threads(pid) >= before + calls);
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

/// Waits for a lock that somebody else has.
const LOCKED: &str = "
lock = AcquirerProxy(Token('Lock', address, sys.argv[3]), 'pickle', authkey=key)
thread = threading.Thread(target=lock.acquire)
thread.start()
print('says', 'ready', flush=True)
";

#[test]
fn a_lock_that_it_would_have_got_is_free() {
    for family in [Family::Unix, Family::Inet] {
        let (manager, pid) = start(family);
        let lock = manager.create("Lock", ()).unwrap();
        lock.call("acquire", ()).unwrap();
        let before = threads(pid);
        let Some(mut client) = client(&manager, LOCKED, &[&lock.token().id]) else {
            return;
        };
        assert_eq!(client.line(), "ready");
        wait_until("it waits", || threads(pid) > before);
        kill(client);
        lock.call("release", ()).unwrap();
        let acquired = lock.call("acquire", (true, LONG)).unwrap();
        assert!(acquired.is_true());
    }
}
