//! `test_graph.py`: where tasks are, and who awaits them.

use hilos::asyncio::{
    self, ALL_COMPLETED, AnyWaitable, Event, Future, FutureCallGraph, Result, Task,
    capture_call_graph, create_task, format_call_graph, future_add_to_awaited_by,
    future_discard_from_awaited_by, gather, shield, sleep, task_group,
};

use crate::support::{Log, fails, run};

/// A graph in one line: `task[innermost outermost](awaiters)`. Tasks without a name of their own are
/// `T`, futures `F`; awaiters are sorted.
fn walk(graph: &FutureCallGraph) -> String {
    let name = match graph.future.task() {
        Some(task) if task.get_name().starts_with("Task-") => "T".to_owned(),
        Some(task) => task.get_name(),
        None => "F".to_owned(),
    };
    let stack = graph.call_stack.iter();
    let stack: Vec<_> = stack.map(|entry| entry.name.as_str()).collect();
    let mut awaited_by: Vec<_> = graph.awaited_by.iter().map(walk).collect();
    awaited_by.sort();
    format!("{name}[{}]({})", stack.join(" "), awaited_by.join(", "))
}

/// The graph of the running task, walked, and as text.
fn captured() -> Result<(String, String)> {
    let graph = capture_call_graph(None)?.expect("a task is running");
    Ok((walk(&graph), format_call_graph(None)?))
}

async fn deep() -> Result<(String, String)> {
    sleep(0).await?;
    captured()
}

// cpython: test_asyncio/test_graph.py::CallStackTestBase::test_stack_tgroup
#[test]
fn tasks_of_a_group_are_awaited_by_the_task_that_runs_it() {
    async fn c2() -> Result<(String, String)> {
        deep().await
    }
    async fn c1(task: Task<(String, String)>) -> Result<()> {
        (&task).await.map(drop)
    }
    async fn main() -> Result<(String, String)> {
        let root = task_group(async |group| {
            let task = group.create_task(c2()).with_name("c2_root");
            let _one = group.create_task(c1(task.clone())).with_name("sub_main_1");
            let _two = group.create_task(c1(task.clone())).with_name("sub_main_2");
            Ok(task)
        });
        root.await?.await
    }
    let (walked, text) = run(main());
    let main = "T[task_group main]()";
    let sub = format!("[Future.await c1]({main})");
    assert_eq!(
        walked,
        format!("c2_root[capture_call_graph c2]({main}, sub_main_1{sub}, sub_main_2{sub})")
    );
    assert!(text.contains(", in async main()"), "{text}");
}

// cpython: test_asyncio/test_graph.py::CallStackTestBase::test_stack_gather
#[test]
fn children_of_a_gather_are_awaited_by_who_awaits_it() {
    async fn c1() -> Result<(String, String)> {
        sleep(0).await?;
        deep().await
    }
    async fn main() -> Result<String> {
        let (found, ()) = asyncio::gather!(c1(), sleep(0)).await?;
        Ok(found.0)
    }
    let expected = "T[capture_call_graph c1](T[Future.await main]())";
    assert_eq!(run(main()), expected);
}

// cpython: test_asyncio/test_graph.py::CallStackTestBase::test_stack_shield
#[test]
fn what_is_shielded_is_awaited_by_who_awaits_the_shield() {
    async fn main() -> Result<String> {
        Ok(shield(deep()).await?.0)
    }
    let expected = "T[capture_call_graph deep](T[Future.await main]())";
    assert_eq!(run(main()), expected);
}

// cpython: test_asyncio/test_graph.py::CallStackTestBase::test_stack_timeout
#[test]
fn a_timeout_is_no_awaiter() {
    async fn c1() -> Result<(String, String)> {
        asyncio::timeout(1, async |_| {
            sleep(0).await?;
            deep().await
        })
        .await
    }
    async fn main() -> Result<String> {
        Ok(shield(c1()).await?.0)
    }
    let expected = "T[capture_call_graph c1](T[Future.await main]())";
    assert_eq!(run(main()), expected);
}

