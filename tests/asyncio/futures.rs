//! `test_futures.py`.

use hilos::asyncio::{
    self, CancelledError, Exception, Future, get_running_loop, new_event_loop, sleep, wrap_future,
};
use hilos::concurrent::futures::{self as concurrent, ThreadPoolExecutor};

use crate::support::{Log, fails, is_cancelled, messages, raise, run, run_briefly, watch};

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_initial_state
#[test]
fn a_new_future_is_pending() {
    run(async {
        let future: Future<()> = Future::new();
        assert!(!future.cancelled() && !future.done());
        assert!(future.cancel());
        assert!(future.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_constructor_without_loop
#[test]
#[should_panic(expected = "RuntimeError: There is no current event loop")]
fn a_future_needs_a_loop() {
    let _: Future<()> = Future::new();
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_constructor_use_running_loop
#[test]
fn a_future_belongs_to_the_running_loop() {
    run(async {
        let future: Future<()> = Future::new();
        assert!(future.get_loop().is(&get_running_loop()?));
        Ok(())
    });
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_cancel
#[test]
fn a_cancelled_future_stays_so() {
    run(async {
        let future: Future<i32> = Future::new();
        assert!(future.cancel());
        assert!(future.cancelled() && future.done());
        is_cancelled(future.result());
        is_cancelled(future.exception());
        fails(future.set_result(1), "InvalidStateError");
        fails(
            future.set_exception(Exception::new("ValueError", "")),
            "InvalidStateError",
        );
        assert!(!future.cancel());
        Ok(())
    });
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_result
#[test]
fn a_result_is_set_once() {
    run(async {
        let future = Future::new();
        assert_eq!(
            fails(future.result(), "InvalidStateError"),
            "Result is not ready."
        );
        future.set_result(42)?;
        assert!(!future.cancelled() && future.done());
        assert_eq!(future.result()?, 42);
        assert!(future.exception()?.is_none());
        let message = fails(future.set_result(43), "InvalidStateError");
        assert_eq!(message, "FINISHED: <Future finished>");
        assert!(!future.cancel());
        assert_eq!(future.take_result()?, 42);
        fails(future.result(), "InvalidStateError");
        Ok(())
    });
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_exception
#[test]
fn an_exception_is_set_once() {
    run(async {
        let exception = Exception::new("RuntimeError", "");
        let future: Future<i32> = Future::new();
        assert_eq!(
            fails(future.exception(), "InvalidStateError"),
            "Exception is not set."
        );
        future.set_exception(exception.clone())?;
        assert!(!future.cancelled() && future.done());
        assert!(future.result().unwrap_err().is_same(&exception));
        assert!(future.exception()?.unwrap().is_same(&exception));
        fails(future.set_result(1), "InvalidStateError");
        fails(future.set_exception(exception), "InvalidStateError");
        assert!(!future.cancel());
        Ok(())
    });
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_future_cancel_message_getter
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_future_cancel_message_setter
#[test]
fn a_message_is_kept_for_the_error() {
    run(async {
        let future: Future<()> = Future::new();
        future.cancel_with("my message");
        for error in [
            future.result().unwrap_err(),
            future.exception().unwrap_err(),
        ] {
            let error: &CancelledError = error.downcast_ref().unwrap();
            assert_eq!(error.message(), Some("my message"));
        }
        // Awaiting it raises the same.
        let error = future.await.unwrap_err();
        assert_eq!(error.to_string(), "my message");
        Ok(())
    });
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_future_repr
#[test]
fn a_future_shows_its_state() {
    run(async {
        let future: Future<()> = Future::new();
        assert_eq!(future.to_string(), "<Future pending>");
        future.cancel();
        assert_eq!(format!("{future:?}"), "<Future cancelled>");
        let future = Future::new();
        future.set_result(4)?;
        assert_eq!(future.to_string(), "<Future finished>");
        let future: Future<()> = Future::new();
        future.set_exception(Exception::new("RuntimeError", "x"))?;
        assert_eq!(
            future.to_string(),
            "<Future finished exception=RuntimeError('x')>"
        );
        future.exception()?;
        Ok(())
    });
}

/// What a loop says of a future with an exception, after `look` has looked at it.
fn said(look: impl FnOnce(&Future<()>) + 'static) -> Vec<String> {
    run(async {
        let log = watch(&get_running_loop()?);
        let future: Future<()> = Future::new();
        look(&future);
        drop(future);
        Ok(messages(&log))
    })
}

fn fail(future: &Future<()>) {
    future
        .set_exception(Exception::new("RuntimeError", "boom"))
        .unwrap();
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_tb_logger_abandoned
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_tb_logger_not_called_after_cancel
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_tb_logger_result_unretrieved
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_tb_logger_result_retrieved
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_tb_logger_exception_unretrieved
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_tb_logger_exception_retrieved
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_tb_logger_exception_result_retrieved
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_future_exception_never_retrieved
#[test]
fn only_an_exception_that_nobody_looked_at_is_reported() {
    let nothing = [""; 0];
    assert_eq!(said(|_| ()), nothing);
    assert_eq!(said(|future| future.set_result(()).unwrap()), nothing);
    assert_eq!(
        said(|future| drop((future.set_result(()), future.result()))),
        nothing
    );
    assert_eq!(said(fail), ["Future exception was never retrieved"]);
    assert_eq!(
        said(|future| drop((fail(future), future.exception()))),
        nothing
    );
    assert_eq!(
        said(|future| drop((fail(future), future.result()))),
        nothing
    );
    assert_eq!(
        said(|future| drop((fail(future), future.cancel()))),
        nothing
    );
}

/// Adds callbacks that note their number.
fn add(future: &Future<i32>, log: &Log<i32>, numbers: &[i32]) -> Vec<asyncio::CallbackId> {
    let add = |&number: &i32| {
        let log = log.clone();
        future.add_done_callback(move |_| log.push(number))
    };
    numbers.iter().map(add).collect()
}

// cpython: test_asyncio/test_futures.py::BaseFutureDoneCallbackTests::test_callbacks_remove_first_callback
// cpython: test_asyncio/test_futures.py::BaseFutureDoneCallbackTests::test_callbacks_remove_first_and_second_callback
// cpython: test_asyncio/test_futures.py::BaseFutureDoneCallbackTests::test_callbacks_remove_third_callback
// cpython: test_asyncio/test_futures.py::BaseFutureDoneCallbackTests::test_remove_done_callback
#[test]
fn removed_callbacks_are_not_called() {
    for (gone, left) in [
        (vec![0], vec![2, 3]),
        (vec![0, 1], vec![3]),
        (vec![2], vec![1, 2]),
        (vec![0, 1, 2], vec![]),
    ] {
        let event_loop = new_event_loop();
        let (future, log) = (event_loop.create_future(), Log::new());
        let ids = add(&future, &log, &[1, 2, 3]);
        for gone in gone {
            assert_eq!(future.remove_done_callback(ids[gone]), 1);
            assert_eq!(future.remove_done_callback(ids[gone]), 0);
        }
        future.set_result(1).unwrap();
        // They are scheduled by now.
        assert_eq!(future.remove_done_callback(ids[1]), 0);
        assert_eq!(log.take(), []);
        run_briefly(&event_loop);
        assert_eq!(log.take(), left);
        event_loop.close().unwrap();
    }
}

// cpython: test_asyncio/test_futures.py::BaseFutureDoneCallbackTests::test_callbacks_invoked_on_set_result
// cpython: test_asyncio/test_futures.py::BaseFutureDoneCallbackTests::test_callbacks_invoked_on_set_exception
#[test]
fn callbacks_are_called_soon_and_in_order() {
    for fail in [false, true] {
        let event_loop = new_event_loop();
        let (future, log) = (event_loop.create_future(), Log::new());
        let seen = log.clone();
        future.add_done_callback(move |future| {
            assert!(future.done());
            seen.push(0);
        });
        add(&future, &log, &[1, 2]);
        match fail {
            false => future.set_result(42).unwrap(),
            true => future
                .set_exception(Exception::new("ValueError", ""))
                .unwrap(),
        }
        assert_eq!(log.take(), []);
        run_briefly(&event_loop);
        assert_eq!(log.take(), [0, 1, 2]);
        add(&future, &log, &[3]);
        assert_eq!(log.take(), []);
        run_briefly(&event_loop);
        assert_eq!(log.take(), [3]);
        let _ = future.exception();
        event_loop.close().unwrap();
    }
}

#[test]
fn a_failing_callback_does_not_keep_the_others_from_being_called() {
    run(async {
        let event_loop = get_running_loop()?;
        let errors = watch(&event_loop);
        let (future, log) = (Future::new(), Log::new());
        future.add_done_callback(|_| raise("ValueError", "one"));
        future.add_done_callback(|_| -> () { panic!("two") });
        add(&future, &log, &[3]);
        future.set_result(0)?;
        sleep(0).await?;
        assert_eq!(log.take(), [3]);
        let errors: Vec<_> = errors
            .take()
            .into_iter()
            .map(|c| c.exception.unwrap().repr())
            .collect();
        assert_eq!(errors, ["ValueError('one')", "panic('two')"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_wrap_future
// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_wrap_future_use_running_loop
// cpython: test_asyncio/test_futures.py::DuckTests::test_wrap_future
#[test]
fn a_concurrent_future_is_awaited() {
    let here = std::thread::current().id();
    run(async move {
        let executor = ThreadPoolExecutor::new(1)?;
        let call = executor.submit(|| std::thread::current().id())?;
        let future = wrap_future(&call);
        assert!(future.get_loop().is(&get_running_loop()?));
        assert_ne!(future.await?, here);
        let call = executor.try_submit(|| "x".parse::<i32>())?;
        let error = wrap_future(&call).await.unwrap_err();
        assert!(error.is::<std::num::ParseIntError>());
        assert_eq!(error.type_name(), "ParseIntError");
        Ok(())
    });
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_wrap_future_without_loop
#[test]
#[should_panic(expected = "RuntimeError: There is no current event loop")]
fn wrapping_needs_a_loop() {
    wrap_future(&concurrent::Future::<()>::new());
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_wrap_future_cancel
#[test]
fn cancelling_the_wrapper_cancels_the_call() {
    run(async {
        let call: concurrent::Future<()> = concurrent::Future::new();
        let future = wrap_future(&call);
        future.cancel();
        sleep(0).await?;
        assert!(call.cancelled() && future.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_futures.py::BaseFutureTests::test_wrap_future_cancel2
#[test]
fn a_call_that_is_running_is_not_cancelled() {
    run(async {
        let call = concurrent::Future::new();
        let future = wrap_future(&call);
        call.set_running_or_notify_cancel()?;
        call.set_result(42)?;
        future.cancel();
        sleep(0).await?;
        assert!(!call.cancelled() && future.cancelled());
        assert_eq!(call.result(None)?, 42);
        Ok(())
    });
}
