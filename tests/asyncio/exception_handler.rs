//! In which context a loop's exception handler runs, under what keys it is told of what, and what
//! becomes of a handler that fails itself.

use std::future::poll_fn;
#[cfg(target_os = "linux")]
use std::rc::Rc;
use std::task::Poll;

use hilos::asyncio::{
    self, EventLoop, ExceptionContext, Future, TaskOptions, create_task, gather_results,
    get_running_loop, new_event_loop, shield, sleep,
};
use hilos::contextvars::{Context, ContextVar, copy_context};

use crate::support::{Log, fails, messages, raise, run, run_briefly, watch};

static NAME: ContextVar<&str> = ContextVar::new("name").with_default("foo");

/// Has the errors listed, each with the name that its handler saw; the handler sets another.
fn note(event_loop: &EventLoop) -> Log<(&'static str, ExceptionContext)> {
    let log = Log::new();
    let seen = log.clone();
    event_loop.set_exception_handler(move |_, context| {
        seen.push((NAME.get().unwrap(), context.clone()));
        NAME.set("handler");
    });
    log
}

/// The names that the handler saw.
fn names(log: &Log<(&'static str, ExceptionContext)>) -> Vec<&'static str> {
    log.take().into_iter().map(|(name, _)| name).collect()
}

fn zero_error() -> asyncio::Result<()> {
    NAME.set("bar");
    raise("ZeroDivisionError", "division by zero")
}

async fn never() -> asyncio::Result<()> {
    NAME.set("bar");
    Future::new().await
}

/// Lets a loop that is not running do what is ready twice.
fn run_twice(event_loop: &EventLoop) {
    run_briefly(event_loop);
    run_briefly(event_loop);
}

// cpython: test_asyncio/test_futures2.py::FutureTests::test_task_exc_handler_correct_context
#[test]
fn a_failed_task_is_handled_in_its_context() {
    run(async {
        let log = note(&get_running_loop()?);
        drop(create_task(async { zero_error() }));
        sleep(0).await?;
        let [(name, context)] = &log.take()[..] else {
            panic!("one error")
        };
        assert_eq!(context.message, "Task exception was never retrieved");
        assert_eq!((*name, NAME.get()?), ("bar", "foo"));
        Ok(())
    });
}

// cpython: test_asyncio/test_futures2.py::FutureTests::test_handle_exc_handler_correct_context
#[test]
fn a_failed_call_is_handled_in_its_context() {
    let event_loop = asyncio::testing::new_event_loop();
    let log = note(&event_loop);
    event_loop.call_soon(zero_error).unwrap();
    event_loop.call_later(0, zero_error).unwrap();
    event_loop.call_soon_threadsafe(zero_error).unwrap();
    event_loop
        .handle()
        .call_soon_threadsafe(zero_error)
        .unwrap();
    let future = event_loop.create_future();
    future.add_done_callback(|_| zero_error());
    future.set_result(()).unwrap();
    run_twice(&event_loop);
    assert_eq!(names(&log), ["bar"; 5]);
    assert_eq!(NAME.get(), Ok("foo"));
    event_loop.close().unwrap();
}

#[test]
fn what_the_handler_sets_stays_in_the_calls_context() {
    let event_loop = asyncio::testing::new_event_loop();
    let log = note(&event_loop);
    let context = Context::new();
    event_loop
        .call_soon_with_context(&context, zero_error)
        .unwrap();
    run_briefly(&event_loop);
    assert_eq!(names(&log), ["bar"]);
    assert_eq!(context.get(&NAME), Some("handler"));
    // An error that is no call's and no task's is handled where it is reported.
    let inside = copy_context();
    inside
        .run(|| event_loop.call_exception_handler(ExceptionContext::new("mine")))
        .unwrap();
    assert_eq!(names(&log), ["foo"]);
    assert_eq!(inside.get(&NAME), Some("handler"));
    event_loop.close().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_failed_reader_is_handled_in_its_context() {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    let event_loop = new_event_loop();
    let log = note(&event_loop);
    let (r, w) = UnixStream::pair().unwrap();
    let r = Rc::new(r);
    let reader = {
        let (event_loop, r) = (event_loop.clone(), r.clone());
        move || {
            event_loop.remove_reader(&r);
            event_loop.stop();
            zero_error()
        }
    };
    event_loop.add_reader(&r, reader).unwrap();
    (&w).write_all(b"x").unwrap();
    event_loop.run_forever().unwrap();
    assert_eq!(names(&log), ["bar"]);
    event_loop.close().unwrap();
}

#[test]
fn a_destroyed_task_is_handled_in_its_context() {
    let event_loop = new_event_loop();
    let log = note(&event_loop);
    let task = event_loop.create_task(never()).unwrap();
    run_briefly(&event_loop);
    let shown = task.to_string();
    event_loop.close().unwrap();
    let [(name, context)] = &log.take()[..] else {
        panic!("one error")
    };
    assert_eq!(*name, "bar");
    assert_eq!((&context.task, &context.future), (&Some(shown), &None));
}

#[test]
fn a_task_that_fails_at_shutdown_is_handled_in_its_context() {
    let log = asyncio::run(async {
        let log = note(&get_running_loop()?);
        create_task(async {
            let _ = never().await;
            zero_error()
        });
        sleep(0).await?;
        Ok(log)
    });
    let [(name, context)] = &log.unwrap().take()[..] else {
        panic!("one error")
    };
    let message = "unhandled exception during asyncio.run() shutdown";
    assert_eq!((context.message.as_str(), *name), (message, "bar"));
    let task = context.task.as_deref().unwrap();
    assert!(task.starts_with("<Task finished name="), "{task}");
    assert_eq!(context.future, None);
}

#[test]
fn a_task_that_outlives_its_groups_parent_is_handled_in_its_context() {
    run(async {
        let log = note(&get_running_loop()?);
        let parent = create_task(async {
            let mut group = Box::pin(asyncio::task_group(async |group| {
                group.create_task(async {
                    let _ = never().await;
                    zero_error()
                });
                sleep(1).await
            }));
            poll_fn(|context| Poll::Ready(group.as_mut().poll(context).is_pending())).await;
            // The group is left, which cancels the task, and the parent ends before it does.
            sleep(0).await
        });
        parent.await?;
        sleep(0).await?;
        let [(name, context)] = &log.take()[..] else {
            panic!("one error")
        };
        let message = &context.message;
        assert!(message.contains("errored out but its parent"), "{message}");
        let task = context.task.as_deref().unwrap();
        assert!(task.starts_with("<Task finished name="), "{task}");
        assert_eq!((context.future.as_deref(), *name), (None, "bar"));
        Ok(())
    });
}

#[test]
fn a_task_behind_a_cancelled_shield_is_handled_in_its_context() {
    run(async {
        let log = note(&get_running_loop()?);
        let inner = create_task(async {
            sleep(1).await?;
            zero_error()
        });
        let outer = shield(inner);
        sleep(0).await?;
        outer.cancel();
        sleep(2).await?;
        let [(name, context)] = &log.take()[..] else {
            panic!("one error")
        };
        let message = "ZeroDivisionError exception in shielded future";
        assert_eq!((context.message.as_str(), *name), (message, "bar"));
        assert!(context.future.is_some());
        Ok(())
    });
}

#[test]
fn a_handler_cannot_enter_a_context_that_is_entered() {
    run(async {
        let event_loop = get_running_loop()?;
        let log = watch(&event_loop);
        let context = asyncio::current_task().unwrap().get_context();
        let task = TaskOptions::new()
            .with_context(&context)
            .create_task(async { zero_error() });
        sleep(0).await?;
        drop(task);
        // The default handler has printed it.
        assert_eq!(messages(&log), [""; 0]);
        event_loop.call_soon(zero_error)?;
        sleep(0).await?;
        assert_eq!(log.take().len(), 1);
        Ok(())
    });
}

#[test]
fn a_handler_that_fails_is_called_again() {
    let event_loop = new_event_loop();
    let log = Log::new();
    let calls = log.clone();
    event_loop.set_exception_handler(move |_, context| {
        calls.push(context.message.clone());
        panic!("spam");
    });
    event_loop.call_soon(zero_error).unwrap();
    event_loop.call_soon(zero_error).unwrap();
    run_briefly(&event_loop);
    assert_eq!(log.take(), ["Exception in callback zero_error()"; 2]);
    event_loop.close().unwrap();
}

fn exits(_: &EventLoop, _: &ExceptionContext) {
    hilos::threading::exit();
}

#[test]
fn a_handler_that_exits_ends_the_run() {
    let event_loop = asyncio::testing::new_event_loop();
    event_loop.set_exception_handler(exits);
    let task = event_loop
        .create_task(async {
            sleep(1).await?;
            Ok(1)
        })
        .unwrap();
    event_loop.call_soon(zero_error).unwrap();
    fails(event_loop.run_until_complete(&task), "SystemExit");
    assert!(!task.done());
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 1);
    event_loop.close().unwrap();
}

#[test]
fn a_handler_that_exits_does_not_return_to_who_reports() {
    let event_loop = new_event_loop();
    event_loop.set_exception_handler(exits);
    let (running, reached) = (event_loop.clone(), Log::new());
    let after = reached.clone();
    let reports = async move {
        running.call_exception_handler(ExceptionContext::new("mine"));
        after.push(());
        Ok(())
    };
    fails(event_loop.run_until_complete(reports), "SystemExit");
    assert_eq!(reached.take(), []);
    event_loop.close().unwrap();
}

#[test]
fn a_handler_that_exits_is_ignored_when_a_task_is_dropped() {
    let event_loop = new_event_loop();
    event_loop.set_exception_handler(exits);
    let drops = async {
        let task = create_task(async { zero_error() });
        sleep(0).await?;
        drop(task);
        sleep(0).await?;
        Ok("goes on")
    };
    assert_eq!(event_loop.run_until_complete(drops).unwrap(), "goes on");
    let pending = event_loop.create_task(never()).unwrap();
    run_briefly(&event_loop);
    event_loop.close().unwrap();
    assert!(!pending.done());
}

#[test]
fn a_handler_that_exits_at_shutdown_ends_it() {
    let result = asyncio::run(async {
        get_running_loop()?.set_exception_handler(exits);
        create_task(async {
            let _ = never().await;
            zero_error()
        });
        sleep(0).await
    });
    fails(result, "SystemExit");
}

#[test]
fn a_gathers_own_tasks_are_destroyed_silently() {
    let event_loop = new_event_loop();
    let log = watch(&event_loop);
    let gathers = async {
        let own = create_task(never()).with_name("own");
        let all = gather_results([own]);
        let (one, many) = (
            asyncio::gather!(never(), never()),
            gather_results([never(), never()]),
        );
        sleep(0).await?;
        get_running_loop()?.stop();
        asyncio::gather!(all, one, many).await.map(drop)
    };
    let message = fails(event_loop.run_until_complete(gathers), "RuntimeError");
    assert_eq!(message, "Event loop stopped before Future completed.");
    event_loop.close().unwrap();
    let [context] = &log.take()[..] else {
        panic!("one error")
    };
    assert_eq!(context.message, "Task was destroyed but it is pending!");
    let task = context.task.as_deref().unwrap();
    assert!(task.contains("name='own'"), "{task}");
}

#[test]
fn the_task_of_a_run_is_destroyed_silently_unless_it_is_the_programs() {
    let event_loop = new_event_loop();
    let log = watch(&event_loop);
    let stopped = event_loop.clone();
    event_loop.call_soon(move || stopped.stop()).unwrap();
    fails(event_loop.run_until_complete(never()), "RuntimeError");
    let stopped = event_loop.clone();
    event_loop.call_soon(move || stopped.stop()).unwrap();
    let task = event_loop.create_task(never()).unwrap();
    fails(event_loop.run_until_complete(&task), "RuntimeError");
    let shown = task.to_string();
    event_loop.close().unwrap();
    let [context] = &log.take()[..] else {
        panic!("one error")
    };
    assert_eq!(context.task, Some(shown));
}

#[test]
fn a_context_shows_its_keys_in_order() {
    assert_eq!(
        ExceptionContext::new("").to_string(),
        "Unhandled exception in event loop"
    );
    run(async {
        let task = asyncio::current_task().unwrap();
        let context = ExceptionContext::new("m")
            .with_task(task.clone())
            .with_handle("<Handle>")
            .with_future("<Future>");
        assert_eq!(
            context.to_string(),
            format!("m\nfuture: <Future>\nhandle: <Handle>\ntask: {task}")
        );
        Ok(())
    });
}

#[test]
fn a_reported_task_lends_the_handler_its_context() {
    run(async {
        let event_loop = get_running_loop()?;
        let log = note(&event_loop);
        let task = create_task(never());
        sleep(0).await?;
        event_loop.call_exception_handler(ExceptionContext::new("mine").with_task(&task));
        assert_eq!(names(&log), ["bar"]);
        assert_eq!(task.get_context().get(&NAME), Some("handler"));
        task.cancel();
        Ok(())
    });
}
