//! `Barrier`.

use hilos::multiprocessing::{
    Barrier, Error, Lock, Process, Queue, StartMethod, Target, Value, pipe,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::support::{LONG, each_start_method, wait_until};

const N: usize = 5;

/// A counter that several processes change.
type Counter = Value<usize>;

fn counter() -> Counter {
    Value::new(0).unwrap()
}

fn add(counter: &Counter) {
    counter.update(|n| *n += 1).unwrap();
}

fn count(counter: &Counter) -> usize {
    counter.get().unwrap()
}

/// Runs `f` in N - 1 processes and here.
fn run_all<F, A>(method: StartMethod, f: F, args: A)
where
    F: Target<A>,
    A: Serialize + DeserializeOwned + Clone + Send + 'static,
{
    let start = |_| {
        let process = Process::new(f, args.clone()).with_start_method(method);
        process.start().unwrap();
        process
    };
    let processes: Vec<_> = (1..N).map(start).collect();
    assert!(f.call(args).is_none());
    for process in processes {
        process.join(LONG).unwrap();
        assert_eq!(process.result(), Some(Ok(())));
    }
}

fn barrier() -> Barrier {
    Barrier::new(N).unwrap().with_timeout(LONG)
}

/// Waits twice; one goes its own way after the first time. Counts who passed and who broke.
fn break_by(barrier: &Barrier, breaker: impl Fn(), passed: &Counter, broken: &Counter) {
    if barrier.wait(None).unwrap() == N / 2 {
        breaker();
        return;
    }
    match barrier.wait(None) {
        Ok(_) => add(passed),
        Err(Error::BrokenBarrier) => add(broken),
        Err(other) => panic!("{other}"),
    }
}

fn multipass(barrier: Barrier, before: Counter, after: Counter, passes: usize) {
    for pass in 0..passes {
        add(&before);
        assert_eq!(count(&after), pass * N);
        barrier.wait(None).unwrap();
        add(&after);
        assert_eq!(count(&before), (pass + 1) * N);
        barrier.wait(None).unwrap();
    }
    assert_eq!(barrier.n_waiting(), 0);
    assert!(!barrier.broken());
}

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestBarrier::test_barrier
    fn all_pass_in_step(method: StartMethod) {
        run_all(method, multipass, (barrier(), counter(), counter(), 1));
    }

    // cpython: _test_multiprocessing.py::_TestBarrier::test_barrier_10
    fn all_pass_in_step_ten_times(method: StartMethod) {
        run_all(method, multipass, (barrier(), counter(), counter(), 10));
    }

    // cpython: _test_multiprocessing.py::_TestBarrier::test_wait_return
    fn wait_numbers_them(method: StartMethod) {
        let wait = |barrier: Barrier, numbers: Queue<usize>| {
            numbers.put(&barrier.wait(None).unwrap()).unwrap();
        };
        let numbers = Queue::new(0).unwrap();
        run_all(method, wait, (barrier(), numbers.clone()));
        let mut numbers: Vec<usize> = (0..N).map(|_| numbers.get_nowait().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    }

    // cpython: _test_multiprocessing.py::_TestBarrier::test_action
    fn one_runs_the_action(method: StartMethod) {
        let wait = |barrier: Barrier, acted: Counter| {
            barrier.wait(None).unwrap();
            assert_eq!(count(&acted), 1);
        };
        let acted = counter();
        let action = |acted: Counter| add(&acted);
        let barrier = barrier().with_action(action, (acted.clone(),)).unwrap();
        run_all(method, wait, (barrier, acted.clone()));
        assert_eq!(count(&acted), 1);
    }

    // cpython: _test_multiprocessing.py::_TestBarrier::test_abort
    fn abort_breaks_it(method: StartMethod) {
        let wait = |barrier: Barrier, passed: Counter, broken: Counter| {
            break_by(&barrier, || barrier.abort().unwrap(), &passed, &broken);
        };
        let (barrier, passed, broken) = (barrier(), counter(), counter());
        run_all(method, wait, (barrier.clone(), passed.clone(), broken.clone()));
        assert_eq!((count(&passed), count(&broken)), (0, N - 1));
        assert!(barrier.broken());
        assert!(barrier.to_string().ends_with(": broken>"));
        assert!(matches!(barrier.wait(None), Err(Error::BrokenBarrier)));
    }

    // cpython: _test_multiprocessing.py::_TestBarrier::test_reset
    fn reset_frees_those_inside(method: StartMethod) {
        let wait = |barrier: Barrier, passed: Counter, broken: Counter, again: Counter| {
            let reset = || {
                wait_until("the others are inside", || barrier.n_waiting() == N - 1);
                barrier.reset().unwrap();
            };
            break_by(&barrier, reset, &passed, &broken);
            barrier.wait(None).unwrap();
            add(&again);
        };
        let (passed, broken, again) = (counter(), counter(), counter());
        let args = (barrier(), passed.clone(), broken.clone(), again.clone());
        run_all(method, wait, args);
        assert_eq!((count(&passed), count(&broken), count(&again)), (0, N - 1, N));
    }

    // cpython: _test_multiprocessing.py::_TestBarrier::test_abort_and_reset
    fn a_broken_one_can_be_reset(method: StartMethod) {
        fn wait(barrier: Barrier, other: Barrier, passed: Counter, broken: Counter, again: Counter) {
            break_by(&barrier, || barrier.abort().unwrap(), &passed, &broken);
            if other.wait(None).unwrap() == N / 2 {
                barrier.reset().unwrap();
            }
            other.wait(None).unwrap();
            barrier.wait(None).unwrap();
            add(&again);
        }
        let (passed, broken, again) = (counter(), counter(), counter());
        let args = (barrier(), barrier(), passed.clone(), broken.clone(), again.clone());
        run_all(method, wait, args);
        assert_eq!((count(&passed), count(&broken), count(&again)), (0, N - 1, N));
    }

    // cpython: _test_multiprocessing.py::_TestBarrier::test_timeout
    fn a_late_one_breaks_it(method: StartMethod) {
        let wait = |barrier: Barrier, broken: Counter| {
            if barrier.wait(None).unwrap() == N / 2 {
                wait_until("the others gave up", || barrier.broken());
            }
            assert!(matches!(barrier.wait(0.1), Err(Error::BrokenBarrier)));
            add(&broken);
        };
        let broken = counter();
        run_all(method, wait, (barrier(), broken.clone()));
        assert_eq!(count(&broken), N);
    }

    // cpython: _test_multiprocessing.py::_TestBarrier::test_default_timeout
    fn it_has_a_timeout_of_its_own(method: StartMethod) {
        let wait = |barrier: Barrier, broken: Counter| {
            if barrier.wait(LONG).unwrap() == N / 2 {
                wait_until("the others gave up", || barrier.broken());
            }
            assert!(matches!(barrier.wait(None), Err(Error::BrokenBarrier)));
            add(&broken);
        };
        let broken = counter();
        let barrier = Barrier::new(N).unwrap().with_timeout(0.1);
        run_all(method, wait, (barrier, broken.clone()));
        assert_eq!(count(&broken), N);
    }
}

// cpython: _test_multiprocessing.py::_TestBarrier::test_single_thread
#[test]
fn one_party_never_waits() {
    let barrier = Barrier::new(1).unwrap();
    assert_eq!(barrier.wait(None).unwrap(), 0);
    assert_eq!(barrier.wait(None).unwrap(), 0);
    assert_eq!(barrier.parties(), 1);
    assert!(barrier.to_string().ends_with(": waiters=0/1>"));
    assert!(matches!(Barrier::new(0), Err(Error::Value(_))));
}

// cpython: _test_multiprocessing.py::_TestBarrier::test_thousand
#[test]
fn it_opens_a_thousand_times() {
    fn pass(
        barrier: Barrier,
        lock: Lock,
        connection: hilos::multiprocessing::connection::Connection,
    ) {
        for i in 0..1000 {
            barrier.wait(None).unwrap();
            let _held = lock.lock().unwrap();
            connection.send(&i).unwrap();
        }
    }
    let (receiver, sender) = pipe(false).unwrap();
    let (barrier, lock) = (barrier(), Lock::new().unwrap());
    for _ in 0..N {
        let args = (barrier.clone(), lock.clone(), sender.clone());
        Process::new(pass, args).start().unwrap();
    }
    for i in 0..1000 {
        for _ in 0..N {
            assert_eq!(receiver.recv_timeout::<i32, _>(LONG).unwrap(), i);
        }
    }
}

#[test]
fn a_failing_action_breaks_it() {
    let barrier = Barrier::new(1).unwrap();
    let barrier = barrier
        .with_action(|| -> Result<(), Error> { Err(Error::Empty) }, ())
        .unwrap();
    let error = barrier.wait(None).unwrap_err();
    assert!(matches!(error, Error::Runtime(_)), "{error:?}");
    assert!(barrier.broken());
}

#[test]
fn an_action_cannot_wait_at_its_own_barrier() {
    let barrier = Barrier::new(1).unwrap();
    let action = |barrier: Barrier| barrier.wait(LONG).map(drop);
    let with_action = barrier.clone().with_action(action, (barrier,)).unwrap();
    let error = with_action.wait(None).unwrap_err();
    assert!(error.to_string().contains("cannot wait"), "{error}");
}
