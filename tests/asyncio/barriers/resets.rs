//! Barriers that are reset.

use hilos::asyncio::{Barrier, create_task, gather, gather_results, sleep};

use super::{Count, N, barrier, gather_tasks, is_broken, is_idle, make_tasks};
use crate::support::run;

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
