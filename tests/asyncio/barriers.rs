//! `Barrier` of `test_locks.py`.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{
    ALL_COMPLETED, Barrier, Future, Result, RuntimeError, Task, create_task, gather,
    gather_results, sleep, wait,
};

use crate::support::{Log, extras, fails, is_cancelled, run};

/// How many parties the barriers have.
const N: usize = 5;

fn barrier() -> Barrier {
    Barrier::new(N).unwrap()
}

fn make_tasks<C, F, T>(n: usize, coro: C) -> Vec<Task<T>>
where
    C: Fn() -> F,
    F: std::future::Future<Output = Result<T>> + 'static,
    T: 'static,
{
    (0..n).map(|_| create_task(coro())).collect()
}

fn gather_tasks<C, F, T>(n: usize, coro: C) -> Future<Vec<T>>
where
    C: Fn() -> F,
    F: std::future::Future<Output = Result<T>> + 'static,
    T: 'static,
{
    gather(make_tasks(n, coro))
}

/// A number that coroutines share.
#[derive(Clone, Default)]
struct Count(Rc<Cell<usize>>);

impl Count {
    /// Adds one, and returns the sum.
    fn add(&self) -> usize {
        self.0.update(|count| count + 1);
        self.get()
    }

    fn get(&self) -> usize {
        self.0.get()
    }
}

#[track_caller]
fn is_broken<T: std::fmt::Debug>(result: Result<T>) {
    fails(result, "BrokenBarrierError");
}

