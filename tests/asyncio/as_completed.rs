//! `as_completed`: `BaseTaskTests.test_as_completed…`.

use hilos::asyncio::{self, Task, as_completed, create_task, gather, get_running_loop, sleep};

use crate::support::{fails, run};

fn sleeper(delay: f64, name: &'static str) -> Task<&'static str> {
    create_task(sleep(delay).with_result(name))
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed_coroutine_use_running_loop
#[test]
fn results_come_as_they_are_ready() {
    run(async {
        let event_loop = get_running_loop()?;
        let start = event_loop.time();
        let coroutines =
            [(0.01, "a"), (0.15, "b"), (0.1, "c")].map(|(d, n)| sleep(d).with_result(n));
        let mut values = Vec::new();
        for next in as_completed(coroutines, None) {
            values.push((next.await?, ((event_loop.time() - start) * 100.0).round()));
        }
        assert_eq!(values, [("a", 1.0), ("c", 10.0), ("b", 15.0)]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed_same_tasks_in_as_out
#[test]
fn the_tasks_themselves_come_back() {
    run(async {
        let tasks = [sleeper(0.03, "c"), sleeper(0.01, "a"), sleeper(0.02, "b")];
        let completed = as_completed(&tasks, None);
        let mut order = Vec::new();
        while let Some(task) = completed.next().await? {
            order.push(tasks.iter().position(|other| task == *other).unwrap());
        }
        assert_eq!(order, [1, 2, 0]);
        assert!(completed.next().await?.is_none());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed_with_timeout
#[test]
fn a_timeout_is_an_error_for_each_that_is_late() {
    run(async {
        let tasks = [sleeper(0.1, "a"), sleeper(0.15, "b"), sleeper(0.2, "c")];
        let mut values = Vec::new();
        for next in as_completed(&tasks, 0.12) {
            values.push(next.await.map_err(|e| e.type_name()));
        }
        assert_eq!(values, [Ok("a"), Err("TimeoutError"), Err("TimeoutError")]);
        // The tasks go on.
        assert_eq!(gather(tasks).await?, ["a", "b", "c"]);
        let task = sleeper(1.0, "");
        fails(as_completed([task], 0.5).next().await, "TimeoutError");
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed_with_unused_timeout
#[test]
fn a_timeout_that_is_not_needed_leaves_nothing_behind() {
    run(async {
        let event_loop = get_running_loop()?;
        for next in as_completed([sleeper(0.01, "a")], 1) {
            assert_eq!(next.await?, "a");
        }
        let before = event_loop.time();
        sleep(0.001).await?;
        assert!((event_loop.time() - before - 0.001).abs() < 1e-9);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed_resume_iterator
#[test]
fn an_iteration_can_be_taken_up_again() {
    run(async {
        let completed = as_completed([0.01, 0.02, 0.03].map(|d| sleep(d).with_result(d)), None);
        assert_eq!(completed.next().await?.unwrap().result()?, 0.01);
        let mut rest = Vec::new();
        while let Some(task) = completed.next().await? {
            rest.push(task.result()?);
        }
        assert_eq!(rest, [0.02, 0.03]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed_reverse_wait
#[test]
fn whoever_waits_first_gets_the_first() {
    run(async {
        let mut completed = as_completed([0.05, 0.1].map(|d| sleep(d).with_result(d)), None);
        let (one, two) = (
            Iterator::next(&mut completed).unwrap(),
            Iterator::next(&mut completed).unwrap(),
        );
        assert_eq!(two.await?, 0.05);
        assert_eq!(one.await?, 0.1);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed_concurrent
#[test]
fn the_coroutines_may_be_awaited_side_by_side() {
    run(async {
        let completed = as_completed([0.05, 0.05].map(|d| sleep(d).with_result("x")), None);
        assert_eq!(gather(completed).await?, ["x", "x"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed_duplicate_coroutines
#[test]
fn a_task_counts_once() {
    run(async {
        let task = sleeper(0.01, "ham");
        assert_eq!(as_completed([&task, &task], None).count(), 1);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_as_completed_coroutine_without_loop
#[test]
#[should_panic(expected = "RuntimeError: There is no current event loop")]
fn it_needs_a_loop() {
    let _ = as_completed([async { asyncio::Result::Ok(42) }], None);
}
