//! `BarrierTests`.

use std::sync::Arc;
use std::time::Instant;

use hilos::threading::{
    Barrier, BrokenBarrierError, Event, Mutex, Returning, TIMEOUT_MAX, ValueError,
};

use crate::support::{Count, LONG, in_threads, start, wait_blocked, wait_until};

const N: usize = 5;

fn barrier() -> Barrier {
    Barrier::new(N).unwrap().with_timeout(LONG)
}

// cpython: lock_tests.py::BarrierTests::test_constructor
#[test]
fn a_barrier_for_nobody_is_refused() {
    let refused = Barrier::new(0).unwrap_err();
    assert!(refused == ValueError::NoParties);
    assert_eq!(format!("{refused:?}"), "ValueError: parties must be > 0");
    assert_eq!(barrier().parties(), N);
}

/// All threads go through in step, `rounds` times.
fn check_lockstep(rounds: usize) {
    let (barrier, before, after) = (barrier(), Count::default(), Count::default());
    in_threads(N, |_| {
        for round in 0..rounds {
            before.up();
            assert_eq!(after.get(), round * N);
            barrier.wait(None).unwrap();
            after.up();
            assert_eq!(before.get(), (round + 1) * N);
            barrier.wait(None).unwrap();
        }
        assert_eq!(barrier.n_waiting(), 0);
        assert!(!barrier.broken());
    });
}

// cpython: lock_tests.py::BarrierTests::test_barrier
#[test]
fn nobody_goes_on_before_all_have_come() {
    check_lockstep(1);
}

// cpython: lock_tests.py::BarrierTests::test_barrier_10
#[test]
fn it_opens_again_and_again() {
    check_lockstep(10);
}

// cpython: lock_tests.py::BarrierTests::test_wait_return
#[test]
fn each_thread_has_a_number_of_its_own() {
    let (barrier, numbers) = (barrier(), Mutex::new(Vec::new()));
    in_threads(N, |_| {
        let number = barrier.wait(None).unwrap();
        numbers.lock().push(number);
    });
    let mut numbers = numbers.into_inner();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
}

// cpython: lock_tests.py::BarrierTests::test_action
#[test]
fn one_thread_runs_the_action_before_any_goes_on() {
    let runs = Arc::new(Count::default());
    let counter = runs.clone();
    let barrier = barrier().with_action(move || {
        counter.up();
    });
    in_threads(N, |_| {
        barrier.wait(None).unwrap();
        assert_eq!(runs.get(), 1);
    });
    assert_eq!(runs.get(), 1);
}

#[test]
fn the_action_may_use_the_barrier() {
    let barrier = Arc::new_cyclic(|weak: &std::sync::Weak<Barrier>| {
        let weak = weak.clone();
        let action = move || {
            let barrier = weak.upgrade().unwrap();
            assert_eq!((barrier.n_waiting(), barrier.broken()), (2, false));
            assert!(barrier.to_string().ends_with("waiters=2/2>"));
        };
        Barrier::new(2).unwrap().with_action(action)
    });
    in_threads(2, |_| assert!(barrier.wait(LONG).is_ok()));
}

#[test]
fn an_action_that_breaks_or_resets_the_barrier_fails_its_round() {
    for reset in [false, true] {
        let barrier = Arc::new_cyclic(|weak: &std::sync::Weak<Barrier>| {
            let weak = weak.clone();
            Barrier::new(2).unwrap().with_action(move || {
                let barrier = weak.upgrade().unwrap();
                if reset {
                    barrier.reset()
                } else {
                    barrier.abort()
                }
            })
        });
        in_threads(2, |_| assert!(barrier.wait(LONG).is_err()));
        assert_eq!(barrier.broken(), !reset);
        assert_eq!(barrier.n_waiting(), 0);
    }
}

#[test]
fn an_action_that_waits_at_its_own_barrier_breaks_it() {
    type Before = fn(&Barrier);
    let befores: [Before; 3] = [|_| (), Barrier::reset, Barrier::abort];
    for (parties, before) in [1, 2].into_iter().flat_map(|n| befores.map(|f| (n, f))) {
        let barrier = Arc::new_cyclic(|weak: &std::sync::Weak<Barrier>| {
            let weak = weak.clone();
            let action = move || {
                let barrier = weak.upgrade().unwrap();
                before(&barrier);
                assert!(barrier.wait(None) == Err(BrokenBarrierError));
                assert!(barrier.broken());
            };
            Barrier::new(parties).unwrap().with_action(action)
        });
        for _ in 0..2 {
            let threads: Vec<_> = (0..parties).map(|_| come(&barrier, LONG)).collect();
            for thread in threads {
                assert!(thread.join(LONG).unwrap() == Err(BrokenBarrierError));
            }
            assert!(barrier.broken());
            barrier.reset();
            assert!(!barrier.broken());
        }
    }
}