// cpython: test_asyncio/test_graph.py::CallStackTestBase::test_stack_wait
#[test]
fn what_is_waited_for_is_awaited_by_who_waits() {
    async fn c1() -> Result<(String, String)> {
        asyncio::timeout(1, async |_| deep().await).await
    }
    async fn c2() -> Result<(String, String)> {
        for _ in 0..3 {
            sleep(0).await?;
        }
        Ok(Default::default())
    }
    async fn main() -> Result<String> {
        let tasks = [create_task(c1()), create_task(c2())];
        asyncio::wait(&tasks, None, ALL_COMPLETED).await?;
        let [t1, t2] = tasks;
        t2.await?;
        Ok(t1.await?.0)
    }
    assert_eq!(run(main()), "T[capture_call_graph c1](T[wait main]())");
}

// cpython: test_asyncio/test_graph.py::CallStackTestBase::test_stack_task
#[test]
fn a_task_is_awaited_by_who_awaits_it() {
    async fn c2() -> Result<String> {
        Ok(create_task(deep()).with_name("there there").await?.0)
    }
    async fn main() -> Result<String> {
        c2().await
    }
    let expected = "there there[capture_call_graph deep](T[Future.await main]())";
    assert_eq!(run(main()), expected);
}

// cpython: test_asyncio/test_graph.py::CallStackTestBase::test_stack_future
#[test]
fn a_future_is_awaited_by_tasks() {
    async fn a1(future: Future<()>) -> Result<()> {
        (&future).await
    }
    async fn b1(future: Future<()>) -> Result<()> {
        a1(future).await
    }
    async fn main() -> Result<(String, String)> {
        let future: Future<()> = Future::new();
        task_group(async |group| {
            let _a = group.create_task(a1(future.clone())).with_name("task A");
            let _b = group.create_task(b1(future.clone())).with_name("task B");
            for _ in 0..5 {
                sleep(0).await?;
            }
            let graph = capture_call_graph(&future)?.expect("there is a future");
            let text = format_call_graph(&future)?;
            future.set_result(())?;
            Ok((walk(&graph), text))
        })
        .await
    }
    let (walked, text) = run(main());
    // The group's task runs: where, only it could say.
    let main = "(T[main]())";
    assert_eq!(
        walked,
        format!("F[](task A[Future.await a1]{main}, task B[Future.await b1]{main})")
    );
    assert!(text.starts_with("* Future(id=0x"), "{text}");
}

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

#[test]
fn the_program_can_name_awaiters() {
    run(async {
        let (future, other): (Future<()>, Future<i32>) = (Future::new(), Future::new());
        let task = create_task(sleep(1)).with_name("waiter");
        let awaiters = || -> Result<Vec<AnyWaitable>> {
            let graph = capture_call_graph(&future)?.expect("there is a future");
            Ok(graph
                .awaited_by
                .into_iter()
                .map(|graph| graph.future)
                .collect())
        };
        future_add_to_awaited_by(&future, &task);
        future_add_to_awaited_by(&future, &task);
        future_add_to_awaited_by(&future, &other);
        assert_eq!(awaiters()?, [(&task).into(), (&other).into()]);
        future_discard_from_awaited_by(&future, &task);
        future_discard_from_awaited_by(&task, &future);
        assert_eq!(awaiters()?, [(&other).into()]);
        drop(other);
        assert_eq!(awaiters()?, []);
        task.cancel();
        Ok(())
    });
}

#[test]
fn a_circle_of_awaiters_ends() {
    run(async {
        let (one, two): (Future<()>, Future<()>) = (Future::new(), Future::new());
        future_add_to_awaited_by(&one, &two);
        future_add_to_awaited_by(&two, &one);
        assert_eq!(walk(&capture_call_graph(&one)?.unwrap()), "F[](F[]())");
        Ok(())
    });
}

#[test]
fn a_long_chain_of_awaiters_ends() {
    run(async {
        let last: Future<()> = Future::new();
        let mut next = last.clone();
        for _ in 0..10_000 {
            let awaited = next.clone();
            next = create_task(async move { (&awaited).await }).into();
        }
        sleep(0).await?;
        let mut graph = &capture_call_graph(&last)?.unwrap();
        let mut levels = 1;
        while let [awaiter] = &graph.awaited_by[..] {
            graph = awaiter;
            levels += 1;
        }
        assert_eq!(levels, 500);
        last.set_result(())?;
        next.await
    });
}
