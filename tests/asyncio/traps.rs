//! What is easy to get wrong: chains, cycles, panics, wakers of strangers, drops at odd times.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use hilos::asyncio::{
    self, Event, Future, Result, Task, cancellable, create_task, gather, get_running_loop,
    new_event_loop, sleep, timeout,
};

use crate::support::{Log, fails, is_cancelled, run, run_briefly};

const MANY: usize = 100_000;

#[test]
fn a_cancellation_goes_through_a_long_chain_of_tasks() {
    run(async {
        let innermost: Future<()> = Future::new();
        let future = innermost.clone();
        let mut last = create_task(future.into_future());
        for _ in 0..MANY {
            last = create_task(last.into_future());
        }
        sleep(0).await?;
        assert!(last.cancel());
        assert!(innermost.cancelled());
        is_cancelled(last.await);
        Ok(())
    });
}

#[test]
fn a_long_chain_of_tasks_that_is_never_done_can_be_dropped() {
    let event_loop = new_event_loop();
    event_loop.set_exception_handler(|_: &asyncio::EventLoop, _: &asyncio::ExceptionContext| {});
    let mut last = event_loop
        .create_task(std::future::pending::<Result<()>>())
        .unwrap();
    for _ in 0..MANY {
        last = event_loop.create_task(last.into_future()).unwrap();
    }
    run_briefly(&event_loop);
    event_loop.close().unwrap();
    drop(last);
}

#[test]
fn a_cancellation_in_a_circle_of_tasks_comes_to_an_end() {
    let event_loop = new_event_loop();
    event_loop.set_exception_handler(|_: &asyncio::EventLoop, _: &asyncio::ExceptionContext| {});
    let circle: Rc<RefCell<Vec<Task<()>>>> = Rc::default();
    for i in 0..2 {
        let others = circle.clone();
        let task = event_loop.create_task(async move {
            let other = others.borrow()[1 - i].clone();
            other.await
        });
        circle.borrow_mut().push(task.unwrap());
    }
    run_briefly(&event_loop);
    // CPython raises a RecursionError here; neither can be done in either case.
    circle.borrow()[0].cancel();
    run_briefly(&event_loop);
    assert!(circle.borrow().iter().all(|task| !task.done()));
    event_loop.close().unwrap();
}

/// A future of a stranger, which keeps the waker and is ready when it is told.
#[derive(Clone, Default)]
struct Stranger(Arc<Mutex<(bool, Option<Waker>)>>);

impl Stranger {
    fn complete(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.0 = true;
        if let Some(waker) = inner.1.take() {
            waker.wake();
        }
    }

