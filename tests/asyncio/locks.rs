//! `Lock` and `Event` of `test_locks.py`.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{Event, Future, Lock, Task, create_task, get_running_loop, sleep};

use crate::support::{Log, cancel_soon, extras, fails, is_cancelled, run};

// cpython: test_asyncio/test_locks.py::LockTests::test_repr
#[test]
fn a_lock_shows_whether_it_is_held_and_who_waits() {
    run(async {
        let lock = Lock::new();
        assert_eq!(extras(&lock), "unlocked");
        lock.acquire().await?;
        assert_eq!(extras(&lock), "locked");
        let _waiting = create_task(lock.acquire());
        sleep(0).await?;
        assert_eq!(extras(&lock), "locked, waiters:1");
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::LockTests::test_acquire
#[test]
fn a_lock_goes_to_whoever_came_first() {
    run(async {
        let (lock, result) = (Lock::new(), Log::new());
        lock.acquire().await?;
        let taker = |n: i32| -> Task<i32> {
            let (lock, result) = (lock.clone(), result.clone());
            create_task(async move {
                lock.acquire().await?;
                result.push(n);
                Ok(n)
            })
        };
        let (t1, t2) = (taker(1), taker(2));
        sleep(0).await?;
        assert_eq!(result.take(), []);

        lock.release()?;
        sleep(0).await?;
        assert_eq!(result.take(), [1]);
        sleep(0).await?;
        assert_eq!(result.take(), []);

        let t3 = taker(3);
        lock.release()?;
        sleep(0).await?;
        assert_eq!(result.take(), [2]);
        lock.release()?;
        sleep(0).await?;
        assert_eq!(result.take(), [3]);
        for (task, n) in [(t1, 1), (t2, 2), (t3, 3)] {
            assert_eq!((task.done(), task.result()?), (true, n));
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::LockTests::test_acquire_cancel
#[test]
fn a_task_that_is_cancelled_waits_for_the_lock_no_more() {
    run(async {
        let lock = Lock::new();
        lock.acquire().await?;
        let task = create_task(lock.acquire());
        cancel_soon(&task);
        is_cancelled(task.await);
        assert_eq!(extras(&lock), "locked");
        Ok(())
    });
}

/// Holds the lock until the future is done.
async fn hold(lock: Lock, until: Option<Future<()>>) -> hilos::asyncio::Result<()> {
    let _held = lock.lock().await?;
    match until {
        Some(future) => future.await,
        None => Ok(()),
    }
}

// cpython: test_asyncio/test_locks.py::LockTests::test_cancel_race
#[test]
fn a_release_passes_over_a_waiter_that_is_being_cancelled() {
    run(async {
        let lock = Lock::new();
        let end = get_running_loop()?.create_future();
        let a = create_task(hold(lock.clone(), Some(end.clone())));
        sleep(0).await?;
        assert!(lock.locked());
        let b = create_task(hold(lock.clone(), None));
        sleep(0).await?;
        assert_eq!(extras(&lock), "locked, waiters:1");
        let c = create_task(hold(lock.clone(), None));
        sleep(0).await?;
        assert_eq!(extras(&lock), "locked, waiters:2");

        end.set_result(())?;
        b.cancel();
        sleep(0).await?;
        assert!(!lock.locked());
        assert!(a.done());
        assert!(b.cancelled());
        c.await
    });
}

// cpython: test_asyncio/test_locks.py::LockTests::test_cancel_release_race
#[test]
fn a_cancellation_and_a_release_at_once_wake_one_task() {
    run(async {
        let lock = Lock::new();
        let calls = Rc::new(Cell::new(0));
        let locks = Rc::new(Cell::new(0));
        let taker = || {
            let (lock, calls, locks) = (lock.clone(), calls.clone(), locks.clone());
            create_task(async move {
                calls.update(|calls| calls + 1);
                lock.acquire().await?;
                locks.update(|locks| locks + 1);
                Ok(())
            })
        };
        lock.acquire().await?;
        let (t1, t2, t3) = (taker(), taker(), taker());
        sleep(0).await?;

        let (first, held) = (t1.clone(), lock.clone());
        get_running_loop()?.call_soon(move || {
            first.cancel();
            held.release()
        })?;
        is_cancelled((&t1).await);
        assert_eq!((locks.get(), calls.get()), (1, 3));
        assert!(t1.cancelled() && t2.done());

        t3.cancel();
        sleep(0).await?;
        assert!(t3.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::LockTests::test_finished_waiter_cancelled
#[test]
fn the_next_waiter_gets_the_lock_of_one_that_was_cancelled() {
    run(async {
        let lock = Lock::new();
        lock.acquire().await?;
        assert!(lock.locked());
        let b = create_task(lock.acquire());
        sleep(0).await?;
        assert_eq!(extras(&lock), "locked, waiters:1");

        let c = create_task(lock.acquire());
        b.cancel();
        lock.release()?;
        sleep(0).await?;
        assert!(lock.locked());
        assert!(b.cancelled());
        c.await
    });
}

// cpython: test_asyncio/test_locks.py::LockTests::test_release_not_acquired
// cpython: test_asyncio/test_locks.py::LockTests::test_release_no_waiters
// cpython: test_asyncio/test_locks.py::LockTests::test_context_manager
// cpython: test_asyncio/test_pep492.py::LockTests::test_context_manager_async_with
#[test]
fn a_lock_is_held_until_it_is_released() {
    run(async {
        let lock = Lock::new();
        assert_eq!(
            fails(lock.release(), "RuntimeError"),
            "Lock is not acquired."
        );
        lock.acquire().await?;
        assert!(lock.locked());
        lock.release()?;
        assert!(!lock.locked());
        {
            let _held = lock.lock().await?;
            assert!(lock.locked());
        }
        assert!(!lock.locked());
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::EventTests::test_repr
#[test]
fn an_event_shows_whether_it_is_set_and_who_waits() {
    run(async {
        let event = Event::new();
        assert_eq!(extras(&event), "unset");
        let waiting = create_task(event.wait());
        sleep(0).await?;
        assert_eq!(extras(&event), "unset, waiters:1");
        event.set();
        assert_eq!(extras(&event), "set, waiters:1");
        waiting.await?;
        assert_eq!(extras(&event), "set");
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::EventTests::test_wait
#[test]
fn an_event_lets_those_pass_first_who_come_when_it_is_set() {
    run(async {
        let (event, result) = (Event::new(), Log::new());
        assert!(!event.is_set());
        let waiter = |n: i32| {
            let (event, result) = (event.clone(), result.clone());
            create_task(async move {
                event.wait().await?;
                result.push(n);
                Ok(())
            })
        };
        let (t1, t2) = (waiter(1), waiter(2));
        sleep(0).await?;
        assert_eq!(result.take(), []);
        let t3 = waiter(3);
        event.set();
        sleep(0).await?;
        assert_eq!(result.take(), [3, 1, 2]);
        for task in [t1, t2, t3] {
            assert!(task.done());
            task.result()?;
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::EventTests::test_wait_on_set
// cpython: test_asyncio/test_locks.py::EventTests::test_clear
#[test]
fn nobody_waits_for_an_event_that_is_set() {
    run(async {
        let event = Event::new();
        assert!(!event.is_set());
        event.set();
        event.wait().await?;
        assert!(event.is_set());
        event.clear();
        assert!(!event.is_set());
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::EventTests::test_wait_cancel
#[test]
fn a_task_that_is_cancelled_waits_for_the_event_no_more() {
    run(async {
        let event = Event::new();
        let wait = create_task(event.wait());
        cancel_soon(&wait);
        is_cancelled(wait.await);
        assert_eq!(extras(&event), "unset");
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::EventTests::test_clear_with_waiters
#[test]
fn an_event_that_is_cleared_at_once_has_woken_its_waiters() {
    run(async {
        let (event, result) = (Event::new(), Log::new());
        let (waited, seen) = (event.clone(), result.clone());
        let task = create_task(async move {
            waited.wait().await?;
            seen.push(1);
            Ok(true)
        });
        sleep(0).await?;
        assert_eq!(result.take(), []);

        event.set();
        event.clear();
        assert!(!event.is_set());
        event.set();
        event.set();
        assert_eq!(extras(&event), "set, waiters:1");
        sleep(0).await?;
        assert_eq!(result.take(), [1]);
        assert_eq!(extras(&event), "set");
        assert_eq!((task.done(), task.result()?), (true, true));
        Ok(())
    });
}
