use std::rc::Rc;

use hilos_core::sync::model::{check, expire_timeouts, wait_for_sleepers};
use hilos_threading::{BoundedSemaphore, Semaphore};
use loom::cell::Cell;

use crate::{LATER, spawn};

/// Loom fails when two threads use the cell at once.
struct Guarded {
    semaphore: Semaphore,
    count: Cell<u32>,
}

impl Guarded {
    fn count(&self) {
        self.semaphore.acquire();
        self.count.set(self.count.get() + 1);
        self.semaphore.release().unwrap();
    }
}

#[test]
fn one_permit_excludes() {
    check(|| {
        let guarded = Rc::new(Guarded {
            semaphore: Semaphore::new(1),
            count: Cell::new(0),
        });
        let other = spawn(&guarded, Guarded::count);
        guarded.count();
        other.join().unwrap();
        assert_eq!(guarded.count.get(), 2);
    });
}

#[test]
fn release_n_wakes_n() {
    check(|| {
        let semaphore = Rc::new(Semaphore::new(0));
        let waiters = [(); 2].map(|()| spawn(&semaphore, Semaphore::acquire));
        semaphore.release_n(2).unwrap();
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
        assert!(!semaphore.try_acquire());
    });
}

#[test]
fn each_release_wakes_one() {
    check(|| {
        let semaphore = Rc::new(Semaphore::new(0));
        let waiters = [(); 2].map(|()| spawn(&semaphore, Semaphore::acquire));
        wait_for_sleepers(2);
        semaphore.release().unwrap();
        semaphore.release().unwrap();
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
        assert!(!semaphore.try_acquire());
    });
}

#[test]
fn a_timeout_races_a_release() {
    check(|| {
        let semaphore = Rc::new(Semaphore::new(0));
        let waiter = spawn(&semaphore, |semaphore| semaphore.acquire_timeout(LATER));
        expire_timeouts();
        semaphore.release().unwrap();
        let acquired = waiter.join().unwrap();
        // The permit is the waiter's or still there.
        assert_ne!(semaphore.try_acquire(), acquired);
        assert!(!semaphore.try_acquire());
    });
}

#[test]
fn a_timeout_does_not_cost_another_thread_its_permit() {
    check(|| {
        let semaphore = Rc::new(Semaphore::new(0));
        let hasty = spawn(&semaphore, |semaphore| {
            if semaphore.acquire_timeout(LATER) {
                semaphore.release().unwrap();
            }
        });
        let patient = spawn(&semaphore, Semaphore::acquire);
        expire_timeouts();
        semaphore.release().unwrap();
        hasty.join().unwrap();
        patient.join().unwrap();
        assert!(!semaphore.try_acquire());
    });
}

#[test]
fn a_bound_refuses_one_of_two_releases() {
    check(|| {
        let semaphore = Rc::new(BoundedSemaphore::new(1));
        semaphore.acquire();
        let other = spawn(&semaphore, |semaphore| semaphore.release().is_ok());
        let mine = semaphore.release().is_ok();
        assert_ne!(mine, other.join().unwrap());
        assert!(semaphore.try_acquire());
        assert!(!semaphore.try_acquire());
    });
}

#[test]
fn a_bound_counts_what_a_waiter_takes() {
    check(|| {
        let semaphore = Rc::new(BoundedSemaphore::new(1));
        semaphore.acquire();
        let waiter = spawn(&semaphore, |semaphore| semaphore.acquire());
        semaphore.release().unwrap();
        let refused = semaphore.release().is_err();
        waiter.join().unwrap();
        assert_eq!(semaphore.try_acquire(), !refused);
    });
}
