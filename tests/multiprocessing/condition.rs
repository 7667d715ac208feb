//! `Condition` and `Event`.

use std::time::{Duration, Instant};

use hilos::multiprocessing::{
    Condition, Error, Event, Lock, Process, RawValue, Semaphore, StartMethod, Value,
};
use hilos::threading::{Returning, Thread};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{LONG, each_start_method, run_to_end, wait_until};

/// What a sleeper needs: it says that it sleeps, and that it has woken.
type Sleeper = (Condition, Semaphore, Semaphore, Option<f64>);

fn sleeper(timeout: Option<f64>) -> Sleeper {
    let counter = || Semaphore::new(0).unwrap();
    (Condition::new().unwrap(), counter(), counter(), timeout)
}

fn sleep(condition: Condition, sleeping: Semaphore, woken: Semaphore, timeout: Option<f64>) {
    condition.acquire().unwrap();
    sleeping.release().unwrap();
    let notified = condition.wait(timeout.unwrap_or(LONG)).unwrap();
    assert_eq!(notified, timeout.is_none());
    woken.release().unwrap();
    condition.release().unwrap();
}

/// Starts sleepers, as many processes as threads, and waits until all of them sleep.
fn start(method: StartMethod, count: usize, args: &Sleeper) -> (Vec<Process>, Vec<Returning<()>>) {
    let processes: Vec<_> = (0..count)
        .map(|_| Process::new(sleep, args.clone()).with_start_method(method))
        .collect();
    processes
        .iter()
        .for_each(|process| process.start().unwrap());
    let threads: Vec<_> = (0..count)
        .map(|_| {
            let (condition, sleeping, woken, timeout) = args.clone();
            Thread::returning(move || sleep(condition, sleeping, woken, timeout))
        })
        .collect();
    threads.iter().for_each(|thread| thread.start().unwrap());
    for _ in 0..2 * count {
        args.1.acquire().unwrap();
    }
    // Whoever has the lock now knows that all of them have let go of it.
    args.0.with_held(|| ());
    (processes, threads)
}

trait WithHeld {
    fn with_held<R>(&self, f: impl FnOnce() -> R) -> R;
}

impl WithHeld for Condition {
    fn with_held<R>(&self, f: impl FnOnce() -> R) -> R {
        let _held = self.lock().unwrap();
        f()
    }
}

fn finish((processes, threads): (Vec<Process>, Vec<Returning<()>>)) {
    for process in processes {
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
    }
    for thread in threads {
        thread.join(None).unwrap();
    }
}

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestCondition::test_notify
    fn notify(method: StartMethod) {
        let args = sleeper(None);
        let (condition, _, woken, _) = &args;
        let started = start(method, 1, &args);
        assert_eq!(woken.get_value(), 0);
        for count in 1..=2 {
            condition.with_held(|| condition.notify(1)).unwrap();
            wait_until("one has woken", || woken.get_value() >= count);
            assert_eq!(woken.get_value(), count);
        }
        finish(started);
    }

    // cpython: _test_multiprocessing.py::_TestCondition::test_notify_all
    fn notify_all(method: StartMethod) {
        let args = sleeper(Some(0.05));
        finish(start(method, 3, &args));
        assert_eq!(args.2.get_value(), 6, "all have timed out");

        let args = sleeper(None);
        let (condition, _, woken, _) = &args;
        let started = start(method, 3, &args);
        assert_eq!(woken.get_value(), 0);
        condition.with_held(|| condition.notify_all()).unwrap();
        finish(started);
        assert_eq!(woken.get_value(), 6);
    }

    // cpython: _test_multiprocessing.py::_TestCondition::test_notify_n
    fn notify_n(method: StartMethod) {
        let args = sleeper(None);
        let (condition, _, woken, _) = &args;
        let started = start(method, 3, &args);
        condition.with_held(|| condition.notify(2)).unwrap();
        wait_until("two have woken", || woken.get_value() >= 2);
        assert_eq!(woken.get_value(), 2);
        assert!(condition.to_string().ends_with(", 4)>"), "{condition}");
        condition.with_held(|| condition.notify(4)).unwrap();
        finish(started);
        condition.with_held(|| condition.notify(3)).unwrap();
        assert_eq!(woken.get_value(), 6);
    }

    // cpython: _test_multiprocessing.py::_TestCondition::test_waitfor
    fn wait_for(method: StartMethod) {
        fn child(condition: Condition, state: Value<i32>) -> Result<(), Error> {
            let _held = condition.lock()?;
            state.set(0)?;
            condition.notify(1)?;
            assert!(condition.wait_for(|| state.get().unwrap() == 4, None)?);
            assert_eq!(state.get()?, 4);
            Ok(())
        }
        let (condition, state) = (Condition::new().unwrap(), Value::new(-1).unwrap());
        let process = Process::new(child, (condition.clone(), state.clone()))
            .with_start_method(method);
        process.start().unwrap();
        condition.with_held(|| {
            assert!(condition.wait_for(|| state.get().unwrap() == 0, LONG).unwrap());
        });
        for _ in 0..4 {
            condition.with_held(|| {
                state.update(|n| *n += 1).unwrap();
                condition.notify(1).unwrap();
            });
        }
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
    }

    // cpython: _test_multiprocessing.py::_TestCondition::test_waitfor_timeout
    fn wait_for_gives_up(method: StartMethod) {
        fn child(condition: Condition, state: Value<i32>, ready: Semaphore) -> Result<(), Error> {
            let _held = condition.lock()?;
            ready.release()?;
            let start = Instant::now();
            assert!(!condition.wait_for(|| state.get().unwrap() == 4, 0.1)?);
            assert!(start.elapsed() >= Duration::from_millis(100));
            Ok(())
        }
        let (condition, state) = (Condition::new().unwrap(), Value::new(0).unwrap());
        let ready = Semaphore::new(0).unwrap();
        let process = Process::new(child, (condition.clone(), state.clone(), ready.clone()))
            .with_start_method(method);
        process.start().unwrap();
        assert!(ready.acquire_timeout(LONG).unwrap());
        for _ in 0..3 {
            condition.with_held(|| {
                state.update(|n| *n += 1).unwrap();
                condition.notify(1).unwrap();
            });
        }
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
    }

    // cpython: _test_multiprocessing.py::_TestCondition::test_wait_result
    fn wait_tells_whether_it_was_notified(method: StartMethod) {
        fn child(condition: Condition) -> Result<(), Error> {
            let _held = condition.lock()?;
            condition.notify(1)
        }
        let condition = Condition::new().unwrap();
        let process = Process::new(child, (condition.clone(),)).with_start_method(method);
        condition.acquire().unwrap();
        assert!(!condition.wait(0).unwrap());
        assert!(!condition.wait(0.05).unwrap());
        process.start().unwrap();
        assert!(condition.wait(LONG).unwrap());
        condition.release().unwrap();
        process.join(LONG).unwrap();
    }

    // cpython: _test_multiprocessing.py::_TestEvent::test_event
    fn event(method: StartMethod) {
        let event = Event::new().unwrap();
        assert!(!event.is_set());
        assert!(!event.wait(0));
        assert!(!event.wait(-1));
        let start = Instant::now();
        assert!(!event.wait(0.05));
        assert!(start.elapsed() >= Duration::from_millis(50));
        event.set();
        assert!(event.is_set());
        assert!(event.wait(None));
        assert!(event.wait(0));
        event.clear();
        assert!(!event.is_set());
        let set = |event: Event| event.set();
        let process = Process::new(set, (event.clone(),)).with_start_method(method);
        process.start().unwrap();
        assert!(event.wait(None));
        process.join(LONG).unwrap();
    }
}

