//! Context variables in tasks and callbacks: `BaseTaskTests.test_context_…`.

use std::sync::mpsc;

use hilos::asyncio::{self, Future, TaskOptions, create_task, get_running_loop, sleep};
use hilos::contextvars::{Context, ContextVar, copy_context};

use crate::support::{Log, run};

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_context_1
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_context_2
#[test]
fn a_task_has_a_copy_of_its_creators_context() {
    static VAR: ContextVar<&str> = ContextVar::new("cvar").with_default("nope");
    run(async {
        VAR.set("something");
        let sub = create_task(async {
            sleep(0.01).await?;
            assert_eq!(VAR.get()?, "something");
            VAR.set("something else");
            assert_eq!(VAR.get()?, "something else");
            sleep(0).await?;
            assert_eq!(VAR.get()?, "something else");
            Ok(())
        });
        VAR.set("later");
        sub.await?;
        assert_eq!(VAR.get()?, "later");
        Ok(())
    });
    assert_eq!(VAR.get(), Ok("nope"));
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_context_3
// cpython: test_asyncio/test_context.py::DecimalContextTest::test_asyncio_task_decimal_context
#[test]
fn tasks_side_by_side_do_not_disturb_each_other() {
    static VAR: ContextVar<i32> = ContextVar::new("cvar").with_default(-1);
    run(async {
        let sub = |number: i32| {
            create_task(async move {
                for i in 0..10 {
                    VAR.set(number * 100 + i);
                    sleep(0).await?;
                    assert_eq!(VAR.get()?, number * 100 + i);
                }
                Ok(())
            })
        };
        asyncio::gather((0..10).map(sub)).await?;
        assert_eq!(VAR.get()?, -1);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_context_4
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_context_5
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_context_6
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_get_context
#[test]
fn a_context_can_be_given() {
    static VAR: ContextVar<i32> = ContextVar::new("cvar").with_default(-1);
    run(async {
        VAR.set(1);
        let context = copy_context();
        let options = TaskOptions::new().with_context(&context);
        let task = options.create_task(async {
            assert_eq!(VAR.get()?, 1);
            VAR.set(2);
            sleep(0).await?;
            assert_eq!(VAR.get()?, 2);
            Ok(())
        });
        assert_eq!(task.get_context(), context);
        task.await?;
        assert_eq!((VAR.get()?, context.get(&VAR)), (1, Some(2)));
        let empty = Context::new();
        let task = TaskOptions::new()
            .with_context(&empty)
            .create_task(async { Ok(VAR.get()?) });
        assert_eq!(task.await?, -1);
        Ok(())
    });
}

#[test]
fn callbacks_have_a_copy_too() {
    static VAR: ContextVar<i32> = ContextVar::new("cvar").with_default(0);
    run(async {
        let event_loop = get_running_loop()?;
        let log = Log::new();
        let note = || {
            let log = log.clone();
            move || log.push(VAR.get().unwrap())
        };
        VAR.set(1);
        event_loop.call_soon(note())?;
        event_loop.call_later(0, note())?;
        let future: Future<()> = Future::new();
        future.add_done_callback({
            let note = note();
            move |_| note()
        });
        let context = Context::new();
        event_loop.call_soon_with_context(&context, note())?;
        event_loop.call_later_with_context(&context, 0, note())?;
        let handle = event_loop.call_soon(|| drop(VAR.set(7)))?;
        VAR.set(2);
        future.set_result(())?;
        sleep(1).await?;
        let mut seen = log.take();
        seen.sort_unstable();
        assert_eq!(seen, [0, 0, 1, 1, 1]);
        assert_eq!(handle.get_context().get(&VAR), Some(7));
        assert_eq!(VAR.get()?, 2);
        Ok(())
    });
}

#[test]
fn what_another_thread_sends_has_its_context() {
    static VAR: ContextVar<i32> = ContextVar::new("cvar").with_default(-1);
    let seen = run(async {
        VAR.set(1);
        let (handle, log) = (get_running_loop()?.handle(), Log::new());
        let (sender, receiver) = mpsc::channel();
        let sending = asyncio::try_to_thread(move || {
            VAR.set(2);
            handle.call_soon_threadsafe(move || drop(sender.send(VAR.get().unwrap())))?;
            let make = || async {
                sleep(0).await?;
                Ok(VAR.get()?)
            };
            let task = asyncio::run_coroutine_threadsafe(make, &handle)?;
            VAR.set(3);
            Ok::<_, asyncio::Exception>((task.result(None), VAR.get()))
        });
        let (task, there) = sending.await?;
        log.push(receiver.recv()?);
        log.push(task?);
        log.push(there?);
        log.push(VAR.get()?);
        Ok(log.take())
    });
    assert_eq!(seen, [2, 2, 3, 1]);
}

#[test]
fn an_executor_sees_no_context_and_a_thread_of_to_thread_does() {
    static VAR: ContextVar<i32> = ContextVar::new("cvar").with_default(-1);
    run(async {
        VAR.set(1);
        let event_loop = get_running_loop()?;
        let look = || VAR.get().unwrap();
        assert_eq!(event_loop.run_in_executor(None, look)?.await?, -1);
        assert_eq!(asyncio::to_thread(look).await?, 1);
        // The context is that of the await, not that of the call.
        let later = asyncio::to_thread(look);
        VAR.set(2);
        assert_eq!(later.await?, 2);
        Ok(())
    });
}
