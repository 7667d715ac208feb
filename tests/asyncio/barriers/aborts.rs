//! Barriers that are aborted.

use hilos::asyncio::{Barrier, Result, RuntimeError};

use super::{Count, N, barrier, gather_tasks, is_broken, is_idle};
use crate::support::{extras, run};

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
