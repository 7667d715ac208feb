//! Very many futures at once: each is cancelled, none is lost, and the order is kept.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use hilos::asyncio::{
    self, Future, Queue, Result, Task, TaskOptions, as_completed, create_task, gather,
    get_running_loop, sleep, task_group, wait_for, wrap_future,
};
use hilos::concurrent;

use crate::support::{Log, fails, is_cancelled, raise, run};

const HOUR: f64 = 3600.0;

#[test]
fn the_last_of_many_coroutines_is_cancelled_when_the_others_are_done() {
    run(async {
        let delay = |n| if n == 4_999 { HOUR } else { 0.0 };
        let gathered = gather((0..5_000).map(|n| sleep(delay(n))));
        fails(wait_for(gathered, 1).await, "TimeoutError");
        assert_eq!(get_running_loop()?.time(), 1.0);
        Ok(())
    });
}

#[test]
fn a_gather_cancels_any_number_of_plain_futures() {
    run(async {
        let futures: Vec<Future<()>> = (0..5_000).map(|_| Future::new()).collect();
        let gathered = gather(&futures);
        assert!(gathered.cancel());
        assert!(futures.iter().all(Future::cancelled));
        is_cancelled(gathered.await);
        Ok(())
    });
}

#[test]
fn a_gather_cancels_any_number_of_wrapped_futures() {
    run(async {
        let outside: Vec<concurrent::futures::Future<()>> =
            (0..5_000).map(|_| Default::default()).collect();
        let gathered = gather(outside.iter().map(wrap_future));
        assert!(gathered.cancel());
        is_cancelled(gathered.await);
        sleep(0).await?;
        assert!(outside.iter().all(|future| future.cancelled()));
        Ok(())
    });
}

/// Polls all futures with the task's own waker, until each is ready.
async fn join_all<F: std::future::Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut results: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let Poll::Ready(ready) = Pin::new(future).poll(context)
            {
                *result = Some(ready);
            }
        }
        match results.iter().all(Option::is_some) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    results.into_iter().flatten().collect()
}

#[test]
fn any_number_of_sleeps_in_one_task_are_cancelled() {
    run(async {
        let task = create_task(async {
            Ok(join_all(vec![HOUR; 2_000].into_iter().map(sleep).collect()).await)
        });
        sleep(0).await?;
        assert!(task.cancel());
        let results = task.await?;
        assert_eq!(results.len(), 2_000);
        results.into_iter().for_each(is_cancelled);
        assert_eq!(get_running_loop()?.time(), 0.0);
        Ok(())
    });
}

#[test]
fn gathers_inside_of_many_tasks_are_cancelled() {
    run(async {
        let futures: Vec<Vec<Future<()>>> = (0..1_000)
            .map(|_| (0..10).map(|_| Future::new()).collect())
            .collect();
        let gathered = gather(
            futures
                .clone()
                .into_iter()
                .map(|ten| async { gather(ten).await }),
        );
        sleep(0).await?;
        assert!(gathered.cancel());
        assert!(futures.iter().flatten().all(Future::cancelled));
        is_cancelled(gathered.await);
        Ok(())
    });
}

/// Waits for a task that others wait for as well.
fn waiting_for(task: &Task<()>) -> Task<()> {
    let task = task.clone();
    create_task(async move { (&task).await })
}

#[test]
fn a_task_is_cancelled_once_for_each_way_that_leads_to_it() {
    run(async {
        let mut chain = vec![create_task(sleep(HOUR))];
        for _ in 0..200 {
            chain.push(waiting_for(chain.last().unwrap()));
        }
        let mut ways: Vec<_> = (0..100)
            .map(|_| waiting_for(chain.last().unwrap()))
            .collect();
        let last = create_task(sleep(HOUR));
        ways.push(last.clone());
        let gathered = gather(&ways);
        sleep(0).await?;
        assert!(gathered.cancel());
        // CPython's counts.
        let counts =
            [&chain[0], &chain[200], &ways[0], &ways[99], &last].map(|task| task.cancelling());
        assert_eq!(counts, [100, 100, 1, 1, 1]);
        is_cancelled(gathered.await);
        is_cancelled(last.await);
        Ok(())
    });
}

#[test]
fn a_cancellation_that_comes_to_a_circle_of_many_tasks_ends() {
    let event_loop = asyncio::new_event_loop();
    event_loop.set_exception_handler(|_: &asyncio::EventLoop, _: &asyncio::ExceptionContext| {});
    let turn = event_loop.create_future::<()>();
    let cancelled = event_loop.run_until_complete(async move {
        let (first, wait) = (Log::<Task<()>>::new(), turn.clone());
        let back = first.clone();
        let mut task = create_task(async move {
            (&wait).await?;
            back.take().remove(0).await
        });
        for _ in 0..1_000 {
            task = waiting_for(&task);
        }
        let circle = task.clone();
        first.push(task.clone());
        let before = (0..100).fold(task, |task, _| waiting_for(&task));
        sleep(0).await?;
        turn.set_result(())?;
        sleep(0).await?;
        sleep(0).await?;
        before.cancel();
        // It came round.
        assert!(circle.cancelling() > 1);
        sleep(0).await?;
        Ok(before)
    });
    assert!(!cancelled.unwrap().done());
    event_loop.close().unwrap();
}

type Boxed = Pin<Box<dyn std::future::Future<Output = Result<()>>>>;

/// Writes down the name of whoever is cancelled.
fn logged<F, T>(log: &Log<&'static str>, name: &'static str, inner: F) -> Boxed
where
    F: std::future::Future<Output = Result<T>> + 'static,
    T: 'static,
{
    let log = log.clone();
    Box::pin(async move {
        let result = inner.await;
        if result.is_err() {
            log.push(name);
        }
        result.map(drop)
    })
}

