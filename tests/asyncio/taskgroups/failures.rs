//! What becomes of a group whose tasks or body fail.

use hilos::asyncio::{
    self, Exception, ExceptionGroup, KeyboardInterrupt, Task, current_task, sleep, task_group,
};

use super::{cancelled_after, crash_after, types, zero_division};
use crate::support::{Log, fails, is_cancelled, raise, run};

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
