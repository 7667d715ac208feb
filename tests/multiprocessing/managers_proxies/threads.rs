//! Proxies that many threads use, and what their connections become.

use std::sync::Arc;

use hilos::multiprocessing::managers::{Proxy, RemoteManager};
use hilos::multiprocessing::{Lock, Process};
use hilos::threading::{Event, Thread};

use super::server::{AUTHKEY, Python, with_all, with_newest};
use crate::support::{LONG, run_to_end, wait_until};

#[test]
fn threads_share_a_proxy() {
    const THREADS: i64 = 8;
    const EACH: i64 = 50;
    with_all(|manager| {
        let (list, lock) = (manager.list_of::<i64>().unwrap(), manager.lock().unwrap());
        let total = manager.value("i", 0_i64).unwrap();
        let work = |number| {
            let (list, lock, total) = (list.clone(), lock.clone(), total.clone());
            Thread::new(move || {
                for _ in 0..EACH {
                    list.append(number).unwrap();
                    let adding = lock.with(|| total.update(|total| *total += 1));
                    adding.unwrap().unwrap();
                }
            })
        };
        let threads: Vec<_> = (0..THREADS).map(work).collect();
        threads.iter().for_each(|thread| thread.start().unwrap());
        threads.iter().for_each(|thread| thread.join(LONG).unwrap());
        assert_eq!(total.get().unwrap(), THREADS * EACH);
        let items = list.to_vec().unwrap();
        let each = |number| items.iter().filter(|&&item| item == number).count();
        assert!((0..THREADS).all(|number| each(number) == EACH as usize));
    });
}

#[test]
fn connections_end_with_their_threads_and_proxies() {
    let Some(server) = Python::start() else {
        return;
    };
    let idle = server.open_files();
    let manager = RemoteManager::connect(server.address.clone(), AUTHKEY).unwrap();
    let list = manager.with_timeout(LONG).list([1_i64]).unwrap();
    let go_on = Arc::new(Event::new());
    let (theirs, told) = (list.clone(), go_on.clone());
    let thread = Thread::new(move || {
        theirs.get(0).unwrap();
        told.wait(LONG);
    });
    thread.start().unwrap();
    list.get(0).unwrap();
    wait_until("both are connected", || server.open_files() == idle + 2);
    go_on.set();
    thread.join(LONG).unwrap();
    wait_until("one is left", || server.open_files() == idle + 1);
    list.get(0).unwrap();
    drop((list, manager));
    wait_until("none is left", || server.open_files() == idle);
}

#[test]
fn a_process_that_forgets_its_proxies_releases_them() {
    fn work(list: Proxy) {
        list.call("append", (2,)).unwrap();
        std::mem::forget(list);
    }
    with_newest(|manager| {
        let list = manager.list([1_i64]).unwrap();
        let before = manager.number_of_objects().unwrap();
        let child = Process::new(work, (list.proxy().clone(),));
        assert_eq!(run_to_end(&child), Some(0));
        assert_eq!(list.len().unwrap(), 2);
        drop(list);
        assert_eq!(manager.number_of_objects().unwrap(), before - 1);
    });
}

#[test]
fn what_cannot_travel_is_an_error_here() {
    with_newest(|manager| {
        let list = manager.list([1_i64]).unwrap();
        let lock = Lock::new().unwrap();
        let error = list.proxy().call("append", (&lock,)).unwrap_err();
        assert_eq!(error.name(), "TypeError", "{error:?}");
        let error = list.proxy().call("append", 5).unwrap_err();
        assert_eq!(error.to_string(), "arguments are a tuple, not a int");
        assert_eq!(list.len().unwrap(), 1, "it goes on");
    });
}
