//! `test_staggered.py`.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use hilos::asyncio::staggered::{Race, staggered_race};
use hilos::asyncio::{
    self, Event, Exception, Future, Result, Timeout, create_task, get_running_loop, sleep, timeout,
};

use crate::support::{Log, fails, is_cancelled, raise, run};

/// A coroutine of any kind.
type Coroutine<T> = Pin<Box<dyn std::future::Future<Output = Result<T>>>>;

/// What the coroutines of a race have failed with, by name.
fn names(exceptions: &[Option<Exception>]) -> Vec<&str> {
    let names = exceptions
        .iter()
        .map(|exception| exception.as_ref().map(Exception::type_name));
    names.map(|name| name.unwrap_or("None")).collect()
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_empty
#[test]
fn nobody_wins_a_race_without_runners() {
    run(async {
        let nobody: [fn() -> Coroutine<()>; 0] = [];
        let Race {
            winner,
            index,
            exceptions,
        } = staggered_race(nobody, None).await?;
        assert_eq!((winner, index, exceptions.len()), (None, None, 0));
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_one_successful
#[test]
fn the_second_is_not_called_if_the_first_succeeds() {
    run(async {
        let called = Rc::new(Cell::new(0));
        let coro = |index: i32| {
            let called = called.clone();
            move || {
                called.set(called.get() + 1);
                async move { Ok(format!("Res: {index}")) }
            }
        };
        let Race {
            winner,
            index,
            exceptions,
        } = staggered_race([coro(0), coro(1)], None).await?;
        assert_eq!((winner.as_deref(), index), (Some("Res: 0"), Some(0)));
        assert_eq!((names(&exceptions), called.get()), (vec!["None"], 1));
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_first_error_second_successful
#[test]
fn the_second_starts_when_the_first_fails() {
    run(async {
        let coro = |index: i32| {
            move || async move {
                match index {
                    0 => raise("ValueError", "0"),
                    _ => Ok(format!("Res: {index}")),
                }
            }
        };
        let start = get_running_loop()?.time();
        let Race {
            winner,
            index,
            exceptions,
        } = staggered_race([0, 1].map(coro), 10).await?;
        assert_eq!((winner.as_deref(), index), (Some("Res: 1"), Some(1)));
        assert_eq!(names(&exceptions), ["ValueError", "None"]);
        assert_eq!(
            get_running_loop()?.time(),
            start,
            "it did not wait for the delay"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_first_timeout_second_successful
#[test]
fn the_second_starts_after_the_delay() {
    run(async {
        let coro = |index: i32| {
            move || async move {
                if index == 0 {
                    sleep(10).await?;
                }
                Ok(format!("Res: {index}"))
            }
        };
        let start = get_running_loop()?.time();
        let Race {
            winner,
            index,
            exceptions,
        } = staggered_race([0, 1].map(coro), 0.5).await?;
        assert_eq!((winner.as_deref(), index), (Some("Res: 1"), Some(1)));
        assert_eq!(names(&exceptions), ["CancelledError", "None"]);
        assert_eq!(get_running_loop()?.time(), start + 0.5);
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_none_successful
#[test]
fn nobody_wins_if_all_fail() {
    run(async {
        let coro =
            |index: i32| move || async move { raise::<()>("ValueError", &index.to_string()) };
        let Race {
            winner,
            index,
            exceptions,
        } = staggered_race([0, 1].map(coro), None).await?;
        assert_eq!((winner, index), (None, None));
        assert_eq!(names(&exceptions), ["ValueError", "ValueError"]);
        assert_eq!(exceptions[1].as_ref().unwrap().to_string(), "1");
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_multiple_winners
#[test]
fn only_one_wins_where_two_could() {
    run(async {
        let event = Event::new();
        let coro = |index: i32| {
            let event = event.clone();
            move || async move {
                if index == 2 {
                    event.set();
                    Event::new().wait().await?;
                }
                event.wait().await?;
                Ok(index)
            }
        };
        let Race {
            winner,
            index,
            exceptions,
        } = staggered_race([0, 1, 2].map(coro), 0.1).await?;
        assert_eq!((winner, index), (Some(0), Some(0)));
        assert_eq!(
            names(&exceptions),
            ["None", "CancelledError", "CancelledError"]
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_cancelled
#[test]
fn it_waits_for_coroutines_that_do_not_give_in() {
    async fn stubborn(log: Log<&'static str>, outer: Timeout, inner: Timeout) -> Result<()> {
        inner.reschedule(-1.0)?;
        sleep(0).await?;
        if let Err(exception) = sleep(0).await {
            assert!(exception.is_cancelled());
            log.push("cancelled 1");
        }
        outer.reschedule(-1.0)?;
        sleep(0).await?;
        if let Err(exception) = sleep(0).await {
            assert!(exception.is_cancelled());
            log.push("cancelled 2");
        }
        Ok(())
    }
    run(async {
        let log = Log::new();
        let result = timeout(None, async |outer| {
            timeout(None, async |inner| {
                let coro_fn = {
                    let log = log.clone();
                    move || stubborn(log, outer, inner)
                };
                let result = staggered_race([coro_fn], None).await;
                assert!(result.as_ref().unwrap_err().is_cancelled());
                log.push("cancelled 3");
                result.map(drop)
            })
            .await
        });
        fails(result.await, "TimeoutError");
        assert_eq!(log.take(), ["cancelled 1", "cancelled 2", "cancelled 3"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_staggered_race_with_eager_tasks
#[test]
fn a_race_of_eager_tasks() {
    run(async {
        get_running_loop()?.set_task_factory(asyncio::eager_task_factory);
        let coro = |index: i32| {
            move || async move {
                match index {
                    0 => Future::<()>::new().await.map(|()| "never"),
                    1 => sleep(1).with_result("sleep1").await,
                    _ => {
                        sleep(0).await?;
                        raise("ValueError", "no good")
                    }
                }
            }
        };
        let Race {
            winner,
            index,
            exceptions,
        } = staggered_race([0, 1, 2].map(coro), 0.25).await?;
        assert_eq!((winner, index), (Some("sleep1"), Some(1)));
        assert_eq!(names(&exceptions), ["CancelledError", "None", "ValueError"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_staggered_race_with_eager_tasks_no_delay
#[test]
fn a_race_of_eager_tasks_without_delay() {
    run(async {
        get_running_loop()?.set_task_factory(asyncio::eager_task_factory);
        let coro = |index: i32| {
            move || async move {
                match index {
                    0 => raise("ValueError", "no good"),
                    1 => sleep(1).with_result("sleep1").await,
                    _ => sleep(0).with_result("sleep0").await,
                }
            }
        };
        let Race {
            winner,
            index,
            exceptions,
        } = staggered_race([0, 1, 2].map(coro), None).await?;
        assert_eq!((winner, index), (Some("sleep1"), Some(1)));
        assert_eq!(names(&exceptions), ["ValueError", "None"]);
        Ok(())
    });
}

#[test]
fn a_cancelled_race_cancels_the_coroutines_with_its_message() {
    run(async {
        let log = Log::new();
        let coro_fn = {
            let log = log.clone();
            move || async move {
                let exception = sleep(1).await.unwrap_err();
                log.push(exception.to_string());
                Err::<(), _>(exception)
            }
        };
        let race = create_task(staggered_race([coro_fn], None));
        sleep(0.5).await?;
        race.cancel_with("enough");
        is_cancelled(race.await);
        assert_eq!(log.take(), ["enough"]);
        Ok(())
    });
}

#[test]
fn the_tasks_of_a_race_are_awaited_by_its_task() {
    async fn main() -> Result<String> {
        let coro_fn = || async { asyncio::format_call_graph(None) };
        let race = staggered_race([coro_fn], None).await?;
        Ok(race.winner.expect("it won"))
    }
    let text = run(main());
    assert!(text.contains("in async staggered_race()"), "{text}");
    assert!(text.ends_with("in async main()"), "{text}");
}
