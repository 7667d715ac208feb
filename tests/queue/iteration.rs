//! Going through a queue, which Python's queues cannot.

use std::sync::Mutex;
use std::thread;

use hilos::queue::{LifoQueue, PriorityQueue, Queue};

use super::support::spawn_blocked;

#[test]
fn several_threads_iterate_until_shutdown() {
    const ITEMS: usize = 1000;
    let q = Queue::new(4);
    let seen = Mutex::new(vec![]);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for item in &q {
                    seen.lock().unwrap().push(item);
                    q.task_done().unwrap();
                }
            });
        }
        for i in 0..ITEMS {
            q.put(i).unwrap();
        }
        q.shutdown(false);
        q.join();
        assert_eq!(seen.lock().unwrap().len(), ITEMS);
    });
    let mut seen = seen.into_inner().unwrap();
    seen.sort();
    assert!(seen.into_iter().eq(0..ITEMS));
}

#[test]
fn a_shutdown_ends_the_iterations_that_wait() {
    let q = Queue::new(0);
    thread::scope(|scope| {
        let threads = [(); 3].map(|()| spawn_blocked(scope, || q.iter().count()));
        assert!(threads.iter().all(|thread| !thread.is_finished()));
        q.put(()).unwrap();
        q.shutdown(false);
        let items: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
        assert_eq!(items, 1);
    });
}

#[test]
fn an_immediate_shutdown_ends_an_iteration_at_once() {
    let q = Queue::new(0);
    for i in 0..5 {
        q.put(i).unwrap();
    }
    let mut items = q.iter();
    assert_eq!(items.next(), Some(0));
    q.shutdown(true);
    assert_eq!(items.next(), None);
}

#[test]
fn an_iteration_that_owns_its_handle_can_go_to_another_thread() {
    let q = Queue::new(0);
    let sum = thread::spawn({
        let items = q.clone().into_iter();
        move || items.sum::<i32>()
    });
    for i in 1..=4 {
        q.put(i).unwrap();
    }
    q.shutdown(false);
    assert_eq!(sum.join().unwrap(), 10);
}

#[test]
fn try_iter_takes_what_is_there_and_does_not_wait() {
    let q = Queue::new(0);
    assert_eq!(q.try_iter().next(), None);
    q.put(1).unwrap();
    q.put(2).unwrap();
    let mut items = q.try_iter();
    assert_eq!(items.next(), Some(1));
    q.put(3).unwrap();
    assert!(items.eq([2, 3]));
    assert!(q.empty());
    q.put(4).unwrap();
    q.shutdown(false);
    assert!(q.try_iter().eq([4]));
}

#[test]
fn an_iteration_follows_the_order_of_its_queue() {
    let (lifo, priority) = (LifoQueue::new(0), PriorityQueue::new(0));
    for i in [2, 3, 1] {
        lifo.put(i).unwrap();
        priority.put(i).unwrap();
    }
    lifo.shutdown(false);
    priority.shutdown(false);
    assert!(lifo.iter().eq([1, 3, 2]));
    assert!(priority.into_iter().eq([1, 2, 3]));
}
