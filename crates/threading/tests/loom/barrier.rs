use std::rc::Rc;

use hilos_core::sync::model::{check, expire_timeouts, wait_for_sleepers};
use hilos_threading::Barrier;
use loom::cell::Cell;

use crate::{LATER, spawn};

fn for_two() -> Rc<Barrier> {
    Rc::new(Barrier::new(2).unwrap())
}

/// Each thread writes in one round what the other reads in the next.
struct Rounds {
    barrier: Barrier,
    messages: [Cell<u32>; 2],
}

impl Rounds {
    fn two(&self, mine: usize) -> [usize; 2] {
        self.messages[mine].set(1);
        let first = self.barrier.wait(None).unwrap();
        assert_eq!(self.messages[1 - mine].get(), 1);
        let second = self.barrier.wait(None).unwrap();
        self.messages[1 - mine].set(2);
        [first, second]
    }
}

#[test]
fn two_threads_meet_twice() {
    check(|| {
        let rounds = Rc::new(Rounds {
            barrier: Barrier::new(2).unwrap(),
            messages: [Cell::new(0), Cell::new(0)],
        });
        let other = spawn(&rounds, |rounds| rounds.two(1));
        let mine = rounds.two(0);
        let theirs = other.join().unwrap();
        assert_eq!(mine[0] + theirs[0], 1);
        assert_eq!(mine[1] + theirs[1], 1);
        assert_eq!(rounds.messages[0].get(), 2);
    });
}

#[test]
fn a_timeout_races_the_last_arrival() {
    check(|| {
        let barrier = for_two();
        let other = spawn(&barrier, |barrier| {
            expire_timeouts();
            barrier.wait(None).is_ok()
        });
        let passed = barrier.wait(LATER).is_ok();
        assert_eq!(other.join().unwrap(), passed);
        assert_eq!(barrier.broken(), !passed);
    });
}

#[test]
fn abort_races_wait() {
    check(|| {
        let barrier = for_two();
        let other = spawn(&barrier, |barrier| barrier.wait(None));
        barrier.abort();
        other.join().unwrap().unwrap_err();
        assert!(barrier.broken());
        barrier.wait(None).unwrap_err();
    });
}

#[test]
fn reset_races_wait() {
    check(|| {
        let barrier = for_two();
        let other = spawn(&barrier, |barrier| barrier.wait(LATER));
        barrier.reset();
        expire_timeouts();
        other.join().unwrap().unwrap_err();
        assert_eq!(barrier.n_waiting(), 0);
    });
}

#[test]
fn reset_sends_away_who_waits_before_others_meet() {
    check(|| {
        let barrier = for_two();
        let early = spawn(&barrier, |barrier| barrier.wait(None));
        wait_for_sleepers(1);
        barrier.reset();
        let late = spawn(&barrier, |barrier| barrier.wait(None));
        barrier.wait(None).unwrap();
        early.join().unwrap().unwrap_err();
        late.join().unwrap().unwrap();
    });
}

#[test]
fn reset_races_two_arrivals() {
    check(|| {
        let barrier = for_two();
        let early = spawn(&barrier, |barrier| barrier.wait(None).is_ok());
        barrier.reset();
        // The early one was sent away, or it came after the reset and meets this one.
        let late = spawn(&barrier, |barrier| barrier.wait(LATER).is_ok());
        expire_timeouts();
        let met = early.join().unwrap();
        assert_eq!(late.join().unwrap(), met);
    });
}
