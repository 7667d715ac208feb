//! `test_waitfor.py`.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{
    self, ALL_COMPLETED, Future, create_task, get_running_loop, shield, sleep, wait, wait_for,
};

use crate::support::{fails, is_cancelled, raise, run};

/// A coroutine that notes that it was left, and how.
fn slow(exited: &Rc<Cell<bool>>) -> impl std::future::Future<Output = asyncio::Result<()>> + use<> {
    let exited = exited.clone();
    async move {
        let result = sleep(0.2).await;
        exited.set(true);
        result
    }
}

// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_asyncio_wait_for_cancelled
// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_asyncio_wait_for_timeout
#[test]
fn what_is_waited_for_is_cancelled_too() {
    run(async {
        let exited = Rc::new(Cell::new(false));
        let waiting = create_task(wait_for(slow(&exited), 0.4));
        sleep(0).await?;
        waiting.cancel();
        wait(&[waiting], None, ALL_COMPLETED).await?;
        assert!(exited.replace(false));
        fails(wait_for(slow(&exited), 0.1).await, "TimeoutError");
        assert!(exited.get());
        Ok(())
    });
}

// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_timeout_less_then_0_or_0_future_done
// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_timeout_less_then_0_or_0_coroutine_do_not_started
// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_timeout_less_then_0_or_0
#[test]
fn no_time_is_enough_for_what_is_done() {
    run(async {
        for limit in [0, -1] {
            let future = Future::new();
            future.set_result("done")?;
            assert_eq!(wait_for(&future, limit).await?, "done");
            let started = Rc::new(Cell::new(false));
            let start = started.clone();
            let result = wait_for(
                async move {
                    start.set(true);
                    Ok(())
                },
                limit,
            );
            fails(result.await, "TimeoutError");
            assert!(!started.get());
            let exited = Rc::new(Cell::new(false));
            let task = create_task(slow(&exited));
            sleep(0).await?;
            fails(wait_for(&task, limit).await, "TimeoutError");
            assert!(task.cancelled() && exited.get());
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for
// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_blocking
#[test]
fn a_task_that_is_late_is_cancelled() {
    run(async {
        let exited = Rc::new(Cell::new(false));
        let task = create_task(slow(&exited));
        fails(wait_for(&task, 0.1).await, "TimeoutError");
        assert!(task.done() && task.cancelled() && exited.get());
        assert_eq!(wait_for(async { Ok("done") }, None).await?, "done");
        Ok(())
    });
}

// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_race_condition
#[test]
fn a_result_in_the_next_turn_is_in_time() {
    run(async {
        let future = Future::new();
        let waiting = wait_for(&future, 0.2);
        let promise = future.clone();
        get_running_loop()?.call_soon(move || promise.set_result("ok"))?;
        assert_eq!(waiting.await?, "ok");
        Ok(())
    });
}

// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_cancellation_race_condition
// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_cancel_suppressed
#[test]
fn a_value_in_spite_of_the_cancellation_counts() {
    run(async {
        let result = wait_for(
            async {
                is_cancelled(sleep(1).await);
                Ok(42)
            },
            0.01,
        );
        assert_eq!(result.await?, 42);
        Ok(())
    });
}

// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_waits_for_task_cancellation
// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_waits_for_task_cancellation_w_timeout_0
#[test]
fn it_waits_until_the_task_has_ended() {
    run(async {
        for limit in [0.1, 0.0] {
            let done = Rc::new(Cell::new(false));
            let ends = done.clone();
            let task = create_task(async move {
                let result = sleep(10).await;
                sleep(0.1).await?;
                ends.set(true);
                result
            });
            sleep(0).await?;
            fails(wait_for(task, limit).await, "TimeoutError");
            assert!(done.get());
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_reraises_exception_during_cancellation
#[test]
fn an_exception_while_it_is_cancelled_wins() {
    run(async {
        let task = create_task(async {
            let _ = sleep(0.2).await;
            raise::<()>("FooException", "")
        });
        fails(wait_for(task, 0.1).await, "FooException");
        Ok(())
    });
}

// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_cancel_blocking_wait_for
// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_cancel_wait_for
#[test]
fn cancelling_the_wait_cancels_the_task() {
    run(async {
        for limit in [None, Some(std::time::Duration::from_secs(60))] {
            let task = create_task(async {
                let future: Future<()> = Future::new();
                future.await
            });
            let waiting = create_task(wait_for(task.clone(), limit));
            let cancelled = waiting.clone();
            get_running_loop()?.call_soon(move || drop(cancelled.cancel()))?;
            is_cancelled(waiting.await);
            assert!(task.cancelled());
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_waitfor.py::AsyncioWaitForTest::test_wait_for_issue86296
#[test]
fn a_cancelled_wait_does_not_run_on_though_the_task_is_done() {
    run(async {
        let inner = create_task(async { Ok("done") });
        let reached_end = Rc::new(Cell::new(false));
        let (waited, reached) = (inner.clone(), reached_end.clone());
        let task = create_task(async move {
            wait_for(&waited, 100).await?;
            sleep(1).await?;
            reached.set(true);
            Ok(())
        });
        sleep(0).await?;
        task.cancel();
        is_cancelled(task.await);
        assert_eq!((&inner).await?, "done");
        assert!(!reached_end.get());
        Ok(())
    });
}

// cpython: test_asyncio/test_waitfor.py::WaitForShieldTests::test_zero_timeout
// cpython: test_asyncio/test_waitfor.py::WaitForShieldTests::test_none_timeout
// cpython: test_asyncio/test_waitfor.py::WaitForShieldTests::test_shielded_timeout
#[test]
fn a_shielded_task_runs_on() {
    run(async {
        let new = || create_task(sleep(0.1).with_result("done"));
        for limit in [0.0, 0.01] {
            let task = new();
            let shielded = shield(&task);
            fails(wait_for(shielded.clone(), limit).await, "TimeoutError");
            assert!(!task.done());
            assert!(shielded.cancelled());
            assert_eq!(task.await?, "done");
        }
        let task = new();
        assert_eq!(wait_for(shield(&task), None).await?, "done");
        assert!(task.done());
        Ok(())
    });
}
