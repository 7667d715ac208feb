//! Who awaits whom.

use hilos::asyncio::{
    self, ALL_COMPLETED, AnyWaitable, Future, Result, Task, capture_call_graph, create_task,
    format_call_graph, future_add_to_awaited_by, future_discard_from_awaited_by, shield, sleep,
    task_group,
};

use super::walk;
use crate::support::run;

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

#[test]
fn who_awaits_in_two_ways_is_one_awaiter() {
    async fn main() -> Result<String> {
        let body = async |group: asyncio::TaskGroup| group.create_task(deep()).await;
        Ok(task_group(body).await?.0)
    }
    let expected = "T[capture_call_graph deep](T[Future.await main]())";
    assert_eq!(run(main()), expected);
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
