//! `shield`: `BaseTaskTests.test_shield…`.

use hilos::asyncio::{
    self, ALL_COMPLETED, Exception, Future, create_task, gather, get_running_loop, shield, sleep,
    wait,
};

use crate::support::{fails, is_cancelled, messages, run, watch};

/// A task that waits for the shielded future.
fn shielded(inner: &Future<i32>) -> asyncio::Task<i32> {
    create_task(shield(inner).into_future())
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_result
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_exception
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_cancel_inner
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_coroutine_use_running_loop
#[test]
fn the_outcome_comes_through() {
    run(async {
        let inner = Future::new();
        let outer = shielded(&inner);
        inner.set_result(42)?;
        assert_eq!(outer.await?, 42);
        let inner = Future::new();
        let outer = shielded(&inner);
        inner.set_exception(Exception::new("RuntimeError", "expected"))?;
        fails(outer.await, "RuntimeError");
        let inner = Future::new();
        let outer = shielded(&inner);
        sleep(0).await?;
        inner.cancel();
        is_cancelled(outer.await);
        assert_eq!(shield(async { Ok(1) }).await?, 1);
        Ok(())
    });
}

/// A future that is not done, whose shield was cancelled.
async fn behind_a_cancelled_shield() -> asyncio::Result<Future<i32>> {
    let inner = Future::new();
    let outer = shielded(&inner);
    sleep(0).await?;
    outer.cancel();
    is_cancelled((&outer).await);
    assert!(outer.cancelled() && !inner.done());
    Ok(inner)
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_cancel_outer
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_cancel_outer_result
#[test]
fn a_cancelled_shield_leaves_the_inside_alone() {
    run(async {
        let log = watch(&get_running_loop()?);
        let inner = behind_a_cancelled_shield().await?;
        inner.set_result(1)?;
        sleep(0).await?;
        assert_eq!(messages(&log), [""; 0]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_cancel_outer_exception
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_duplicate_log_once
#[test]
fn an_exception_behind_a_cancelled_shield_is_reported_once() {
    run(async {
        let log = watch(&get_running_loop()?);
        let inner = behind_a_cancelled_shield().await?;
        inner.set_exception(Exception::new("ValueError", "foo"))?;
        sleep(0).await?;
        drop(inner);
        assert_eq!(messages(&log), ["ValueError exception in shielded future"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_shortcut
#[test]
fn a_future_that_is_done_needs_no_shield() {
    run(async {
        let done = Future::new();
        done.set_result(42)?;
        assert_eq!(shield(&done).await?, 42);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_effect
#[test]
fn the_shielded_coroutine_runs_on() {
    run(async {
        let proof: Future<()> = Future::new();
        let proven = proof.clone();
        let shielded = shield(async move {
            sleep(1).await?;
            proven.set_result(())
        });
        let outer = create_task(shielded.into_future());
        sleep(0.5).await?;
        outer.cancel();
        is_cancelled(outer.await);
        assert!(!proof.done());
        proof.await
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_gather
#[test]
fn a_gather_can_be_shielded() {
    run(async {
        let children: [Future<i32>; 2] = [Future::new(), Future::new()];
        let gathered = gather(&children);
        let outer = create_task(shield(&gathered).into_future());
        sleep(0).await?;
        outer.cancel();
        is_cancelled(outer.await);
        children[0].set_result(1)?;
        children[1].set_result(2)?;
        assert_eq!(gathered.await?, [1, 2]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_gather_shield
#[test]
fn shields_can_be_gathered() {
    run(async {
        let children: [Future<i32>; 2] = [Future::new(), Future::new()];
        let gathered = gather([shield(&children[0]), shield(&children[1])]);
        let outer = create_task(gathered.into_future());
        sleep(0).await?;
        sleep(0).await?;
        outer.cancel();
        is_cancelled(outer.await);
        assert!(children.iter().all(|child| !child.done()));
        children[0].set_result(1)?;
        children[1].set_result(2)?;
        let (done, _) = wait(&children, None, ALL_COMPLETED).await?;
        assert_eq!(done.len(), 2);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_shield_coroutine_without_loop
#[test]
#[should_panic(expected = "RuntimeError: There is no current event loop")]
fn a_coroutine_needs_a_loop() {
    drop(shield(async { asyncio::Result::Ok(42) }));
}
