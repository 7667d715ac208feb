//! `Queue`, `SimpleQueue` and `JoinableQueue`.

use std::time::{Duration, Instant};

use hilos::multiprocessing::connection::Connection;
use hilos::multiprocessing::{
    Error, Event, JoinableQueue, Lock, Process, Queue, SimpleQueue, StartMethod,
};
use hilos::threading::Thread;
use nix::sys::resource::{Resource, setrlimit};
use serde::{Deserialize, Serialize};

use crate::support::{LONG, each_start_method, run_to_end, wait_until};

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestQueue::test_put
    fn put(method: StartMethod) {
        fn take(queue: Queue<i32>, start: Event, done: Event) {
            start.wait(LONG);
            for _ in 0..6 {
                queue.get().unwrap();
            }
            done.set();
        }
        let queue = Queue::new(6).unwrap();
        let (start, done) = (Event::new().unwrap(), Event::new().unwrap());
        let args = (queue.clone(), start.clone(), done.clone());
        let process = Process::new(take, args).with_start_method(method);
        process.start().unwrap();
        assert!(queue.empty() && !queue.full());
        queue.put(&1).unwrap();
        queue.put_timeout(&2, LONG).unwrap();
        for n in 3..=6 {
            queue.put_nowait(&n).unwrap();
        }
        assert!(!queue.empty() && queue.full());
        assert!(matches!(queue.put_nowait(&7), Err(Error::Full)));
        assert!(matches!(queue.put_timeout(&7, -1), Err(Error::Full)));
        let before = Instant::now();
        assert!(matches!(queue.put_timeout(&7, 0.15), Err(Error::Full)));
        assert!(before.elapsed() >= Duration::from_millis(150));
        start.set();
        assert!(done.wait(LONG));
        assert!(queue.empty() && !queue.full());
        process.join(LONG).unwrap();
    }

    // cpython: _test_multiprocessing.py::_TestQueue::test_get
    fn get(method: StartMethod) {
        fn give(queue: Queue<i32>, start: Event, done: Event) {
            start.wait(LONG);
            for n in 2..=5 {
                queue.put(&n).unwrap();
            }
            done.set();
        }
        let queue = Queue::new(0).unwrap();
        let (start, done) = (Event::new().unwrap(), Event::new().unwrap());
        let args = (queue.clone(), start.clone(), done.clone());
        let process = Process::new(give, args).with_start_method(method);
        process.start().unwrap();
        assert!(queue.empty());
        start.set();
        assert!(done.wait(LONG));
        assert!(!queue.empty());
        assert_eq!(queue.get().unwrap(), 2);
        assert_eq!(queue.get_timeout(None).unwrap(), 3);
        assert_eq!(queue.get_timeout(1).unwrap(), 4);
        assert_eq!(queue.get_nowait().unwrap(), 5);
        assert!(queue.empty());
        assert!(matches!(queue.get_nowait(), Err(Error::Empty)));
        assert!(matches!(queue.get_timeout(-1), Err(Error::Empty)));
        let before = Instant::now();
        assert!(matches!(queue.get_timeout(0.15), Err(Error::Empty)));
        assert!(before.elapsed() >= Duration::from_millis(150));
        process.join(LONG).unwrap();
    }

    // cpython: _test_multiprocessing.py::_TestQueue::test_fork
    fn what_was_put_before_a_start_comes_once(method: StartMethod) {
        let queue = Queue::new(0).unwrap();
        for n in 0..10 {
            queue.put(&n).unwrap();
        }
        let more = |queue: Queue<i32>| (10..20).for_each(|n| queue.put(&n).unwrap());
        let process = Process::new(more, (queue.clone(),)).with_start_method(method);
        process.start().unwrap();
        for n in 0..20 {
            assert_eq!(queue.get_timeout(LONG).unwrap(), n);
        }
        process.join(LONG).unwrap();
        assert!(matches!(queue.get_nowait(), Err(Error::Empty)));
    }

    // cpython: _test_multiprocessing.py::_TestQueue::test_task_done
    fn task_done(method: StartMethod) {
        fn work(tasks: JoinableQueue<Option<i32>>, results: Queue<i32>) {
            while let Some(task) = tasks.get().unwrap() {
                results.put(&task).unwrap();
                tasks.task_done().unwrap();
            }
        }
        let (tasks, results) = (JoinableQueue::new(0).unwrap(), Queue::new(0).unwrap());
        let start = |_| {
            let args = (tasks.clone(), results.clone());
            let process = Process::new(work, args).with_start_method(method);
            process.start().unwrap();
            process
        };
        let workers: Vec<_> = (0..4).map(start).collect();
        (0..10).for_each(|n| tasks.put(&Some(n)).unwrap());
        tasks.join().unwrap();
        let mut seen: Vec<i32> = (0..10).map(|_| results.get_nowait().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(seen, Vec::from_iter(0..10));
        workers.iter().for_each(|_| tasks.put(&None).unwrap());
        for worker in workers {
            worker.join(LONG).unwrap();
            assert_eq!(worker.exitcode(), Some(0));
        }
        // The workers have ended with the last four in their hands.
        assert!(matches!(tasks.join_timeout(LONG), Err(Error::OwnerDied(_))));
        (0..4).for_each(|_| tasks.task_done().unwrap());
        tasks.join().unwrap();
        let error = tasks.task_done().unwrap_err();
        assert_eq!(error.to_string(), "task_done() called too many times");
    }

    // cpython: _test_multiprocessing.py::TestSimpleQueue::test_empty
    fn simple_queue(method: StartMethod) {
        fn child(queue: SimpleQueue<bool>, start: Event, done: Event) {
            start.wait(LONG);
            queue.put(&queue.empty().unwrap()).unwrap();
            queue.put(&queue.empty().unwrap()).unwrap();
            done.set();
        }
        let queue = SimpleQueue::new().unwrap();
        let (start, done) = (Event::new().unwrap(), Event::new().unwrap());
        let args = (queue.clone(), start.clone(), done.clone());
        let process = Process::new(child, args).with_start_method(method);
        process.start().unwrap();
        assert!(queue.empty().unwrap());
        start.set();
        assert!(done.wait(LONG));
        assert!(!queue.empty().unwrap());
        assert!(queue.get().unwrap());
        assert!(!queue.get().unwrap());
        assert!(queue.empty().unwrap());
        process.join(LONG).unwrap();
    }

    fn many_put_and_many_get(method: StartMethod) {
        fn give(queue: Queue<u32>, who: u32) {
            (0..500).for_each(|n| queue.put(&(who * 1000 + n)).unwrap());
        }
        fn take(queue: Queue<u32>, results: Queue<(u32, Vec<u32>)>, me: u32) {
            let items = (0..500).map(|_| queue.get().unwrap()).collect();
            results.put(&(me, items)).unwrap();
        }
        let (queue, results) = (Queue::new(20).unwrap(), Queue::new(0).unwrap());
        let mut processes = Vec::new();
        for who in 0..3 {
            processes.push(Process::new(give, (queue.clone(), who)));
            processes.push(Process::new(take, (queue.clone(), results.clone(), who)));
        }
        let processes: Vec<_> =
            processes.into_iter().map(|process| process.with_start_method(method)).collect();
        processes.iter().for_each(|process| process.start().unwrap());
        let mut all = Vec::new();
        for _ in 0..3 {
            let (_, items) = results.get_timeout(LONG).unwrap();
            for who in 0..3 {
                let from_one: Vec<_> = items.iter().filter(|&&n| n / 1000 == who).collect();
                assert!(from_one.is_sorted(), "one writer's items come in order");
            }
            all.extend(items);
        }
        processes.iter().for_each(|process| process.join(LONG).unwrap());
        all.sort_unstable();
        let expected: Vec<u32> =
            (0..3).flat_map(|who| (0..500).map(move |n| who * 1000 + n)).collect();
        assert_eq!(all, expected);
    }
}

