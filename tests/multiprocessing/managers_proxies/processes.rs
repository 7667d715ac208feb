//! Proxies that go to other processes: every type used by two.

use hilos::multiprocessing::connection::pipe;
use hilos::multiprocessing::managers::{
    AcquirerProxy, ArrayProxy, BarrierProxy, ConditionProxy, DictProxy, EventProxy, ListProxy,
    NamespaceProxy, PoolProxy, Proxy, QueueProxy, RemoteError, RemoteManager, ValueProxy,
};
use hilos::multiprocessing::{Process, Queue, StartMethod, Target};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::server::{AUTHKEY, Python, with_newest};
use crate::support::{run_to_end, with_one_thread};

/// Has a process work with an object, by two ways to start one.
fn run_worker<T, P>(worker: T, object: P)
where
    T: Target<(P,)> + Copy,
    P: Serialize + DeserializeOwned + Send + Clone + 'static,
{
    let process = Process::new(worker, (object,));
    assert_eq!(run_to_end(&process), Some(0));
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_event
#[test]
fn event() {
    fn work(event: EventProxy) {
        assert!(event.is_set().unwrap());
        event.wait(None).unwrap();
        event.clear().unwrap();
        event.wait(0.001).unwrap();
    }
    with_newest(|manager| {
        let event = manager.event().unwrap();
        event.set().unwrap();
        run_worker(work, event.clone());
        assert!(!event.is_set().unwrap());
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_lock
#[test]
fn lock() {
    fn work(lock: AcquirerProxy) {
        lock.acquire().unwrap();
    }
    with_newest(|manager| {
        let lock = manager.lock().unwrap();
        run_worker(work, lock.clone());
        lock.release().unwrap();
        assert!(matches!(lock.release(), Err(RemoteError::Runtime(_))));
    });
}

fn acquire_and_release(lock: AcquirerProxy) {
    lock.acquire().unwrap();
    lock.release().unwrap();
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_rlock
#[test]
fn rlock() {
    with_newest(|manager| {
        let lock = manager.rlock().unwrap();
        run_worker(acquire_and_release, lock.clone());
        assert!(lock.try_acquire().unwrap());
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_semaphore
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_bounded_semaphore
#[test]
fn semaphores() {
    fn work(semaphore: AcquirerProxy) {
        semaphore.acquire().unwrap();
    }
    with_newest(|manager| {
        let semaphores = [manager.semaphore(1), manager.bounded_semaphore(1)];
        for semaphore in semaphores.map(Result::unwrap) {
            run_worker(work, semaphore.clone());
            assert!(!semaphore.try_acquire().unwrap());
            semaphore.release().unwrap();
        }
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_condition
#[test]
fn condition() {
    fn work(condition: ConditionProxy) {
        condition.acquire().unwrap();
        condition.release().unwrap();
    }
    with_newest(|manager| {
        let condition = manager.condition().unwrap();
        run_worker(work, condition.clone());
        assert!(condition.try_acquire().unwrap());
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_barrier
#[test]
fn barrier() {
    fn work(barrier: BarrierProxy) {
        assert_eq!(barrier.parties().unwrap(), 5);
        barrier.reset().unwrap();
    }
    with_newest(|manager| {
        let barrier = manager.barrier(5).unwrap();
        barrier.abort().unwrap();
        run_worker(work, barrier.clone());
        assert!(!barrier.broken().unwrap());
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_pool
#[test]
fn pool() {
    fn work(pool: PoolProxy) {
        let abs = hilos::pickle::Global::new("builtins", "abs");
        assert_eq!(pool.apply::<i64, _>(&abs, (-4,)).unwrap(), 4);
        pool.terminate().unwrap();
    }
    with_newest(|manager| {
        // Until the other has it, this process has to keep it.
        let pool = manager.pool(2).unwrap();
        run_worker(work, pool.clone());
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_queue
// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_joinable_queue
#[test]
fn queues() {
    fn work(queue: QueueProxy<i64>) {
        assert_eq!(queue.qsize().unwrap(), 2);
        assert!(queue.full().unwrap() && !queue.empty().unwrap());
        assert_eq!(queue.get().unwrap(), 5);
        assert!(!queue.empty().unwrap());
        assert_eq!(queue.get().unwrap(), 6);
        assert!(queue.empty().unwrap());
    }
    with_newest(|manager| {
        for queue in [manager.queue(2), manager.joinable_queue(2)].map(Result::unwrap) {
            queue.put(5).unwrap();
            queue.put(6).unwrap();
            run_worker(work, queue.clone());
            assert!(queue.empty().unwrap() && !queue.full().unwrap());
        }
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_list
#[test]
fn list() {
    fn work(list: ListProxy<i64>) {
        assert_eq!(list.get(0).unwrap(), 5);
        assert_eq!((list.count(5).unwrap(), list.index(5).unwrap()), (1, 0));
        list.sort().unwrap();
        list.reverse().unwrap();
        assert_eq!(list.iter().count(), 1);
        assert_eq!(list.len().unwrap(), 1);
        assert_eq!(list.pop_at(0).unwrap(), 5);
    }
    with_newest(|manager| {
        let list = manager.list_of::<i64>().unwrap();
        list.append(5).unwrap();
        run_worker(work, list.clone());
        assert_eq!(list.len().unwrap(), 0);
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_dict
#[test]
fn dict() {
    fn work(dict: DictProxy<String, i64>) {
        let pair = ("foo".to_owned(), 5);
        assert_eq!(dict.len().unwrap(), 1);
        assert_eq!(
            (dict.get_item("foo").unwrap(), dict.get("foo").unwrap()),
            (5, Some(5))
        );
        assert_eq!(dict.items().unwrap(), std::slice::from_ref(&pair));
        assert_eq!(
            (dict.keys().unwrap(), dict.values().unwrap()),
            (vec![pair.0.clone()], vec![5])
        );
        assert_eq!(dict.copy().unwrap(), std::slice::from_ref(&pair));
        assert_eq!(dict.popitem().unwrap(), pair);
    }
    with_newest(|manager| {
        let dict = manager.dict_of().unwrap();
        dict.insert("foo", 5).unwrap();
        run_worker(work, dict.clone());
        assert_eq!(dict.len().unwrap(), 0);
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_value
#[test]
fn value() {
    fn work(value: ValueProxy<i64>) {
        assert_eq!(value.get().unwrap(), 1);
        value.set(2).unwrap();
    }
    with_newest(|manager| {
        let value = manager.value("i", 1).unwrap();
        run_worker(work, value.clone());
        assert_eq!(value.get().unwrap(), 2);
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_array
#[test]
fn array() {
    fn work(array: ArrayProxy<i64>) {
        assert_eq!((array.get(0).unwrap(), array.get(1).unwrap()), (0, 1));
        assert_eq!(array.len().unwrap(), 2);
        assert_eq!(array.to_vec().unwrap(), [0, 1]);
        array.set(1, 5).unwrap();
    }
    with_newest(|manager| {
        let array = manager.array("i", [0, 1]).unwrap();
        run_worker(work, array.clone());
        assert_eq!(array.get(1).unwrap(), 5);
    });
}

// cpython: _test_multiprocessing.py::TestSyncManagerTypes::test_namespace
#[test]
fn namespace() {
    fn work(namespace: NamespaceProxy) {
        assert_eq!(namespace.get::<i64>("x").unwrap(), 0);
        assert_eq!(namespace.get::<i64>("y").unwrap(), 1);
        namespace.set("z", 2).unwrap();
    }
    with_newest(|manager| {
        let namespace = manager.namespace().unwrap();
        namespace.set("x", 0).unwrap();
        namespace.set("y", 1).unwrap();
        run_worker(work, namespace.clone());
        assert_eq!(namespace.get::<i64>("z").unwrap(), 2);
    });
}

#[test]
fn a_proxy_goes_through_queues_and_connections() {
    with_newest(|manager| {
        let list = manager.list([1_i64]).unwrap();
        let queue = Queue::new(0).unwrap();
        queue.put(&list).unwrap();
        let same: ListProxy<i64> = queue.get().unwrap();
        same.append(2).unwrap();
        let (ours, theirs) = pipe(true).unwrap();
        ours.send(&same).unwrap();
        let same: ListProxy<i64> = theirs.recv().unwrap();
        same.append(3).unwrap();
        assert_eq!(list.to_vec().unwrap(), [1, 2, 3]);
    });
}

/// A child that is forked has its parent's proxies, and neither its connection nor its reference.
#[test]
fn a_fork_leaves_the_parent_s_connection_alone() {
    fn test(address: String) {
        let manager = RemoteManager::connect(address.as_str(), AUTHKEY).unwrap();
        let manager = manager.with_timeout(crate::support::LONG);
        let list = manager.list([1_i64]).unwrap();
        let before = manager.number_of_objects().unwrap();
        let theirs = list.clone();
        let child = Process::forked(move || {
            for number in 0..20 {
                theirs.append(number).unwrap();
            }
            drop(theirs);
        });
        child.start().unwrap();
        // Both talk with the server at the same time.
        for _ in 0..20 {
            assert_eq!(list.get(0).unwrap(), 1);
        }
        child.join(crate::support::LONG).unwrap();
        assert_eq!(child.exitcode(), Some(0));
        assert_eq!(list.len().unwrap(), 21);
        assert_eq!(manager.number_of_objects().unwrap(), before);
        drop(list);
        assert_eq!(manager.number_of_objects().unwrap(), before - 1);
    }
    let Some(server) = Python::start() else {
        return;
    };
    let address = server.connect().address().clone();
    let hilos::multiprocessing::connection::Address::Unix(path) = address else {
        panic!("a Unix socket")
    };
    let path = path.to_str().unwrap().to_owned();
    with_one_thread(Process::new(test, (path,)));
}

/// As CPython has it: a proxy may come to a forked child as an argument, too.
#[test]
fn a_forked_child_takes_a_proxy() {
    fn work(list: ListProxy<i64>) {
        list.append(2).unwrap();
    }
    fn test(list: ListProxy<i64>) {
        let child = Process::new(work, (list.clone(),)).with_start_method(StartMethod::Fork);
        assert_eq!(run_to_end(&child), Some(0));
        assert_eq!(list.to_vec().unwrap(), [1, 2]);
    }
    with_newest(|manager| {
        let list = manager.list([1_i64]).unwrap();
        with_one_thread(Process::new(test, (list.clone(),)));
        assert_eq!(list.len().unwrap(), 2);
    });
}

#[test]
fn proxies_are_for_all_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Proxy>();
    shared::<ListProxy>();
    shared::<DictProxy<String, ListProxy<i64>>>();
    shared::<RemoteManager>();
}

#[test]
fn a_key_is_not_sent_over_a_network() {
    use hilos::multiprocessing::connection::{Listener, client};
    let listener = Listener::new(("localhost", 0)).unwrap();
    let ours = client(listener.address().clone(), None).unwrap();
    let theirs = listener.accept().unwrap();
    with_newest(|manager| {
        let list = manager.list([1_i64]).unwrap();
        ours.send(&list).unwrap();
        let bytes = theirs.recv_bytes().unwrap();
        let has_key = bytes.windows(AUTHKEY.len()).any(|part| part == AUTHKEY);
        assert!(!has_key, "{}", bytes.escape_ascii());
        // This process knows the key of that address.
        ours.send(&list).unwrap();
        let same: ListProxy<i64> = theirs.recv().unwrap();
        assert_eq!(same.to_vec().unwrap(), [1]);
    });
}
