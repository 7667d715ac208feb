//! What becomes of a group that is cancelled.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{Event, TaskGroup, create_task, current_task, sleep, task_group};

use super::{cancelled_after, crash_after, crash_anyhow, types};
use crate::support::{fails, is_cancelled, raise, run};

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_cancellation
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_07
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_17
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_22
#[test]
fn cancelling_the_parent_cancels_all() {
    run(async {
        for in_body in [true, false] {
            let count = Rc::new(Cell::new(0));
            let counted = count.clone();
            let group = task_group(async move |g| {
                for _ in 0..5 {
                    let counted = counted.clone();
                    g.create_task(async move {
                        let result = sleep(5).await;
                        counted.update(|n| n + 1);
                        result
                    });
                }
                if in_body {
                    let result = sleep(10).await;
                    counted.update(|n| n + 10);
                    return result;
                }
                Ok(())
            });
            is_cancelled(cancelled_after(0.1, group).await);
            assert_eq!(count.get(), if in_body { 15 } else { 5 });
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_08
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_15
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_16
#[test]
fn failures_count_more_than_the_cancellation() {
    run(async {
        let group = task_group(async |g| {
            for _ in 0..5 {
                g.create_task(crash_anyhow(10.0));
            }
            sleep(10).await
        });
        assert_eq!(
            types(cancelled_after(0.1, group).await),
            ["ZeroDivisionError"]
        );
        // The child fails while the body is busy with being cancelled.
        let group = || {
            task_group(async |g| {
                g.create_task(crash_after(0.3, "ZeroDivisionError"));
                let result = sleep(10).await;
                sleep(0.5).await?;
                result
            })
        };
        assert_eq!(
            types(cancelled_after(0.1, group()).await),
            ["ZeroDivisionError"]
        );
        let nested = async move { create_task(group()).await };
        assert_eq!(
            types(cancelled_after(0.1, nested).await),
            ["ZeroDivisionError"]
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_cancelling_level_preserved
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_nested_groups_both_cancelled
#[test]
fn the_count_of_cancellations_is_kept() {
    run(async {
        let group = task_group(async |g| {
            g.create_task(crash_after(0.0, "RuntimeError"));
            Ok(())
        });
        assert_eq!(types(group.await), ["RuntimeError"]);
        assert_eq!(current_task().unwrap().cancelling(), 0);
        let outer = task_group(async |outer| {
            let inner = task_group(async |inner| {
                inner.create_task(crash_after(0.0, "RuntimeError"));
                outer.create_task(crash_after(0.0, "ValueError"));
                Ok(())
            });
            assert_eq!(types(inner.await), ["RuntimeError"]);
            assert_eq!(current_task().unwrap().cancelling(), 1);
            Ok(())
        });
        assert_eq!(types(outer.await), ["ValueError"]);
        assert_eq!(current_task().unwrap().cancelling(), 0);
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_error_and_cancel
#[test]
fn a_cancellation_from_outside_is_not_lost_in_a_failure() {
    run(async {
        let event = Event::new();
        let started = event.clone();
        let task = create_task(async move {
            let group = task_group(async |g| {
                g.create_task(async move {
                    started.set();
                    sleep(0).await?;
                    raise::<()>("RuntimeError", "")
                });
                sleep(1).await
            });
            assert_eq!(types(group.await), ["RuntimeError"]);
            assert_eq!(current_task().unwrap().cancelling(), 1);
            sleep(1).await
        });
        event.wait().await?;
        assert_eq!(task.cancelling(), 0);
        task.cancel();
        assert_eq!(task.cancelling(), 1);
        is_cancelled((&task).await);
        assert!(task.cancelled());
        Ok(())
    });
}

#[test]
fn a_group_can_be_cancelled_without_an_error() {
    run(async {
        let ended = task_group(async |g| {
            let task = g.create_task(sleep(10));
            g.cancel();
            g.cancel();
            is_cancelled(sleep(10).await);
            Ok(task)
        });
        assert!(ended.await?.cancelled());
        // A body that is cut short has nothing to return.
        task_group(async |g| {
            g.cancel();
            sleep(10).await
        })
        .await?;
        let nothing = task_group(async |g| {
            g.cancel();
            sleep(10).with_result(1).await
        });
        fails(nothing.await, "RuntimeError");
        // Before it begins, and after it has ended.
        let group = TaskGroup::new();
        group.cancel();
        group.run(async |_| sleep(10).await).await?;
        group.cancel();
        assert_eq!(current_task().unwrap().cancelling(), 0);
        sleep(0).await
    });
}
