//! `test_threads.py`, `RunCoroutineThreadsafeTests` and `test_free_threading.py`.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hilos::asyncio::{
    self, Exception, all_tasks, create_task, current_task, gather, get_running_loop,
    run_coroutine_threadsafe, sleep, to_thread, try_to_thread,
};
use hilos::concurrent::futures::{Future, ThreadPoolExecutor};
use hilos::contextvars::ContextVar;

use crate::support::{fails, is_cancelled, raise, run, watch};

// cpython: test_asyncio/test_threads.py::ToThreadTests::test_to_thread
// cpython: test_asyncio/test_threads.py::ToThreadTests::test_to_thread_args_kwargs
// cpython: test_asyncio/test_threads.py::ToThreadTests::test_to_thread_once
#[test]
fn a_function_runs_in_another_thread() {
    let here = thread::current().id();
    run(async move {
        let (a, b) = (40, 2);
        let (sum, there) = to_thread(move || (a + b, thread::current().id())).await?;
        assert_eq!(sum, 42);
        assert_ne!(there, here);
        Ok(())
    });
}

// cpython: test_asyncio/test_threads.py::ToThreadTests::test_to_thread_exception
#[test]
fn its_exception_comes_back() {
    run(async {
        let error = try_to_thread(|| "x".parse::<i32>()).await.unwrap_err();
        assert!(error.is::<std::num::ParseIntError>());
        let error = try_to_thread(|| raise::<()>("ValueError", "no"))
            .await
            .unwrap_err();
        assert_eq!(error.repr(), "ValueError('no')");
        let error = to_thread(|| panic!("ouch")).await.unwrap_err();
        assert_eq!(error.panic().unwrap().message(), "ouch");
        Ok(())
    });
}

// cpython: test_asyncio/test_threads.py::ToThreadTests::test_to_thread_concurrent
#[test]
fn several_run_side_by_side() {
    run(async {
        // Each needs the other to be there.
        let barrier = std::sync::Arc::new(hilos::threading::Barrier::new(2).unwrap());
        let other = barrier.clone();
        let meet = |barrier: std::sync::Arc<hilos::threading::Barrier>| {
            try_to_thread(move || barrier.wait(None).map(drop).map_err(|_| "broken"))
        };
        gather([create_task(meet(barrier)), create_task(meet(other))]).await?;
        Ok(())
    });
}

// cpython: test_asyncio/test_threads.py::ToThreadTests::test_to_thread_contextvars
#[test]
fn it_sees_the_context() {
    static VAR: ContextVar<&str> = ContextVar::new("test_ctx");
    run(async {
        VAR.set("parrot");
        let seen = try_to_thread(|| {
            let seen = VAR.get();
            VAR.set("dead");
            seen
        });
        assert_eq!(seen.await?, "parrot");
        assert_eq!(VAR.get()?, "parrot");
        Ok(())
    });
}

#[test]
fn executors_may_be_chosen() {
    run(async {
        let event_loop = get_running_loop()?;
        let executor = ThreadPoolExecutor::new(1)?.with_thread_name_prefix("own");
        let name = || thread::current().name().map(str::to_owned);
        let of_own = event_loop.run_in_executor(&executor, name)?.await?;
        assert!(of_own.unwrap().starts_with("own"));
        let of_default = event_loop.run_in_executor(None, name)?.await?;
        assert!(of_default.unwrap().starts_with("asyncio"));
        event_loop.set_default_executor(&executor);
        assert!(to_thread(name).await?.unwrap().starts_with("own"));
        event_loop.shutdown_default_executor(None).await?;
        let message = fails(
            event_loop.run_in_executor(None, name).map(drop),
            "RuntimeError",
        );
        assert_eq!(message, "Executor shutdown has been called");
        Ok(())
    });
}

/// Runs a loop in this thread while `outside` runs in another one, which is given the loop.
fn beside<T, F>(outside: F) -> T
where
    T: Send + 'static,
    F: FnOnce(asyncio::LoopHandle) -> T + Send + 'static,
{
    asyncio::run(async {
        let event_loop = get_running_loop()?.handle();
        to_thread(move || outside(event_loop)).await
    })
    .unwrap()
}

/// What a concurrent future has, as asyncio sees it.
fn result<T>(future: &Future<T>) -> asyncio::Result<T> {
    future.result(None).map_err(|error| match error {
        hilos::concurrent::futures::FutureError::Cancelled(_) => {
            asyncio::CancelledError::default().into()
        }
        hilos::concurrent::futures::FutureError::Failed(e) => {
            Exception::new(e.type_name(), e.to_string())
        }
        error => error.into(),
    })
}

// cpython: test_asyncio/test_tasks.py::RunCoroutineThreadsafeTests::test_run_coroutine_threadsafe
// cpython: test_asyncio/test_tasks.py::RunCoroutineThreadsafeTests::test_run_coroutine_threadsafe_with_exception
// cpython: test_asyncio/test_free_threading.py::TestFreeThreading::test_run_coroutine_threadsafe
// cpython: test_asyncio/test_free_threading.py::TestFreeThreading::test_run_coroutine_threadsafe_exception
#[test]
fn another_thread_may_have_a_coroutine_run() {
    beside(|event_loop| {
        let add = |a: i32, b: i32| move || async move { sleep(0).with_result(a + b).await };
        let future = run_coroutine_threadsafe(add(1, 2), &event_loop).unwrap();
        assert_eq!(result(&future).unwrap(), 3);
        let future = run_coroutine_threadsafe(
            || async { raise::<()>("RuntimeError", "Fail!") },
            &event_loop,
        );
        assert_eq!(fails(result(&future.unwrap()), "RuntimeError"), "Fail!");
    });
}

