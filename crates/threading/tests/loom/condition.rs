use std::rc::Rc;

use hilos_core::sync::model::{check, expire_timeouts, wait_for_sleepers};
use hilos_threading::{Condition, Lock, RLock, RawLock};
use loom::cell::Cell;

use crate::{LATER, spawn};

/// A condition that tells when there are tokens; loom fails when two threads use them at once.
struct Tokens<L> {
    condition: Condition<L>,
    tokens: Cell<u32>,
}

impl<L: RawLock + Default> Tokens<L> {
    fn none() -> Rc<Self> {
        Rc::new(Self {
            condition: Condition::new(L::default()),
            tokens: Cell::new(0),
        })
    }

    fn add(&self) {
        self.tokens.set(self.tokens.get() + 1);
    }

    fn add_and_notify(&self) {
        let _held = self.condition.lock();
        self.add();
        self.condition.notify(1).unwrap();
    }

    fn wait(&self) {
        let _held = self.condition.lock();
        while self.tokens.get() == 0 {
            assert!(self.condition.wait(None).unwrap());
        }
    }
}

/// One test over each of the two locks.
macro_rules! over_both_locks {
    ($($(#[$attribute:meta])* fn $name:ident<$lock:ident>() $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            fn model<$lock: RawLock + Default + 'static>() {
                check(|| $body);
            }

            #[test]
            fn over_a_lock() {
                model::<Lock>();
            }

            #[test]
            fn over_an_rlock() {
                model::<RLock>();
            }
        }
    )*};
}

over_both_locks! {
    fn notify_races_wait<L>() {
        let tokens = Tokens::<L>::none();
        let notifier = spawn(&tokens, Tokens::add_and_notify);
        tokens.wait();
        notifier.join().unwrap();
    }

    fn a_timeout_alone_ends_a_wait<L>() {
        let tokens = Tokens::<L>::none();
        let held = tokens.condition.lock();
        let other = spawn(&tokens, |tokens| {
            expire_timeouts();
            tokens.condition.with(|| tokens.add());
        });
        assert!(!tokens.condition.wait(LATER).unwrap());
        // The lock is held again.
        tokens.add();
        drop(held);
        other.join().unwrap();
        assert_eq!(tokens.tokens.get(), 2);
    }

    fn wait_for_returns_its_last_look<L>() {
        let tokens = Tokens::<L>::none();
        let notifier = spawn(&tokens, |tokens| {
            expire_timeouts();
            tokens.add_and_notify();
        });
        tokens.condition.with(|| {
            let there = || tokens.tokens.get() == 1;
            let last = tokens.condition.wait_for(there, LATER).unwrap();
            assert_eq!(last, there());
        });
        notifier.join().unwrap();
    }

    /// A thread that times out has not been notified: the notification is the other thread's.
    fn a_timeout_races_notify<L>() {
        let condition = Rc::new(Condition::new(L::default()));
        let hasty = spawn(&condition, |condition| {
            let _held = condition.lock();
            let notified = condition.wait(LATER).unwrap();
            if notified {
                condition.notify(1).unwrap();
            }
        });
        wait_for_sleepers(1);
        let patient = spawn(&condition, wait_notified);
        wait_for_sleepers(2);
        expire_timeouts();
        condition.with(|| condition.notify(1)).unwrap();
        hasty.join().unwrap();
        patient.join().unwrap();
    }

    fn notify_one_of_two_wakes_the_first<L>() {
        let condition = Rc::new(Condition::new(L::default()));
        let first = spawn(&condition, wait_notified);
        wait_for_sleepers(1);
        let second = spawn(&condition, |condition| {
            let _held = condition.lock();
            condition.wait(LATER).unwrap()
        });
        wait_for_sleepers(2);
        condition.with(|| condition.notify(1)).unwrap();
        first.join().unwrap();
        expire_timeouts();
        assert!(!second.join().unwrap());
    }
}

fn wait_notified<L: RawLock>(condition: &Condition<L>) {
    let _held = condition.lock();
    assert!(condition.wait(None).unwrap());
}

#[test]
fn wait_lets_go_of_every_level_of_an_rlock() {
    check(|| {
        let tokens = Tokens::<RLock>::none();
        tokens.condition.acquire();
        tokens.condition.acquire();
        let notifier = spawn(&tokens, Tokens::add_and_notify);
        assert!(tokens.condition.wait(None).unwrap());
        assert_eq!(tokens.tokens.get(), 1);
        tokens.condition.release().unwrap();
        assert!(tokens.condition.locked());
        tokens.condition.release().unwrap();
        tokens.condition.release().unwrap_err();
        notifier.join().unwrap();
    });
}

#[test]
fn notify_all_wakes_everybody() {
    check(|| {
        let condition = Rc::new(Condition::from(Lock::new()));
        let waiters = [1, 2].map(|count| {
            let waiter = spawn(&condition, wait_notified);
            wait_for_sleepers(count);
            waiter
        });
        condition.with(|| condition.notify_all()).unwrap();
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
    });
}
