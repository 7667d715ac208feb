//! `sleep`: `BaseTaskTests.test_sleep…` and `SleepTests`.

use hilos::asyncio::{create_task, get_running_loop, sleep};

use crate::support::{Log, fails, is_cancelled, run};

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_sleep
#[test]
fn time_passes() {
    run(async {
        let event_loop = get_running_loop()?;
        let start = event_loop.time();
        sleep(0.05).await?;
        assert_eq!(sleep(0.05).with_result("yeah").await?, "yeah");
        assert!((event_loop.time() - start - 0.1).abs() < 1e-9);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_sleep_when_delay_is_nan
#[test]
fn a_delay_is_a_number() {
    run(async {
        let message = fails(sleep(f64::NAN).await, "ValueError");
        assert_eq!(message, "Invalid delay: NaN (not a number)");
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_sleep_cancel
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_task_cancel_sleeping_task
#[test]
fn a_cancelled_sleep_leaves_no_timer() {
    run(async {
        let event_loop = get_running_loop()?;
        let task = create_task(sleep(1000).with_result("yeah"));
        sleep(0).await?;
        task.cancel();
        is_cancelled(task.await);
        sleep(1).await?;
        assert!(event_loop.time() < 2.0);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::SleepTests::test_sleep_zero
#[test]
fn a_sleep_of_zero_lets_the_others_run() {
    run(async {
        let log = Log::new();
        let turn = log.clone();
        let event_loop = get_running_loop()?;
        event_loop.call_soon(move || turn.push("one"))?;
        assert_eq!(log.take(), [""; 0]);
        assert_eq!(sleep(0).with_result(42).await?, 42);
        assert_eq!(log.take(), ["one"]);
        assert_eq!(event_loop.time(), 0.0);
        Ok(())
    });
}