// cpython: _test_multiprocessing.py::_TestQueue::test_qsize
#[test]
fn qsize() {
    let queue = Queue::new(0).unwrap();
    assert_eq!(queue.qsize(), 0);
    queue.put(&1).unwrap();
    assert_eq!(queue.qsize(), 1);
    queue.put(&5).unwrap();
    assert_eq!(queue.qsize(), 2);
    queue.get().unwrap();
    assert_eq!(queue.qsize(), 1);
    queue.get().unwrap();
    assert_eq!(queue.qsize(), 0);
}

// cpython: _test_multiprocessing.py::_TestQueue::test_timeout
#[test]
fn get_gives_up_in_time() {
    let queue = Queue::<i32>::new(0).unwrap();
    let start = Instant::now();
    assert!(matches!(queue.get_timeout(0.2), Err(Error::Empty)));
    assert!(start.elapsed() >= Duration::from_millis(200));
}

/// Refuses to be sent.
#[derive(Clone, Deserialize)]
struct Stubborn(bool);

impl Serialize for Stubborn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            true => Err(serde::ser::Error::custom("I stay")),
            false => serializer.serialize_newtype_struct("Stubborn", &false),
        }
    }
}

// cpython: _test_multiprocessing.py::_TestQueue::test_queue_feeder_donot_stop_onexc
// cpython: _test_multiprocessing.py::_TestQueue::test_queue_feeder_on_queue_feeder_error
#[test]
fn an_item_that_cannot_travel_is_an_error_of_put() {
    let queue = Queue::new(1).unwrap();
    let error = queue.put(&Stubborn(true)).unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }));
    assert!(error.to_string().contains("Stubborn"), "{error}");
    queue.put(&Stubborn(false)).unwrap();
    assert_eq!(queue.qsize(), 1);
    assert!(!queue.get_timeout(LONG).unwrap().0);
    assert!(queue.empty());
}

