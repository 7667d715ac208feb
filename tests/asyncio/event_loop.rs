//! The loop itself: the parts of `test_base_events.py` and `test_events.py` that need no sockets.

use hilos::asyncio::{self, create_task, get_running_loop, new_event_loop, sleep};

use crate::support::{Log, fails, messages, raise, run, run_briefly, watch};

// cpython: test_asyncio/test_base_events.py::RunningLoopTests::test_running_loop_within_a_loop
#[test]
fn another_loop_cannot_run_inside() {
    run(async {
        let other = new_event_loop();
        let message = fails(other.run_until_complete(async { Ok(()) }), "RuntimeError");
        assert_eq!(
            message,
            "Cannot run the event loop while another loop is running"
        );
        other.close()
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_close
#[test]
fn a_closed_loop_does_nothing() {
    let event_loop = new_event_loop();
    assert!(!event_loop.is_closed());
    event_loop.close().unwrap();
    assert!(event_loop.is_closed());
    event_loop.close().unwrap();
    fails(event_loop.run_forever(), "RuntimeError");
    fails(event_loop.call_later(1, || ()), "RuntimeError");
    let message = fails(event_loop.call_at(1.0, || ()), "RuntimeError");
    assert_eq!(message, "Event loop is closed");
    run(async {
        get_running_loop()?
            .close()
            .map_err(|e| assert_eq!(e.to_string(), "Cannot close a running event loop"))
            .or(Ok(()))
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_call_soon
// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_call_later
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_call_soon
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_call_later
#[test]
fn calls_are_made_in_their_order() {
    let event_loop = asyncio::testing::new_event_loop();
    let log = Log::new();
    let note = |name: &'static str| {
        let log = log.clone();
        move || log.push(name)
    };
    event_loop.call_later(0.2, note("later")).unwrap();
    let timer = event_loop.call_later(0.1, note("sooner")).unwrap();
    assert_eq!(timer.when(), 0.1);
    let never = event_loop.call_soon(note("never")).unwrap();
    event_loop.call_soon(note("one")).unwrap();
    event_loop.call_soon(note("two")).unwrap();
    never.cancel();
    assert!(never.cancelled());
    let stop = event_loop.clone();
    event_loop.call_later(0.3, move || stop.stop()).unwrap();
    assert!(!event_loop.is_running());
    event_loop.run_forever().unwrap();
    assert_eq!(log.take(), ["one", "two", "sooner", "later"]);
    assert_eq!(event_loop.time(), 0.3);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_run_forever_pre_stopped
#[test]
fn a_loop_that_was_stopped_before_runs_once() {
    let event_loop = new_event_loop();
    let log = Log::new();
    let (once, again) = (log.clone(), log.clone());
    let next = event_loop.clone();
    event_loop
        .call_soon(move || {
            once.push(1);
            next.call_soon(move || again.push(2)).map(drop)
        })
        .unwrap();
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert_eq!(log.take(), [1]);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_run_until_complete_baseexception
#[test]
fn a_request_to_exit_ends_the_run_once() {
    let event_loop = new_event_loop();
    let log = watch(&event_loop);
    let exit = event_loop
        .run_until_complete(async { Err::<(), _>(asyncio::KeyboardInterrupt::default().into()) });
    fails(exit, "KeyboardInterrupt");
    // The stop that was due for that run must not end this one early.
    let result = event_loop.run_until_complete(async {
        for _ in 0..3 {
            sleep(0).await?;
        }
        Ok(7)
    });
    assert_eq!(result.unwrap(), 7);
    event_loop
        .call_soon(|| Err::<(), _>(asyncio::SystemExit(1)))
        .unwrap();
    fails(event_loop.run_forever(), "SystemExit");
    assert_eq!(messages(&log), [""; 0]);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_default_exc_handler_callback
// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_set_exc_handler_custom
#[test]
fn failures_of_callbacks_go_to_the_handler() {
    let event_loop = new_event_loop();
    assert!(!event_loop.has_exception_handler());
    let log = watch(&event_loop);
    assert!(event_loop.has_exception_handler());
    fn zero_error() -> asyncio::Result<()> {
        raise("ZeroDivisionError", "division by zero")
    }
    event_loop.call_soon(zero_error).unwrap();
    event_loop
        .call_later(0, || -> () { panic!("ouch") })
        .unwrap();
    run_briefly(&event_loop);
    run_briefly(&event_loop);
    let contexts = log.take();
    assert_eq!(contexts[0].message, "Exception in callback zero_error()");
    assert_eq!(
        contexts[0].exception.as_ref().unwrap().type_name(),
        "ZeroDivisionError"
    );
    assert_eq!(
        contexts[1]
            .exception
            .as_ref()
            .unwrap()
            .panic()
            .unwrap()
            .message(),
        "ouch"
    );
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_run_until_complete
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_run_until_complete_stopped
#[test]
fn it_runs_until_something_is_done() {
    let event_loop = asyncio::testing::new_event_loop();
    assert_eq!(
        event_loop
            .run_until_complete(sleep(10).with_result(3))
            .unwrap(),
        3
    );
    assert_eq!(event_loop.time(), 10.0);
    let message = fails(
        event_loop.run_until_complete(async {
            get_running_loop()?.stop();
            sleep(1).await
        }),
        "RuntimeError",
    );
    assert_eq!(message, "Event loop stopped before Future completed.");
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_timeout_rounding
#[test]
fn a_short_sleep_does_not_spin() {
    let event_loop = new_event_loop();
    let turns = Log::new();
    let turn = turns.clone();
    event_loop
        .run_until_complete(async move {
            for delay in [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-9] {
                sleep(delay).await?;
                turn.push(());
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(turns.take().len(), 7);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::HandleTests::test_handle
// cpython: test_asyncio/test_events.py::HandleTests::test_handle_repr
// cpython: test_asyncio/test_events.py::TimerTests::test_timer
// cpython: test_asyncio/test_events.py::TimerTests::test_timer_repr
#[test]
fn a_handle_shows_what_it_will_call() {
    fn noop() {}
    let event_loop = asyncio::testing::new_event_loop();
    let handle = event_loop.call_soon(noop).unwrap();
    assert_eq!(handle.to_string(), "<Handle noop()>");
    handle.cancel();
    assert_eq!(format!("{handle:?}"), "<Handle cancelled>");
    let timer = event_loop.call_at(123.0, noop).unwrap();
    assert_eq!(timer.to_string(), "<TimerHandle when=123 noop()>");
    assert!(!timer.cancelled());
    timer.cancel();
    assert!(timer.cancelled());
    assert_eq!(timer.to_string(), "<TimerHandle cancelled when=123>");
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test__run_once_cancelled_event_cleanup
#[test]
fn cancelled_timers_do_not_pile_up() {
    struct Dropped(Log<()>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.push(());
        }
    }
    let event_loop = asyncio::testing::new_event_loop();
    let log = Log::new();
    let fired = Log::new();
    let timers: Vec<_> = (0..300)
        .map(|i| {
            let (dropped, fired) = (Dropped(log.clone()), fired.clone());
            event_loop
                .call_later(1000 + i, move || {
                    let _kept = dropped;
                    fired.push(i);
                })
                .unwrap()
        })
        .collect();
    for timer in timers.iter().skip(1).step_by(2).chain(&timers[..100]) {
        timer.cancel();
    }
    assert_eq!(log.take().len(), 200);
    event_loop.run_until_complete(sleep(2000)).unwrap();
    let expected: Vec<i32> = (100..300).step_by(2).collect();
    assert_eq!(fired.take(), expected);
    event_loop.close().unwrap();
}

#[test]
fn debug_mode_shows_where_a_task_was_created() {
    run(async {
        let event_loop = get_running_loop()?;
        let log = watch(&event_loop);
        for debug in [false, true] {
            event_loop.set_debug(debug);
            let task = create_task(async { raise::<()>("ValueError", "") });
            sleep(0).await?;
            drop(task);
            assert_eq!(log.take()[0].created_at.is_some(), debug);
        }
        event_loop.set_debug(false);
        Ok(())
    });
}
