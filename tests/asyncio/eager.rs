//! `test_eager_task_factory.py`.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{
    self, AnyTask, Future, TaskOptions, all_tasks, create_eager_task_factory, create_task,
    current_task, eager_task_factory, gather, get_running_loop, sleep, task_group,
};
use hilos::contextvars::ContextVar;

use crate::support::{Log, fails, is_cancelled, raise, run};

/// Runs a coroutine whose tasks are all eager.
#[track_caller]
fn eagerly<T: 'static, F: Future2<T>>(main: F) -> T {
    run(async {
        let event_loop = get_running_loop()?;
        event_loop.set_task_factory(eager_task_factory);
        assert!(event_loop.has_task_factory());
        main.await
    })
}

/// A coroutine.
trait Future2<T>: std::future::Future<Output = asyncio::Result<T>> + 'static {}
impl<T, F: std::future::Future<Output = asyncio::Result<T>> + 'static> Future2<T> for F {}

// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_eager_task_factory_set
// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_eager_completion
// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_cancellation_after_eager_completion
#[test]
fn a_task_that_does_not_wait_is_done_at_once() {
    eagerly(async {
        let task = create_task(async { Ok("hello") });
        assert!(task.done());
        assert!(!task.cancel());
        assert_eq!((&task).await?, "hello");
        assert!(!task.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_await_future_during_eager_step
#[test]
fn what_it_does_is_done_when_it_is_created() {
    eagerly(async {
        let future = Future::new();
        let promise = future.clone();
        let task = create_task(async move { promise.set_result("my message") });
        assert!(task.done());
        assert_eq!(future.await?, "my message");
        Ok(())
    });
}

// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_block_after_eager_step
// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_cancellation_after_eager_step_blocks
#[test]
fn a_task_that_waits_goes_on_later() {
    eagerly(async {
        let new = || create_task(sleep(0.1).with_result("finished after blocking"));
        let task = new();
        assert!(!task.done());
        assert_eq!((&task).await?, "finished after blocking");
        let task = new();
        task.cancel_with("cancellation message");
        assert_eq!(task.cancelling(), 1);
        assert_eq!(fails(task.await, "CancelledError"), "cancellation message");
        Ok(())
    });
}

// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_current_task
#[test]
fn it_is_the_current_task_from_the_start() {
    eagerly(async {
        let outer = current_task();
        let seen: Log<Option<AnyTask>> = Log::new();
        let log = seen.clone();
        let task = create_task(async move {
            log.push(current_task());
            sleep(0.1).await?;
            log.push(current_task());
            Ok(())
        });
        assert_eq!(current_task(), outer);
        (&task).await?;
        assert_eq!(seen.take(), [Some(task.any()), Some(task.any())]);
        Ok(())
    });
}

// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_all_tasks_with_eager_completion
// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_all_tasks_with_blocking
#[test]
fn all_tasks_knows_it_while_it_is_not_done() {
    eagerly(async {
        let task = create_task(async { Ok((current_task().unwrap(), all_tasks())) });
        let (myself, all) = (&task).await?;
        assert!(all.contains(&myself));
        assert!(!all_tasks().contains(&task.any()));
        let future: Future<()> = Future::new();
        let waited = future.clone();
        let task = create_task(async move { waited.await });
        assert!(all_tasks().contains(&task.any()));
        future.set_result(())?;
        (&task).await?;
        assert!(!all_tasks().contains(&task.any()));
        Ok(())
    });
}

// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_context_vars
#[test]
fn it_runs_in_a_context_of_its_own() {
    static VAR: ContextVar<i32> = ContextVar::new("cv").with_default(0);
    eagerly(async {
        VAR.set(1);
        let task = create_task(async {
            assert_eq!(VAR.get()?, 1);
            VAR.set(2);
            sleep(0.1).await?;
            assert_eq!(VAR.get()?, 2);
            VAR.set(3);
            Ok(VAR.get()?)
        });
        assert_eq!(VAR.get()?, 1);
        assert_eq!(task.await?, 3);
        assert_eq!(VAR.get()?, 1);
        Ok(())
    });
}

// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_eager_start_false
// cpython: test_asyncio/test_eager_task_factory.py::DefaultTaskFactoryEagerStart::test_eager_start_true_with_default_factory
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_eager_start_true
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_eager_start_false
#[test]
fn the_option_wins_over_the_factory() {
    let lazy = || {
        TaskOptions::new()
            .with_eager_start(false)
            .create_task(async { Ok(()) })
    };
    let eager = || {
        TaskOptions::new()
            .with_eager_start(true)
            .create_task(async { Ok(()) })
    };
    eagerly(async move {
        assert!(!lazy().done());
        Ok(())
    });
    run(async move {
        assert!(eager().done() && !lazy().done());
        Ok(())
    });
    // A loop that does not run cannot run anything at once.
    let event_loop = asyncio::new_event_loop();
    let options = TaskOptions::new().with_eager_start(true);
    let task = options
        .create_task_in(&event_loop, async { Ok(()) })
        .unwrap();
    assert!(!task.done());
    event_loop.run_until_complete(&task).unwrap();
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_eager_task_factory.py::CEagerTaskFactoryLoopTests::test_name
#[test]
fn it_has_its_name_from_the_start() {
    eagerly(async {
        let options = TaskOptions::new().with_name("test name");
        let task = options.create_task(async { Ok(current_task().unwrap().get_name()) });
        assert_eq!(task.await?, "test name");
        Ok(())
    });
}

/// Counts the tasks that are created and those that had to wait for the loop.
async fn chain(depth: u32, log: Log<bool>) -> asyncio::Result<u32> {
    if depth == 0 {
        return Ok(0);
    }
    let task = create_task(Box::pin(chain(depth - 1, log.clone())));
    log.push(task.done());
    Ok(task.await? + 1)
}

// cpython: test_asyncio/test_eager_task_factory.py::BaseTaskCountingTests::test_awaitables_chain
#[test]
fn a_chain_of_tasks_needs_no_turn_of_the_loop() {
    let log = Log::new();
    let counted = log.clone();
    assert_eq!(eagerly(chain(5, counted)), 5);
    assert_eq!(log.take(), [true; 5]);
    let counted = log.clone();
    assert_eq!(run(chain(5, counted)), 5);
    assert_eq!(log.take(), [false; 5]);
}

/// Runs a coroutine, and counts the tasks that the loop has to start.
fn started_by_the_loop<F: Future2<()>>(eager: bool, main: F) -> u32 {
    let count = Rc::new(Cell::new(0));
    let counter = {
        let count = count.clone();
        move |options: TaskOptions| {
            if options.eager_start() != Some(true) {
                count.update(|count| count + 1);
            }
            options
        }
    };
    run(async move {
        let event_loop = get_running_loop()?;
        match eager {
            true => event_loop.set_task_factory(create_eager_task_factory(counter)),
            false => event_loop.set_task_factory(counter),
        }
        create_task(main).await?;
        Ok(count.get())
    })
}

type Recursive = std::pin::Pin<Box<dyn Future2<()>>>;

fn recursive_groups(width: u32, depth: u32) -> Recursive {
    Box::pin(async move {
        if depth == 0 {
            return Ok(());
        }
        task_group(async |group| {
            for _ in 0..width {
                group.create_task(recursive_groups(width, depth - 1));
            }
            Ok(())
        })
        .await
    })
}

fn recursive_gather(width: u32, depth: u32) -> Recursive {
    Box::pin(async move {
        if depth > 0 {
            gather((0..width).map(|_| recursive_gather(width, depth - 1))).await?;
        }
        Ok(())
    })
}

// cpython: test_asyncio/test_eager_task_factory.py::BaseTaskCountingTests::test_recursive_taskgroups
// cpython: test_asyncio/test_eager_task_factory.py::BaseTaskCountingTests::test_recursive_gather
#[test]
fn groups_and_gathers_start_their_tasks_eagerly_too() {
    for main in [recursive_groups, recursive_gather] {
        assert_eq!(started_by_the_loop(false, main(5, 4)), 781);
        assert_eq!(started_by_the_loop(true, main(5, 4)), 0);
    }
}

// cpython: test_asyncio/test_taskgroups.py::BaseTestTaskGroup::test_cancels_task_if_created_during_creation
#[test]
fn a_task_that_fails_at_once_cancels_its_creator_where_it_next_waits() {
    async fn main() -> asyncio::Result<()> {
        let ran = Rc::new(Cell::new(false));
        let reached = ran.clone();
        let result = task_group(async |group| {
            let inner = group.clone();
            group.create_task(async move {
                inner.create_task(async { raise::<()>("MyError", "third task failed") });
                let waited = async {
                    sleep(0).await?;
                    sleep(0).await
                };
                is_cancelled(waited.await);
                reached.set(true);
                Ok(())
            });
            Ok(())
        })
        .await;
        assert!(ran.get());
        let exception = result.unwrap_err();
        let exceptions = exception.group().unwrap().exceptions();
        assert_eq!(exceptions.len(), 1);
        assert_eq!(exceptions[0].type_name(), "MyError");
        Ok(())
    }
    run(main());
    eagerly(main());
}
