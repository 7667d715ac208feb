//! `Semaphore` of `test_locks.py`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hilos::asyncio::{
    BoundedSemaphore, Semaphore, Task, create_task, gather, gather_results, sleep, task_group,
    wait_for,
};

use crate::support::{Log, cancel_soon, extras, fails, is_cancelled, run};

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_initial_value_zero
// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_repr
#[test]
fn a_semaphore_shows_its_value_and_who_waits() {
    assert!(Semaphore::new(0).locked());
    run(async {
        let semaphore = Semaphore::default();
        assert_eq!(extras(&semaphore), "unlocked, value:1");
        semaphore.acquire().await?;
        assert_eq!(extras(&semaphore), "locked");
        for waiters in ["locked, waiters:1", "locked, waiters:2"] {
            drop(create_task(semaphore.acquire()));
            sleep(0).await?;
            assert_eq!(extras(&semaphore), waiters);
        }
        Ok(())
    });
}

/// Starts a task that acquires the semaphore, and writes its number down.
fn taker(semaphore: &Semaphore, result: &Log<i32>, n: i32) -> Task<bool> {
    let (semaphore, result) = (semaphore.clone(), result.clone());
    create_task(async move {
        semaphore.acquire().await?;
        result.push(n);
        Ok(true)
    })
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_acquire
#[test]
fn as_many_hold_a_semaphore_as_it_has_permits() {
    run(async {
        let (semaphore, result) = (Semaphore::new(3), Log::new());
        semaphore.acquire().await?;
        semaphore.acquire().await?;
        assert!(!semaphore.locked());
        let t1 = taker(&semaphore, &result, 1);
        let (t2, t3) = (taker(&semaphore, &result, 2), taker(&semaphore, &result, 3));
        sleep(0).await?;
        assert_eq!(result.take(), [1]);
        assert_eq!(extras(&semaphore), "locked, waiters:2");

        let t4 = taker(&semaphore, &result, 4);
        semaphore.release()?;
        semaphore.release()?;
        assert!(semaphore.locked());
        sleep(0).await?;
        assert_eq!(result.take(), [2, 3]);
        assert_eq!(extras(&semaphore), "locked, waiters:1");
        assert_eq!((t1.done(), t1.result()?), (true, true));
        let racing = [t2, t3, t4];
        assert_eq!(racing.iter().filter(|task| task.done()).count(), 2);
        semaphore.release()?;
        assert_eq!(gather(racing).await?, [true; 3]);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_acquire_cancel
#[test]
fn a_task_that_is_cancelled_waits_for_the_semaphore_no_more() {
    run(async {
        let semaphore = Semaphore::default();
        semaphore.acquire().await?;
        let acquire = create_task(semaphore.acquire());
        cancel_soon(&acquire);
        is_cancelled(acquire.await);
        assert_eq!(extras(&semaphore), "locked");
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_acquire_cancel_before_awoken
#[test]
fn a_permit_passes_over_those_that_are_being_cancelled() {
    run(async {
        let semaphore = Semaphore::new(0);
        let [t1, t2, t3, t4] = [(); 4].map(|()| create_task(semaphore.acquire()));
        sleep(0).await?;
        t1.cancel();
        t2.cancel();
        semaphore.release()?;
        sleep(0).await?;
        sleep(0).await?;
        assert_eq!((t3.done(), t4.done()), (true, false));
        t4.cancel();
        is_cancelled(t4.await);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_acquire_hang
#[test]
fn the_next_waiter_gets_the_permit_of_one_that_is_cancelled() {
    run(async {
        let semaphore = Semaphore::new(0);
        let (t1, t2) = (
            create_task(semaphore.acquire()),
            create_task(semaphore.acquire()),
        );
        sleep(0).await?;
        t1.cancel();
        semaphore.release()?;
        sleep(0).await?;
        sleep(0).await?;
        assert!(semaphore.locked());
        assert!(t2.done());
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_acquire_no_hang
#[test]
fn a_permit_that_a_cancelled_task_was_handed_comes_back() {
    run(async {
        let semaphore = Semaphore::new(1);
        let second: Rc<RefCell<Option<Task<()>>>> = Rc::default();
        let (inside, other) = (semaphore.clone(), second.clone());
        let t1 = create_task(async move {
            {
                let _held = inside.lock().await?;
                sleep(0).await?;
            }
            other.borrow().as_ref().unwrap().cancel();
            Ok(())
        });
        let inside = semaphore.clone();
        let t2 = create_task(async move {
            let _held = inside.lock().await?;
            panic!("it was cancelled");
        });
        second.replace(Some(t2.clone()));
        let results = gather_results([t1, t2]).await?;
        assert!(results[0].is_ok());
        is_cancelled(results.into_iter().nth(1).unwrap());
        wait_for(semaphore.acquire(), 1.0).await
    });
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_release_not_acquired
// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_release_no_waiters
#[test]
fn only_a_bounded_semaphore_is_not_released_too_often() {
    fails(BoundedSemaphore::new(1).release(), "ValueError");
    run(async {
        let semaphore = Semaphore::default();
        semaphore.acquire().await?;
        assert!(semaphore.locked());
        semaphore.release()?;
        assert!(!semaphore.locked());
        semaphore.release()?;
        assert_eq!(extras(&semaphore), "unlocked, value:2");
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_acquire_fifo_order
#[test]
fn who_asks_again_waits_behind_the_others() {
    run(async {
        let (semaphore, result) = (Semaphore::new(1), Log::new());
        task_group(async |group| {
            for tag in ["c1", "c2", "c3"] {
                let (semaphore, result) = (semaphore.clone(), result.clone());
                group.create_task(async move {
                    for round in 1..=2 {
                        semaphore.acquire().await?;
                        result.push(format!("{tag}_{round}"));
                        sleep(0.01).await?;
                        semaphore.release()?;
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        let expected = ["c1_1", "c2_1", "c3_1", "c1_2", "c2_2", "c3_2"];
        assert_eq!(result.take(), expected);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_acquire_fifo_order_2
#[test]
fn also_if_it_asks_at_once() {
    run(async {
        let (semaphore, result) = (Semaphore::new(1), Log::new());
        let t1 = taker(&semaphore, &result, 1);
        let (inside, seen) = (semaphore.clone(), result.clone());
        let t2 = create_task(async move {
            inside.acquire().await?;
            seen.push(2);
            inside.release()?;
            inside.acquire().await?;
            seen.push(4);
            Ok(true)
        });
        let t3 = taker(&semaphore, &result, 3);
        sleep(0).await?;
        semaphore.release()?;
        semaphore.release()?;
        gather([t1, t2, t3]).await?;
        assert_eq!(result.take(), [1, 2, 3, 4]);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_acquire_fifo_order_3
#[test]
fn a_cancelled_waiter_leaves_its_place_to_the_next() {
    run(async {
        let (semaphore, result) = (Semaphore::new(0), Log::new());
        let tasks = [1, 2, 3].map(|n| taker(&semaphore, &result, n));
        sleep(0).await?;
        tasks[0].cancel();
        sleep(0).await?;
        semaphore.release()?;
        semaphore.release()?;
        gather_results(tasks).await?;
        assert_eq!(result.take(), [2, 3]);
        Ok(())
    });
}

// cpython: test_asyncio/test_locks.py::SemaphoreTests::test_acquire_fifo_order_4
#[test]
fn who_is_woken_wakes_those_behind_it_for_whom_there_are_permits() {
    run(async {
        let (semaphore, result) = (Semaphore::new(0), Log::new());
        let fourth: Rc<RefCell<Option<Task<bool>>>> = Rc::default();
        let (inside, seen, last) = (semaphore.clone(), result.clone(), fourth.clone());
        let t1 = create_task(async move {
            assert_eq!(extras(&inside), "locked");
            inside.acquire().await?;
            // All who waited are woken by now: this one comes after them.
            assert_eq!(extras(&inside), "locked, waiters:2");
            let behind = seen.clone();
            last.replace(Some(create_task(async move {
                behind.push(4);
                Ok(true)
            })));
            seen.push(1);
            Ok(true)
        });
        let (inside, seen) = (semaphore.clone(), result.clone());
        let t2 = create_task(async move {
            for _ in 0..3 {
                inside.release()?;
            }
            // The first has a permit but has not run yet.
            assert!(inside.locked());
            inside.acquire().await?;
            seen.push(2);
            Ok(true)
        });
        let (inside, seen) = (semaphore.clone(), result.clone());
        let locked = Rc::new(Cell::new(false));
        let was_locked = locked.clone();
        let t3 = create_task(async move {
            inside.acquire().await?;
            was_locked.set(inside.locked());
            seen.push(3);
            Ok(true)
        });
        sleep(0).await?;
        assert_eq!(extras(&semaphore), "locked, waiters:3");
        sleep(0).await?;
        let t4 = fourth.take().unwrap();
        gather([t1, t2, t3, t4]).await?;
        assert_eq!(result.take(), [1, 2, 3, 4]);
        assert!(locked.get());
        Ok(())
    });
}
