//! `test_runners.py`.

use hilos::asyncio::{
    self, Future, Runner, all_tasks, create_task, current_task, get_running_loop, new_event_loop,
    sleep,
};
use hilos::contextvars::{ContextVar, copy_context};

use crate::support::{Log, fails, is_cancelled, raise, run, watch};

// cpython: test_asyncio/test_runners.py::RunTests::test_asyncio_run_return
// cpython: test_asyncio/test_runners.py::RunTests::test_asyncio_run_raises
#[test]
fn the_outcome_of_the_coroutine_is_returned() {
    assert_eq!(
        asyncio::run(async { sleep(0).with_result(42).await }).unwrap(),
        42
    );
    let failed = asyncio::run(async {
        sleep(0).await?;
        raise::<()>("ValueError", "spam")
    });
    assert_eq!(fails(failed, "ValueError"), "spam");
}

// cpython: test_asyncio/test_runners.py::RunTests::test_asyncio_run_debug
// cpython: test_asyncio/test_runners.py::RunnerTests::test_non_debug
// cpython: test_asyncio/test_runners.py::RunnerTests::test_debug
#[test]
fn debug_mode_is_set_by_the_runner() {
    for debug in [false, true] {
        let mut runner = Runner::new().with_debug(debug);
        assert_eq!(runner.get_loop().unwrap().get_debug(), debug);
        let inside = runner.run(async { Ok(get_running_loop()?.get_debug()) });
        assert_eq!(inside.unwrap(), debug);
    }
}

// cpython: test_asyncio/test_runners.py::RunTests::test_asyncio_run_from_running_loop
// cpython: test_asyncio/test_runners.py::RunnerTests::test_recursive_run
#[test]
fn a_run_cannot_be_nested() {
    asyncio::run(async {
        let message = fails(asyncio::run(async { Ok(()) }), "RuntimeError");
        assert_eq!(
            message,
            "asyncio.run() cannot be called from a running event loop"
        );
        let message = fails(Runner::new().run(async { Ok(()) }), "RuntimeError");
        assert_eq!(
            message,
            "Runner.run() cannot be called from a running event loop"
        );
        let message = fails(new_event_loop().run_forever(), "RuntimeError");
        assert_eq!(
            message,
            "Cannot run the event loop while another loop is running"
        );
        let message = fails(get_running_loop()?.run_forever(), "RuntimeError");
        assert_eq!(message, "This event loop is already running");
        // No harm was done.
        sleep(0).await
    })
    .unwrap();
}

// cpython: test_asyncio/test_runners.py::RunTests::test_asyncio_run_cancels_hanging_tasks
#[test]
fn tasks_that_are_left_are_cancelled() {
    let task: Log<asyncio::Task<()>> = Log::new();
    let left = task.clone();
    let returned = asyncio::run(async move {
        left.push(create_task(sleep(60)));
        sleep(0).with_result(123).await
    });
    assert_eq!(returned.unwrap(), 123);
    assert!(task.take()[0].cancelled());
}

// cpython: test_asyncio/test_runners.py::RunTests::test_asyncio_run_reports_hanging_tasks_errors
#[test]
fn failures_at_the_end_are_reported() {
    let errors = Log::new();
    let reported = errors.clone();
    let returned = asyncio::run(async move {
        get_running_loop()?.set_exception_handler(
            move |_: &asyncio::EventLoop, context: &asyncio::ExceptionContext| {
                reported.push((
                    context.message.clone(),
                    context.exception.clone().unwrap().repr(),
                ));
            },
        );
        create_task(async {
            let _ = sleep(60).await;
            raise::<()>("ZeroDivisionError", "x")
        });
        sleep(0).with_result(123).await
    });
    assert_eq!(returned.unwrap(), 123);
    let message = "unhandled exception during asyncio.run() shutdown".to_owned();
    assert_eq!(
        errors.take(),
        [(message, "ZeroDivisionError('x')".to_owned())]
    );
}

