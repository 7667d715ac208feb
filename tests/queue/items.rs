//! What an item must be, and what becomes of it.

use std::cell::Cell;
use std::cmp::Reverse;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hilos::queue::{
    BaseQueue, LifoQueue, PriorityQueue, PutError, Queue, ShutDown, SimpleQueue, Storage,
};

/// Can be sent to another thread, and nothing else.
struct Bare(Cell<i32>);

/// Can be sent to another thread and compared.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ranked(Cell<i32>);

const fn assert_handle<Q: Send + Sync + Clone>() {}

const _: () = {
    assert_handle::<Queue<Bare>>();
    assert_handle::<LifoQueue<Bare>>();
    assert_handle::<PriorityQueue<Ranked>>();
    assert_handle::<SimpleQueue<Bare>>();
};

/// Does not compile if the type is `Send`: the second parameter would then be ambiguous.
trait NotSend<A> {
    const PROVEN: () = ();
}
impl<T> NotSend<()> for T {}
impl<T: Send> NotSend<u8> for T {}

const _: () = <Queue<Rc<()>> as NotSend<_>>::PROVEN;
const _: () = <SimpleQueue<Rc<()>> as NotSend<_>>::PROVEN;

#[test]
fn an_item_need_only_be_send() {
    fn through<S: Storage<Bare> + Send>(q: BaseQueue<Bare, S>) -> i32 {
        thread::scope(|scope| {
            let got = scope.spawn(|| q.get().unwrap().0.get());
            q.put(Bare(Cell::new(7))).unwrap();
            got.join().unwrap()
        })
    }
    assert_eq!(through(Queue::new(1)), 7);
    assert_eq!(through(LifoQueue::new(1)), 7);

    let ranked = PriorityQueue::new(0);
    ranked.put(Ranked(Cell::new(2))).unwrap();
    ranked.put(Ranked(Cell::new(1))).unwrap();
    assert_eq!(ranked.get().unwrap().0.get(), 1);

    let simple = SimpleQueue::<Bare>::new();
    let got = thread::spawn({
        let simple = simple.clone();
        move || simple.get().0.get()
    });
    simple.put(Bare(Cell::new(7)));
    assert_eq!(got.join().unwrap(), 7);
}

#[test]
fn an_item_may_borrow() {
    let text = String::from("a text of the thread that puts");
    let q = Queue::new(0);
    thread::scope(|scope| {
        let len = scope.spawn(|| q.get().map(str::len));
        q.put(text.as_str()).unwrap();
        assert_eq!(len.join().unwrap(), Ok(text.len()));
    });
}

#[test]
fn a_priority_queue_gives_the_greatest_first_of_what_is_reversed() {
    let q = PriorityQueue::new(0);
    for i in [2, 3, 1] {
        q.put(Reverse(i)).unwrap();
    }
    let order: Vec<_> = q.try_iter().map(|Reverse(i)| i).collect();
    assert_eq!(order, [3, 2, 1]);
}

/// Counts how often it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_immediate_shutdown_drops_each_item_once() {
    let drops = Arc::new(AtomicUsize::new(0));
    let q = Queue::new(0);
    for _ in 0..4 {
        q.put(Counted(drops.clone())).unwrap();
    }
    drop(q.get());
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    q.shutdown(false);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    q.shutdown(true);
    assert_eq!(drops.load(Ordering::Relaxed), 4);
    drop(q);
    assert_eq!(drops.load(Ordering::Relaxed), 4);
}

#[test]
fn the_last_handle_drops_each_item_once() {
    fn check(put: impl Fn(Counted), handles: Vec<Box<dyn std::any::Any + '_>>) {
        let drops = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            put(Counted(drops.clone()));
        }
        drop(put);
        for handle in handles {
            assert_eq!(drops.load(Ordering::Relaxed), 0);
            drop(handle);
        }
        assert_eq!(drops.load(Ordering::Relaxed), 3);
    }
    let q = Queue::new(0);
    let handles = [q.clone(), q.clone()];
    let put = move |item| q.put(item).unwrap();
    check(put, handles.map(|q| Box::new(q) as _).into());

    let q = SimpleQueue::new();
    // One half of its items has been on its way to a get.
    q.put(Counted(Arc::default()));
    q.put(Counted(Arc::default()));
    drop(q.get());
    let handles = [q.clone(), q.clone()];
    let put = move |item| q.put(item);
    check(put, handles.map(|q| Box::new(q) as _).into());
}

#[test]
fn a_refused_item_is_dropped_with_its_error() {
    let drops = Arc::new(AtomicUsize::new(0));
    let q = Queue::new(0);
    q.shutdown(false);
    let refused = q.put(Counted(drops.clone()));
    assert_eq!(drops.load(Ordering::Relaxed), 0);
    assert!(matches!(refused, Err(PutError::ShutDown(_))));
    drop(refused);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

/// Uses the queue that it was in when it is dropped.
struct Backtalk(Queue<Backtalk>, Arc<AtomicUsize>);

impl Drop for Backtalk {
    fn drop(&mut self) {
        assert!(self.0.is_shutdown());
        assert_eq!(self.0.qsize(), 0);
        assert_eq!(self.0.get_nowait().err(), Some(ShutDown));
        self.0.shutdown(true);
        self.0.join();
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_dropped_item_may_use_the_queue() {
    let (q, drops) = (Queue::new(0), Arc::new(AtomicUsize::new(0)));
    for _ in 0..3 {
        q.put(Backtalk(q.clone(), drops.clone())).unwrap();
    }
    q.shutdown(true);
    assert_eq!(drops.load(Ordering::Relaxed), 3);
}

#[test]
fn clones_are_the_same_queue() {
    let q = Queue::new(1);
    let same = q.clone();
    same.put(1).unwrap();
    assert!(q.full());
    q.shutdown(true);
    assert!(same.is_shutdown());

    let q = SimpleQueue::new();
    q.clone().put(1);
    assert_eq!(q.get_nowait(), Ok(1));
}