/// Refuses to arrive if it says so.
#[derive(Serialize)]
struct Shy(bool);

impl<'de> Deserialize<'de> for Shy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer)? {
            true => Err(serde::de::Error::custom("not here")),
            false => Ok(Self(false)),
        }
    }
}

#[test]
fn an_item_that_does_not_arrive_costs_itself_alone() {
    let queue = Queue::new(0).unwrap();
    queue.put(&Shy(true)).unwrap();
    queue.put(&Shy(false)).unwrap();
    let error = queue.get().map(drop).unwrap_err();
    assert!(error.to_string().contains("Shy"), "{error}");
    assert!(!queue.get().unwrap().0);
}

// cpython: _test_multiprocessing.py::_TestQueue::test_closed_queue_empty_exceptions
#[test]
fn a_closed_queue_still_tells_whether_it_is_empty() {
    let queue = Queue::new(0).unwrap();
    assert!(matches!(queue.join_thread(), Err(Error::Assertion(_))));
    queue.put(&1).unwrap();
    queue.close();
    queue.join_thread().unwrap();
    assert!(!queue.empty());
    let queue = JoinableQueue::<i32>::new(0).unwrap();
    queue.close();
    queue.join_thread().unwrap();
    queue.cancel_join_thread();
    assert!(queue.empty());
}

// cpython: _test_multiprocessing.py::_TestQueue::test_closed_queue_put_get_exceptions
#[test]
fn a_closed_queue_is_not_used() {
    let queue = Queue::new(0).unwrap();
    let clone = queue.clone();
    queue.close();
    let error = clone.put(&1).unwrap_err();
    assert!(matches!(error, Error::Value(_)));
    assert!(error.to_string().ends_with(" is closed"), "{error}");
    assert!(clone.get().unwrap_err().to_string().ends_with(" is closed"));
    let queue = JoinableQueue::new(0).unwrap();
    queue.close();
    assert!(matches!(queue.put(&1), Err(Error::Value(_))));
    assert!(matches!(queue.get(), Err(Error::Value(_))));
}