// cpython: test_asyncio/test_runners.py::RunTests::test_asyncio_run_loop_factory
// cpython: test_asyncio/test_runners.py::RunTests::test_loop_factory_default_event_loop
// cpython: test_asyncio/test_runners.py::RunnerTests::test_custom_factory
#[test]
fn the_loop_may_come_from_a_factory() {
    let duration = 7.0;
    let mut runner = Runner::new().with_loop_factory(move || {
        let event_loop = asyncio::testing::new_event_loop();
        event_loop.set_slow_callback_duration(duration);
        event_loop
    });
    let inside = runner.run(async { Ok(get_running_loop()?.slow_callback_duration()) });
    assert_eq!(inside.unwrap(), 7.0);
    assert_eq!(
        Runner::new().get_loop().unwrap().slow_callback_duration(),
        0.1
    );
}

// cpython: test_asyncio/test_runners.py::RunnerTests::test_run
// cpython: test_asyncio/test_runners.py::RunnerTests::test_run_future
// cpython: test_asyncio/test_runners.py::RunnerTests::test_run_awaitable
#[test]
fn it_runs_whatever_can_be_awaited() {
    let mut runner = Runner::new();
    assert_eq!(runner.run(async { Ok("done") }).unwrap(), "done");
    let future: Future<&str> = runner.get_loop().unwrap().create_future();
    future.set_result("done").unwrap();
    assert_eq!(runner.run(future).unwrap(), "done");
    let event_loop = runner.get_loop().unwrap();
    let task = event_loop.create_task(async { Ok("done") }).unwrap();
    assert_eq!(runner.run(task).unwrap(), "done");
    let boxed: std::pin::Pin<Box<dyn std::future::Future<Output = _>>> =
        Box::pin(async { Ok("done") });
    assert_eq!(runner.run(boxed).unwrap(), "done");
}

// cpython: test_asyncio/test_runners.py::RunnerTests::test_explicit_close
// cpython: test_asyncio/test_runners.py::RunnerTests::test_double_close
// cpython: test_asyncio/test_runners.py::RunnerTests::test_second_with_block_raises
#[test]
fn a_closed_runner_is_of_no_use() {
    let mut runner = Runner::new();
    let event_loop = runner.get_loop().unwrap();
    runner.close().unwrap();
    runner.close().unwrap();
    assert!(event_loop.is_closed());
    assert_eq!(fails(runner.get_loop(), "RuntimeError"), "Runner is closed");
    assert_eq!(
        fails(runner.run(async { Ok(()) }), "RuntimeError"),
        "Runner is closed"
    );
    fails(event_loop.call_soon(|| ()).map(drop), "RuntimeError");
    fails(event_loop.create_task(async { Ok(()) }), "RuntimeError");
    assert_eq!(
        fails(event_loop.run_forever(), "RuntimeError"),
        "Event loop is closed"
    );
}

// cpython: test_asyncio/test_runners.py::RunnerTests::test_run_keeps_context
#[test]
fn runs_share_a_context() {
    static VAR: ContextVar<i32> = ContextVar::new("cvar").with_default(-1);
    async fn set(value: i32) -> asyncio::Result<i32> {
        let old = VAR.get()?;
        VAR.set(value);
        Ok(old)
    }
    let mut runner = Runner::new();
    assert_eq!(runner.run(set(1)).unwrap(), -1);
    assert_eq!(runner.run(set(2)).unwrap(), 1);
    let context = copy_context();
    assert_eq!(runner.run_with_context(&context, set(3)).unwrap(), -1);
    assert_eq!(context.get(&VAR), Some(3));
    assert_eq!(runner.run(set(4)).unwrap(), 2);
    assert_eq!(VAR.get(), Ok(-1));
}

#[test]
fn a_run_that_is_cancelled_from_within_raises_it() {
    let result: asyncio::Result<()> = asyncio::run(async {
        current_task().unwrap().cancel();
        sleep(10).await
    });
    is_cancelled(result);
}

#[test]
fn a_run_leaves_no_loop_behind() {
    run(async {
        assert_eq!(all_tasks().len(), 1);
        let log = watch(&get_running_loop()?);
        assert!(log.take().is_empty());
        Ok(())
    });
    fails(get_running_loop(), "RuntimeError");
}
