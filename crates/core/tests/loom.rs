//! Models of the one-word lock, which loom explores in every order.
//!
//! Run: RUSTFLAGS="--cfg loom" cargo test --release --package hilos-core --test loom

#![cfg(loom)]

use std::rc::Rc;
use std::time::Duration;

use hilos_core::raw_lock::OneWordLock;
use hilos_core::sync::model::{check, expire_timeouts};
use hilos_core::time::Deadline;
use loom::cell::Cell;
use loom::thread::{self, JoinHandle};

/// A lock and what it guards; loom fails when two threads use the cell at once.
#[derive(Default)]
struct Guarded {
    lock: OneWordLock,
    count: Cell<u32>,
}

impl Guarded {
    fn held() -> Rc<Self> {
        let guarded = Rc::<Self>::default();
        guarded.lock.acquire();
        guarded
    }

    fn count_and_release(&self) {
        self.count.set(self.count.get() + 1);
        assert!(self.lock.release());
    }

    fn acquire_and_count(&self) {
        self.lock.acquire();
        self.count_and_release();
    }

    fn count_until(&self, deadline: Deadline) -> bool {
        let acquired = self.lock.acquire_until(deadline);
        if acquired {
            self.count_and_release();
        }
        acquired
    }

    /// Whether a thread that has to wait is woken, after whatever came before.
    fn assert_works(self: &Rc<Self>) {
        self.lock.acquire();
        let other = spawn(self, Self::acquire_and_count);
        self.count_and_release();
        other.join().unwrap();
        assert!(!self.lock.release());
    }
}

/// A model's threads take turns in one thread of the system, so they can share an `Rc`.
fn spawn<T: 'static, R: 'static>(shared: &Rc<T>, body: fn(&T) -> R) -> JoinHandle<R> {
    let shared = shared.clone();
    thread::spawn(move || body(&shared))
}

/// A deadline that only [`expire_timeouts`] lets pass.
fn later() -> Deadline {
    Deadline::after(Duration::from_secs(1_000_000))
}

#[test]
fn two_threads_exclude_each_other() {
    check(|| {
        let guarded = Rc::<Guarded>::default();
        let other = spawn(&guarded, Guarded::acquire_and_count);
        guarded.acquire_and_count();
        other.join().unwrap();
        assert_eq!(guarded.count.get(), 2);
    });
}

#[test]
fn three_threads_exclude_one_another() {
    check(|| {
        let guarded = Rc::<Guarded>::default();
        let others = [(); 2].map(|()| spawn(&guarded, Guarded::acquire_and_count));
        guarded.acquire_and_count();
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(guarded.count.get(), 3);
    });
}

#[test]
fn a_try_excludes_too() {
    check(|| {
        let guarded = Rc::<Guarded>::default();
        let other = spawn(&guarded, Guarded::acquire_and_count);
        let acquired = guarded.lock.try_acquire();
        if acquired {
            guarded.count_and_release();
        }
        other.join().unwrap();
        assert_eq!(guarded.count.get(), 1 + u32::from(acquired));
    });
}

#[test]
fn another_thread_may_release() {
    check(|| {
        let guarded = Guarded::held();
        let other = spawn(&guarded, Guarded::count_and_release);
        guarded.acquire_and_count();
        other.join().unwrap();
        assert_eq!(guarded.count.get(), 2);
    });
}

#[test]
fn one_of_two_releases_succeeds() {
    check(|| {
        let guarded = Guarded::held();
        let other = spawn(&guarded, |guarded| guarded.lock.release());
        let mine = guarded.lock.release();
        assert_ne!(mine, other.join().unwrap());
        assert!(guarded.lock.try_acquire());
    });
}

#[test]
fn one_of_two_releases_succeeds_and_wakes() {
    check(|| {
        let guarded = Guarded::held();
        let releaser = spawn(&guarded, |guarded| guarded.lock.release());
        let waiter = spawn(&guarded, |guarded| guarded.lock.acquire());
        // Either both release what this thread or the waiter acquired, or one is refused.
        let mine = guarded.lock.release();
        let theirs = releaser.join().unwrap();
        waiter.join().unwrap();
        assert!(mine || theirs);
        assert_eq!(guarded.lock.locked(), mine != theirs);
    });
}

#[test]
fn a_deadline_races_a_release() {
    check(|| {
        let guarded = Guarded::held();
        let waiter = spawn(&guarded, |guarded| guarded.count_until(later()));
        expire_timeouts();
        guarded.count_and_release();
        let counted = waiter.join().unwrap();
        assert_eq!(guarded.count.get(), 1 + u32::from(counted));
        guarded.assert_works();
    });
}

#[test]
fn a_deadline_leaves_a_held_lock_alone() {
    check(|| {
        let guarded = Guarded::held();
        let waiter = spawn(&guarded, |guarded| guarded.count_until(later()));
        expire_timeouts();
        assert!(!waiter.join().unwrap());
        guarded.count_and_release();
        guarded.assert_works();
    });
}

#[test]
fn a_deadline_does_not_cost_another_thread_its_turn() {
    check(|| {
        let guarded = Guarded::held();
        let hasty = spawn(&guarded, |guarded| guarded.count_until(later()));
        let patient = spawn(&guarded, Guarded::acquire_and_count);
        expire_timeouts();
        guarded.count_and_release();
        let counted = hasty.join().unwrap();
        patient.join().unwrap();
        assert_eq!(guarded.count.get(), 2 + u32::from(counted));
    });
}