/// Checks that nobody waits at the barrier, and that it can be used.
#[track_caller]
fn is_idle(barrier: &Barrier) {
    assert_eq!(barrier.n_waiting(), 0);
    assert!(!barrier.broken());
    assert!(extras(barrier).starts_with("filling"), "{barrier}");
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_repr
#[test]
fn a_barrier_shows_its_state_and_who_waits() {
    run(async {
        let barrier = barrier();
        assert_eq!(extras(&barrier), "filling, waiters:0/5");
        let mut waiters = make_tasks(2, || barrier.wait());
        sleep(0).await?;
        assert_eq!(extras(&barrier), "filling, waiters:2/5");

        waiters.extend(make_tasks(3, || barrier.wait()));
        sleep(0).await?;
        assert_eq!(extras(&barrier), "draining, waiters:0/5");

        waiters.extend(make_tasks(2, || barrier.wait()));
        sleep(0).await?;
        barrier.reset().await?;
        assert_eq!(extras(&barrier), "resetting, waiters:0/5");

        waiters.extend(make_tasks(2, || barrier.wait()));
        sleep(0).await?;
        barrier.abort().await?;
        assert_eq!(extras(&barrier), "broken");
        assert!(barrier.broken());
        gather_results(waiters).await?;
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_barrier_parties
#[test]
fn a_barrier_is_for_somebody() {
    assert_eq!(fails(Barrier::new(0), "ValueError"), "parties must be > 0");
    assert_eq!(barrier().parties(), N);
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_context_manager
#[test]
fn each_party_gets_a_number_of_its_own() {
    run(async {
        let barrier = Barrier::new(3)?;
        let mut results = gather_tasks(3, || barrier.wait()).await?;
        results.sort();
        assert_eq!(results, [0, 1, 2]);
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_filling_one_task
// cpython: test_asyncio/test_locks.py::BarrierTests::test_filling_one_task_twice
#[test]
fn a_single_party_waits_for_nobody() {
    run(async {
        let barrier = Barrier::new(1)?;
        assert_eq!(barrier.wait().await?, 0);
        is_idle(&barrier);
        for _ in 0..2 {
            let task = create_task(barrier.wait());
            sleep(0).await?;
            assert_eq!((task.done(), task.result()?), (true, 0));
            is_idle(&barrier);
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_filling_task_by_task
#[test]
fn parties_may_come_one_by_one() {
    run(async {
        let barrier = Barrier::new(3)?;
        let mut tasks = Vec::new();
        for waiting in ["filling, waiters:1/3", "filling, waiters:2/3"] {
            tasks.push(create_task(barrier.wait()));
            sleep(0).await?;
            assert_eq!(extras(&barrier), waiting);
        }
        tasks.push(create_task(barrier.wait()));
        sleep(0).await?;
        wait(&tasks, None, ALL_COMPLETED).await?;
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_filling_tasks_wait_twice
// cpython: test_asyncio/test_locks.py::BarrierTests::test_filling_tasks_check_return_value
#[test]
fn parties_may_meet_again() {
    run(async {
        let (barrier, first) = (barrier(), Log::new());
        let coro = || {
            let (barrier, first) = (barrier.clone(), first.clone());
            async move {
                first.push(barrier.wait().await?);
                barrier.wait().await
            }
        };
        let mut second = gather_tasks(N, coro).await?;
        let mut first = first.take();
        first.sort();
        second.sort();
        assert_eq!(first, [0, 1, 2, 3, 4]);
        assert_eq!(second, first);
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_draining_state
#[test]
fn a_barrier_drains_until_the_last_has_left() {
    run(async {
        let barrier = barrier();
        let coro = || {
            let barrier = barrier.clone();
            async move {
                barrier.wait().await?;
                Ok(extras(&barrier).starts_with("draining"))
            }
        };
        let mut results = gather_tasks(N, coro).await?;
        // The last that comes is the first that leaves; the last but one leaves last.
        results.sort();
        assert_eq!(results, [false, true, true, true, true]);
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_blocking_tasks_while_draining
#[test]
fn who_comes_back_waits_until_the_others_have_left() {
    run(async {
        let again = 2;
        let (barrier, others) = (barrier(), Barrier::new(N - again)?);
        let left = Count::default();
        let coro = || {
            let (barrier, others, left) = (barrier.clone(), others.clone(), left.clone());
            async move {
                barrier.wait().await?;
                if left.add() > again {
                    others.wait().await?;
                }
                barrier.wait().await
            }
        };
        // That it ends says that exactly three have met at the other barrier.
        let mut results = gather_tasks(N, coro).await?;
        results.sort();
        assert_eq!(results, [0, 1, 2, 3, 4]);
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_filling_tasks_cancel_one
#[test]
fn who_is_cancelled_is_not_counted() {
    run(async {
        let barrier = Barrier::new(3)?;
        let t1 = create_task(barrier.wait());
        sleep(0).await?;
        assert_eq!(barrier.n_waiting(), 1);
        let t2 = create_task(barrier.wait());
        sleep(0).await?;
        assert_eq!(barrier.n_waiting(), 2);

        t1.cancel();
        sleep(0).await?;
        assert_eq!(barrier.n_waiting(), 1);
        is_cancelled((&t1).await);
        assert!(t1.cancelled());

        let t3 = create_task(barrier.wait());
        sleep(0).await?;
        assert_eq!(barrier.n_waiting(), 2);
        let t4 = create_task(barrier.wait());
        assert_eq!(gather([t2, t3, t4]).await?.len(), 3);
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_reset_barrier
// cpython: test_asyncio/test_locks.py::BarrierTests::test_abort_barrier
#[test]
fn a_barrier_where_nobody_waits_can_be_reset_and_aborted() {
    run(async {
        let barrier = Barrier::new(1)?;
        create_task(barrier.reset()).await?;
        is_idle(&barrier);
        create_task(barrier.abort()).await?;
        assert_eq!(barrier.n_waiting(), 0);
        assert!(barrier.broken());
        is_broken(barrier.wait().await);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_reset_barrier_while_tasks_waiting
#[test]
fn a_reset_breaks_the_barrier_for_those_who_wait() {
    run(async {
        let barrier = barrier();
        let tasks = make_tasks(N - 1, || barrier.wait());
        sleep(0).await?;
        drop(create_task(barrier.reset()));
        let results = gather_results(tasks).await?;
        assert_eq!(results.len(), N - 1);
        results.into_iter().for_each(is_broken);
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_reset_barrier_when_tasks_half_draining
#[test]
fn also_for_those_who_have_not_left_yet() {
    run(async {
        let (barrier, left, broken) = (barrier(), Count::default(), Count::default());
        let rest = N / 2;
        let coro = || {
            let (barrier, left, broken) = (barrier.clone(), left.clone(), broken.clone());
            async move {
                match barrier.wait().await {
                    Ok(_) if left.add() == N - rest => barrier.reset().await,
                    Ok(_) => Ok(()),
                    Err(exception) => {
                        is_broken::<()>(Err(exception));
                        broken.add();
                        Ok(())
                    }
                }
            }
        };
        gather_tasks(N, coro).await?;
        assert_eq!(broken.get(), rest);
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_reset_barrier_when_tasks_half_draining_half_blocking
#[test]
fn a_reset_does_not_break_it_for_those_who_have_come_back() {
    run(async {
        let (barrier, left) = (barrier(), Count::default());
        let (broken, back_broken) = (Count::default(), Count::default());
        let half = N / 2;
        let coro = || {
            let (barrier, left) = (barrier.clone(), left.clone());
            let (broken, back_broken) = (broken.clone(), back_broken.clone());
            async move {
                if barrier.wait().await.is_err() {
                    broken.add();
                    barrier.wait().await?;
                } else if left.add() > half {
                    barrier.reset().await?;
                    barrier.wait().await?;
                } else if barrier.wait().await.is_err() {
                    back_broken.add();
                }
                Ok(())
            }
        };
        gather_tasks(N, coro).await?;
        assert_eq!((broken.get(), back_broken.get()), (half, 0));
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_reset_barrier_while_tasks_waiting_and_waiting_again
#[test]
fn who_waited_when_it_was_reset_may_wait_again() {
    run(async {
        let (barrier, broken, passed) = (barrier(), Count::default(), Count::default());
        let coro = || {
            let (barrier, broken, passed) = (barrier.clone(), broken.clone(), passed.clone());
            async move {
                is_broken(barrier.wait().await);
                broken.add();
                barrier.wait().await?;
                passed.add();
                Ok(())
            }
        };
        let tasks = make_tasks(N - 1, coro);
        drop(create_task(barrier.reset()));
        sleep(0).await?;
        let last = create_task(barrier.wait());
        gather(tasks).await?;
        last.await?;
        assert_eq!((broken.get(), passed.get()), (N - 1, N - 1));
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_reset_barrier_while_tasks_draining
#[test]
fn the_last_that_leaves_may_reset_it() {
    run(async {
        let (barrier, left, passed) = (barrier(), Count::default(), Count::default());
        let coro = || {
            let (barrier, left, passed) = (barrier.clone(), left.clone(), passed.clone());
            async move {
                barrier.wait().await?;
                if left.add() == N {
                    barrier.reset().await?;
                }
                barrier.wait().await?;
                barrier.wait().await?;
                passed.add();
                Ok(())
            }
        };
        gather_tasks(N, coro).await?;
        assert_eq!(passed.get(), N);
        is_idle(&barrier);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_abort_barrier_when_tasks_half_draining_half_blocking
#[test]
fn an_abort_breaks_the_barrier_for_all() {
    run(async {
        let (barrier, left) = (barrier(), Count::default());
        let (broken, back_broken) = (Count::default(), Count::default());
        let half = N / 2;
        let coro = || {
            let (barrier, left) = (barrier.clone(), left.clone());
            let (broken, back_broken) = (broken.clone(), back_broken.clone());
            async move {
                if let Err(exception) = barrier.wait().await {
                    is_broken::<()>(Err(exception));
                    broken.add();
                } else if left.add() > half {
                    barrier.abort().await?;
                } else {
                    is_broken(barrier.wait().await);
                    back_broken.add();
                }
                Ok(())
            }
        };
        gather_tasks(N, coro).await?;
        assert!(barrier.broken());
        assert_eq!((broken.get(), back_broken.get()), (half, N - half - 1));
        assert_eq!(barrier.n_waiting(), 0);
        assert_eq!(extras(&barrier), "broken");
        Ok(())
    });
}

/// Goes through the barrier, where one party in the middle fails, and back to it; says whether it
/// was found broken.
async fn go_and_abort(barrier: &Barrier) -> Result<bool> {
    let round = async {
        if barrier.wait().await? == N / 2 {
            return Err(RuntimeError::default().into());
        }
        barrier.wait().await
    };
    match round.await {
        Ok(_) => panic!("the barrier was broken"),
        Err(exception) if exception.is::<RuntimeError>() => {
            barrier.abort().await?;
            Ok(false)
        }
        Err(exception) => {
            is_broken::<()>(Err(exception));
            Ok(true)
        }
    }
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_abort_barrier_when_exception
#[test]
fn a_party_that_fails_may_abort_it() {
    run(async {
        let barrier = barrier();
        let coro = || {
            let barrier = barrier.clone();
            async move { go_and_abort(&barrier).await }
        };
        let broken = gather_tasks(N, coro).await?;
        assert_eq!(broken.into_iter().filter(|broken| *broken).count(), N - 1);
        assert!(barrier.broken());
        assert_eq!(barrier.n_waiting(), 0);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::BarrierTests::test_abort_barrier_when_exception_then_resetting
#[test]
fn a_barrier_that_was_aborted_can_be_reset() {
    run(async {
        let (one, two) = (barrier(), barrier());
        let coro = || {
            let (one, two) = (one.clone(), two.clone());
            async move {
                let broken = go_and_abort(&one).await?;
                // Nobody is inside when it is reset, and nobody enters before.
                if two.wait().await? == N / 2 {
                    one.reset().await?;
                }
                two.wait().await?;
                one.wait().await?;
                Ok(broken)
            }
        };
        let broken = gather_tasks(N, coro).await?;
        assert_eq!(broken.into_iter().filter(|broken| *broken).count(), N - 1);
        is_idle(&one);
        Ok(())
    });
}
