//! `Condition` of `test_locks.py`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hilos::asyncio::{
    Condition, Exception, Lock, Result, Task, create_task, get_running_loop, sleep, timeout,
    wait_for,
};

use crate::support::{Log, cancel_soon, extras, fails, is_cancelled, run};

/// Starts a task that waits to be notified, and writes its number down.
fn waiter(condition: &Condition, result: &Log<i32>, n: i32, release: bool) -> Task<i32> {
    let (condition, result) = (condition.clone(), result.clone());
    create_task(async move {
        condition.acquire().await?;
        condition.wait().await?;
        result.push(n);
        if release {
            condition.release()?;
        }
        Ok(n)
    })
}

fn all_done<const N: usize>(tasks: [Task<i32>; N]) -> Result<()> {
    for (task, n) in tasks.into_iter().zip(1..) {
        assert_eq!((task.done(), task.result()?), (true, n));
    }
    Ok(())
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_wait
#[test]
fn who_is_notified_waits_for_the_lock() {
    run(async {
        let (condition, result) = (Condition::new(), Log::new());
        let tasks = [1, 2, 3].map(|n| waiter(&condition, &result, n, false));
        sleep(0).await?;
        assert_eq!(result.take(), []);
        assert!(!condition.locked());

        condition.acquire().await?;
        condition.notify(1)?;
        sleep(0).await?;
        assert_eq!((result.take(), condition.locked()), (vec![], true));
        condition.release()?;
        sleep(0).await?;
        assert_eq!((result.take(), condition.locked()), (vec![1], true));

        condition.notify(2)?;
        sleep(0).await?;
        assert_eq!((result.take(), condition.locked()), (vec![], true));
        condition.release()?;
        sleep(0).await?;
        assert_eq!((result.take(), condition.locked()), (vec![2], true));
        condition.release()?;
        sleep(0).await?;
        assert_eq!((result.take(), condition.locked()), (vec![3], true));
        all_done(tasks)
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_wait_cancel
#[test]
fn who_is_cancelled_holds_the_lock_again() {
    run(async {
        let condition = Condition::new();
        condition.acquire().await?;
        let wait = create_task(condition.wait());
        cancel_soon(&wait);
        is_cancelled(wait.await);
        assert_eq!(extras(&condition), "locked");
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_wait_cancel_contested
#[test]
fn who_is_cancelled_while_the_lock_is_taken_holds_it_in_the_end() {
    run(async {
        let condition = Condition::new();
        condition.acquire().await?;
        assert!(condition.locked());
        let wait = create_task(condition.wait());
        sleep(0).await?;
        assert!(!condition.locked());

        condition.acquire().await?;
        assert!(condition.locked());
        condition.notify(1)?;
        cancel_soon(&wait);
        let held = condition.clone();
        get_running_loop()?.call_soon(move || held.release())?;
        is_cancelled(wait.await);
        assert!(condition.locked());
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_wait_cancel_after_notify
#[test]
fn a_cancellation_is_not_lost_while_the_lock_is_taken() {
    run(async {
        let condition = Condition::new();
        let waited = Rc::new(Cell::new(false));
        let (inside, reached) = (condition.clone(), waited.clone());
        let waiter = create_task(async move {
            let _held = inside.lock().await?;
            reached.set(true);
            inside.wait().await
        });
        sleep(0).await?;
        condition.acquire().await?;
        condition.notify(1)?;
        sleep(0).await?;
        waiter.cancel();
        sleep(0).await?;
        condition.release()?;
        sleep(0).await?;
        assert!(waiter.cancelled());
        assert!(waited.get());
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_wait_unacquired
// cpython: test_asyncio/test_locks.py::ConditionTests::test_wait_for_unacquired
// cpython: test_asyncio/test_locks.py::ConditionTests::test_notify_unacquired
// cpython: test_asyncio/test_locks.py::ConditionTests::test_notify_all_unacquired
#[test]
fn without_the_lock_nobody_waits_nor_notifies() {
    let condition = Condition::new();
    let cannot = "cannot notify on un-acquired lock";
    assert_eq!(fails(condition.notify(1), "RuntimeError"), cannot);
    assert_eq!(fails(condition.notify_all(), "RuntimeError"), cannot);
    run(async move {
        fails(condition.wait().await, "RuntimeError");
        condition.wait_for(|| true).await?;
        fails(condition.wait_for(|| false).await, "RuntimeError");
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_wait_for
#[test]
fn who_waits_for_a_predicate_goes_on_when_it_is_true() {
    run(async {
        let (condition, result) = (Condition::new(), Log::new());
        let ready = Rc::new(Cell::new(false));
        let (inside, seen, is_ready) = (condition.clone(), result.clone(), ready.clone());
        let task = create_task(async move {
            inside.acquire().await?;
            inside.wait_for(move || is_ready.get()).await?;
            seen.push(1);
            inside.release()?;
            Ok(true)
        });
        sleep(0).await?;
        assert_eq!(result.take(), []);
        for (is_ready, expected) in [(false, vec![]), (true, vec![1])] {
            ready.set(is_ready);
            condition.acquire().await?;
            condition.notify(1)?;
            condition.release()?;
            sleep(0).await?;
            assert_eq!(result.take(), expected);
        }
        assert_eq!((task.done(), task.result()?), (true, true));
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_notify
#[test]
fn as_many_wake_as_are_notified() {
    run(async {
        let (condition, result) = (Condition::new(), Log::new());
        let tasks = [1, 2, 3].map(|n| waiter(&condition, &result, n, true));
        sleep(0).await?;
        assert_eq!(result.take(), []);

        condition.acquire().await?;
        condition.notify(1)?;
        condition.release()?;
        sleep(0).await?;
        assert_eq!(result.take(), [1]);

        condition.acquire().await?;
        condition.notify(1)?;
        condition.notify(2048)?;
        condition.release()?;
        sleep(0).await?;
        assert_eq!(result.take(), [2, 3]);
        all_done(tasks)
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_notify_all
#[test]
fn all_can_be_notified() {
    run(async {
        let (condition, result) = (Condition::new(), Log::new());
        let tasks = [1, 2].map(|n| waiter(&condition, &result, n, true));
        sleep(0).await?;
        assert_eq!(result.take(), []);
        condition.acquire().await?;
        condition.notify_all()?;
        condition.release()?;
        sleep(0).await?;
        assert_eq!(result.take(), [1, 2]);
        all_done(tasks)
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_repr
#[test]
fn a_condition_shows_its_lock_and_who_waits() {
    run(async {
        let (condition, result) = (Condition::new(), Log::new());
        assert_eq!(extras(&condition), "unlocked");
        let _one = waiter(&condition, &result, 1, true);
        sleep(0).await?;
        condition.acquire().await?;
        assert_eq!(extras(&condition), "locked, waiters:1");
        condition.release()?;
        let _two = waiter(&condition, &result, 2, true);
        sleep(0).await?;
        assert_eq!(extras(&condition), "unlocked, waiters:2");
        condition.acquire().await?;
        condition.notify_all()?;
        condition.release()
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_context_manager
// cpython: test_asyncio/test_locks.py::ConditionTests::test_explicit_lock
#[test]
fn a_condition_and_its_lock_are_held_together() {
    async fn check(lock: Lock, condition: Condition) -> Result<()> {
        assert!(condition.uses(&lock));
        let held = condition.lock().await?;
        assert!(lock.locked() && condition.locked());
        drop(held);
        assert!(!lock.locked() && !condition.locked());
        let held = lock.lock().await?;
        assert!(lock.locked() && condition.locked());
        drop(held);
        assert!(!lock.locked() && !condition.locked());
        Ok(())
    }
    run(async {
        let condition = Condition::new();
        assert!(!condition.locked());
        {
            let _held = condition.lock().await?;
            assert!(condition.locked());
        }
        assert!(!condition.locked());
        let lock = Lock::new();
        check(lock.clone(), Condition::with_lock(&lock)).await
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_ambiguous_loops
#[test]
fn who_waits_in_another_loop_than_the_first_is_refused() {
    let (lock, condition) = (Lock::new(), Condition::new());
    let objects = (lock.clone(), condition.clone());
    run(async move {
        let (lock, condition) = objects;
        let _held = lock.lock().await?;
        let waiting = create_task(lock.acquire());
        let _other = condition.lock().await?;
        fails(wait_for(condition.wait(), 0.01).await, "TimeoutError");
        waiting.cancel();
        is_cancelled(waiting.await);
        Ok(())
    });
    run(async move {
        // Nobody waits for the lock, which therefore does not care for the loop.
        let _held = lock.lock().await?;
        let message = fails(Condition::with_lock(&lock).acquire().await, "RuntimeError");
        assert!(message.ends_with("is bound to a different event loop"));
        let _other = condition.lock().await?;
        let message = fails(condition.wait().await, "RuntimeError");
        assert!(message.ends_with("is bound to a different event loop"));
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_timeout_in_block
#[test]
fn a_wait_for_a_condition_can_time_out() {
    run(async {
        let condition = Condition::new();
        let _held = condition.lock().await?;
        fails(wait_for(condition.wait(), 0.5).await, "TimeoutError");
        assert!(condition.locked());
        Ok(())
    });
}

/// A task that waits for `wake`, and keeps the exception that it gets instead.
fn keeper(
    condition: &Condition,
    wake: &Rc<Cell<bool>>,
) -> (Task<()>, Rc<RefCell<Option<Exception>>>) {
    let raised = Rc::new(RefCell::new(None));
    let (condition, wake, seen) = (condition.clone(), wake.clone(), raised.clone());
    let task = create_task(async move {
        let _held = condition.lock().await?;
        let exception = condition.wait_for(move || wake.get()).await.unwrap_err();
        seen.replace(Some(exception.clone()));
        Err(exception)
    });
    (task, raised)
}

#[track_caller]
fn is_the_same(result: Result<()>, raised: &RefCell<Option<Exception>>) {
    let exception = result.unwrap_err();
    assert!(exception.is_cancelled());
    assert_eq!(exception.to_string(), "foo");
    assert!(exception.is_same(raised.borrow().as_ref().unwrap()));
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_cancelled_error_wakeup
#[test]
fn the_cancellation_of_a_waiter_is_raised_unchanged() {
    run(async {
        let condition = Condition::new();
        let (task, raised) = keeper(&condition, &Rc::default());
        sleep(0).await?;
        task.cancel_with("foo");
        is_the_same(task.await, &raised);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_cancelled_error_re_aquire
#[test]
fn so_is_that_of_one_that_waits_for_the_lock() {
    run(async {
        let condition = Condition::new();
        let wake = Rc::default();
        let (task, raised) = keeper(&condition, &wake);
        sleep(0).await?;
        condition.acquire().await?;
        wake.set(true);
        condition.notify(1)?;
        sleep(0).await?;
        task.cancel_with("foo");
        condition.release()?;
        is_the_same(task.await, &raised);
        Ok(())
    });
}

/// One of two consumers is notified and then cancelled, after `hops` iterations: the other consumes.
fn a_consumer_is_cancelled(hops: u32) {
    run(async move {
        let condition = Condition::new();
        let state = Rc::new(Cell::new(0));
        let consumer = || {
            let (condition, state) = (condition.clone(), state.clone());
            create_task(async move {
                let _held = condition.lock().await?;
                loop {
                    let some = state.clone();
                    condition.wait_for(move || some.get() != 0).await?;
                    if state.get() < 0 {
                        return Ok(());
                    }
                    state.update(|state| state - 1);
                }
            })
        };
        let (one, two) = (consumer(), consumer());
        sleep(0).await?;
        let held = condition.lock().await?;
        state.update(|state| state + 1);
        condition.notify(1)?;
        for _ in 0..hops {
            sleep(0).await?;
        }
        one.cancel();
        let (waited, left) = (condition.clone(), state.clone());
        let consumed = waited.wait_for(move || left.get() == 0);
        let _ = timeout(0.01, async |_| consumed.await).await;
        assert_eq!(state.get(), 0);
        state.set(-1);
        condition.notify_all()?;
        drop(held);
        two.await
    });
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_cancelled_wakeup
#[test]
fn what_a_cancelled_waiter_was_notified_of_is_passed_on() {
    a_consumer_is_cancelled(0);
}

// cpython: test_asyncio/test_locks.py::ConditionTests::test_cancelled_wakeup_relock
#[test]
fn also_by_one_that_waits_for_the_lock_already() {
    a_consumer_is_cancelled(1);
}