    async fn wait(self) {
        poll_fn(|context| {
            let mut inner = self.0.lock().unwrap();
            inner.1 = Some(context.waker().clone());
            if inner.0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

#[test]
fn a_strangers_future_wakes_its_task() {
    run(async {
        let stranger = Stranger::default();
        let waited = stranger.clone();
        let task = create_task(async move {
            waited.wait().await;
            Ok("woken")
        });
        sleep(0).await?;
        stranger.complete();
        sleep(0).await?;
        assert!(task.done());
        assert_eq!(task.await?, "woken");
        Ok(())
    });
}

#[test]
fn another_thread_may_wake_a_task() {
    let woken = asyncio::run(async {
        let stranger = Stranger::default();
        let other = stranger.clone();
        let thread = std::thread::spawn(move || {
            while other.0.lock().unwrap().1.is_none() {
                std::thread::yield_now();
            }
            other.complete();
        });
        stranger.wait().await;
        thread.join().unwrap();
        Ok(true)
    });
    assert!(woken.unwrap());
}

#[test]
fn a_waker_outlives_its_task_and_its_loop() {
    let stranger = Stranger::default();
    let waited = stranger.clone();
    asyncio::run(async move {
        create_task(async move {
            waited.wait().await;
            Ok(())
        });
        sleep(0).await
    })
    .unwrap();
    let waker = stranger.0.lock().unwrap().1.take().unwrap();
    waker.wake_by_ref();
    std::thread::spawn(move || waker.wake()).join().unwrap();
}

#[test]
fn the_waker_may_be_used_by_a_scoped_thread_during_the_poll() {
    run(async {
        let mut turns = 0;
        poll_fn(|context| {
            turns += 1;
            if turns == 3 {
                return Poll::Ready(());
            }
            let waker = context.waker();
            std::thread::scope(|scope| {
                scope.spawn(|| waker.wake_by_ref());
                scope.spawn(|| drop(waker.clone()));
            });
            Poll::Pending
        })
        .await;
        Ok(())
    });
}

#[test]
fn a_task_that_wakes_itself_takes_turns() {
    run(async {
        let log = Log::new();
        let turn = |name: &'static str| {
            let log = log.clone();
            create_task(async move {
                for _ in 0..2 {
                    log.push(name);
                    let mut yielded = false;
                    poll_fn(|context| match std::mem::replace(&mut yielded, true) {
                        true => Poll::Ready(()),
                        false => {
                            context.waker().wake_by_ref();
                            context.waker().wake_by_ref();
                            Poll::Pending
                        }
                    })
                    .await;
                }
                Ok(())
            })
        };
        gather([turn("a"), turn("b")]).await?;
        assert_eq!(log.take(), ["a", "b", "a", "b"]);
        Ok(())
    });
}

#[test]
fn a_task_in_a_strangers_future_is_dropped_when_it_is_cancelled() {
    run(async {
        struct Dropped(Log<&'static str>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.push("dropped");
            }
        }
        let log = Log::new();
        let inside = Dropped(log.clone());
        let task = create_task(async move {
            let _inside = inside;
            std::future::pending::<()>().await;
            Ok(())
        });
        sleep(0).await?;
        task.cancel();
        is_cancelled((&task).await);
        assert_eq!(log.take(), ["dropped"]);
        Ok(())
    });
}

#[test]
fn cancellable_lets_the_coroutine_clean_up() {
    run(async {
        let log = Log::new();
        let seen = log.clone();
        let task = create_task(async move {
            let result = cancellable(std::future::pending::<()>()).await;
            seen.push(result.is_err());
            sleep(0).await?;
            seen.push(true);
            result
        });
        sleep(0).await?;
        task.cancel();
        is_cancelled(task.await);
        assert_eq!(log.take(), [true, true]);
        let limited = timeout(1, async |_| cancellable(std::future::pending::<()>()).await);
        fails(limited.await, "TimeoutError");
        // Limits and groups do so for what is inside them.
        let limited = timeout(1, async |_| {
            std::future::pending::<()>().await;
            Ok(())
        });
        fails(limited.await, "TimeoutError");
        Ok(())
    });
}

#[test]
fn a_cancelled_task_whose_gather_has_finished_children_waits_for_the_gather() {
    run(async {
        let children: [Future<u32>; 2] = [Future::new(), Future::new()];
        let gathered = gather(&children);
        let log = Log::new();
        let seen = log.clone();
        let task = create_task(async move {
            let result = gathered.await;
            seen.push("gathered");
            result
        });
        sleep(0).await?;
        let turn = log.clone();
        for child in &children {
            child.set_result(1)?;
        }
        assert!(task.cancel());
        get_running_loop()?.call_soon(move || turn.push("turn"))?;
        sleep(0).await?;
        // One more turn for the gather, one for the task.
        assert_eq!(log.take(), ["turn"]);
        is_cancelled(task.await);
        assert_eq!(log.take(), ["gathered"]);
        Ok(())
    });
}

/// Polls both futures with wakers of its own, as combinators of other crates do.
async fn both<A, B>(a: A, b: B) -> (Result<()>, Result<()>)
where
    A: std::future::Future<Output = Result<()>>,
    B: std::future::Future<Output = Result<()>>,
{
    struct Mine(Waker);
    impl Wake for Mine {
        fn wake(self: Arc<Self>) {
            self.0.wake_by_ref();
        }
    }
    let mut a: Pin<Box<dyn std::future::Future<Output = Result<()>> + '_>> = Box::pin(a);
    let mut b: Pin<Box<dyn std::future::Future<Output = Result<()>> + '_>> = Box::pin(b);
    let (mut one, mut two) = (None, None);
    poll_fn(|context| {
        let waker = Waker::from(Arc::new(Mine(context.waker().clone())));
        let mut own = Context::from_waker(&waker);
        for (future, result) in [(&mut a, &mut one), (&mut b, &mut two)] {
            if result.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(&mut own)
            {
                *result = Some(ready);
            }
        }
        match one.is_some() && two.is_some() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    (one.unwrap(), two.unwrap())
}

#[test]
fn combinators_with_wakers_of_their_own_work() {
    run(async {
        let event = Event::new();
        let waited = event.clone();
        let task = create_task(async move {
            let (one, two) = both(waited.wait(), sleep(5)).await;
            one.and(two)
        });
        sleep(1).await?;
        event.set();
        task.await?;
        assert_eq!(get_running_loop()?.time(), 5.0);
        // Both are cancelled with the task.
        let event = Event::new();
        let task = create_task(async move {
            let (one, two) = both(event.wait(), sleep(5)).await;
            is_cancelled(one);
            two
        });
        sleep(1).await?;
        task.cancel();
        is_cancelled(task.await);
        assert_eq!(get_running_loop()?.time(), 6.0);
        Ok(())
    });
}

#[test]
fn a_panic_in_a_coroutine_is_its_tasks_exception() {
    run(async {
        let task = create_task(async {
            sleep(0).await?;
            let nothing: Option<u8> = None;
            Ok(nothing.expect("no beans"))
        });
        let error = task.await.unwrap_err();
        assert_eq!(error.type_name(), "panic");
        assert_eq!(error.panic().unwrap().message(), "no beans");
        assert!(
            error
                .panic()
                .unwrap()
                .place()
                .unwrap()
                .file
                .ends_with("traps.rs")
        );
        sleep(0).await
    });
}

#[test]
fn a_destructor_may_use_the_loop() {
    struct Stops(Rc<Cell<bool>>);
    impl Drop for Stops {
        fn drop(&mut self) {
            if let Ok(event_loop) = get_running_loop() {
                let done = self.0.clone();
                event_loop.call_soon(move || done.set(true)).unwrap();
                create_task(async { Ok(()) });
            }
        }
    }
    run(async {
        let done = Rc::new(Cell::new(false));
        let inside = Stops(done.clone());
        let task = create_task(async move {
            let _inside = inside;
            std::future::pending::<Result<()>>().await
        });
        sleep(0).await?;
        task.cancel();
        is_cancelled(task.await);
        sleep(0).await?;
        assert!(done.get());
        Ok(())
    });
}

#[test]
fn a_coroutine_that_drops_its_own_task_runs_on() {
    run(async {
        let own: Rc<RefCell<Option<Task<u8>>>> = Rc::default();
        let mine = own.clone();
        let task = create_task(async move {
            sleep(0).await?;
            drop(mine.take());
            sleep(0).await?;
            Ok(7)
        });
        let result = asyncio::shield(task.clone());
        own.replace(Some(task));
        assert_eq!(result.await?, 7);
        Ok(())
    });
}

#[test]
fn what_is_dropped_before_it_is_done_wakes_nobody() {
    run(async {
        let future: Future<()> = Future::new();
        let waited = future.clone();
        let task = create_task(async move {
            // It is polled once and dropped.
            let mut first = Box::pin(waited.into_future());
            poll_fn(|context| {
                assert!(first.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            drop(first);
            sleep(10).await?;
            Ok(get_running_loop()?.time())
        });
        sleep(1).await?;
        future.set_result(())?;
        assert_eq!(task.await?, 10.0);
        Ok(())
    });
}
