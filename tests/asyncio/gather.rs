//! `gather`: `GatherTestsBase`, `FutureGatherTests`, `CoroutineGatherTests`.

use hilos::asyncio::{
    self, Exception, Future, create_task, gather, gather_results, get_running_loop, new_event_loop,
    sleep,
};

use crate::support::{Log, fails, is_cancelled, messages, raise, run, run_briefly, watch};

fn futures<const N: usize>(event_loop: &asyncio::EventLoop) -> [Future<i32>; N] {
    std::array::from_fn(|_| event_loop.create_future())
}

// cpython: test_asyncio/test_tasks.py::GatherTestsBase::test_success
// cpython: test_asyncio/test_tasks.py::FutureGatherTests::test_constructor_homogenous_futures
#[test]
fn results_come_in_the_order_of_the_arguments() {
    run(async {
        let [a, b, c] = futures(&get_running_loop()?);
        let gathered = gather([&a, &b, &c]);
        b.set_result(1)?;
        a.set_result(2)?;
        sleep(0).await?;
        assert!(!gathered.done());
        c.set_result(3)?;
        sleep(0).await?;
        assert!(gathered.done());
        assert_eq!(gathered.await?, [2, 1, 3]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::GatherTestsBase::test_result_exception_success
// cpython: test_asyncio/test_tasks.py::GatherTestsBase::test_one_exception
// cpython: test_asyncio/test_tasks.py::CoroutineGatherTests::test_exception_marking
#[test]
fn the_first_exception_is_raised_and_the_others_are_not_lost() {
    run(async {
        let event_loop = get_running_loop()?;
        let log = watch(&event_loop);
        let [a, b, c] = futures(&event_loop);
        let gathered = gather([&a, &b, &c]);
        let exception = Exception::new("ZeroDivisionError", "");
        a.set_result(1)?;
        b.set_exception(exception.clone())?;
        sleep(0).await?;
        assert!(gathered.done());
        // It counts as looked at, though it comes too late.
        c.set_exception(Exception::new("RuntimeError", ""))?;
        sleep(0).await?;
        assert!(gathered.exception()?.unwrap().is_same(&exception));
        drop((a, b, c, gathered));
        assert_eq!(messages(&log), [""; 0]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::GatherTestsBase::test_return_exceptions
#[test]
fn exceptions_may_be_results() {
    run(async {
        let [a, b, c, d] = futures(&get_running_loop()?);
        let gathered = gather_results([&a, &b, &c, &d]);
        b.set_exception(Exception::new("ZeroDivisionError", ""))?;
        a.set_result(3)?;
        c.cancel();
        sleep(0).await?;
        assert!(!gathered.done());
        d.set_exception(Exception::new("RuntimeError", ""))?;
        let results = gathered.await?;
        let names = results
            .into_iter()
            .map(|r| r.map_or_else(|e| e.type_name(), |_| "int"));
        let expected = ["int", "ZeroDivisionError", "CancelledError", "RuntimeError"];
        assert_eq!(names.collect::<Vec<_>>(), expected);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::FutureGatherTests::test_constructor_empty_sequence_use_running_loop
#[test]
fn nothing_is_gathered_at_once() {
    run(async {
        let gathered = gather(Vec::<Future<i32>>::new());
        assert!(gathered.done());
        assert!(gathered.get_loop().is(&get_running_loop()?));
        assert_eq!(gathered.await?, [0; 0]);
        let () = asyncio::gather!().await?;
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::FutureGatherTests::test_constructor_empty_sequence_without_loop
// cpython: test_asyncio/test_tasks.py::CoroutineGatherTests::test_constructor_without_loop
#[test]
#[should_panic(expected = "RuntimeError: There is no current event loop")]
fn gathering_needs_a_loop() {
    gather([async { Ok(()) }]);
}

// cpython: test_asyncio/test_tasks.py::CoroutineGatherTests::test_constructor_use_running_loop
#[test]
fn coroutines_become_tasks_of_the_running_loop() {
    run(async {
        let gathered = gather([async { Ok(asyncio::all_tasks().len()) }]);
        assert_eq!(gathered.await?, [2]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::FutureGatherTests::test_one_cancellation
#[test]
fn a_cancelled_child_does_not_cancel_the_others() {
    run(async {
        let [a, b, c] = futures(&get_running_loop()?);
        let gathered = gather([&a, &b, &c]);
        a.set_result(1)?;
        b.cancel();
        sleep(0).await?;
        assert!(gathered.done() && !gathered.cancelled());
        is_cancelled(gathered.await);
        assert!(!c.done());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::FutureGatherTests::test_result_exception_one_cancellation
#[test]
fn a_late_cancellation_is_a_result_too() {
    run(async {
        let [a, b, c] = futures(&get_running_loop()?);
        let gathered = gather_results([&a, &b, &c]);
        a.set_result(1)?;
        b.set_exception(Exception::new("ZeroDivisionError", ""))?;
        c.cancel();
        let results = gathered.await?;
        assert_eq!(results[0].as_ref().unwrap(), &1);
        assert_eq!(
            results[1].as_ref().unwrap_err().type_name(),
            "ZeroDivisionError"
        );
        assert!(results[2].as_ref().unwrap_err().is_cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::CoroutineGatherTests::test_duplicate_coroutines
#[test]
fn the_same_task_twice_runs_once() {
    run(async {
        let log = Log::new();
        let noted = log.clone();
        let task = create_task(async move {
            noted.push(1);
            Ok("abc")
        });
        assert_eq!(gather([&task, &task, &task]).await?, ["abc"; 3]);
        assert_eq!(log.take(), [1]);
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::CoroutineGatherTests::test_cancellation_broadcast
// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_gather_1
#[test]
fn cancelling_cancels_all_children() {
    run(async {
        let [one, two] = futures(&get_running_loop()?);
        let (waiting, other) = (one.clone(), two.clone());
        let (first, second) = (
            create_task(waiting.into_future()),
            create_task(other.into_future()),
        );
        let gathered = gather([&first, &second]);
        let outer = gathered.clone();
        let outer = create_task(async move { outer.await });
        sleep(0).await?;
        sleep(0).await?;
        assert!(outer.cancel());
        is_cancelled(outer.await);
        assert!(first.cancelled() && second.cancelled());
        assert!(one.cancelled() && two.cancelled());
        assert!(!gathered.cancel());
        assert!(!gathered.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::BaseTaskTests::test_cancel_gather_2
#[test]
fn a_message_reaches_the_children_and_comes_back() {
    run(async {
        let outer = create_task(async {
            let child = create_task(async { sleep(10).await });
            gather([child]).await
        });
        sleep(0).await?;
        sleep(0).await?;
        outer.cancel_with("my message");
        assert_eq!(fails(outer.await, "CancelledError"), "my message");
        Ok(())
    });
}

// cpython: test_asyncio/test_tasks.py::FutureGatherTests::test_constructor_heterogenous_futures
#[test]
fn types_may_differ_in_a_tuple() {
    run(async {
        let task = create_task(async { Ok("text".to_owned()) });
        let (n, text, nothing) = asyncio::gather!(async { Ok(1) }, &task, sleep(1)).await?;
        assert_eq!((n, &*text, nothing), (1, "text", ()));
        let (n, failed) = asyncio::gather!(async { Ok(1) }, async { raise::<u8>("OSError", "") }; return_exceptions).await?;
        assert_eq!(n?, 1);
        fails(failed, "OSError");
        Ok(())
    });
}

#[test]
fn children_that_are_done_are_gathered_at_once() {
    let event_loop = new_event_loop();
    let [a, b] = futures(&event_loop);
    a.set_result(1).unwrap();
    b.set_result(2).unwrap();
    let result = event_loop.run_until_complete(async move {
        let gathered = gather([a, b]);
        assert!(gathered.done());
        gathered.await
    });
    assert_eq!(result.unwrap(), [1, 2]);
    run_briefly(&event_loop);
    event_loop.close().unwrap();
}