#[test]
fn close_is_of_one_process() {
    let queue = Queue::new(0).unwrap();
    let child = |queue: Queue<i32>| {
        queue.put(&1).unwrap();
        queue.close();
        assert!(queue.put(&2).is_err());
    };
    assert_eq!(run_to_end(&Process::new(child, (queue.clone(),))), Some(0));
    assert_eq!(queue.get().unwrap(), 1);
    queue.put(&3).unwrap();
}

// cpython: _test_multiprocessing.py::TestSimpleQueue::test_empty_exceptions
// cpython: _test_multiprocessing.py::TestSimpleQueue::test_close
// cpython: _test_multiprocessing.py::TestSimpleQueue::test_closed
#[test]
fn a_closed_simple_queue_is_not_used() {
    let queue = SimpleQueue::new().unwrap();
    queue.close();
    queue.close();
    for error in [
        queue.empty().unwrap_err(),
        queue.put(&1).unwrap_err(),
        queue.get().unwrap_err(),
    ] {
        assert!(matches!(error, Error::Os(_)));
        assert!(error.to_string().contains("is closed"));
    }
}

#[test]
fn items_of_all_sizes_arrive_whole() {
    let queue = Queue::<Vec<u8>>::new(0).unwrap();
    let echo = |queue: Queue<Vec<u8>>, back: Queue<Vec<u8>>| loop {
        let item = queue.get().unwrap();
        let last = item.len() == 1;
        back.put(&item).unwrap();
        if last {
            return;
        }
    };
    let back = Queue::new(0).unwrap();
    let process = Process::new(echo, (queue.clone(), back.clone()));
    process.start().unwrap();
    let item = |size: usize| -> Vec<u8> { (0..size).map(|n| (n * 31 % 251) as u8).collect() };
    let sizes = [
        0, 2, 7, 65_519, 65_520, 65_536, 65_537, 200_000, 5_000_000, 3, 1_000_000, 1,
    ];
    for size in sizes {
        queue.put(&item(size)).unwrap();
    }
    for size in sizes {
        assert_eq!(back.get_timeout(LONG).unwrap(), item(size), "{size} bytes");
    }
    process.join(LONG).unwrap();
}

#[test]
fn the_queue_grows_while_others_read() {
    let queue = Queue::<(u32, Vec<u8>)>::new(0).unwrap();
    let theirs = queue.clone();
    let reader = Thread::returning(move || {
        for expected in 0..3_000 {
            let (number, bytes) = theirs.get().unwrap();
            assert_eq!(number, expected);
            assert!(bytes.iter().all(|&byte| byte == number as u8));
            if number % 500 == 0 {
                wait_until("the writer is ahead", || {
                    theirs.qsize() > 200 || number > 2_500
                });
            }
        }
    });
    reader.start().unwrap();
    for number in 0..3_000_u32 {
        let bytes = vec![number as u8; (number * 7 % 3_000) as usize];
        queue.put(&(number, bytes)).unwrap();
    }
    reader.join(None).unwrap();
    assert!(queue.empty());
}

