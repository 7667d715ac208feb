//! `test_timeouts.py`.

use std::cell::RefCell;
use std::rc::Rc;

use hilos::asyncio::{
    self, Future, Timeout, create_task, current_task, get_running_loop, sleep, task_group, timeout,
    timeout_at,
};

use crate::support::{fails, is_cancelled, raise, run};

/// Keeps the limit of a body for a look at it afterwards.
type Kept = Rc<RefCell<Option<Timeout>>>;

fn kept(kept: &Kept) -> Timeout {
    kept.borrow().clone().unwrap()
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_basic
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_at_basic
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_waiter_cancelled
#[test]
fn the_body_is_cancelled_when_its_time_is_up() {
    run(async {
        let (cm, inside) = (Kept::default(), Kept::default());
        let result = timeout(0.01, async |limit| {
            cm.replace(Some(limit.clone()));
            let result = sleep(10).await;
            assert!(result.as_ref().unwrap_err().is_cancelled());
            result
        });
        fails(result.await, "TimeoutError");
        assert!(kept(&cm).expired());
        let deadline = get_running_loop()?.time() + 0.01;
        let result = timeout_at(deadline, async |limit| {
            inside.replace(Some(limit));
            sleep(10).await
        });
        fails(result.await, "TimeoutError");
        assert_eq!(
            (kept(&inside).expired(), kept(&inside).when()),
            (true, Some(deadline))
        );
        assert_eq!(current_task().unwrap().cancelling(), 0);
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_nested_timeouts
#[test]
fn only_the_outermost_of_equal_limits_raises() {
    run(async {
        let deadline = get_running_loop()?.time() + 0.01;
        let result = timeout_at(deadline, async |outer| {
            let result = timeout_at(deadline, async |inner| {
                let result = sleep(10).await;
                assert!(outer.expired() && inner.expired());
                result
            })
            .await;
            assert!(result.as_ref().unwrap_err().is_cancelled());
            result
        });
        fails(result.await, "TimeoutError");
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_not_called
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_disabled
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_at_disabled
#[test]
fn a_body_that_is_in_time_is_left_alone() {
    run(async {
        let event_loop = get_running_loop()?;
        let cm = timeout(10, async |limit| {
            sleep(0.01).await?;
            Ok(limit)
        })
        .await?;
        assert!(!cm.expired());
        assert!(cm.when().unwrap() > event_loop.time());
        for limit in [
            timeout(None, async |limit| sleep(0.01).with_result(limit).await).await?,
            timeout_at(None, async |limit| sleep(0.01).with_result(limit).await).await?,
        ] {
            assert_eq!((limit.expired(), limit.when()), (false, None));
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_zero
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_zero_sleep_zero
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_in_the_past_sleep_zero
#[test]
fn no_time_ends_the_first_wait() {
    run(async {
        for (limit, pause) in [(0, 10), (0, 0), (-11, 0)] {
            let start = get_running_loop()?.time();
            let cm = Kept::default();
            let result = timeout(limit, async |limit| {
                cm.replace(Some(limit));
                sleep(pause).await
            });
            fails(result.await, "TimeoutError");
            assert_eq!(kept(&cm).when(), Some(start + f64::from(limit)));
            assert!(kept(&cm).expired());
            assert_eq!(get_running_loop()?.time(), start);
        }
        // A body that does not wait is not stopped.
        assert_eq!(timeout(-1, async |_| Ok(1)).await?, 1);
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_foreign_exception_passed
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_foreign_exception_on_timeout
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_exception_context
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_foreign_exception_on_timeout_2
#[test]
fn other_exceptions_pass() {
    run(async {
        let cm = Kept::default();
        let result = timeout(0.01, async |limit| {
            cm.replace(Some(limit));
            raise::<()>("KeyError", "")
        });
        fails(result.await, "KeyError");
        assert!(!kept(&cm).expired());
        let result = timeout(0.01, async |limit| {
            cm.replace(Some(limit));
            let _ = sleep(1).await;
            raise::<()>("ZeroDivisionError", "")
        });
        fails(result.await, "ZeroDivisionError");
        assert!(kept(&cm).expired());
        assert_eq!(current_task().unwrap().cancelling(), 0);
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_foreign_cancel_doesnt_timeout_if_not_expired
#[test]
fn another_cancellation_is_not_a_timeout() {
    run(async {
        let task = create_task(async {
            timeout(10, async |limit| {
                current_task().unwrap().cancel();
                let result = sleep(10).await;
                assert!(!limit.expired());
                result
            })
            .await
        });
        is_cancelled((&task).await);
        assert!(task.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_outer_task_is_not_cancelled
#[test]
fn the_task_goes_on() {
    run(async {
        let task = create_task(async {
            fails(
                timeout(0.001, async |_| sleep(10).await).await,
                "TimeoutError",
            );
            sleep(1).await
        });
        (&task).await?;
        assert!(task.done() && !task.cancelled());
        assert_eq!(task.cancelling(), 0);
        Ok(())
    });
}

/// Keeps the loop busy for so long, within two limits, and then waits.
async fn busy(outer: f64, inner: f64, busy: u64) -> asyncio::Result<()> {
    timeout(outer, async |_| {
        let result = timeout(inner, async |_| {
            std::thread::sleep(std::time::Duration::from_millis(busy));
            sleep(1000).await
        });
        match result.await {
            Err(exception) if exception.is_timeout() => sleep(1000).await,
            result => result,
        }
    })
    .await
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_nested_timeouts_concurrent
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_nested_timeouts_loop_busy
#[test]
fn the_outer_limit_counts_when_the_loop_looks_too_late() {
    for (outer, inner, millis) in [(0.002, 0.1, 10), (0.1, 0.01, 100)] {
        fails(asyncio::run(busy(outer, inner, millis)), "TimeoutError");
    }
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_reschedule
#[test]
fn a_limit_can_be_moved() {
    run(async {
        let event_loop = get_running_loop()?;
        let deadline = event_loop.time() + 10.0;
        let told: Future<Timeout> = Future::new();
        let telling = told.clone();
        let task = create_task(timeout_at(deadline, async move |limit| {
            telling.set_result(limit)?;
            sleep(50).await
        }));
        let limit = told.await?;
        assert_eq!(limit.when(), Some(deadline));
        limit.reschedule(deadline + 20.0)?;
        assert_eq!(limit.when(), Some(deadline + 20.0));
        limit.reschedule(None)?;
        assert_eq!(limit.when(), None);
        sleep(40).await?;
        task.cancel();
        is_cancelled(task.await);
        assert!(!limit.expired());
        let moved = timeout(100, async |limit| {
            limit.reschedule(get_running_loop()?.time() + 1.0)?;
            sleep(50).await
        });
        fails(moved.await, "TimeoutError");
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_repr_active
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_repr_expired
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_repr_finished
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_repr_disabled
#[test]
fn a_limit_shows_its_state() {
    run(async {
        assert_eq!(Timeout::new(None).to_string(), "<Timeout [created]>");
        let finished = timeout(10, async |limit| {
            assert_eq!(limit.to_string(), "<Timeout [active] when=10.000>");
            Ok(limit)
        })
        .await?;
        assert_eq!(format!("{finished:?}"), "<Timeout [finished]>");
        timeout(None, async |limit| {
            assert_eq!(limit.to_string(), "<Timeout [active] when=None>");
            Ok(())
        })
        .await?;
        let cm = Kept::default();
        let _ = timeout(0.01, async |limit| {
            cm.replace(Some(limit.clone()));
            let result = sleep(10).await;
            assert_eq!(limit.to_string(), "<Timeout [expiring]>");
            result
        })
        .await;
        assert_eq!(kept(&cm).to_string(), "<Timeout [expired]>");
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_nested_timeout_in_finally
#[test]
fn a_limit_may_be_set_while_another_cancels() {
    run(async {
        let result = timeout(0.01, async |_| {
            let result = sleep(1).await;
            fails(
                timeout(0.01, async |_| sleep(10).await).await,
                "TimeoutError",
            );
            result
        });
        fails(result.await, "TimeoutError");
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_after_cancellation
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_cancel_in_timeout_after_cancellation
#[test]
fn an_earlier_cancellation_that_was_swallowed_does_not_matter() {
    run(async {
        let late = create_task(async {
            current_task().unwrap().cancel();
            is_cancelled(sleep(1).await);
            fails(timeout(0.0, async |_| sleep(1).await).await, "TimeoutError");
            Ok(())
        });
        late.await?;
        let cancelled = create_task(async {
            current_task().unwrap().cancel();
            is_cancelled(sleep(1).await);
            let result = timeout(1.0, async |_| {
                current_task().unwrap().cancel();
                sleep(2).await
            })
            .await;
            is_cancelled(result);
            Ok(())
        });
        cancelled.await
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_already_entered
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_double_enter
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_finished
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_expired
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_expiring
// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_not_entered
#[test]
fn wrong_uses_are_errors() {
    run(async {
        let cm = Timeout::new(1.0);
        assert_eq!(
            fails(cm.reschedule(2.0), "RuntimeError"),
            "Timeout has not been entered"
        );
        cm.run(async |again| {
            let message = fails(again.run(async |_| Ok(())).await, "RuntimeError");
            assert_eq!(message, "Timeout has already been entered");
            Ok(())
        })
        .await?;
        fails(cm.run(async |_| Ok(())).await, "RuntimeError");
        let message = fails(cm.reschedule(2.0), "RuntimeError");
        assert_eq!(message, "Cannot change state of finished Timeout");
        let cm = Timeout::new(get_running_loop()?.time());
        let result = cm.run(async |limit| {
            let result = sleep(1).await;
            let message = fails(limit.reschedule(2.0), "RuntimeError");
            assert_eq!(message, "Cannot change state of expiring Timeout");
            result
        });
        fails(result.await, "TimeoutError");
        let message = fails(cm.reschedule(2.0), "RuntimeError");
        assert_eq!(message, "Cannot change state of expired Timeout");
        Ok(())
    });
}

/// Polls a coroutine in a callback, where no task is.
async fn without_a_task<F: std::future::Future<Output = asyncio::Result<()>> + 'static>(
    coroutine: F,
) -> asyncio::Result<()> {
    let result: Future<()> = Future::new();
    let told = result.clone();
    get_running_loop()?.call_soon(move || {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match Box::pin(coroutine).as_mut().poll(&mut context) {
            std::task::Poll::Ready(Err(error)) => told.set_exception(error),
            _ => told.set_result(()),
        }
    })?;
    result.await
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_without_task
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_without_parent_task
#[test]
fn only_a_task_can_be_limited() {
    run(async {
        let limited = without_a_task(async { timeout(0.1, async |_| Ok(())).await });
        let message = fails(limited.await, "RuntimeError");
        assert_eq!(message, "Timeout should be used inside a task");
        let grouped = without_a_task(async { task_group(async |_| Ok(())).await });
        let message = fails(grouped.await, "RuntimeError");
        assert_eq!(
            message,
            "TaskGroup <TaskGroup> cannot determine the parent task"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_timeouts.py::TimeoutTests::test_timeout_taskgroup
#[test]
fn a_group_fails_within_a_limit() {
    run(async {
        let task = create_task(async {
            let result = timeout(0.01, async |_| {
                task_group(async |group| {
                    group.create_task(async {
                        let _ = sleep(1).await;
                        raise::<()>("ZeroDivisionError", "")
                    });
                    sleep(10).await
                })
                .await
            });
            let failed = result.await.unwrap_err();
            let group = failed.group().unwrap();
            assert_eq!(group.exceptions()[0].type_name(), "ZeroDivisionError");
            assert_eq!(group.exceptions().len(), 1);
            Ok(())
        });
        task.await
    });
}
