//! Who waits, and what ends it, beyond CPython's tests.

use std::thread;
use std::time::{Duration, Instant};

use hilos::queue::{Empty, Full, PutError, Queue, ShutDown};

use super::support::{LONG, do_blocking_test, spawn_blocked};

#[test]
fn a_greater_maxsize_wakes_every_put_that_waits() {
    let q = &Queue::new(1);
    q.put(0).unwrap();
    thread::scope(|scope| {
        let puts = [1, 2, 3].map(|item| spawn_blocked(scope, move || q.put(item)));
        assert!(puts.iter().all(|put| !put.is_finished()));
        q.set_maxsize(4);
        puts.into_iter()
            .for_each(|put| put.join().unwrap().unwrap());
    });
    assert!(q.full());
}

#[test]
fn without_a_bound_every_put_that_waits_is_woken() {
    let q = &Queue::new(1);
    q.put(0).unwrap();
    thread::scope(|scope| {
        let puts = [1, 2].map(|item| spawn_blocked(scope, move || q.put_timeout(item, LONG)));
        q.set_maxsize(0);
        puts.into_iter()
            .for_each(|put| put.join().unwrap().unwrap());
    });
    assert_eq!(q.qsize(), 3);
    assert!(!q.full());
}

#[test]
fn gets_down_to_a_smaller_maxsize_make_no_room() {
    let q = &Queue::new(3);
    for i in 0..3 {
        q.put(i).unwrap();
    }
    q.set_maxsize(1);
    thread::scope(|scope| {
        let put = spawn_blocked(scope, || q.put(3));
        assert_eq!(q.get(), Ok(0));
        assert_eq!(q.get(), Ok(1));
        assert_eq!(q.qsize(), 1);
        assert!(q.full());
        assert_eq!(q.get(), Ok(2));
        put.join().unwrap().unwrap();
    });
    assert_eq!(q.get_nowait(), Ok(3));
}

#[test]
fn each_item_wakes_a_get() {
    let q = Queue::new(0);
    thread::scope(|scope| {
        let gets = [(); 4].map(|()| spawn_blocked(scope, || q.get().unwrap()));
        for i in 0..4 {
            q.put(i).unwrap();
        }
        let mut items = gets.map(|get| get.join().unwrap());
        items.sort();
        assert_eq!(items, [0, 1, 2, 3]);
    });
}

#[test]
fn each_get_wakes_a_put() {
    let q = &Queue::new(2);
    q.put(0).unwrap();
    q.put(1).unwrap();
    thread::scope(|scope| {
        let puts = [2, 3, 4].map(|item| spawn_blocked(scope, move || q.put(item)));
        let mut items = [(); 5].map(|()| q.get().unwrap());
        puts.into_iter()
            .for_each(|put| put.join().unwrap().unwrap());
        items.sort();
        assert_eq!(items, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_shutdown_wakes_the_puts_that_wait_and_leaves_the_items() {
    let q = &Queue::new(1);
    q.put(0).unwrap();
    thread::scope(|scope| {
        let put = spawn_blocked(scope, || q.put(1));
        let put_timeout = spawn_blocked(scope, || q.put_timeout(2, LONG));
        q.shutdown(false);
        assert_eq!(put.join().unwrap(), Err(PutError::ShutDown(1)));
        assert_eq!(put_timeout.join().unwrap(), Err(PutError::ShutDown(2)));
    });
    assert_eq!(q.get(), Ok(0));
    assert_eq!(q.get(), Err(ShutDown));
}

#[test]
fn an_immediate_shutdown_leaves_the_tasks_that_were_got() {
    let q = Queue::new(0);
    for i in 0..3 {
        q.put(i).unwrap();
    }
    q.get().unwrap();
    q.shutdown(true);
    assert!(!q.join_timeout(0));
    do_blocking_test(|| q.join(), || q.task_done().unwrap());
    assert!(q.task_done().is_err());
}

#[test]
fn an_immediate_shutdown_after_too_many_task_dones_counts_to_zero() {
    let q = Queue::new(0);
    q.put(1).unwrap();
    q.put(2).unwrap();
    q.task_done().unwrap();
    q.shutdown(true);
    q.join();
    assert!(q.task_done().is_err());
}

#[test]
fn join_timeout_says_whether_all_is_done() {
    let q = Queue::new(0);
    assert!(q.join_timeout(None));
    assert!(q.join_timeout(-1));
    q.put(1).unwrap();
    assert!(!q.join_timeout(-1));
    assert!(!q.join_timeout(0));
    assert!(!q.join_timeout(0.001));
    assert!(!q.join_timeout(f64::NAN));
    let done = do_blocking_test(|| q.join_timeout(LONG), || q.task_done().unwrap());
    assert!(done);
}

#[test]
fn join_may_be_passed_while_other_work_comes() {
    let q = Queue::new(0);
    q.put(1).unwrap();
    do_blocking_test(
        || q.join(),
        || {
            q.put(2).unwrap();
            q.task_done().unwrap();
            assert!(!q.join_timeout(0));
            q.task_done().unwrap();
        },
    );
}

#[test]
fn a_timeout_is_waited_for() {
    const TIMEOUT: Duration = Duration::from_millis(20);
    let q = Queue::new(1);
    let waited = |call: &dyn Fn()| {
        let start = Instant::now();
        call();
        start.elapsed()
    };
    assert!(waited(&|| assert_eq!(q.get_timeout(TIMEOUT), Err(Empty))) >= TIMEOUT);
    q.put(1).unwrap();
    assert!(waited(&|| assert_eq!(q.put_timeout(2, TIMEOUT), Err(Full(2)))) >= TIMEOUT);
    assert!(waited(&|| assert!(!q.join_timeout(TIMEOUT))) >= TIMEOUT);
}

#[test]
fn a_custom_storage_gives_a_queue_its_order() {
    use hilos::queue::{BaseQueue, Storage};

    /// Keeps only the newest of each kind, as a mailbox of states does.
    #[derive(Default)]
    struct Newest(Vec<(char, i32)>);

    impl Storage<(char, i32)> for Newest {
        fn put(&mut self, (name, value): (char, i32)) {
            self.0.retain(|item| item.0 != name);
            self.0.push((name, value));
        }

        fn get(&mut self) -> Option<(char, i32)> {
            (!self.0.is_empty()).then(|| self.0.remove(0))
        }

        fn qsize(&self) -> usize {
            self.0.len()
        }
    }

    let q = BaseQueue::with_storage(Newest::default(), 0);
    for item in [('a', 1), ('b', 2), ('a', 3)] {
        q.put(item).unwrap();
    }
    assert!(q.try_iter().eq([('b', 2), ('a', 3)]));
}

#[test]
fn a_storage_that_holds_an_item_back_counts_as_empty() {
    use hilos::queue::{BaseQueue, Storage};

    /// Gives nothing, whatever it says that it has.
    struct Miser;

    impl Storage<i32> for Miser {
        fn put(&mut self, _item: i32) {}

        fn get(&mut self) -> Option<i32> {
            None
        }

        fn qsize(&self) -> usize {
            1
        }
    }

    let q = BaseQueue::with_storage(Miser, 0);
    assert_eq!(q.get_nowait(), Err(Empty));
    assert_eq!(q.get_timeout(0.001), Err(Empty));
    q.shutdown(true);
    assert_eq!(q.get(), Err(ShutDown));
}
