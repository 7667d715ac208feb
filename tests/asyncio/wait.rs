//! `wait`: `BaseTaskTests.test_wait…`.

use hilos::asyncio::{
    self, ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, Task, create_task, current_task,
    get_running_loop, sleep, wait,
};

use crate::support::{fails, is_cancelled, raise, run};

fn sleeper(delay: f64) -> Task<f64> {
    create_task(sleep(delay).with_result(delay))
}

async fn fail_after(delay: f64) -> asyncio::Result<f64> {
    sleep(delay).await?;
    raise("ZeroDivisionError", "")
}

async fn elapsed<F: Future<Output = asyncio::Result<()>>>(f: F) -> asyncio::Result<f64> {
    let event_loop = get_running_loop()?;
    let start = event_loop.time();
    f.await?;
    Ok(event_loop.time() - start)
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_concurrent_complete
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_with_iterator_of_tasks
#[test]
fn it_waits_for_all() {
    let took = run(elapsed(async {
        let tasks = [sleeper(0.1), sleeper(0.15)];
        let (done, pending) = wait(&tasks, None, ALL_COMPLETED).await?;
        assert_eq!(done, tasks);
        assert_eq!(pending, []);
        // Again, now that they are done.
        let (done, _) = wait(&tasks, None, ALL_COMPLETED).await?;
        assert_eq!(
            done.iter().map(|t| t.result().unwrap()).collect::<Vec<_>>(),
            [0.1, 0.15]
        );
        Ok(())
    }));
    assert!((took - 0.15).abs() < 1e-9, "{took}");
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_duplicate_coroutines
#[test]
fn a_task_counts_once() {
    run(async {
        let task = sleeper(0.1);
        let (done, pending) = wait(&[task.clone(), task.clone()], None, ALL_COMPLETED).await?;
        assert_eq!((done, pending), (vec![task], vec![]));
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_errors
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_invalid_args
#[test]
fn nothing_cannot_be_waited_for() {
    run(async {
        let nothing: [Task<()>; 0] = [];
        let message = fails(wait(&nothing, None, ALL_COMPLETED).await, "ValueError");
        assert_eq!(message, "Set of Tasks/Futures is empty.");
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_first_completed
#[test]
fn it_waits_for_the_first() {
    let took = run(elapsed(async {
        let tasks = [sleeper(10.0), sleeper(0.1)];
        let (done, pending) = wait(&tasks, None, FIRST_COMPLETED).await?;
        assert_eq!(done, tasks[1..]);
        assert_eq!(pending, tasks[..1]);
        Ok(())
    }));
    assert!((took - 0.1).abs() < 1e-9, "{took}");
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_really_done
#[test]
fn all_that_are_done_are_there() {
    run(async {
        let quick = |name: &'static str| {
            create_task(async move {
                sleep(0).await?;
                sleep(0).await?;
                Ok(name)
            })
        };
        let tasks = [quick("a"), quick("b")];
        let (done, pending) = wait(&tasks, None, FIRST_COMPLETED).await?;
        assert_eq!((done, pending.len()), (tasks.to_vec(), 0));
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_first_exception
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_first_exception_in_wait
#[test]
fn it_waits_for_the_first_exception() {
    run(async {
        let tasks = [sleeper(10.0), create_task(fail_after(0.0))];
        let (done, pending) = wait(&tasks, None, FIRST_EXCEPTION).await?;
        assert_eq!((&done[..], &pending[..]), (&tasks[1..], &tasks[..1]));
        let tasks = [sleeper(10.0), create_task(fail_after(0.01))];
        let (done, _) = wait(&tasks, None, FIRST_EXCEPTION).await?;
        assert_eq!(done, tasks[1..]);
        // A cancellation is no exception.
        let cancelled = sleeper(20.0);
        cancelled.cancel();
        let tasks = [sleeper(1.0), cancelled];
        let (done, _) = wait(&tasks, None, FIRST_EXCEPTION).await?;
        assert_eq!(done, tasks);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_with_exception
#[test]
fn exceptions_are_left_to_the_caller() {
    run(async {
        let tasks = [sleeper(0.1), create_task(fail_after(0.15))];
        let (done, pending) = wait(&tasks, None, ALL_COMPLETED).await?;
        assert_eq!((done.len(), pending.len()), (2, 0));
        let failed = done
            .iter()
            .filter(|task| task.exception().unwrap().is_some());
        assert_eq!(failed.count(), 1);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_with_timeout
#[test]
fn a_timeout_is_no_error() {
    let took = run(elapsed(async {
        let tasks = [sleeper(0.1), sleeper(0.15)];
        let (done, pending) = wait(&tasks, 0.11, ALL_COMPLETED).await?;
        assert_eq!((&done[..], &pending[..]), (&tasks[..1], &tasks[1..]));
        assert!(!pending[0].done());
        Ok(())
    }));
    assert!((took - 0.11).abs() < 1e-9, "{took}");
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_yield_wait_does_not_shield_cancel
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_yield_future_passes_cancel
#[test]
fn a_cancelled_wait_leaves_the_tasks_alone() {
    run(async {
        let inner = sleeper(1.0);
        let waited = inner.clone();
        let outer = create_task(async move {
            wait(&[waited], None, ALL_COMPLETED).await?;
            Ok(())
        });
        sleep(0).await?;
        outer.cancel();
        is_cancelled(outer.await);
        assert_eq!((&inner).await?, 1.0);
        // While one that is awaited directly is cancelled.
        let inner = sleeper(1.0);
        let outer = create_task(inner.clone().into_future());
        sleep(0).await?;
        outer.cancel();
        is_cancelled(outer.await);
        assert!(inner.cancelled());
        assert_eq!(current_task().unwrap().cancelling(), 0);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_wait_generator
#[test]
fn the_tasks_may_come_from_an_iterator() {
    run(async {
        let tasks: Vec<_> = (0..10).map(|n| create_task(async move { Ok(n) })).collect();
        let (done, pending) = wait(&tasks, None, ALL_COMPLETED).await?;
        assert_eq!((done.len(), pending.len()), (10, 0));
        Ok(())
    });
}
