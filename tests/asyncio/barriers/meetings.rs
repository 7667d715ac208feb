//! Parties meet, and meet again.

use hilos::asyncio::{ALL_COMPLETED, Barrier, create_task, gather, gather_results, sleep, wait};

use super::{Count, N, barrier, gather_tasks, is_idle, make_tasks};
use crate::support::{Log, extras, fails, is_cancelled, run};

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
