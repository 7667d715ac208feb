//! Corners of the order that random programs have found; see tests/asyncio_fuzz.

use hilos::asyncio::{
    self, ALL_COMPLETED, EventLoop, Future, Result, create_task, current_task, eager_task_factory,
    gather, gather_results, get_running_loop, shield, sleep, wait, wait_for,
};

use crate::support::{Log, fails, messages, raise, run, watch};

fn ticker(log: &Log<&'static str>) -> asyncio::Task<()> {
    let log = log.clone();
    create_task(async move {
        for tick in ["tick 0", "tick 1", "tick 2"] {
            log.push(tick);
            sleep(0).await?;
        }
        Ok(())
    })
}

#[test]
fn a_task_that_cancels_itself_and_waits_is_stepped_once() {
    run(async {
        let log = Log::new();
        let said = log.clone();
        let task = create_task(async move {
            current_task().unwrap().cancel();
            fails(sleep(1).await, "CancelledError");
            said.push("caught");
            sleep(0).await?;
            said.push("after");
            Ok(())
        });
        ticker(&log).await?;
        task.await?;
        assert_eq!(
            log.take(),
            ["tick 0", "caught", "tick 1", "after", "tick 2"]
        );
        Ok(())
    });
}

#[test]
fn a_task_that_awaits_itself_can_be_cancelled_before_it_hears() {
    run(async {
        let own = get_running_loop()?.create_future::<asyncio::Task<()>>();
        let task = create_task({
            let own = own.clone();
            async move { (&own.await?).await }
        });
        own.set_result(task.clone())?;
        sleep(0).await?;
        task.cancel();
        wait(&[task.clone()], None, ALL_COMPLETED).await?;
        assert!(task.cancelled());
        Ok(())
    });
}

/// Cancels a task that waits for a gather in the very iteration in which the gather fails.
async fn cancelled_as_the_gather_ends(gathered: Future<Vec<()>>, msg: &'static str) -> Result<()> {
    let held = get_running_loop()?.create_future::<asyncio::Task<Vec<()>>>();
    let waiter = held.clone();
    gathered.add_done_callback(move |_| waiter.result().map(|task| drop(task.cancel_with(msg))));
    let waiter = create_task(gathered.into_future());
    held.set_result(waiter.clone())?;
    waiter.await.map(drop)
}

#[test]
fn what_a_cancelled_task_waited_for_counts_as_looked_at() {
    run(async {
        let log = watch(&get_running_loop()?);
        let failing = async {
            sleep(0).await?;
            raise::<()>("ValueError", "lost")
        };
        let ended = cancelled_as_the_gather_ends(gather([failing]), "m").await;
        assert_eq!(fails(ended, "CancelledError"), "m");
        assert_eq!(messages(&log), [""; 0]);
        Ok(())
    });
}

#[test]
fn the_cancellation_that_a_gather_fails_with_goes_first() {
    run(async {
        let future = get_running_loop()?.create_future::<()>();
        let gathered = gather([&future]);
        get_running_loop()?.call_later(0.01, move || drop(future.cancel_with("first")))?;
        let ended = cancelled_as_the_gather_ends(gathered, "second").await;
        assert_eq!(fails(ended, "CancelledError"), "first");
        Ok(())
    });
}

#[test]
fn a_gather_that_has_ended_lets_go_of_its_children() {
    run(async {
        let log = watch(&get_running_loop()?);
        let never = Future::<()>::new();
        let failing = Future::new();
        let gathered = gather([&never, &failing]);
        failing.set_exception(asyncio::ValueError::new("lost"))?;
        sleep(0).await?;
        drop((gathered, never));
        assert_eq!(
            messages(&log),
            ["_GatheringFuture exception was never retrieved"]
        );
        Ok(())
    });
}

#[test]
fn cancelling_a_gather_that_has_failed_is_not_looking_at_its_exception() {
    run(async {
        let log = watch(&get_running_loop()?);
        let gathered = gather([async { raise::<()>("ValueError", "lost") }]);
        sleep(0.01).await?;
        assert!(!gathered.cancel());
        drop(gathered);
        assert_eq!(
            messages(&log),
            ["_GatheringFuture exception was never retrieved"]
        );
        Ok(())
    });
}

#[test]
fn among_results_a_task_is_cancelled_without_its_text() {
    run(async {
        let future = get_running_loop()?.create_future::<()>();
        let task = create_task(sleep(1));
        sleep(0).await?;
        future.cancel_with("of the future");
        task.cancel_with("of the task");
        let all = [future, task.into()];
        let texts = gather_results(&all).await?;
        let texts = texts
            .into_iter()
            .map(|result| fails(result, "CancelledError"));
        assert_eq!(texts.collect::<Vec<_>>(), ["of the future", ""]);
        Ok(())
    });
}

#[test]
fn an_eager_child_may_complete_an_earlier_one() {
    run(async {
        let event_loop = get_running_loop()?;
        let log = Log::new();
        let ticks = ticker(&log);
        let future = event_loop.create_future::<()>();
        let earlier = future.clone();
        event_loop.set_task_factory(eager_task_factory);
        let gathered = asyncio::gather!(&future, async move { Ok(earlier.cancel()) });
        event_loop.reset_task_factory();
        let said = log.clone();
        gathered.add_done_callback(move |_| said.push("gathered"));
        assert!(!gathered.done());
        ticks.await?;
        fails(gathered.await, "CancelledError");
        assert_eq!(log.take(), ["tick 0", "tick 1", "gathered", "tick 2"]);
        Ok(())
    });
}

#[test]
fn a_gather_that_has_no_time_times_out() {
    run(async {
        let slow = wait_for(gather([sleep(1)]), 0).await;
        fails(slow, "TimeoutError");
        Ok(())
    });
}

#[test]
fn a_shield_of_what_was_cancelled_keeps_the_text() {
    run(async {
        let future = get_running_loop()?.create_future::<()>();
        future.cancel_with("why");
        assert_eq!(fails(shield(&future).await, "CancelledError"), "why");
        Ok(())
    });
}

#[test]
fn a_shield_of_what_has_failed_does_not_report_it_again() {
    run(async {
        let log = watch(&get_running_loop()?);
        let future = get_running_loop()?.create_future::<()>();
        future.set_exception(asyncio::ValueError::new("lost"))?;
        drop([shield(&future), shield(&future)]);
        drop(future);
        assert_eq!(messages(&log), ["Future exception was never retrieved"]);
        Ok(())
    });
}

#[test]
fn several_cancelled_shields_report_an_exception_once() {
    run(async {
        let log = watch(&get_running_loop()?);
        let future = get_running_loop()?.create_future::<()>();
        let shields = [shield(&future), shield(&future)];
        shields.iter().for_each(|shield| drop(shield.cancel()));
        sleep(0).await?;
        future.set_exception(asyncio::ValueError::new("hidden"))?;
        sleep(0).await?;
        assert_eq!(messages(&log), ["ValueError exception in shielded future"]);
        Ok(())
    });
}

#[test]
fn none_restores_the_default_handler() {
    run(async {
        let event_loop: EventLoop = get_running_loop()?;
        let _log = watch(&event_loop);
        event_loop.reset_exception_handler();
        assert!(!event_loop.has_exception_handler());
        Ok(())
    });
}
