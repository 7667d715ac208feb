//! What is refused, and what the functions that a scheduler calls may do.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use hilos::sched::{Event, Scheduler, ValueError};

use super::support::{Log, enterabs, scheduler};

const fn assert_send_sync_clone<T: Send + Sync + Clone>() {}

const _: () = {
    assert_send_sync_clone::<Scheduler>();
    assert_send_sync_clone::<Event>();
    assert_send_sync_clone::<ValueError>();
};

#[test]
fn nan_is_no_time() {
    let s = scheduler();
    let nan = Err(ValueError::NotANumber);
    assert_eq!(s.enterabs(f64::NAN, 1, || ()), nan);
    assert_eq!(s.enter(f64::NAN, 1, || ()), nan);
    assert!(s.empty());
    assert_eq!(s.enterabs(0.0, 1, || ()).unwrap().sequence(), 0);
}

#[test]
fn infinite_times_come_first_and_last() {
    let (s, log) = (scheduler(), Log::new());
    for time in [f64::INFINITY, 0.0, f64::NEG_INFINITY] {
        enterabs(&s, &log, time);
    }
    assert_eq!(s.run(false), Some(f64::INFINITY));
    assert_eq!(log.take(), [f64::NEG_INFINITY, 0.0]);
}

#[test]
fn the_two_zeros_are_one_time() {
    let (s, log) = (scheduler(), Log::new());
    s.enterabs(-0.0, 2, log.of("second")).unwrap();
    s.enterabs(0.0, 1, log.of("first")).unwrap();
    s.run(true);
    assert_eq!(log.take(), ["first", "second"]);
}

#[test]
fn an_event_can_be_cancelled_once_and_before_it_runs() {
    let (s, log) = (scheduler(), Log::new());
    let [cancelled, run] = [1.0, 2.0].map(|time| enterabs(&s, &log, time));
    s.cancel(cancelled).unwrap();
    assert_eq!(s.cancel(cancelled), Err(ValueError::NotInQueue));
    s.run(true);
    assert_eq!(s.cancel(run), Err(ValueError::NotInQueue));
    assert_eq!(log.take(), [2.0]);
}

#[test]
fn an_event_of_another_scheduler_is_not_in_the_queue() {
    let (s, other, log) = (scheduler(), scheduler(), Log::new());
    let mine = enterabs(&s, &log, 1.0);
    let alike = other.enterabs(1.0, 1, || ()).unwrap();
    assert_ne!(mine, alike);
    assert_eq!(s.cancel(alike), Err(ValueError::NotInQueue));
    assert_eq!(s.queue(), [mine]);
    assert_eq!(other.queue(), [alike]);

    // A clone is the same scheduler.
    s.clone().cancel(mine).unwrap();
    assert!(s.empty());
}

#[test]
fn errors_read_as_pythons() {
    let texts = |error: ValueError| [format!("{error}"), format!("{error:?}")];
    assert_eq!(
        texts(ValueError::NotInQueue),
        [
            "the event is not in the queue",
            "ValueError: the event is not in the queue"
        ]
    );
    assert_eq!(
        texts(ValueError::NotANumber),
        [
            "Invalid value NaN (not a number)",
            "ValueError: Invalid value NaN (not a number)"
        ]
    );
    let boxed: Box<dyn std::error::Error + Send + Sync> = ValueError::NotInQueue.into();
    assert_eq!(boxed.to_string(), "the event is not in the queue");
}

#[test]
fn a_scheduler_shows_its_queue() {
    let s = scheduler();
    assert_eq!(format!("{s:?}"), "Scheduler { queue: [] }");
    s.enterabs(1.5, 7, || ()).unwrap();
    let shown = format!("{s:?}");
    assert!(
        shown.contains("time: 1.5") && shown.contains("priority: 7"),
        "{shown}"
    );
}

#[test]
fn a_panic_in_an_action_leaves_the_other_events() {
    let (s, log) = (scheduler(), Log::new());
    enterabs(&s, &log, 1.0);
    // As a panic, but silent.
    s.enterabs(2.0, 1, || resume_unwind(Box::new("boom")))
        .unwrap();
    enterabs(&s, &log, 3.0);
    enterabs(&s, &log, 4.0);
    let payload = catch_unwind(AssertUnwindSafe(|| s.run(true))).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"boom"));
    assert_eq!(log.take(), [1.0]);
    assert_eq!(s.queue().len(), 2);
    assert_eq!(s.run(true), None);
    assert_eq!(log.take(), [3.0, 4.0]);
}

#[test]
fn a_panic_in_a_clock_function_leaves_every_event() {
    for fails_in_timefunc in [true, false] {
        let calls = AtomicUsize::new(0);
        let fail_once = move || {
            if calls.fetch_add(1, Ordering::Relaxed) == 0 {
                resume_unwind(Box::new("boom"));
            }
        };
        let s = match fails_in_timefunc {
            true => Scheduler::with_clock(
                move || {
                    fail_once();
                    1.0
                },
                |_| (),
            ),
            false => Scheduler::with_clock(|| 1.0, move |_| fail_once()),
        };
        let log = Log::new();
        let count = if fails_in_timefunc { 1 } else { 2 };
        enterabs(&s, &log, 0.0);
        enterabs(&s, &log, 1.0);
        assert!(catch_unwind(AssertUnwindSafe(|| s.run(true))).is_err());
        assert_eq!(s.queue().len(), 3 - count);
        s.run(true);
        assert_eq!(log.take(), [0.0, 1.0]);
    }
}

