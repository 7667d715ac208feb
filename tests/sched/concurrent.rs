//! CPython's tests that enter and cancel events while another thread runs the scheduler.

use std::thread::{self, JoinHandle};

use hilos::queue::Queue;
use hilos::sched::{Event, Scheduler};

use super::support::Timer;

/// Seconds that no event is expected to need.
const TIMEOUT: u64 = 60;

/// A scheduler over a [`Timer`], whose events put a number each into a queue.
struct Fixture {
    timer: Timer,
    scheduler: Scheduler,
    q: Queue<i32>,
}

impl Fixture {
    fn new() -> Self {
        let timer = Timer::default();
        Self {
            scheduler: timer.scheduler(),
            timer,
            q: Queue::new(0),
        }
    }

    fn put(&self, x: i32) -> impl FnOnce() + Send + use<> {
        let q = self.q.clone();
        move || q.put(x).unwrap()
    }

    fn enter(&self, delay: i32, x: i32) {
        let put = self.put(x);
        self.scheduler.enter(delay.into(), 1, put).unwrap();
    }

    fn enterabs(&self, time: i32) -> Event {
        let put = self.put(time);
        self.scheduler.enterabs(time.into(), 1, put).unwrap()
    }

    /// Runs the scheduler in a thread of its own.
    fn run(&self) -> JoinHandle<Option<f64>> {
        let scheduler = self.scheduler.clone();
        thread::spawn(move || scheduler.run(true))
    }

    fn assert_ends(&self, runner: JoinHandle<Option<f64>>, time: f64) {
        self.timer.advance(1000.0);
        assert_eq!(runner.join().unwrap(), None);
        self.assert_none();
        assert_eq!(self.timer.time(), time);
    }

    fn assert_next(&self, x: i32) {
        assert_eq!(self.q.get_timeout(TIMEOUT), Ok(x));
    }

    fn assert_none(&self) {
        assert!(self.q.empty());
    }
}

// cpython: test_sched.py::TestCase::test_enter_concurrent
#[test]
fn events_may_be_entered_while_another_thread_runs_them() {
    let fixture = Fixture::new();
    fixture.enter(1, 1);
    fixture.enter(3, 3);
    let runner = fixture.run();
    fixture.timer.advance(1.0);
    fixture.assert_next(1);
    fixture.assert_none();
    for x in [4, 5, 2] {
        fixture.enter(x - 1, x);
    }
    fixture.timer.advance(2.0);
    fixture.assert_next(2);
    fixture.assert_next(3);
    fixture.assert_none();
    for x in [4, 5] {
        fixture.timer.advance(1.0);
        fixture.assert_next(x);
        fixture.assert_none();
    }
    fixture.assert_ends(runner, 5.0);
}

// cpython: test_sched.py::TestCase::test_cancel_concurrent
#[test]
fn events_may_be_cancelled_while_another_thread_runs_them() {
    let fixture = Fixture::new();
    let [_event1, event2, _event4, event5, _event3] =
        [1, 2, 4, 5, 3].map(|time| fixture.enterabs(time));
    let runner = fixture.run();
    fixture.timer.advance(1.0);
    fixture.assert_next(1);
    fixture.assert_none();
    fixture.scheduler.cancel(event2).unwrap();
    fixture.scheduler.cancel(event5).unwrap();
    fixture.timer.advance(1.0);
    fixture.assert_none();
    for x in [3, 4] {
        fixture.timer.advance(1.0);
        fixture.assert_next(x);
        fixture.assert_none();
    }
    fixture.assert_ends(runner, 4.0);
}

#[test]
fn two_threads_that_run_one_scheduler_share_its_events() {
    let fixture = Fixture::new();
    for _ in 0..1000 {
        fixture.enterabs(0);
    }
    thread::scope(|scope| {
        scope.spawn(|| fixture.scheduler.run(true));
        scope.spawn(|| fixture.scheduler.run(true));
    });
    assert_eq!(fixture.q.qsize(), 1000);
    assert!(fixture.scheduler.empty());
}
