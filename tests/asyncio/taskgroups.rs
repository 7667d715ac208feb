//! `test_taskgroups.py`.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{
    self, Event, Exception, ExceptionGroup, KeyboardInterrupt, Result, Task, TaskGroup,
    TaskOptions, create_task, current_task, sleep, task_group,
};
use hilos::contextvars::{ContextVar, copy_context};

use crate::support::{Log, fails, is_cancelled, raise, run};

async fn zero_division() -> Result<()> {
    raise("ZeroDivisionError", "")
}

/// Sleeps, and fails whatever happens.
async fn crash_anyhow(delay: f64) -> Result<()> {
    let _ = sleep(delay).await;
    zero_division().await
}

async fn crash_after(delay: f64, type_name: &'static str) -> Result<()> {
    sleep(delay).await?;
    raise(type_name, "")
}

/// The names of the types in a group, without repetitions.
#[track_caller]
fn types(result: Result<()>) -> Vec<&'static str> {
    names(&result.unwrap_err())
}

fn names(exception: &Exception) -> Vec<&'static str> {
    let group: &ExceptionGroup = exception.group().expect("a group");
    let mut names: Vec<_> = group
        .exceptions()
        .iter()
        .map(Exception::type_name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Runs a coroutine as a task, cancels it after a while, and returns what it ends with.
async fn cancelled_after<F>(delay: f64, coroutine: F) -> Result<()>
where
    F: Future<Output = Result<()>> + 'static,
{
    let task = create_task(coroutine);
    sleep(delay).await?;
    assert!(!task.done());
    task.cancel();
    task.await
}

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

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_04
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_cancel_children_on_child_error
#[test]
fn a_child_that_fails_cancels_the_others_and_the_body() {
    run(async {
        let log = Log::new();
        let result = task_group(async |g| {
            g.create_task(crash_after(0.1, "ZeroDivisionError"));
            let seen = log.clone();
            g.create_task(async move {
                let result = sleep(5).await;
                seen.push(result.is_err());
                result
            });
            let result = sleep(10).await;
            log.push(result.is_err());
            result
        });
        assert_eq!(types(result.await), ["ZeroDivisionError"]);
        assert_eq!(log.take(), [true, true]);
        Ok(())
    });
}

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

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_09
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_10
#[test]
fn a_body_that_fails_cancels_the_tasks() {
    run(async {
        for pause in [0.1, 0.0] {
            let tasks: Log<Task<()>> = Log::new();
            let result = task_group(async |g| {
                tasks.push(g.create_task(sleep(1)));
                tasks.push(g.create_task(sleep(2)));
                sleep(pause).await?;
                zero_division().await
            });
            assert_eq!(types(result.await), ["ZeroDivisionError"]);
            assert!(tasks.take().iter().all(|task| task.cancelled()));
        }
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

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_18
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_19
#[test]
fn a_body_that_fails_while_being_cancelled_fails() {
    run(async {
        let group = task_group(async |_| {
            is_cancelled(sleep(10).await);
            raise("MyExc", "")
        });
        assert_eq!(types(cancelled_after(0.1, group).await), ["MyExc"]);
        let group = task_group(async |g| {
            g.create_task(crash_after(0.1, "ZeroDivisionError"));
            is_cancelled(sleep(10).await);
            raise("MyExc", "")
        });
        assert_eq!(types(group.await), ["MyExc", "ZeroDivisionError"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_20
#[test]
fn a_request_to_exit_comes_alone() {
    run(async {
        let group = task_group(async |g| {
            g.create_task(crash_after(0.1, "ZeroDivisionError"));
            let _ = sleep(10).await;
            Err::<(), _>(KeyboardInterrupt::default().into())
        });
        fails(group.await, "KeyboardInterrupt");
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_20a
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_21a
#[test]
fn any_other_exception_joins_the_group() {
    run(async {
        for (task, body, expected) in [
            (
                "ZeroDivisionError",
                "MyBaseExc",
                ["MyBaseExc", "ZeroDivisionError"],
            ),
            ("MyBaseExc", "TypeError", ["MyBaseExc", "TypeError"]),
        ] {
            let group = task_group(async |g| {
                g.create_task(crash_after(0.1, task));
                let _ = sleep(10).await;
                raise(body, "")
            });
            assert_eq!(types(group.await), expected);
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_23
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_24
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_25
#[test]
fn tasks_may_come_at_any_time_and_from_anywhere() {
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
    run(async {
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
        .await?;
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
    });
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

// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_context_manager_exit_raises
#[test]
fn a_clean_up_that_fails_adds_to_the_group() {
    run(async {
        let group = task_group(async |g| {
            g.create_task(async { raise::<()>("CustomException", "child") });
            let _ = sleep(1).await;
            raise::<()>("CustomException", "clean-up")
        });
        let failed = group.await.unwrap_err();
        assert_eq!(failed.group().unwrap().exceptions().len(), 2);
        assert_eq!(current_task().unwrap().cancelling(), 0);
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

// cpython: test_asyncio/test_taskgroups.py::BaseTestTaskGroup::test_cancellation_does_not_leak_out_of_tg
#[test]
fn a_failure_leaves_no_cancellation_behind() {
    run(async {
        let group = task_group(async |g| {
            g.create_task(zero_division());
            sleep(0).await?;
            Ok(())
        });
        assert_eq!(types(group.await), ["ZeroDivisionError"]);
        // It would be delivered here.
        sleep(0).await?;
        asyncio::sleep(1).await
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

#[test]
fn a_group_is_divided_by_type() {
    let inner = ExceptionGroup::new("inner", vec![Exception::new("KeyError", "k")]);
    let group = ExceptionGroup::new(
        "outer",
        vec![Exception::new("ValueError", "v"), inner.into()],
    );
    assert_eq!(group.to_string(), "outer (2 sub-exceptions)");
    let (keys, rest) = group.split(|e| e.type_name() == "KeyError");
    let repr = |group: Option<ExceptionGroup>| Exception::from(group.unwrap()).repr();
    assert_eq!(
        repr(keys),
        "ExceptionGroup('outer', [ExceptionGroup('inner', [KeyError('k')])])"
    );
    assert_eq!(repr(rest), "ExceptionGroup('outer', [ValueError('v')])");
    assert!(group.split(|_| false).0.is_none());
}