// cpython: _test_multiprocessing.py::_TestCondition::test_timeout
#[test]
fn wait_gives_up_in_time() {
    let condition = Condition::new().unwrap();
    let _held = condition.lock().unwrap();
    let start = Instant::now();
    assert!(!condition.wait(0.15).unwrap());
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[test]
fn the_lock_must_be_held() {
    let condition = Condition::new().unwrap();
    let error = condition.wait(None).unwrap_err();
    let text = "must acquire() condition before using wait()";
    assert_eq!(error.to_string(), text);
    let error = condition.notify(1).unwrap_err();
    assert_eq!(error.to_string(), "lock is not owned");
    assert!(matches!(condition.notify_all(), Err(Error::Assertion(_))));
    assert!(condition.release().is_err());
}

#[test]
fn a_condition_lets_go_of_every_level_of_its_lock() {
    let condition = Condition::new().unwrap();
    condition.acquire().unwrap();
    condition.acquire().unwrap();
    let theirs = condition.clone();
    let thread = Thread::returning(move || {
        let _held = theirs.lock().unwrap();
        theirs.notify(1).unwrap();
    });
    thread.start().unwrap();
    assert!(condition.wait(LONG).unwrap());
    thread.join(None).unwrap();
    condition.release().unwrap();
    condition.release().unwrap();
    assert!(condition.release().is_err());
}

#[test]
fn conditions_share_a_lock() {
    let lock = Lock::new().unwrap();
    let full = Condition::with_lock(lock.clone()).unwrap();
    let empty = Condition::with_lock(lock.clone()).unwrap();
    lock.acquire().unwrap();
    let their_lock = lock.clone();
    let (their_full, their_empty) = (full.clone(), empty.clone());
    let thread = Thread::returning(move || {
        their_lock.acquire().unwrap();
        their_full.notify(1).unwrap();
        let notified = their_empty.wait(LONG).unwrap();
        their_lock.release().unwrap();
        notified
    });
    thread.start().unwrap();
    assert!(full.wait(LONG).unwrap());
    empty.notify(1).unwrap();
    lock.release().unwrap();
    assert!(thread.join(None).unwrap());
}

#[test]
fn the_longest_waiting_goes_on_first() {
    let (condition, order) = (Condition::new().unwrap(), Value::new(0_u64).unwrap());
    let waiting = Value::new(0).unwrap();
    let threads: Vec<_> = (1..=5)
        .map(|number| {
            let (condition, order) = (condition.clone(), order.clone());
            let inside = waiting.clone();
            let thread = Thread::returning(move || {
                let _held = condition.lock().unwrap();
                inside.update(|n| *n += 1).unwrap();
                assert!(condition.wait(LONG).unwrap());
                order
                    .update(|digits| *digits = *digits * 10 + number)
                    .unwrap();
            });
            thread.start().unwrap();
            wait_until("it waits", || waiting.get().unwrap() == number);
            thread
        })
        .collect();
    for count in 0..5 {
        condition.with_held(|| condition.notify(1)).unwrap();
        wait_until("one went on", || order.get().unwrap() >= 10_u64.pow(count));
    }
    threads
        .into_iter()
        .for_each(|thread| thread.join(None).unwrap());
    assert_eq!(order.get().unwrap(), 12345);
}

// cpython: _test_multiprocessing.py::_TestEvent::test_repr
#[test]
fn an_event_shows_its_state() {
    let event = Event::new().unwrap();
    assert!(event.to_string().starts_with("<Event at 0x"));
    assert!(event.to_string().ends_with(" unset>"));
    event.set();
    assert!(event.to_string().ends_with(" set>"));
    event.clear();
    assert!(event.to_string().ends_with(" unset>"));
}

#[test]
fn all_who_wait_see_a_set_that_is_cleared_at_once() {
    let (event, ready) = (Event::new().unwrap(), Semaphore::new(0).unwrap());
    let wait = |event: Event, ready: Semaphore| {
        ready.release().unwrap();
        assert!(event.wait(LONG));
    };
    let processes: Vec<_> = (0..3)
        .map(|_| Process::new(wait, (event.clone(), ready.clone())))
        .collect();
    processes
        .iter()
        .for_each(|process| process.start().unwrap());
    for _ in 0..3 {
        ready.acquire().unwrap();
    }
    let all = || processes.iter().all(|process| !process.is_alive());
    // Until all of them are inside; one that comes later sees a later one.
    wait_until("all have seen it", || {
        event.set();
        event.clear();
        all()
    });
    assert!(
        processes
            .iter()
            .all(|process| process.exitcode() == Some(0))
    );
}

#[test]
fn a_condition_travels_with_any_lock() {
    let condition = Condition::with_lock(Lock::new().unwrap()).unwrap();
    let check = |condition: Condition<Lock>| {
        assert!(!condition.try_acquire().unwrap());
        assert!(!condition.acquire_timeout(0.01).unwrap());
    };
    let _held = condition.lock().unwrap();
    assert_eq!(
        run_to_end(&Process::new(check, (condition.clone(),))),
        Some(0)
    );
}

#[test]
fn one_that_gives_up_leaves_its_place_once() {
    let (condition, stop) = (Condition::new().unwrap(), Event::new().unwrap());
    let impatient = [(); 3].map(|()| {
        let (condition, stop) = (condition.clone(), stop.clone());
        Thread::returning(move || {
            while !stop.is_set() {
                condition.with_held(|| condition.wait(0.00001).unwrap());
            }
        })
    });
    let (turn, theirs) = (Value::new(0).unwrap(), condition.clone());
    let seen = turn.clone();
    let patient = Thread::returning(move || {
        for expected in 1..=2_000 {
            let turned = || seen.get().unwrap() == expected;
            assert!(theirs.with_held(|| theirs.wait_for(turned, LONG).unwrap()));
            theirs.with_held(|| seen.set(-expected).unwrap());
        }
    });
    impatient.iter().for_each(|thread| thread.start().unwrap());
    patient.start().unwrap();
    for number in 1..=2_000 {
        condition.with_held(|| {
            turn.set(number).unwrap();
            condition.notify_all().unwrap();
        });
        wait_until("the patient one has seen it", || {
            turn.get().unwrap() == -number
        });
    }
    stop.set();
    impatient
        .into_iter()
        .for_each(|thread| thread.join(None).unwrap());
    patient.join(None).unwrap();
}

#[test]
fn whoever_waits_when_an_event_is_set_goes_on_although_it_is_cleared() {
    let (event, about_to) = (Event::new().unwrap(), RawValue::new(0).unwrap());
    let wait = |event: Event, about_to: RawValue<i32>| {
        for round in 1..=2 {
            about_to.set(round);
            assert!(event.wait(5));
        }
    };
    let process = Process::new(wait, (event.clone(), about_to.clone()));
    process.start().unwrap();
    let pid = Pid::from_raw(process.pid().unwrap() as i32);
    let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    for round in 1..=2 {
        wait_until("it waits", || {
            about_to.get() == round && stat().contains(") S ")
        });
        // It does not run before the event is cleared again.
        kill(pid, Signal::SIGSTOP).unwrap();
        wait_until("it is stopped", || stat().contains(") T "));
        event.set();
        event.clear();
        kill(pid, Signal::SIGCONT).unwrap();
    }
    process.join(LONG).unwrap();
    assert_eq!(process.exitcode(), Some(0));
}
