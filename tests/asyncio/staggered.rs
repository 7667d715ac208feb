//! `test_staggered.py`, and what `test_eager_task_factory.py` says of it.

use std::future::Future as StdFuture;
use std::pin::Pin;

use hilos::asyncio::staggered::{Race, staggered_race};
use hilos::asyncio::{
    Event, EventLoop, Result, eager_task_factory, get_running_loop, sleep, timeout,
};

use crate::support::{Log, fails, raise, run};

/// Runs a coroutine with the tasks as they are, and again with eager ones.
fn lazily_and_eagerly<F: StdFuture<Output = Result<()>> + 'static>(main: fn() -> F) {
    run(main());
    run(async move {
        get_running_loop()?.set_task_factory(eager_task_factory);
        main().await
    });
}

type Coroutine<T> = Pin<Box<dyn StdFuture<Output = Result<T>>>>;

/// The names of the exceptions' types, or "-".
fn names<T>(race: &Race<T>) -> Vec<&'static str> {
    let exceptions = race.exceptions.iter();
    exceptions
        .map(|exception| exception.as_ref().map_or("-", |e| e.type_name()))
        .collect()
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_empty
#[test]
fn nobody_wins_a_race_without_runners() {
    run(async {
        let race = staggered_race([] as [fn() -> Coroutine<u8>; 0], None).await?;
        assert_eq!((race.winner, race.index), (None, None));
        assert!(race.exceptions.is_empty());
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_one_successful
#[test]
fn after_the_winner_nobody_starts() {
    lazily_and_eagerly(|| async {
        let coro = |index| move || async move { Ok(format!("Res: {index}")) };
        let race = staggered_race([coro(0), coro(1)], None).await?;
        assert_eq!(race.winner.as_deref(), Some("Res: 0"));
        assert_eq!(race.index, Some(0));
        assert_eq!(names(&race), ["-"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_first_error_second_successful
// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_staggered_race_with_eager_tasks_no_delay
#[test]
fn the_next_starts_when_one_fails() {
    lazily_and_eagerly(|| async {
        let coro = |index| {
            move || async move {
                match index {
                    0 => raise("ValueError", "0"),
                    _ => Ok(format!("Res: {index}")),
                }
            }
        };
        let race = staggered_race([coro(0), coro(1)], None).await?;
        assert_eq!(race.winner.as_deref(), Some("Res: 1"));
        assert_eq!(race.index, Some(1));
        assert_eq!(names(&race), ["ValueError", "-"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_first_timeout_second_successful
// cpython: test_asyncio/test_eager_task_factory.py::EagerTaskFactoryLoopTests::test_staggered_race_with_eager_tasks
#[test]
fn the_next_starts_when_one_is_late() {
    lazily_and_eagerly(|| async {
        let started = get_running_loop()?.time();
        let coro = |index| {
            move || async move {
                match index {
                    0 => sleep(10).await?,
                    1 => sleep(1).await?,
                    _ => {
                        sleep(0).await?;
                        return raise("ValueError", "2");
                    }
                }
                Ok(format!("Res: {index}"))
            }
        };
        let race = staggered_race([coro(0), coro(1), coro(2)], 0.25).await?;
        assert_eq!(race.winner.as_deref(), Some("Res: 1"));
        assert_eq!(race.index, Some(1));
        assert_eq!(names(&race), ["CancelledError", "-", "ValueError"]);
        assert_eq!(get_running_loop()?.time() - started, 1.25);
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_none_successful
#[test]
fn nobody_wins_if_all_fail() {
    lazily_and_eagerly(|| async {
        let coro = || async { raise::<()>("ValueError", "no") };
        let race = staggered_race([coro, coro], None).await?;
        assert_eq!((race.winner, race.index), (None, None));
        assert_eq!(race.exceptions.len(), 2);
        for exception in race.exceptions {
            assert_eq!(exception.unwrap().type_name(), "ValueError");
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_multiple_winners
#[test]
fn of_two_that_would_win_at_once_the_first_does() {
    run(async {
        let event = Event::new();
        let coro = |index: usize| -> Box<dyn FnOnce() -> Coroutine<usize>> {
            let event = event.clone();
            Box::new(move || {
                Box::pin(async move {
                    if index == 2 {
                        event.set();
                        Event::new().wait().await?;
                    }
                    event.wait().await?;
                    Ok(index)
                })
            })
        };
        let race = staggered_race([coro(0), coro(1), coro(2)], 0.1).await?;
        assert_eq!((race.winner, race.index), (Some(0), Some(0)));
        assert_eq!(names(&race), ["-", "CancelledError", "CancelledError"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_staggered.py::StaggeredTests::test_cancelled
#[test]
fn each_cancellation_of_the_race_is_passed_on() {
    run(async {
        let log = Log::new();
        let entry = log.clone();
        let race = timeout(None, async |outer| {
            timeout(None, async |inner| {
                let (outer, inner, log) = (outer.clone(), inner.clone(), entry.clone());
                let coro = move || async move {
                    for (limit, entry) in [(inner, "cancelled 1"), (outer, "cancelled 2")] {
                        limit.reschedule(-1.0)?;
                        sleep(0).await?;
                        if sleep(0).await.is_err() {
                            log.push(entry);
                        }
                    }
                    Ok(())
                };
                let race = staggered_race([coro], None).await;
                assert!(race.as_ref().unwrap_err().is_cancelled());
                entry.push("cancelled 3");
                race
            })
            .await
        });
        fails(race.await, "TimeoutError");
        assert_eq!(log.take(), ["cancelled 1", "cancelled 2", "cancelled 3"]);
        Ok(())
    });
}

#[test]
fn a_race_that_is_dropped_cancels_its_runners() {
    run(async {
        let log = Log::new();
        let entry = log.clone();
        let coro = move || async move {
            let result = sleep(10).await;
            entry.push(result.is_err());
            result
        };
        let event_loop: EventLoop = get_running_loop()?;
        {
            let mut race = std::pin::pin!(staggered_race([coro], None));
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(race.as_mut().poll(cx)));
            assert!(polled.await.is_pending());
            sleep(0).await?;
            assert_eq!(event_loop.all_tasks().len(), 3);
        }
        sleep(0).await?;
        sleep(0).await?;
        assert_eq!(log.take(), [true]);
        assert_eq!(event_loop.all_tasks().len(), 1);
        Ok(())
    });
}
