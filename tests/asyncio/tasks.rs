//! Tasks apart from their cancellation: `BaseTaskTests` and its neighbours.

use hilos::asyncio::{
    self, AnyTask, Future, RuntimeError, TaskOptions, all_tasks, create_task, current_task,
    ensure_future, get_running_loop, new_event_loop, sleep,
};

use crate::support::{Log, fails, messages, raise, run, run_briefly, watch};

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_task_basics
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_create_task_with_async_function
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_bare_create_task
#[test]
fn coroutines_await_coroutines() {
    async fn bar1() -> asyncio::Result<&'static str> {
        Ok("bar1")
    }
    async fn bar2() -> asyncio::Result<&'static str> {
        sleep(0).await?;
        Ok("bar2")
    }
    async fn outer() -> asyncio::Result<String> {
        let (a, b) = (bar1().await?, bar2().await?);
        Ok(a.to_owned() + b)
    }
    run(async {
        let task = create_task(outer());
        assert!(!task.done());
        assert!(task.get_loop().is(&get_running_loop()?));
        assert_eq!((&task).await?, "bar1bar2");
        assert_eq!(task.result()?, "bar1bar2");
        assert!(task.exception()?.is_none());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_bare_create_named_task
// cpython: test_asyncio/test_taskgroups.py::TestTaskGroup::test_taskgroup_task_name
#[test]
fn tasks_have_names() {
    run(async {
        let named = create_task(async { Ok(()) }).with_name("test name");
        assert_eq!(named.get_name(), "test name");
        named.set_name("notMe");
        assert_eq!(named.get_name(), "notMe");
        let name =
            |task: &asyncio::Task<()>| task.get_name()["Task-".len()..].parse::<u64>().unwrap();
        let (one, two) = (create_task(async { Ok(()) }), create_task(async { Ok(()) }));
        assert!(name(&one) < name(&two));
        asyncio::task_group(async |group| {
            let options = TaskOptions::new().with_name("yolo");
            let task =
                group.try_create_task(options, async { Ok(current_task().unwrap().get_name()) })?;
            assert_eq!(task.await?, "yolo");
            Ok(())
        })
        .await
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_task_repr
#[test]
fn a_task_shows_its_state() {
    async fn notmuch() -> asyncio::Result<&'static str> {
        Ok("abc")
    }
    run(async {
        let task = create_task(notmuch()).with_name("TestTask");
        let created = format!("created at {}:{}", file!(), line!() - 1);
        let shown =
            |state, doing| format!("<Task {state} name='TestTask' coro=<notmuch(){doing}>>");
        let place = format!(" {created}");
        assert_eq!(task.to_string(), shown("pending", &place));
        task.cancel();
        assert_eq!(task.to_string(), shown("cancelling", &place));
        let _ = (&task).await;
        let done = format!(" done, {created}");
        assert_eq!(task.to_string(), shown("cancelled", &done));
        let task = create_task(notmuch()).with_name("TestTask");
        (&task).await?;
        let done = format!(" done, created at {}:{}", file!(), line!() - 2);
        assert_eq!(format!("{task:?}"), shown("finished", &done));
        let task = create_task(async { raise::<()>("ValueError", "no") }).with_name("x");
        let _ = (&task).await;
        assert!(
            task.to_string().ends_with(" exception=ValueError('no')>"),
            "{task}"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_task_repr_wait_for
#[test]
fn a_task_shows_where_it_waits_and_for_what() {
    async fn wait_for(future: Future<i32>) -> asyncio::Result<i32> {
        future.await
    }
    const WAITS: u32 = line!() - 2;
    run(async {
        let future = get_running_loop()?.create_future();
        let inner = create_task(wait_for(future.clone())).with_name("inner");
        let outer = create_task({
            let inner = inner.clone();
            async move { inner.await }
        });
        sleep(0).await?;
        sleep(0).await?;
        let shown = format!(
            "<Task pending name='inner' coro=<wait_for() running at {}:{WAITS}> wait_for=<Future pending>>",
            file!()
        );
        assert_eq!(inner.to_string(), shown);
        assert!(
            outer.to_string().ends_with(&format!("> wait_for={shown}>")),
            "{outer}"
        );
        assert_eq!(inner.coro_name(), "wait_for");
        assert_eq!(outer.any().coro_name(), inner_name());
        future.set_result(1)?;
        outer.await.map(drop)
    });
    fn inner_name() -> &'static str {
        "a_task_shows_where_it_waits_and_for_what"
    }
}

#[test]
fn a_task_shows_only_the_beginning_of_a_chain() {
    run(async {
        let end = get_running_loop()?.create_future();
        let mut last = create_task({
            let end = end.clone();
            async move { end.await }
        });
        for _ in 0..10_000 {
            last = create_task(last.into_future());
        }
        sleep(0).await?;
        let shown = last.to_string();
        assert_eq!(shown.matches(" wait_for=<Task pending").count(), 4);
        assert!(shown.contains(" wait_for=...>"), "{shown}");
        end.set_result(())?;
        last.await
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_current_task
// cpython: test_asyncio/test_tasks.py::BaseCurrentLoopTests::test_current_task_no_running_loop
// cpython: test_asyncio/test_tasks.py::BaseCurrentLoopTests::test_current_task_no_running_loop_implicit
// cpython: test_asyncio/test_tasks.py::BaseCurrentLoopTests::test_current_task_with_implicit_loop
#[test]
fn the_current_task_is_the_one_that_runs() {
    assert!(current_task().is_none());
    assert!(all_tasks().is_empty());
    run(async {
        let task = create_task(async { Ok(current_task()) });
        assert_eq!((&task).await?, Some(task.any()));
        get_running_loop()?.call_soon(|| assert!(current_task().is_none()))?;
        sleep(0).await?;
        assert!(current_task().is_some());
        assert_eq!(get_running_loop()?.current_task(), current_task());
        assert!(asyncio::new_event_loop().current_task().is_none());
        Ok(())
    });
    assert!(current_task().is_none());
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_current_task_with_interleaving_tasks
#[test]
fn each_task_sees_itself() {
    async fn check(myself: Future<AnyTask>, turns: u32) -> asyncio::Result<()> {
        let myself = myself.await?;
        for _ in 0..turns {
            assert_eq!(current_task().as_ref(), Some(&myself));
            sleep(0).await?;
        }
        Ok(())
    }
    run(async {
        let (one, two) = (Future::new(), Future::new());
        let tasks = [
            create_task(check(one.clone(), 3)),
            create_task(check(two.clone(), 3)),
        ];
        one.set_result(tasks[0].any())?;
        two.set_result(tasks[1].any())?;
        asyncio::gather(tasks).await?;
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_ensure_future_coroutine
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_ensure_future_future
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_ensure_future_task
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_ensure_future_awaitable
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_ensure_future_task_awaitable
// cpython: test_asyncio/test_futures.py::DuckTests::test_ensure_future
#[test]
fn ensure_future_makes_tasks_of_coroutines_alone() {
    run(async {
        let of_coroutine = ensure_future(async { Ok("ok") });
        assert!(!of_coroutine.done());
        assert_eq!(of_coroutine.await?, "ok");
        let future = Future::new();
        assert_eq!(ensure_future(&future), future);
        assert_eq!(ensure_future(future.clone()), future);
        future.set_result("ok")?;
        let task = create_task(async { Ok("ok") });
        assert_eq!(ensure_future(&task), task);
        assert_eq!(ensure_future(task).await?, "ok");
        // Any type that can be awaited: a combinator of futures, say.
        let boxed: std::pin::Pin<Box<dyn std::future::Future<Output = _>>> =
            Box::pin(async { Ok("ok") });
        assert_eq!(ensure_future(boxed).await?, "ok");
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_task_awaits_on_itself
#[test]
fn a_task_cannot_await_itself() {
    run(async {
        let myself: Future<asyncio::Task<()>> = Future::new();
        let told = myself.clone();
        let task = create_task(async move {
            let task = told.await?;
            (&task).await
        });
        myself.set_result(task.clone())?;
        let message = fails((&task).await, "RuntimeError");
        assert!(
            message.starts_with("Task cannot await on itself: <Task"),
            "{message}"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_other_loop_future
#[test]
fn a_future_of_another_loop_cannot_be_awaited() {
    let other = new_event_loop();
    let future: Future<()> = other.create_future();
    let event_loop = new_event_loop();
    let result = event_loop.run_until_complete(async move { future.await });
    let message = fails(result, "RuntimeError");
    assert!(
        message.ends_with("attached to a different loop"),
        "{message}"
    );
    event_loop.close().unwrap();
    other.close().unwrap();
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_stop_while_run_in_complete
#[test]
fn a_stop_before_the_end_is_an_error() {
    let event_loop = asyncio::testing::new_event_loop();
    let turns = Log::new();
    let turn = turns.clone();
    let task = event_loop
        .create_task(async move {
            for i in 0..10 {
                sleep(0.1).await?;
                turn.push(i);
                if i == 2 {
                    get_running_loop()?.stop();
                }
            }
            Ok(())
        })
        .unwrap();
    let message = fails(event_loop.run_until_complete(&task), "RuntimeError");
    assert_eq!(message, "Event loop stopped before Future completed.");
    assert!(!task.done());
    assert_eq!(turns.take().len(), 3);
    event_loop.run_until_complete(&task).unwrap();
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_step_result_future
#[test]
fn a_task_returns_what_its_future_has() {
    run(async {
        let future = Future::new();
        let waited = future.clone();
        let task = create_task(async move { waited.await });
        sleep(0).await?;
        assert!(!task.done());
        future.set_result(10)?;
        assert_eq!(task.await?, 10);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_log_destroyed_pending_task
#[test]
fn a_closed_loop_tells_of_the_tasks_it_destroys() {
    let event_loop = new_event_loop();
    let log = watch(&event_loop);
    event_loop.set_debug(true);
    let future: Future<()> = event_loop.create_future();
    let task = event_loop.create_task(async move { future.await }).unwrap();
    run_briefly(&event_loop);
    let shown = task.to_string();
    event_loop.close().unwrap();
    let contexts = log.take();
    assert_eq!(contexts.len(), 1);
    assert_eq!(contexts[0].message, "Task was destroyed but it is pending!");
    assert_eq!(contexts[0].task, Some(shown));
    assert!(contexts[0].created_at.unwrap().file().ends_with("tasks.rs"));
    assert!(!task.done());
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_tb_logger_not_called_after_cancel
#[test]
fn a_cancelled_task_has_nothing_to_report() {
    let event_loop = new_event_loop();
    let log = watch(&event_loop);
    let task = event_loop
        .create_task(async { raise::<()>("ZeroDivisionError", "") })
        .unwrap();
    task.cancel();
    let _ = event_loop.run_until_complete(&task);
    drop(task);
    let failed = event_loop
        .create_task(async { raise::<()>("ZeroDivisionError", "") })
        .unwrap();
    run_briefly(&event_loop);
    // Even one that has failed, if somebody wanted it cancelled.
    failed.cancel();
    drop(failed);
    assert_eq!(messages(&log), [""; 0]);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_future_exception_never_retrieved_debug
#[test]
fn an_exception_that_nobody_looked_at_is_reported() {
    run(async {
        let event_loop = get_running_loop()?;
        let log = watch(&event_loop);
        event_loop.set_debug(true);
        let task = create_task(async { raise::<()>("ValueError", "x") });
        sleep(0).await?;
        assert_eq!(messages(&log), [""; 0]);
        drop(task);
        let contexts = log.take();
        assert_eq!(contexts.len(), 1);
        assert_eq!(contexts[0].message, "Task exception was never retrieved");
        assert_eq!(
            contexts[0].exception.as_ref().unwrap().repr(),
            "ValueError('x')"
        );
        assert!(contexts[0].created_at.unwrap().file().ends_with("tasks.rs"));
        event_loop.set_debug(false);
        Ok(())
    });
}

#[test]
fn a_task_sets_its_own_result() {
    run(async {
        let task = create_task(async { Ok(1) });
        let message = fails(task.set_result(2), "RuntimeError");
        assert_eq!(message, "Task does not support set_result operation");
        let message = fails(task.set_exception(RuntimeError::new("")), "RuntimeError");
        assert_eq!(message, "Task does not support set_exception operation");
        assert_eq!(task.await?, 1);
        Ok(())
    });
}