#[test]
fn an_action_may_wait_at_another_barrier() {
    let other = Arc::new(Barrier::new(2).unwrap());
    let theirs = other.clone();
    let action = move || assert!(theirs.wait(LONG).is_ok());
    let barrier = Arc::new(Barrier::new(1).unwrap().with_action(action));
    for _ in 0..2 {
        let thread = come(&barrier, LONG);
        assert!(other.wait(LONG).is_ok());
        assert!(thread.join(LONG).unwrap() == Ok(0));
    }
}

#[test]
fn a_panic_in_the_action_breaks_the_barrier() {
    let barrier = Barrier::new(2)
        .unwrap()
        .with_action(|| panic!("in the action"));
    let (panics, errors) = (Count::default(), Count::default());
    in_threads(2, |_| {
        let wait = std::panic::AssertUnwindSafe(|| barrier.wait(LONG));
        match std::panic::catch_unwind(wait) {
            Err(_) => panics.up(),
            Ok(result) => {
                assert!(result == Err(BrokenBarrierError));
                errors.up()
            }
        };
    });
    assert_eq!((panics.get(), errors.get()), (1, 1));
    assert!(barrier.broken());
    assert!(barrier.wait(0).is_err());
}

#[test]
fn a_reset_mends_a_barrier_whose_action_panicked() {
    let runs = Arc::new(Count::default());
    let counter = runs.clone();
    let barrier = Barrier::new(1)
        .unwrap()
        .with_action(move || assert!(counter.up() > 1, "the first time"));
    let wait = std::panic::AssertUnwindSafe(|| barrier.wait(LONG));
    assert!(std::panic::catch_unwind(wait).is_err());
    assert!(barrier.broken() && barrier.wait(LONG).is_err());
    assert_eq!(runs.get(), 1, "a broken barrier does not act");
    barrier.reset();
    assert!(!barrier.broken());
    assert!(barrier.wait(LONG) == Ok(0));
    assert_eq!(runs.get(), 2);
}

/// A barrier for two whose first action goes on until the event is set, and two threads in it.
fn acting() -> (Arc<Barrier>, Arc<Event>, [Returning<Round>; 2]) {
    let (acts, end) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let (theirs, ends) = (acts.clone(), end.clone());
    let action = move || {
        theirs.set();
        assert!(ends.wait(LONG));
    };
    let barrier = Arc::new(Barrier::new(2).unwrap().with_action(action));
    let threads = [(); 2].map(|()| come(&barrier, LONG));
    assert!(acts.wait(LONG));
    (barrier, end, threads)
}

type Round = Result<usize, BrokenBarrierError>;

/// A thread that comes to the barrier.
fn come(barrier: &Arc<Barrier>, timeout: f64) -> Returning<Round> {
    let barrier = barrier.clone();
    start(move || barrier.wait(timeout))
}

#[test]
fn who_comes_while_the_action_runs_is_in_the_next_round() {
    let (barrier, end, first) = acting();
    let late = come(&barrier, LONG);
    wait_blocked(&late);
    assert_eq!(barrier.n_waiting(), 2, "the late one is outside");
    end.set();
    assert!(
        first
            .iter()
            .all(|thread| thread.join(LONG).unwrap().is_ok())
    );
    wait_until("the late one to come in", || barrier.n_waiting() == 1);
    assert!(late.is_alive());
    assert!(barrier.wait(LONG) == Ok(1));
    assert!(late.join(LONG).unwrap() == Ok(0));
}

#[test]
fn a_timeout_counts_from_when_the_thread_is_inside() {
    let (barrier, end, first) = acting();
    let late = come(&barrier, 0.1);
    wait_blocked(&late);
    // Longer than the timeout, all of it outside.
    std::thread::sleep(std::time::Duration::from_millis(120));
    let ended = Instant::now();
    end.set();
    assert!(late.join(LONG).unwrap().is_err());
    assert!(ended.elapsed().as_secs_f64() >= 0.1);
    assert!(
        first
            .iter()
            .all(|thread| thread.join(LONG).unwrap().is_ok())
    );
}

#[test]
fn an_abort_while_the_action_runs_breaks_it_for_all() {
    let (barrier, end, first) = acting();
    let late = come(&barrier, LONG);
    wait_blocked(&late);
    barrier.abort();
    assert!(late.join(LONG).unwrap().is_err(), "outside");
    end.set();
    for thread in first {
        assert!(thread.join(LONG).unwrap().is_err());
    }
    assert!(barrier.broken());
}

#[test]
fn late_arrivals_pair_up_round_after_round() {
    const TICKETS: usize = 4000;
    let (barrier, tickets) = (Barrier::new(2).unwrap(), Count::default());
    let numbers = [Count::default(), Count::default()];
    in_threads(4, |_| {
        while tickets.up() <= TICKETS {
            numbers[barrier.wait(LONG).unwrap()].up();
        }
    });
    assert_eq!(numbers.map(|count| count.get()), [TICKETS / 2; 2]);
    assert_eq!(barrier.n_waiting(), 0);
}

