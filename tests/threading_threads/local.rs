//! `BaseLocalTest` of `test_threading_local.py`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hilos::threading::{Local, Mutex};

use crate::support::{LONG, run, start};

/// Counts how many of it there are.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

// cpython: test_threading_local.py::BaseLocalTest::test_local_refs
#[test]
fn a_threads_value_is_dropped_with_it() {
    let alive = Arc::new(AtomicUsize::new(0));
    let theirs = alive.clone();
    let local = Arc::new(Local::new(move || Counted::new(&theirs)));
    for _ in 0..20 {
        let local = local.clone();
        let seen = alive.clone();
        run(move || {
            local.with(|_| ());
            assert_eq!(seen.load(Ordering::SeqCst), 1);
        });
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
    local.with(|_| ());
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    drop(local);
    assert_eq!(alive.load(Ordering::SeqCst), 0, "and with the local");
}

#[test]
fn what_other_threads_had_of_a_dropped_local_goes_with_their_next_use() {
    let alive = Arc::new(AtomicUsize::new(0));
    let theirs = alive.clone();
    let local = Arc::new(Local::new(move || Counted::new(&theirs)));
    let (to_thread, orders) = std::sync::mpsc::channel::<()>();
    let (done, from_thread) = std::sync::mpsc::channel::<()>();
    let its = local.clone();
    let thread = start(move || {
        its.with(|_| ());
        drop(its);
        done.send(()).unwrap();
        orders.recv().unwrap();
        Local::new(|| 0).get();
        done.send(()).unwrap();
        let _ = orders.recv();
    });
    from_thread.recv().unwrap();
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    drop(local);
    to_thread.send(()).unwrap();
    from_thread.recv().unwrap();
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    drop(to_thread);
    thread.join(LONG).unwrap();
}

// cpython: test_threading_local.py::BaseLocalTest::test_derived
// cpython: test_threading_local.py::BaseLocalTest::test_arguments
#[test]
fn the_first_value_is_made_once_for_each_thread() {
    let (calls, first) = (Arc::new(AtomicUsize::new(0)), 10);
    let counter = calls.clone();
    let local = Arc::new(Local::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        vec![first]
    }));
    let threads = [0, 1, 2, 3, 4].map(|number| {
        let local = local.clone();
        start(move || {
            local.with_mut(|value| value.push(number));
            local.get()
        })
    });
    for (number, thread) in threads.iter().enumerate() {
        assert_eq!(thread.join(LONG).unwrap(), [10, number]);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 5);
    assert_eq!(local.get(), [10]);
}

// cpython: test_threading_local.py::BaseLocalTest::test_threading_local
// cpython: test_threading_local.py::BaseLocalTest::test_threading_local_subclass
#[test]
fn threads_do_not_see_each_others_values() {
    struct Data {
        local: Local<Option<i32>>,
        seen: Mutex<Vec<Option<i32>>>,
    }
    let data = Arc::new(Data {
        local: Local::new(|| None),
        seen: Mutex::new(Vec::new()),
    });
    data.local.set(Some(42));
    let theirs = data.clone();
    run(move || {
        let log = |data: &Data| data.seen.lock().push(data.local.get());
        log(&theirs);
        theirs.local.set(Some(11));
        log(&theirs);
    });
    assert_eq!(*data.seen.lock(), [None, Some(11)]);
    assert_eq!(data.local.get(), Some(42));
}

#[test]
fn two_locals_do_not_share_values() {
    let (one, other) = (Local::new(|| 1), Local::new(|| 2));
    one.set(5);
    assert_eq!((one.get(), other.get()), (5, 2));
    one.with(|one| other.with_mut(|other| *other = *one));
    assert_eq!(other.get(), 5);
}

#[test]
fn a_destructor_may_use_a_local() {
    struct UsesLocal(Arc<Local<i32>>, Arc<AtomicUsize>);
    impl Drop for UsesLocal {
        fn drop(&mut self) {
            self.1.store(self.0.get() as usize, Ordering::SeqCst);
        }
    }
    let (inner, seen) = (Arc::new(Local::new(|| 7)), Arc::new(AtomicUsize::new(0)));
    let told = seen.clone();
    let outer = Local::new(move || UsesLocal(inner.clone(), told.clone()));
    run(move || outer.with(|_| ()));
    assert_eq!(seen.load(Ordering::SeqCst), 7);
}
