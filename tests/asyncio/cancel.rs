//! Cancellation of tasks: `BaseTaskTests.test_cancel…` and `test_uncancel…`.

use hilos::asyncio::{
    self, ALL_COMPLETED, CancelledError, Exception, Future, Result, create_task, current_task,
    get_running_loop, new_event_loop, sleep, wait,
};

use crate::support::{fails, is_cancelled, run, run_briefly};

fn message(exception: &Exception) -> Option<&str> {
    exception
        .downcast_ref::<CancelledError>()
        .unwrap()
        .message()
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel
#[test]
fn a_sleeping_task_is_cancelled() {
    run(async {
        let task = create_task(async {
            sleep(10).await?;
            Ok(12)
        });
        let asked = task.clone();
        get_running_loop()?.call_soon(move || assert!(asked.cancel()))?;
        is_cancelled((&task).await);
        assert!(task.done() && task.cancelled());
        assert!(!task.cancel());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_yield
#[test]
fn a_task_that_yields_is_cancelled() {
    let event_loop = new_event_loop();
    let task = event_loop
        .create_task(async {
            sleep(0).await?;
            sleep(0).await?;
            Ok(12)
        })
        .unwrap();
    run_briefly(&event_loop);
    task.cancel();
    is_cancelled(event_loop.run_until_complete(&task));
    assert!(task.done() && task.cancelled() && !task.cancel());
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancelling
#[test]
fn cancelling_counts_the_requests() {
    let event_loop = asyncio::testing::new_event_loop();
    let task = event_loop.create_task(async { sleep(10).await }).unwrap();
    assert_eq!(task.cancelling(), 0);
    assert!(!task.to_string().contains(" cancelling "));
    assert!(task.cancel());
    assert_eq!(task.cancelling(), 1);
    assert!(task.to_string().contains(" cancelling "));
    assert!(task.cancel());
    assert_eq!(task.cancelling(), 2);
    is_cancelled(event_loop.run_until_complete(task));
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_uncancel_basic
#[test]
fn uncancel_takes_a_request_back() {
    let event_loop = asyncio::testing::new_event_loop();
    let task = event_loop
        .create_task(async {
            match sleep(10).await {
                Err(e) if e.is_cancelled() => {
                    current_task().unwrap().uncancel();
                    sleep(10).await
                }
                other => other,
            }
        })
        .unwrap();
    event_loop.run_until_complete(sleep(0.01)).unwrap();
    assert!(task.cancel());
    assert!(task.to_string().contains(" cancelling "));
    assert_eq!(task.cancelling(), 1);
    assert!(!task.cancelled());
    event_loop.run_until_complete(sleep(0.01)).unwrap();
    assert!(!task.to_string().contains(" cancelling "));
    assert_eq!(task.cancelling(), 0);
    assert!(!task.cancelled());
    assert!(task.cancel());
    assert_eq!(task.cancelling(), 1);
    is_cancelled(event_loop.run_until_complete(&task));
    assert!(task.cancelled() && task.done());
    // Too late to matter.
    task.uncancel();
    assert!(task.cancelled() && task.done());
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_uncancel_structured_blocks
#[test]
fn a_block_can_be_cancelled_and_the_code_around_it_goes_on() {
    async fn block(pause: f64, limit: f64) -> Result<(bool, bool)> {
        let task = current_task().unwrap();
        let timed_out = std::rc::Rc::new(std::cell::Cell::new(false));
        let timer = get_running_loop()?.call_later(limit, {
            let (task, timed_out) = (task.clone(), timed_out.clone());
            move || {
                timed_out.set(true);
                task.cancel();
            }
        })?;
        let result = sleep(pause).await;
        timer.cancel();
        match &result {
            Err(e) if timed_out.get() && task.uncancel() == 0 && e.is_cancelled() => {}
            _ => result.clone()?,
        }
        sleep(0).await?;
        Ok((timed_out.get(), result.is_ok()))
    }
    run(async {
        let late = create_task(block(10.0, 0.1));
        assert_eq!((&late).await?, (true, false));
        assert_eq!(late.cancelling(), 0);
        let in_time = create_task(block(0.0, 10.0));
        assert_eq!((&in_time).await?, (false, true));
        assert_eq!(in_time.cancelling(), 0);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_uncancel_resets_must_cancel
#[test]
fn uncancel_calls_an_undelivered_cancellation_off() {
    run(async {
        let future: Future<()> = Future::new();
        let waited = future.clone();
        let task = create_task(async move {
            waited.await?;
            Ok(42)
        });
        sleep(0).await?;
        future.set_result(())?;
        task.cancel();
        assert_eq!(task.cancelling(), 1);
        assert_eq!(task.uncancel(), 0);
        assert_eq!(task.await?, 42);
        Ok(())
    });
}

/// What a task is told that awaits the outcome of a cancelled task by `look`.
fn told(text: Option<&'static str>, started: bool) -> Exception {
    run(async move {
        let task = create_task(async { sleep(10).await });
        if started {
            sleep(0).await?;
        }
        match text {
            Some(text) => task.cancel_with(text),
            None => task.cancel(),
        };
        wait(&[task.clone()], None, ALL_COMPLETED).await?;
        let by_exception = task.exception().unwrap_err();
        assert!(by_exception.is_cancelled());
        // The exception itself is told once; whoever asks later gets another one.
        assert_eq!(message(&task.result().unwrap_err()), None);
        Ok(by_exception)
    })
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_with_message_then_future_result
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_with_message_then_future_exception
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_with_message_before_starting_task
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_task_cancel_message_getter
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_task_cancel_message_setter
#[test]
fn a_message_goes_with_the_cancellation() {
    for started in [true, false] {
        assert_eq!(message(&told(None, started)), None);
        assert_eq!(
            message(&told(Some("my message"), started)),
            Some("my message")
        );
    }
}

fn waiting_task() -> (Future<()>, asyncio::Task<i32>, asyncio::EventLoop) {
    let event_loop = new_event_loop();
    let future: Future<()> = event_loop.create_future();
    let waited = future.clone();
    let task = event_loop
        .create_task(async move {
            waited.await?;
            Ok(12)
        })
        .unwrap();
    run_briefly(&event_loop);
    (future, task, event_loop)
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_inner_future
#[test]
fn a_cancelled_future_cancels_who_waits_for_it() {
    let (future, task, event_loop) = waiting_task();
    future.cancel();
    is_cancelled(event_loop.run_until_complete(&task));
    assert!(future.cancelled() && task.cancelled());
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_both_task_and_inner_future
#[test]
fn both_may_be_cancelled() {
    let (future, task, event_loop) = waiting_task();
    future.cancel();
    task.cancel();
    is_cancelled(event_loop.run_until_complete(&task));
    assert!(task.done() && future.cancelled() && task.cancelled());
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_task_cancel_waiter_future
#[test]
fn the_awaited_future_is_cancelled_at_once() {
    let (future, task, event_loop) = waiting_task();
    task.cancel();
    assert!(future.cancelled() && !task.cancelled());
    is_cancelled(event_loop.run_until_complete(&task));
    assert!(task.cancelled());
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_task_catching
#[test]
fn a_task_may_catch_it_and_return() {
    run(async {
        let (one, two): (Future<()>, Future<()>) = (Future::new(), Future::new());
        let (first, second) = (one.clone(), two.clone());
        let task = create_task(async move {
            first.await?;
            match second.await {
                Err(e) if e.is_cancelled() => Ok(42),
                _ => Ok(0),
            }
        });
        sleep(0).await?;
        one.set_result(())?;
        sleep(0).await?;
        task.cancel();
        assert!(two.cancelled());
        assert_eq!((&task).await?, 42);
        assert!(!task.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_task_ignoring
#[test]
fn a_task_may_ignore_it_and_wait_on() {
    run(async {
        let (one, two): (Future<()>, Future<i32>) = (Future::new(), Future::new());
        let (first, second) = (one.clone(), two.clone());
        let task = create_task(async move {
            assert!(first.await.unwrap_err().is_cancelled());
            second.await
        });
        sleep(0).await?;
        task.cancel();
        assert!(one.cancelled());
        sleep(0).await?;
        two.set_result(42)?;
        assert_eq!((&task).await?, 42);
        assert!(!two.cancelled() && !task.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_current_task
#[test]
fn a_task_that_cancels_itself_ends_at_its_next_await() {
    run(async {
        let task = create_task(async {
            current_task().unwrap().cancel();
            sleep(100).await?;
            Ok(12)
        });
        is_cancelled((&task).await);
        assert!(task.done() && task.cancelled() && !task.cancel());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_at_end
#[test]
fn a_task_that_cancels_itself_and_ends_is_cancelled() {
    run(async {
        let task = create_task(async {
            current_task().unwrap().cancel();
            Ok(12)
        });
        is_cancelled((&task).await);
        assert!(task.cancelled() && !task.cancel());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_awaited_task
#[test]
fn what_a_cancelled_task_waits_for_next_is_cancelled() {
    run(async {
        let future: Future<()> = Future::new();
        let waited = future.clone();
        let task = create_task(async move {
            let nested = create_task(async move { waited.await });
            sleep(0).await?;
            current_task().unwrap().cancel();
            let result = (&nested).await;
            assert!(nested.cancelled());
            result
        });
        is_cancelled((&task).await);
        assert!(task.cancelled() && future.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_baseexception_during_cancel
#[test]
fn a_request_to_exit_while_being_cancelled_ends_the_run() {
    let event_loop = asyncio::testing::new_event_loop();
    let task = event_loop
        .create_task(async {
            match sleep(10).await {
                Err(e) if e.is_cancelled() => Err(asyncio::SystemExit(3).into()),
                other => other,
            }
        })
        .unwrap();
    run_briefly(&event_loop);
    task.cancel();
    assert!(!task.done());
    let raised = event_loop
        .run_until_complete(async { sleep(1).await })
        .unwrap_err();
    assert!(raised.is_exit());
    assert!(task.done() && !task.cancelled());
    assert!(
        task.exception()
            .unwrap()
            .unwrap()
            .is::<asyncio::SystemExit>()
    );
    // The loop can run on.
    run_briefly(&event_loop);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_tasks.py::SetMethodsTest::test_set_result_causes_invalid_state
// cpython: test_asyncio/test_tasks.py::SetMethodsTest::test_set_exception_causes_invalid_state
#[test]
fn a_future_that_a_task_waited_for_stays_cancelled() {
    run(async {
        let future: Future<i32> = Future::new();
        let waited = future.clone();
        let task = create_task(async move { waited.await });
        sleep(0).await?;
        task.cancel();
        assert!(future.cancelled());
        fails(future.set_result(5), "InvalidStateError");
        let error = Exception::new("ValueError", "five");
        fails(future.set_exception(error), "InvalidStateError");
        is_cancelled(task.await);
        Ok(())
    });
}
