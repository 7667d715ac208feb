//! Where a task waits.

use hilos::asyncio::{
    self, ALL_COMPLETED, Event, Future, FutureCallGraph, Result, Task, capture_call_graph,
    create_task, format_call_graph, gather, shield, sleep, task_group,
};

use super::walk;
use crate::support::{Log, fails, run};

#[test]
fn the_text_has_pythons_layout() {
    async fn test() -> Result<(String, FutureCallGraph)> {
        let graph = capture_call_graph(None)?.expect("a task is running");
        Ok((graph.to_string(), graph))
    }
    async fn main() -> Result<(String, FutureCallGraph)> {
        create_task(test()).with_name("test").await
    }
    let (text, graph) = run(main());
    let (file, at) = (file!(), |line: u32| format!("line {line}"));
    let [here, created] = &graph.call_stack[..] else {
        panic!("{text}")
    };
    let boss = &graph.awaited_by[0];
    let [waits, started] = &boss.call_stack[..] else {
        panic!("{text}")
    };
    assert_eq!(waits.location.line(), created.location.line());
    let expected = format!(
        "* Task(name='test', id={:#x})\n  + Call stack:\n\
         \x20 |   File '{file}', {}, in capture_call_graph()\n\
         \x20 |   File '{file}', {}, in async test()\n\
         \x20 + Awaited by:\n\
         \x20   * Task(name='{}', id={:#x})\n\
         \x20     + Call stack:\n\
         \x20     |   File '{file}', {}, in async Future.await()\n\
         \x20     |   File '{}', {}, in async main()",
        graph.future.id(),
        at(here.location.line()),
        at(created.location.line()),
        boss.future.task().unwrap().get_name(),
        boss.future.id(),
        at(waits.location.line()),
        started.location.file(),
        at(started.location.line()),
    );
    assert_eq!(text, expected);
}

/// Creates a task that awaits the expression, lets it begin, and checks that its stack names the
/// function and this place.
macro_rules! waits_in {
    ($function:expr, $awaited:expr) => {{
        #[rustfmt::skip]
                let (task, line) = (create_task(async move { $awaited.await.map(drop) }), line!());
        sleep(0).await?;
        is_at_line(&task, $function, line);
        task.cancel();
        let _ = task.await;
    }};
}

#[track_caller]
fn is_at_line(task: &Task<()>, function: &str, line: u32) {
    let graph = capture_call_graph(task).unwrap().unwrap();
    let [place, created] = &graph.call_stack[..] else {
        panic!("{function}: {graph}")
    };
    assert_eq!(
        (place.name.as_str(), place.location.file()),
        (function, file!())
    );
    assert_eq!(place.location.line(), line, "{graph}");
    assert_eq!(created.location.line(), line, "{graph}");
}

#[test]
fn a_stack_names_the_place_that_waits() {
    run(async {
        waits_in!("sleep", sleep(1));
        waits_in!("sleep", sleep(0));
        let event = Event::new();
        let held = event.clone();
        waits_in!("Event.wait", held.wait());
        let future: Future<()> = Future::new();
        let awaited = future.clone();
        waits_in!("Future.await", awaited);
        waits_in!("Future.await", gather([sleep(1)]));
        waits_in!("Future.await", shield(sleep(1)));
        let awaited = [future.clone()];
        waits_in!("wait", asyncio::wait(&awaited, None, ALL_COMPLETED));
        let awaited: Future<()> = Future::new();
        waits_in!("wait_for", asyncio::wait_for(awaited, 1));
        let lock = asyncio::Lock::new();
        lock.acquire().await?;
        let held = lock.clone();
        waits_in!("Lock.acquire", held.acquire());
        let held = lock.clone();
        waits_in!("Lock.acquire", held.lock());
        let condition = asyncio::Condition::new();
        condition.acquire().await?;
        let held = condition.clone();
        waits_in!("Condition.wait", held.wait());
        waits_in!("Condition.wait", condition.wait_for(|| false));
        let semaphore = asyncio::Semaphore::new(0);
        waits_in!("Semaphore.acquire", semaphore.lock());
        let barrier = asyncio::Barrier::new(2)?;
        waits_in!("Barrier.wait", barrier.wait());
        let queue: asyncio::Queue<i32> = asyncio::Queue::new(1);
        let held = queue.clone();
        waits_in!("Queue.get", held.get());
        queue.put(1).await?;
        let held = queue.clone();
        waits_in!("Queue.put", held.put(1));
        waits_in!("Queue.join", queue.join());
        let body = async |group: asyncio::TaskGroup| {
            let _task = group.create_task(sleep(1));
            Ok(())
        };
        waits_in!("task_group", task_group(body));
        Ok(())
    });
}