#[test]
fn an_action_may_enter_events() {
    /// Enters itself again until it has run three times, a second apart.
    fn again(s: Scheduler, log: Log<i32>, left: i32) {
        log.push(left);
        if left > 0 {
            let inner = s.clone();
            s.enter(1.0, 1, move || again(inner, log, left - 1))
                .unwrap();
        }
    }
    let (s, log) = (scheduler(), Log::new());
    let first = (s.clone(), log.clone());
    s.enter(1.0, 1, move || again(first.0, first.1, 3)).unwrap();
    assert_eq!(s.run(true), None);
    assert_eq!(log.take(), [3, 2, 1, 0]);
    let event = s.enter(0.0, 1, || ()).unwrap();
    assert_eq!((event.time(), event.sequence()), (4.0, 4));
}

#[test]
fn an_event_that_an_action_enters_for_now_runs_in_the_same_run() {
    let (s, log) = (scheduler(), Log::new());
    let (inner, inner_log) = (s.clone(), log.clone());
    s.enterabs(0.0, 1, move || {
        inner.enterabs(0.0, 0, inner_log.of("second")).unwrap();
        inner_log.push("first");
    })
    .unwrap();
    s.enterabs(0.0, 1, log.of("third")).unwrap();
    assert_eq!(s.run(false), None);
    assert_eq!(log.take(), ["first", "second", "third"]);
}

#[test]
fn an_action_may_cancel_the_events_to_come_but_not_its_own() {
    let (s, log) = (scheduler(), Log::new());
    let later = enterabs(&s, &log, 2.0);
    let own = Arc::new(OnceLock::new());
    let (inner, inner_log, inner_own) = (s.clone(), log.clone(), own.clone());
    let cancel = move || {
        let own = *inner_own.get().unwrap();
        assert_eq!(inner.cancel(own), Err(ValueError::NotInQueue));
        inner.cancel(later).unwrap();
        assert!(inner.empty());
        inner_log.push(1.0);
    };
    own.set(s.enterabs(1.0, 1, cancel).unwrap()).unwrap();
    s.run(true);
    assert_eq!(log.take(), [1.0]);
}

#[test]
fn an_action_may_run_the_scheduler() {
    let (s, log) = (scheduler(), Log::new());
    let (inner, inner_log) = (s.clone(), log.clone());
    s.enterabs(1.0, 1, move || {
        assert_eq!(inner.run(true), None);
        inner_log.push(1.0);
    })
    .unwrap();
    enterabs(&s, &log, 2.0);
    assert_eq!(s.run(true), None);
    assert_eq!(log.take(), [2.0, 1.0]);
}

#[test]
fn clock_functions_may_use_the_scheduler() {
    let own = Arc::new(OnceLock::<Scheduler>::new());
    let log = Log::new();
    let s = {
        let (timefunc, delayfunc, log) = (own.clone(), own.clone(), log.clone());
        Scheduler::with_clock(
            // The clock is at the first event that is left, so that each is due.
            move || match timefunc.get().unwrap().queue().first() {
                Some(event) => event.time(),
                None => 0.0,
            },
            move |_| {
                let s = delayfunc.get().unwrap();
                log.push(s.queue().len() as f64);
                if let Some(&event) = s.queue().first() {
                    s.cancel(event).unwrap();
                }
            },
        )
    };
    own.set(s.clone()).unwrap();
    for time in [1.0, 2.0, 3.0] {
        enterabs(&s, &log, time);
    }
    // After the first event the delay function cancels the second.
    assert_eq!(s.run(true), None);
    assert_eq!(log.take(), [1.0, 2.0, 3.0, 0.0]);
}

#[test]
fn an_empty_scheduler_does_not_read_the_clock() {
    let reads = Arc::new(AtomicUsize::new(0));
    let count = reads.clone();
    let timefunc = move || count.fetch_add(1, Ordering::Relaxed) as f64;
    let s = Scheduler::with_clock(timefunc, |_| ());
    assert_eq!(s.run(true), None);
    assert_eq!(reads.load(Ordering::Relaxed), 0);
    s.enterabs(0.0, 1, || ()).unwrap();
    s.run(true);
    assert_eq!(reads.load(Ordering::Relaxed), 1);
}

#[test]
fn a_cancelled_action_is_dropped_and_may_use_the_scheduler() {
    /// Looks at the scheduler when it is dropped.
    struct Looks(Scheduler, Log<bool>);

    impl Drop for Looks {
        fn drop(&mut self) {
            self.1.push(self.0.empty());
        }
    }

    let (s, log) = (scheduler(), Log::new());
    let looks = Looks(s.clone(), log.clone());
    let event = s.enterabs(1.0, 1, move || drop(looks)).unwrap();
    assert_eq!(log.take(), []);
    s.cancel(event).unwrap();
    assert_eq!(log.take(), [true]);
}