#[test]
fn a_reset_of_an_empty_barrier_changes_nothing() {
    let barrier = Barrier::new(2).unwrap();
    barrier.reset();
    in_threads(2, |_| assert!(barrier.wait(LONG).is_ok()));
    barrier.reset();
    in_threads(2, |_| assert!(barrier.wait(LONG).is_ok()));
}

#[test]
fn a_timeout_beyond_the_clock_waits_for_ever() {
    for endless in [f64::INFINITY, 1e300, TIMEOUT_MAX + 1.0, TIMEOUT_MAX] {
        let barrier = Arc::new(Barrier::new(2).unwrap());
        let first = come(&barrier, endless);
        wait_blocked(&first);
        assert!(barrier.wait(LONG) == Ok(1), "{endless}");
        assert!(first.join(LONG).unwrap() == Ok(0), "{endless}");
    }
}

// cpython: lock_tests.py::BarrierTests::test_abort
#[test]
fn an_abort_breaks_it_for_all() {
    let (barrier, through, broken) = (barrier(), Count::default(), Count::default());
    in_threads(N, |_| {
        let first = barrier.wait(None);
        if first == Ok(N / 2) {
            return barrier.abort();
        }
        // Who has not gone out of the first round yet may see the abort there.
        match first.and_then(|_| barrier.wait(None)) {
            Ok(_) => through.up(),
            Err(BrokenBarrierError) => broken.up(),
        };
    });
    assert_eq!((through.get(), broken.get()), (0, N - 1));
    assert!(barrier.broken());
    let error = barrier.wait(None).unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "BrokenBarrierError: the barrier is broken"
    );
}

// cpython: lock_tests.py::BarrierTests::test_reset
#[test]
fn a_reset_lets_the_waiting_go_with_an_error() {
    let (barrier, broken, again) = (barrier(), Count::default(), Count::default());
    in_threads(N, |_| {
        if barrier.wait(None).unwrap() == N / 2 {
            wait_until("the others to wait", || barrier.n_waiting() == N - 1);
            barrier.reset();
        } else {
            assert!(barrier.wait(None).is_err());
            broken.up();
        }
        barrier.wait(None).unwrap();
        again.up();
    });
    assert_eq!((broken.get(), again.get()), (N - 1, N));
}

// cpython: lock_tests.py::BarrierTests::test_abort_and_reset
#[test]
fn a_broken_barrier_can_be_reset() {
    let (first, second, again) = (barrier(), barrier(), Count::default());
    in_threads(N, |_| {
        match first.wait(None) {
            Ok(number) if number == N / 2 => first.abort(),
            round => assert!(round.and_then(|_| first.wait(None)).is_err()),
        }
        // In step, so that all have left when it is reset and none comes before.
        if second.wait(None).unwrap() == N / 2 {
            first.reset();
        }
        second.wait(None).unwrap();
        first.wait(None).unwrap();
        again.up();
    });
    assert_eq!(again.get(), N);
    assert!(!first.broken());
}

// cpython: lock_tests.py::BarrierTests::test_timeout
#[test]
fn one_timeout_breaks_it_for_all() {
    let barrier = barrier();
    in_threads(N - 1, |number| {
        let timeout = if number == 0 { 0.05 } else { LONG };
        assert!(barrier.wait(timeout).is_err());
    });
    assert!(barrier.broken());
    for at_once in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
        let barrier = Barrier::new(2).unwrap();
        assert!(barrier.wait(at_once).is_err() && barrier.broken());
        let alone = Barrier::new(1).unwrap();
        assert!(alone.wait(at_once) == Ok(0), "the last need not wait");
    }
}

// cpython: lock_tests.py::BarrierTests::test_default_timeout
#[test]
fn its_own_timeout_is_the_default() {
    let barrier = Barrier::new(2).unwrap().with_timeout(0.05);
    let start = Instant::now();
    assert!(barrier.wait(None).is_err());
    assert!(start.elapsed().as_secs_f64() >= 0.05);
}

// cpython: lock_tests.py::BarrierTests::test_single_thread
#[test]
fn a_barrier_for_one_is_open() {
    let barrier = Barrier::new(1).unwrap();
    assert!(barrier.wait(None) == Ok(0) && barrier.wait(None) == Ok(0));
}

// cpython: lock_tests.py::BarrierTests::test_repr
#[test]
fn it_prints_as_in_python() {
    let barrier = Arc::new(Barrier::new(3).unwrap());
    let shows = |end: &str| {
        let expected = format!("<threading.Barrier at {:p}: {end}>", Arc::as_ptr(&barrier));
        assert_eq!(barrier.to_string(), expected);
    };
    shows("waiters=0/3");
    let waiter = || {
        let barrier = barrier.clone();
        start(move || assert!(barrier.wait(LONG).is_ok()))
    };
    let threads = [waiter(), waiter()];
    wait_until("both to wait", || barrier.n_waiting() == 2);
    shows("waiters=2/3");
    barrier.wait(LONG).unwrap();
    threads.iter().for_each(|thread| thread.join(LONG).unwrap());
    shows("waiters=0/3");
    barrier.abort();
    shows("broken");
}