#[test]
fn a_task_that_is_woken_and_waits_again_is_where_it_was() {
    run(async {
        let queue: asyncio::Queue<i32> = asyncio::Queue::new(0);
        let awaited = queue.clone();
        let line = line!() + 1;
        let task = create_task(async move { awaited.get().await.map(drop) });
        sleep(0).await?;
        // The getter is woken, and finds that somebody else was faster.
        queue.put_nowait(1)?;
        queue.get_nowait()?;
        sleep(0).await?;
        sleep(0).await?;
        is_at_line(&task, "Queue.get", line);
        queue.put_nowait(2)?;
        task.await
    });
}

#[test]
fn a_task_in_a_strangers_future_shows_only_its_coroutine() {
    async fn stranger() -> Result<()> {
        sleep(0).await?;
        std::future::pending().await
    }
    run(async {
        let task = create_task(stranger());
        let stack = || -> Result<_> {
            let graph = capture_call_graph(&task)?.expect("there is a task");
            Ok(graph.call_stack.len())
        };
        assert_eq!(stack()?, 1, "it has not begun");
        sleep(0).await?;
        assert_eq!(stack()?, 2, "it sleeps");
        sleep(0).await?;
        sleep(0).await?;
        assert_eq!(stack()?, 1, "it is in the stranger's");
        task.cancel();
        sleep(0).await?;
        assert_eq!(stack()?, 0, "it is done");
        Ok(())
    });
}

#[test]
fn a_task_does_not_show_where_others_were() {
    run(async {
        // What the callback is about to await is none of the task's business, which runs next.
        asyncio::get_running_loop()?.call_soon(|| drop(sleep(5)))?;
        let task = create_task(sleep(1));
        sleep(0).await?;
        let graph = capture_call_graph(&task)?.expect("there is a task");
        assert_eq!(graph.call_stack.len(), 1, "{graph}");
        task.await
    });
}

#[test]
fn a_limit_keeps_the_outermost_and_a_negative_one_the_innermost() {
    async fn test() -> Result<FutureCallGraph> {
        Ok(capture_call_graph(None)?.expect("a task is running"))
    }
    async fn main() -> Result<FutureCallGraph> {
        create_task(test()).await
    }
    let graph = run(main());
    let limited = |limit| walk(&graph.clone().with_limit(limit));
    assert_eq!(limited(-1), "T[capture_call_graph](T[Future.await]())");
    assert_eq!(limited(1), "T[test](T[main]())");
    assert_eq!(limited(0), "T[](T[]())");
    let whole = "T[capture_call_graph test](T[Future.await main]())";
    assert_eq!(
        (limited(9), limited(-9)),
        (whole.to_owned(), whole.to_owned())
    );
}

#[test]
fn where_nothing_runs_a_task_must_be_given() {
    let message = fails(capture_call_graph(None), "RuntimeError");
    assert_eq!(
        message,
        "capture_call_graph() is called outside of a running event loop and no *future* to \
         introspect was provided"
    );
    let event_loop = asyncio::new_event_loop();
    let future: Future<()> = event_loop.create_future();
    assert_eq!(
        walk(&capture_call_graph(&future).unwrap().unwrap()),
        "F[]()"
    );
    event_loop.close().unwrap();
}

#[test]
fn a_callback_has_no_graph() {
    let log = Log::new();
    let seen = log.clone();
    run(async move {
        let event_loop = asyncio::get_running_loop()?;
        event_loop.call_soon(move || -> Result<()> {
            seen.push((
                capture_call_graph(None)?.is_none(),
                format_call_graph(None)?,
            ));
            Ok(())
        })?;
        sleep(0).await
    });
    assert_eq!(log.take(), [(true, String::new())]);
}
