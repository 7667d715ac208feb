//! The tasks of a group: when they may come, and what they are given.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{Result, TaskGroup, TaskOptions, current_task, sleep, task_group};
use hilos::contextvars::{ContextVar, copy_context};

use super::{cancelled_after, crash_after, crash_anyhow, names, types, zero_division};
use crate::support::{fails, run};

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_01
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_02
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_03
#[test]
fn the_group_ends_when_its_tasks_have() {
    run(async {
        let (t1, t2) = task_group(async |g| {
            let t1 = g.create_task(sleep(0.1).with_result(42));
            sleep(0.15).await?;
            Ok((t1, g.create_task(sleep(0.2).with_result(11))))
        })
        .await?;
        assert_eq!((t1.result()?, t2.result()?), (42, 11));
        // One that is cancelled by itself does no harm.
        let (t1, t2) = task_group(async |g| {
            let t1 = g.create_task(sleep(1).with_result(42));
            sleep(0.15).await?;
            t1.cancel();
            Ok((t1, g.create_task(sleep(0.2).with_result(11))))
        })
        .await?;
        assert!(t1.cancelled());
        assert_eq!(t2.result()?, 11);
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_11
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_12
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_13
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_14
#[test]
fn groups_nest() {
    run(async {
        for outer_task in [false, true] {
            let nested = task_group(async move |g1| {
                if outer_task {
                    g1.create_task(sleep(10));
                }
                task_group(async |g2| {
                    for _ in 0..5 {
                        g2.create_task(crash_anyhow(10.0));
                    }
                    sleep(10).await
                })
                .await
            });
            let failed = cancelled_after(0.1, nested).await.unwrap_err();
            assert_eq!(names(&failed), ["ExceptionGroup"]);
            assert_eq!(
                names(&failed.group().unwrap().exceptions()[0]),
                ["ZeroDivisionError"]
            );
        }
        for (outer, inner, expected) in [(0.1, 10.0, "ValueError"), (10.0, 0.1, "ExceptionGroup")] {
            let result = task_group(async |g1| {
                g1.create_task(crash_after(outer, "ValueError"));
                task_group(async |g2| {
                    g2.create_task(crash_after(inner, "ValueError"));
                    Ok(())
                })
                .await
            });
            assert_eq!(types(result.await), [expected]);
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_23
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_24
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_25
#[test]
fn tasks_may_come_at_any_time_and_from_anywhere() {
    run(async {
        they_come_while_others_end().await?;
        they_come_from_the_group_s_own_tasks().await
    });
}

async fn they_come_while_others_end() -> Result<()> {
    task_group(async |g| {
        for count in 0..10 {
            sleep(0.1).await?;
            g.create_task(sleep(0.3));
            if count == 5 {
                assert!(
                    g.to_string().contains("tasks=3") || g.to_string().contains("tasks=4"),
                    "{g}"
                );
            }
        }
        sleep(1.35).await?;
        assert_eq!(g.to_string(), "<TaskGroup entered>");
        Ok(())
    })
    .await
}

async fn they_come_from_the_group_s_own_tasks() -> Result<()> {
    let heads = Rc::new(Cell::new(0));
    let seen = heads.clone();
    let group = task_group(async move |g| {
        g.create_task(hydra(g.clone(), heads.clone()));
        let heads = heads.clone();
        g.create_task(async move {
            while heads.get() < 10 {
                sleep(0.015).await?;
            }
            zero_division().await
        });
        Ok(())
    });
    assert_eq!(types(group.await), ["ZeroDivisionError"]);
    assert!(seen.get() >= 10);
    Ok(())
}

/// A task that ends in two of its kind.
fn hydra(
    g: TaskGroup,
    heads: Rc<Cell<u32>>,
) -> std::pin::Pin<Box<dyn Future<Output = Result<()>>>> {
    Box::pin(async move {
        heads.update(|n| n + 1);
        sleep(0.01).await?;
        for _ in 0..2 {
            // The group may be shutting down by now.
            g.try_create_task(TaskOptions::new(), hydra(g.clone(), heads.clone()))?;
        }
        Ok(())
    })
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_task_context
#[test]
fn a_task_runs_in_the_given_context() {
    static VAR: ContextVar<i32> = ContextVar::new("cvar");
    async fn set(value: i32) -> Result<()> {
        sleep(0).await?;
        VAR.set(value);
        Ok(())
    }
    run(async {
        task_group(async |g| {
            let context = copy_context();
            assert_eq!(context.get(&VAR), None);
            for value in [1, 2] {
                let options = TaskOptions::new().with_context(&context);
                g.try_create_task(options, set(value))?.await?;
                assert_eq!(context.get(&VAR), Some(value));
            }
            assert!(VAR.get().is_err());
            Ok(())
        })
        .await
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_no_create_task_after_failure
#[test]
fn a_group_that_shuts_down_takes_no_tasks() {
    run(async {
        let group = task_group(async |g| {
            g.create_task(crash_after(0.001, "ZeroDivisionError"));
            let inside = g.clone();
            g.create_task(async move {
                let result = sleep(1).await;
                let refused = inside.try_create_task(TaskOptions::new(), zero_division());
                let message = fails(refused, "RuntimeError");
                assert!(message.ends_with("is shutting down"), "{message}");
                result
            });
            Ok(())
        });
        assert_eq!(types(group.await), ["ZeroDivisionError"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_already_entered
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_double_enter
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_finished
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_not_entered
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_coro_closed_when_tg_closed
#[test]
fn wrong_uses_are_errors() {
    run(async {
        let group = TaskGroup::new();
        let refused = |group: &TaskGroup| {
            fails(
                group.try_create_task(TaskOptions::new(), sleep(0)),
                "RuntimeError",
            )
        };
        assert_eq!(
            refused(&group),
            "TaskGroup <TaskGroup> has not been entered"
        );
        group
            .run(async |again| {
                let message = fails(again.run(async |_| Ok(())).await, "RuntimeError");
                assert_eq!(
                    message,
                    "TaskGroup <TaskGroup entered> has already been entered"
                );
                Ok(())
            })
            .await?;
        let message = fails(group.run(async |_| Ok(())).await, "RuntimeError");
        assert!(message.ends_with("has already been entered"));
        assert_eq!(refused(&group), "TaskGroup <TaskGroup entered> is finished");
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::BaseTestTaskGroup::test_name
#[test]
fn tasks_are_named_where_they_are_created() {
    run(async {
        task_group(async |g| {
            let task = g
                .create_task(async { Ok(current_task().unwrap().get_name()) })
                .with_name("yolo");
            assert_eq!(task.await?, "yolo");
            Ok(())
        })
        .await
    });
}
