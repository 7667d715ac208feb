use std::rc::Rc;

use hilos_core::sync::model::{check, expire_timeouts, wait_for_sleepers};
use hilos_threading::Event;
use loom::cell::Cell;
use loom::sync::atomic::{AtomicBool, Ordering};

use crate::{LATER, spawn};

/// An event that says the message is there; loom fails if it is read while it is written.
#[derive(Default)]
struct Announced {
    event: Event,
    message: Cell<u32>,
}

impl Announced {
    fn announce(&self) {
        self.message.set(1);
        self.event.set();
    }

    fn read(&self) {
        assert_eq!(self.message.get(), 1);
    }
}

#[test]
fn set_ends_a_wait() {
    check(|| {
        let announced = Rc::<Announced>::default();
        let waiter = spawn(&announced, |announced| {
            assert!(announced.event.wait(None));
            announced.read();
        });
        announced.announce();
        waiter.join().unwrap();
    });
}

#[test]
fn is_set_sees_what_came_before_set() {
    check(|| {
        let announced = Rc::<Announced>::default();
        let other = spawn(&announced, |announced| {
            if announced.event.is_set() {
                announced.read();
            }
        });
        announced.announce();
        other.join().unwrap();
    });
}

#[test]
fn set_wakes_everybody() {
    check(|| {
        let announced = Rc::<Announced>::default();
        let waiters = [(); 2].map(|()| {
            spawn(&announced, |announced| {
                assert!(announced.event.wait(None));
                announced.read();
            })
        });
        announced.announce();
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn who_waited_before_set_goes_on_after_clear() {
    check(|| {
        let event = Rc::<Event>::default();
        let waiter = spawn(&event, |event| event.wait(None));
        wait_for_sleepers(1);
        event.set();
        event.clear();
        assert!(waiter.join().unwrap());
    });
}

#[test]
fn who_waits_after_clear_is_not_woken_by_the_set_before() {
    check(|| {
        let event = Rc::<Event>::default();
        let waiter = spawn(&event, |event| {
            assert!(event.wait(None));
            event.clear();
            assert!(!event.wait(LATER));
        });
        event.set();
        expire_timeouts();
        waiter.join().unwrap();
    });
}

#[test]
fn set_and_clear_race_a_wait() {
    check(|| {
        let event = Rc::<Event>::default();
        let waiter = spawn(&event, |event| event.wait(None));
        event.set();
        event.clear();
        event.set();
        assert!(waiter.join().unwrap());
        assert!(event.is_set());
    });
}

#[test]
fn a_timeout_races_set() {
    check(|| {
        let announced = Rc::<Announced>::default();
        let waiter = spawn(&announced, |announced| {
            if announced.event.wait(LATER) {
                announced.read();
            }
        });
        expire_timeouts();
        announced.announce();
        waiter.join().unwrap();
        assert!(announced.event.wait(None));
    });
}

#[test]
fn a_timeout_does_not_keep_another_thread_waiting() {
    check(|| {
        let event = Rc::<Event>::default();
        let hasty = spawn(&event, |event| event.wait(LATER));
        let patient = spawn(&event, |event| event.wait(None));
        expire_timeouts();
        event.set();
        assert!(patient.join().unwrap());
        hasty.join().unwrap();
    });
}

#[test]
fn clear_sees_what_came_before_a_set_that_found_it_set() {
    check(|| {
        let shared = Rc::<(Event, AtomicBool)>::default();
        let (event, work) = &*shared;
        event.set();
        let other = spawn(&shared, |(event, work)| {
            work.store(true, Ordering::Relaxed);
            event.set();
        });
        event.clear();
        // Else the work would lie there, and nobody would be told of it.
        let seen = work.load(Ordering::Relaxed);
        other.join().unwrap();
        assert!(seen || event.is_set());
    });
}