#[test]
fn a_tree_is_cancelled_in_cpythons_order() {
    run(async {
        let log = Log::new();
        let leaf = |name| logged(&log, name, sleep(HOUR));
        let all = |name, children: [Boxed; 2]| logged(&log, name, async { gather(children).await });
        let shared = create_task(leaf("shared"));
        let direct = |name| logged(&log, name, shared.clone().into_future());
        let (leaf_4, task) = (leaf("l4"), shared.clone());
        let mixed = async move { asyncio::gather!(leaf_4, task).await };
        let gathered = gather([
            all("b1", [leaf("l1"), leaf("l2")]),
            direct("d1"),
            leaf("l3"),
            all("b2", [logged(&log, "b3", mixed), leaf("l5")]),
            direct("d2"),
        ]);
        for _ in 0..4 {
            sleep(0).await?;
        }
        assert!(gathered.cancel());
        assert_eq!(shared.cancelling(), 3);
        is_cancelled(gathered.await);
        sleep(0).await?;
        sleep(0).await?;
        assert_eq!(
            log.take(),
            [
                "l1", "l2", "shared", "l3", "l4", "l5", "d1", "d2", "b1", "b3", "b2"
            ]
        );
        Ok(())
    });
}

const MANY: usize = 10_000;

/// The numbers below `MANY`, each once, in an order that is neither up nor down.
fn scattered() -> impl Iterator<Item = usize> {
    (0..MANY).map(|n| n * 7 % MANY)
}

#[test]
fn a_group_of_many_ends_when_its_last_task_does() {
    run(async {
        let tasks = task_group(async |group| {
            let new = |n| group.create_task(sleep(n as f64).with_result(n));
            Ok(scattered().map(new).collect::<Vec<_>>())
        });
        let tasks = tasks.await?;
        assert_eq!(get_running_loop()?.time(), (MANY - 1) as f64);
        for (task, n) in tasks.into_iter().zip(scattered()) {
            assert_eq!(task.result()?, n);
        }
        Ok(())
    });
}

#[test]
fn a_group_cancels_the_tasks_that_are_left_in_the_order_of_their_creation() {
    run(async {
        let log = Log::new();
        let seen = log.clone();
        let failed = task_group(async move |group| {
            for n in 0..MANY {
                let seen = seen.clone();
                group.create_task(async move {
                    if n % 3 == 0 {
                        return sleep(0).await;
                    }
                    let result = sleep(HOUR).await;
                    seen.push(n);
                    result
                });
            }
            sleep(1).await?;
            let left = MANY - MANY.div_ceil(3);
            assert_eq!(
                group.to_string(),
                format!("<TaskGroup tasks={left} entered>")
            );
            raise::<()>("ValueError", "enough")
        });
        fails(failed.await, "ExceptionGroup");
        let left: Vec<usize> = (0..MANY).filter(|n| n % 3 != 0).collect();
        assert_eq!(log.take(), left);
        Ok(())
    });
}

#[test]
fn a_task_that_starts_eagerly_comes_after_those_that_it_creates() {
    run(async {
        let log = Log::new();
        let failed = task_group(async |group| {
            let eager = TaskOptions::new().with_eager_start(true);
            let inner = logged(&log, "inner", sleep(HOUR));
            let same = group.clone();
            let outer = logged(&log, "outer", async move {
                same.create_task(inner);
                sleep(HOUR).await
            });
            group.try_create_task(eager, outer)?;
            sleep(0).await?;
            raise::<()>("ValueError", "enough")
        });
        fails(failed.await, "ExceptionGroup");
        assert_eq!(log.take(), ["inner", "outer"]);
        Ok(())
    });
}

#[test]
fn many_come_back_as_they_are_done() {
    run(async {
        let completed = as_completed(scattered().map(|n| sleep(n as f64).with_result(n)), None);
        let mut values = Vec::new();
        while let Some(task) = completed.next().await? {
            values.push(task.result()?);
        }
        assert!(values.into_iter().eq(0..MANY));
        Ok(())
    });
}

#[test]
fn many_that_are_late_are_as_many_timeouts() {
    run(async {
        let tasks: Vec<_> = scattered()
            .map(|n| create_task(sleep(n as f64).with_result(n)))
            .collect();
        // Each counts once.
        let completed = as_completed(tasks.iter().chain(&tasks), MANY as f64 / 2.0 - 0.5);
        let (mut values, mut late) = (Vec::new(), 0);
        for next in completed {
            match next.await {
                Ok(value) => values.push(value),
                result => late += usize::from(fails(result, "TimeoutError").is_empty()),
            }
        }
        assert!(values.into_iter().eq(0..MANY / 2));
        assert_eq!(late, MANY / 2);
        Ok(())
    });
}

#[test]
fn the_getters_that_are_left_are_served_in_their_order() {
    run(async {
        let queue = Queue::new(0);
        let mut getters: Vec<_> = (0..MANY).map(|_| create_task(queue.get())).collect();
        sleep(0).await?;
        for n in scattered().filter(|n| n % 4 != 1) {
            assert!(getters[n].cancel());
        }
        sleep(0).await?;
        let left = MANY / 4;
        assert!(queue.to_string().contains(&format!("_getters[{left}]")));
        for n in 0..left {
            queue.put_nowait(n)?;
        }
        let left: Vec<_> = getters.drain(..).skip(1).step_by(4).collect();
        assert!(gather(left).await?.into_iter().eq(0..MANY / 4));
        Ok(())
    });
}