/// How much shared memory the system says that this process maps, in KiB.
fn shared_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("RssShmem"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn an_empty_queue_gives_its_memory_back() {
    fn test() {
        let queue = Queue::<Vec<u8>>::new(0).unwrap();
        let item = vec![7; 40 << 20];
        for _ in 0..2 {
            queue.put(&item).unwrap();
            queue.put(&vec![1]).unwrap();
            assert!(shared_kib() > 40 << 10);
            assert_eq!(queue.get().unwrap(), item);
            assert!(shared_kib() > 40 << 10, "one is left");
            assert_eq!(queue.get().unwrap(), [1]);
            assert!(shared_kib() < 4 << 10, "{} KiB", shared_kib());
            // It goes on as before, beginning small.
            (0..300).for_each(|n| queue.put(&vec![n as u8; 1_000]).unwrap());
            (0..300).for_each(|n| assert_eq!(queue.get().unwrap(), vec![n as u8; 1_000]));
        }
    }
    // In a process of its own, whose memory nobody else uses.
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn a_process_can_be_joined_before_its_items_are_got() {
    let queue = Queue::new(0).unwrap();
    let give = |queue: Queue<Vec<u64>>| queue.put(&vec![7; 1_000_000]).unwrap();
    let process = Process::new(give, (queue.clone(),));
    assert_eq!(run_to_end(&process), Some(0));
    assert_eq!(queue.get_nowait().unwrap(), vec![7; 1_000_000]);
}

#[test]
fn handles_do_not_travel_through_a_queue() {
    let queue = Queue::new(0).unwrap();
    let error = queue.put(&Lock::new().unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("through a Connection"),
        "{error}"
    );
    let inner = Queue::<i32>::new(0).unwrap();
    assert!(matches!(
        Queue::new(0).unwrap().put(&inner),
        Err(Error::Encoding { .. })
    ));
    // Through a connection they do.
    let (one, other) = hilos::multiprocessing::pipe(true).unwrap();
    one.send(&inner).unwrap();
    inner.put(&5).unwrap();
    assert_eq!(other.recv::<Queue<i32>>().unwrap().get().unwrap(), 5);
}

#[test]
fn waiting_getters_and_putters_are_woken() {
    let queue = Queue::new(1).unwrap();
    let theirs = queue.clone();
    let getter = Thread::returning(move || theirs.get().unwrap());
    getter.start().unwrap();
    queue.put(&1).unwrap();
    assert_eq!(getter.join(None).unwrap(), 1);
    queue.put(&2).unwrap();
    let theirs = queue.clone();
    let putter = Thread::returning(move || theirs.put(&3).unwrap());
    putter.start().unwrap();
    assert_eq!(queue.get().unwrap(), 2);
    putter.join(None).unwrap();
    assert_eq!(queue.get().unwrap(), 3);
}

/// So many addresses that no queue can take all that it would like.
fn ration_addresses() {
    let few = 4 << 30;
    setrlimit(Resource::RLIMIT_AS, few, few).unwrap();
}

#[test]
fn a_queue_arrives_where_addresses_are_rationed() {
    let child = || {
        ration_addresses();
        let queue = Queue::new(0).unwrap();
        let (one, other) = hilos::multiprocessing::pipe(true).unwrap();
        one.send(&queue).unwrap();
        queue.put(&"7".repeat(100_000)).unwrap();
        let theirs: Queue<String> = other.recv().unwrap();
        assert_eq!(theirs.get().unwrap(), "7".repeat(100_000));
        let much = "7".repeat(50_000_000);
        assert!(matches!(queue.put(&much), Err(Error::Os(_))));
        queue.put(&"8".to_string()).unwrap();
        assert_eq!(theirs.get().unwrap(), "8");
    };
    assert_eq!(run_to_end(&Process::new(child, ())), Some(0));
}

#[test]
fn an_item_that_is_out_of_reach_is_an_error_there_alone() {
    let child = |queues: Connection, grown: Event| {
        ration_addresses();
        let queue: Queue<String> = queues.recv().unwrap();
        queues.send(&()).unwrap();
        grown.wait(LONG);
        assert!(matches!(queue.get(), Err(Error::Os(_))));
    };
    let (ours, theirs) = hilos::multiprocessing::pipe(true).unwrap();
    let (queue, grown) = (Queue::<String>::new(0).unwrap(), Event::new().unwrap());
    let process = Process::new(child, (theirs, grown.clone()));
    process.start().unwrap();
    ours.send(&queue).unwrap();
    ours.recv::<()>().unwrap();
    queue.put(&"7".repeat(50_000_000)).unwrap();
    grown.set();
    process.join(LONG).unwrap();
    assert_eq!(process.exitcode(), Some(0));
    assert_eq!(queue.get().unwrap().len(), 50_000_000);
}
