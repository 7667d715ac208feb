//! `RWLock`, which Python does not have.

use std::sync::Arc;

use hilos::threading::{Error, OverflowError, RWLock, TIMEOUT_MAX, ValueError};

use crate::support::{Count, LONG, in_threads, start, wait_blocked, wait_until};

#[test]
fn readers_share_it() {
    let (lock, inside) = (RWLock::new(5), Count::default());
    in_threads(3, |_| {
        let value = lock.read();
        inside.up();
        // Ends only if all three are inside at once.
        wait_until("the other readers", || inside.get() == 3);
        assert_eq!(*value, 5);
    });
    assert!(!lock.locked());
}

#[test]
fn a_writer_is_alone() {
    let lock = RWLock::new(0);
    in_threads(4, |_| {
        for _ in 0..500 {
            let mut value = lock.write();
            let before = *value;
            std::thread::yield_now();
            *value = before + 1;
        }
    });
    assert_eq!(lock.into_inner(), 2000);
}

#[test]
fn readers_and_writers_exclude_each_other() {
    let lock = RWLock::new(());
    let reader = lock.read();
    in_threads(1, |_| {
        assert!(lock.try_write().is_none());
        assert!(lock.write_timeout(0.01).unwrap().is_none());
        assert!(lock.try_read().is_some());
    });
    drop(reader);
    let writer = lock.write();
    in_threads(1, |_| {
        assert!(lock.try_read().is_none());
        assert!(lock.read_timeout(0.01).unwrap().is_none());
    });
    drop(writer);
    assert!(lock.write_timeout(None).unwrap().is_some());
    assert!(lock.read_timeout(1).unwrap().is_some());
}

#[test]
fn a_waiting_writer_goes_before_later_readers() {
    let lock = Arc::new(RWLock::new(0));
    let first = lock.read();
    let theirs = lock.clone();
    let writer = start(move || *theirs.write() = 1);
    wait_blocked(&writer);
    assert!(lock.try_read().is_none(), "a writer waits");
    drop(first);
    writer.join(LONG).unwrap();
    assert_eq!(*lock.read(), 1);
}

#[test]
fn a_panic_does_not_poison_it() {
    let lock = RWLock::new(1);
    let panics = std::panic::AssertUnwindSafe(|| {
        let _held = lock.write();
        panic!("under the guard");
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(*lock.read(), 1);
    let panics = std::panic::AssertUnwindSafe(|| {
        let _held = lock.read();
        panic!("under the guard");
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    *lock.write() = 2;
    assert!(!lock.locked());
}

#[test]
fn it_can_be_a_static() {
    static PRICES: RWLock<Vec<u32>> = RWLock::new(Vec::new());
    in_threads(4, |_| PRICES.write().push(1));
    assert_eq!(*PRICES.read(), [1; 4]);
}

#[test]
fn a_wrong_timeout_is_refused_and_changes_nothing() {
    let lock = RWLock::new(());
    let errors = |wrong: f64| {
        let errors = [
            lock.read_timeout(wrong).map(drop).unwrap_err(),
            lock.write_timeout(wrong).map(drop).unwrap_err(),
        ];
        assert!(lock.try_write().is_some(), "{wrong}");
        errors
    };
    for wrong in [-2.0, f64::NAN] {
        for error in errors(wrong) {
            assert!(matches!(error, Error::Value(ValueError::Timeout(_))));
        }
    }
    for wrong in [TIMEOUT_MAX + 1.0, f64::INFINITY] {
        for error in errors(wrong) {
            assert!(matches!(error, Error::Overflow(OverflowError)));
        }
    }
}

#[test]
fn minus_one_waits_for_ever() {
    let lock = Arc::new(RWLock::new(0));
    let held = lock.write();
    let (reads, writes) = (lock.clone(), lock.clone());
    let threads = [
        start(move || reads.read_timeout(-1).unwrap().is_some()),
        start(move || writes.write_timeout(-1).unwrap().is_some()),
    ];
    threads.iter().for_each(wait_blocked);
    drop(held);
    assert!(threads.iter().all(|thread| thread.join(LONG).unwrap()));
}
