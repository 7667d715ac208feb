//! Items pass between processes.

use std::time::{Duration, Instant};

use hilos::multiprocessing::{
    Error, Event, JoinableQueue, Process, Queue, SimpleQueue, StartMethod,
};
use hilos::threading::Thread;

use crate::support::{LONG, each_start_method, run_to_end};

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

#[test]
fn a_process_can_be_joined_before_its_items_are_got() {
    let queue = Queue::new(0).unwrap();
    let give = |queue: Queue<Vec<u64>>| queue.put(&vec![7; 1_000_000]).unwrap();
    let process = Process::new(give, (queue.clone(),));
    assert_eq!(run_to_end(&process), Some(0));
    assert_eq!(queue.get_nowait().unwrap(), vec![7; 1_000_000]);
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