// cpython: test_asyncio/test_tasks.py::RunCoroutineThreadsafeTests::test_run_coroutine_threadsafe_with_timeout
// cpython: test_asyncio/test_tasks.py::RunCoroutineThreadsafeTests::test_run_coroutine_threadsafe_and_cancel
#[test]
fn it_may_give_up_and_cancel() {
    beside(|event_loop| {
        let (ended, has_ended) = mpsc::channel();
        let forever = move || async move {
            let result = sleep(3600).await;
            ended.send(result.is_err_and(|e| e.is_cancelled())).unwrap();
            Ok(())
        };
        let future = run_coroutine_threadsafe(forever, &event_loop).unwrap();
        assert!(future.result(0.001).unwrap_err().is_timeout());
        // That alone did not end it.
        assert!(has_ended.recv_timeout(Duration::from_millis(1)).is_err());
        assert!(future.cancel());
        assert!(has_ended.recv_timeout(Duration::from_secs(60)).unwrap());
    });
}

// cpython: test_asyncio/test_tasks.py::RunCoroutineThreadsafeTests::test_run_coroutine_threadsafe_task_cancelled
#[test]
fn a_cancelled_task_cancels_the_future() {
    beside(|event_loop| {
        let cancelled = || async {
            current_task().unwrap().cancel();
            sleep(1).await
        };
        let future = run_coroutine_threadsafe(cancelled, &event_loop).unwrap();
        is_cancelled(result(&future));
    });
}

// cpython: test_asyncio/test_tasks.py::RunCoroutineThreadsafeTests::test_run_coroutine_threadsafe_task_factory_exception
#[test]
fn a_task_factory_that_fails_fails_the_future() {
    let (failure, told) = asyncio::run(async {
        let event_loop = get_running_loop()?;
        let log = watch(&event_loop);
        let handle = event_loop.handle();
        let submit = to_thread(move || {
            let future = run_coroutine_threadsafe(|| async { Ok(()) }, &handle).unwrap();
            result(&future).unwrap_err()
        });
        let submit = create_task(submit);
        sleep(0).await?;
        event_loop.set_task_factory(|_| panic!("NameError"));
        let failure = submit.await?;
        event_loop.reset_task_factory();
        Ok((failure, log.take()))
    })
    .unwrap();
    assert!(failure.to_string().contains("NameError"), "{failure}");
    assert_eq!(told.len(), 1);
    let told = told[0].exception.as_ref().unwrap();
    assert!(told.to_string().contains("NameError"), "{told}");
}

// cpython: test_asyncio/test_free_threading.py::TestFreeThreading::test_all_tasks_different_thread
#[test]
fn calls_come_from_any_thread() {
    let names = beside(|event_loop| {
        let (send, receive) = mpsc::channel();
        let threads: Vec<_> = (0..4)
            .map(|i| {
                let (event_loop, send) = (event_loop.clone(), send.clone());
                thread::spawn(move || {
                    for j in 0..50 {
                        let send = send.clone();
                        event_loop
                            .call_soon_threadsafe(move || send.send((i, j)).unwrap())
                            .unwrap();
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        drop(send);
        receive.iter().collect::<Vec<_>>()
    });
    assert_eq!(names.len(), 200);
    for thread in 0..4 {
        let own: Vec<i32> = names
            .iter()
            .filter(|(i, _)| *i == thread)
            .map(|(_, j)| *j)
            .collect();
        assert_eq!(own, (0..50).collect::<Vec<_>>());
    }
}

#[test]
fn a_call_from_another_thread_can_be_cancelled() {
    beside(|event_loop| {
        let (hold, held) = mpsc::channel::<()>();
        event_loop
            .call_soon_threadsafe(move || drop(held.recv()))
            .unwrap();
        let (send, receive) = mpsc::channel::<&str>();
        let other = send.clone();
        let handle = event_loop
            .call_soon_threadsafe(move || drop(send.send("never")))
            .unwrap();
        assert!(handle.cancel());
        assert!(!handle.cancel());
        event_loop
            .call_soon_threadsafe(move || drop(other.send("last")))
            .unwrap();
        drop(hold);
        assert_eq!(receive.iter().collect::<Vec<_>>(), ["last"]);
    });
}

#[test]
fn a_closed_loop_refuses_calls() {
    let handle = asyncio::run(async { Ok(get_running_loop()?.handle()) }).unwrap();
    assert!(handle.is_closed());
    let refused = handle.call_soon_threadsafe(|| ()).map(drop);
    assert_eq!(fails(refused, "RuntimeError"), "Event loop is closed");
    let refused = run_coroutine_threadsafe(|| async { Ok(()) }, &handle).map(drop);
    fails(refused, "RuntimeError");
    assert!(all_tasks().is_empty());
}
