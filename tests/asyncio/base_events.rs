//! `test_base_events.py` and `test_events.py`: what a loop does with times, tasks and threads.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use hilos::asyncio::{
    self, KeyboardInterrupt, SystemExit, TaskOptions, create_task, ensure_future, get_running_loop,
    new_event_loop, sleep,
};
use hilos::concurrent::futures::ThreadPoolExecutor;

use crate::support::{Log, fails, messages, raise, run_briefly, watch};

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_call_later_negative_delays
#[test]
fn what_is_late_goes_by_its_time() {
    let event_loop = asyncio::testing::new_event_loop();
    let log = Log::new();
    for (delay, name) in [(-1, "a"), (-2, "b")] {
        let log = log.clone();
        event_loop
            .call_later(delay, move || log.push(name))
            .unwrap();
    }
    run_briefly(&event_loop);
    assert_eq!(log.take(), ["b", "a"]);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_time_and_call_at
#[test]
fn a_call_is_not_made_before_its_time() {
    let event_loop = new_event_loop();
    let (start, stop) = (event_loop.time(), event_loop.clone());
    event_loop
        .call_at(start + 0.05, move || stop.stop())
        .unwrap();
    event_loop.run_forever().unwrap();
    assert!(event_loop.time() - start >= 0.05 - 1e-9);
    fails(event_loop.call_later(None, || ()), "ValueError");
    fails(event_loop.call_at(f64::NAN, || ()), "ValueError");
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_set_debug
#[test]
fn debug_mode_can_be_switched() {
    let event_loop = new_event_loop();
    for debug in [true, false] {
        event_loop.set_debug(debug);
        assert_eq!(event_loop.get_debug(), debug);
    }
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_run_until_complete_loop
#[test]
fn a_loop_does_not_wait_for_anothers_future() {
    let (event_loop, other) = (new_event_loop(), new_event_loop());
    let future = event_loop.create_future::<()>();
    let message = fails(other.run_until_complete(future), "ValueError");
    assert_eq!(
        message,
        "The future belongs to a different loop than the one specified as the loop argument"
    );
    event_loop.close().unwrap();
    other.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_run_until_complete_loop_orphan_future_close_loop
#[test]
fn a_task_of_an_earlier_run_does_not_end_the_next() {
    let event_loop = asyncio::testing::new_event_loop();
    event_loop
        .call_soon(|| Err::<(), _>(SystemExit(3)))
        .unwrap();
    fails(event_loop.run_until_complete(sleep(0.1)), "SystemExit");
    // The first task ends in the middle of this run.
    event_loop.run_until_complete(sleep(0.2)).unwrap();
    assert_eq!(event_loop.time(), 0.2);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_run_forever_keyboard_interrupt
#[test]
fn a_request_to_exit_is_not_reported_too() {
    let event_loop = new_event_loop();
    let log = watch(&event_loop);
    let interrupted = async { Err::<(), _>(KeyboardInterrupt::default().into()) };
    fails(
        event_loop.run_until_complete(interrupted),
        "KeyboardInterrupt",
    );
    event_loop.close().unwrap();
    assert_eq!(messages(&log), [""; 0]);
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_default_exc_handler_coro
#[test]
fn an_exception_that_nobody_asks_for_is_reported() {
    let event_loop = asyncio::testing::new_event_loop();
    let log = watch(&event_loop);
    let task = event_loop
        .create_task(async {
            sleep(0.01).await?;
            raise::<()>("ZeroDivisionError", "division by zero")
        })
        .unwrap();
    task.add_done_callback(|task| task.get_loop().stop());
    event_loop.run_forever().unwrap();
    drop(task);
    let contexts = log.take();
    assert_eq!(contexts.len(), 1);
    assert_eq!(contexts[0].message, "Task exception was never retrieved");
    let exception = contexts[0].exception.as_ref().unwrap();
    assert_eq!(exception.type_name(), "ZeroDivisionError");
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_set_task_factory
// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_create_task
#[test]
fn a_factory_has_a_say_in_every_task() {
    let event_loop = new_event_loop();
    assert!(!event_loop.has_task_factory());
    event_loop.set_task_factory(|options: TaskOptions| options.with_name("made by the factory"));
    assert!(event_loop.has_task_factory());
    let task = event_loop.create_task(async { Ok(()) }).unwrap();
    assert_eq!(task.get_name(), "made by the factory");
    event_loop.run_until_complete(task).unwrap();
    let names = event_loop.run_until_complete(async {
        let task = create_task(async { Ok(()) });
        ensure_future(async { Ok(()) }).await?;
        Ok(task.get_name())
    });
    assert_eq!(names.unwrap(), "made by the factory");

    event_loop.reset_task_factory();
    assert!(!event_loop.has_task_factory());
    let task = event_loop.create_task(async { Ok(()) }).unwrap();
    assert_ne!(task.get_name(), "made by the factory");
    event_loop.run_until_complete(task).unwrap();
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_create_named_task_with_default_factory
// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_create_named_task_with_custom_factory
#[test]
fn a_task_has_the_name_it_is_given() {
    let event_loop = new_event_loop();
    let named = || {
        let options = TaskOptions::new().with_name("test_task");
        options
            .create_task_in(&event_loop, async { Ok(()) })
            .unwrap()
    };
    assert_eq!(named().get_name(), "test_task");
    let called = Rc::new(Cell::new(0));
    let counted = called.clone();
    event_loop.set_task_factory(move |options: TaskOptions| {
        counted.set(counted.get() + 1);
        options
    });
    assert_eq!(named().get_name(), "test_task");
    assert_eq!(called.get(), 1);
    run_briefly(&event_loop);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_create_task_error_closes_coro
#[test]
fn a_coroutine_that_is_refused_is_dropped() {
    let owned = Rc::new(());
    let kept = owned.clone();
    let event_loop = new_event_loop();
    let log = watch(&event_loop);
    event_loop.close().unwrap();
    let refused = event_loop.create_task(async move {
        let _kept = kept;
        Ok(())
    });
    fails(refused.map(drop), "RuntimeError");
    assert_eq!(Rc::strong_count(&owned), 1);
    assert_eq!(messages(&log), [""; 0]);
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_run_until_complete_nesting
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_close_running_event_loop
#[test]
fn a_running_loop_neither_runs_nor_closes() {
    let event_loop = new_event_loop();
    let inner = event_loop.clone();
    let nested = event_loop.run_until_complete(async move {
        assert!(inner.is_running());
        inner.run_until_complete(sleep(0))
    });
    let message = fails(nested, "RuntimeError");
    assert_eq!(message, "This event loop is already running");
    let closing = event_loop.run_until_complete(async { get_running_loop()?.close() });
    let message = fails(closing, "RuntimeError");
    assert_eq!(message, "Cannot close a running event loop");
    assert!(!event_loop.is_closed());
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_close
#[test]
fn a_closed_loop_refuses_everything() {
    let event_loop = new_event_loop();
    let future = event_loop.create_future::<()>();
    let handle = event_loop.handle();
    event_loop.close().unwrap();
    let noop = || ();
    fails(event_loop.run_forever(), "RuntimeError");
    fails(event_loop.run_until_complete(future), "RuntimeError");
    fails(event_loop.call_soon(noop), "RuntimeError");
    fails(event_loop.call_soon_threadsafe(noop), "RuntimeError");
    fails(handle.call_soon_threadsafe(noop), "RuntimeError");
    fails(event_loop.call_later(1.0, noop), "RuntimeError");
    fails(event_loop.call_at(event_loop.time(), noop), "RuntimeError");
    fails(event_loop.create_task(async { Ok(()) }), "RuntimeError");
    #[cfg(target_os = "linux")]
    fails(
        event_loop.add_signal_handler(libc::SIGTERM, noop),
        "RuntimeError",
    );
    fails(event_loop.run_in_executor(None, noop), "RuntimeError");
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_run_in_executor
#[test]
fn an_executor_runs_in_another_thread() {
    let event_loop = new_event_loop();
    let call = event_loop.run_in_executor(None, || ("yo", thread::current().id()));
    let (said, id) = event_loop.run_until_complete(call.unwrap()).unwrap();
    assert_eq!(said, "yo");
    assert_ne!(id, thread::current().id());
    event_loop.close().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn an_executor_runs_in_another_process() {
    fn add(one: u32, other: u32) -> (u32, u32) {
        (one + other, std::process::id())
    }
    let pool = hilos::concurrent::futures::ProcessPoolExecutor::new(1).unwrap();
    let event_loop = new_event_loop();
    let call = event_loop.run_in_executor(&pool, (add, (40, 2)));
    let (sum, pid) = event_loop.run_until_complete(call.unwrap()).unwrap();
    assert_eq!(sum, 42);
    assert_ne!(pid, std::process::id());
    pool.shutdown(true);
    fails(
        event_loop.run_in_executor(&pool, (add, (40, 2))),
        "RuntimeError",
    );
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_run_in_executor_cancel
#[test]
fn a_closed_loop_is_not_told_of_what_was_cancelled() {
    let event_loop = new_event_loop();
    let log = watch(&event_loop);
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let call = event_loop
        .run_in_executor(&executor, || thread::sleep(Duration::from_millis(20)))
        .unwrap();
    assert!(call.cancel());
    let shutdown = event_loop.shutdown_default_executor(None);
    event_loop.run_until_complete(shutdown).unwrap();
    event_loop.close().unwrap();
    // The function ends when there is no loop any more.
    executor.shutdown(true);
    assert!(call.cancelled());
    assert_eq!(messages(&log), [""; 0]);
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_set_default_executor
#[test]
fn the_default_executor_is_the_one_that_was_set() {
    let event_loop = new_event_loop();
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let executor = executor.with_thread_name_prefix("own");
    event_loop.set_default_executor(&executor);
    let name = || thread::current().name().unwrap().to_owned();
    let call = event_loop.run_in_executor(None, name).unwrap();
    assert_eq!(event_loop.run_until_complete(call).unwrap(), "own_0");
    executor.shutdown(true);
    fails(event_loop.run_in_executor(None, name), "RuntimeError");
    event_loop.close().unwrap();
}
