//! Locks, conditions, events and barriers.

use hilos::multiprocessing::managers::{AcquirerProxy, RemoteError, RemoteManager};
use hilos::pickle::Global;
use hilos::threading::Thread;

use super::server::{with_all, with_newest};
use crate::support::LONG;

fn in_thread<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let thread = Thread::returning(f);
    thread.start().unwrap();
    thread.join(None).unwrap()
}

#[test]
fn a_lock_is_held_by_one() {
    with_all(|manager| {
        let lock = manager.lock().unwrap();
        lock.acquire().unwrap();
        assert!(!lock.try_acquire().unwrap());
        assert!(!lock.acquire_timeout(0.01).unwrap());
        // Anybody may release it.
        let other = lock.clone();
        in_thread(move || other.release()).unwrap();
        let again = lock.release().unwrap_err();
        assert!(matches!(again, RemoteError::Runtime(_)), "{again:?}");
        assert!(lock.acquire_timeout(LONG).unwrap());
        lock.release().unwrap();
        {
            let _held = lock.lock().unwrap();
            assert!(!lock.try_acquire().unwrap());
        }
        let held = lock.with(|| lock.try_acquire().unwrap());
        assert!(!held.unwrap());
        assert!(lock.try_acquire().unwrap());
    });
}

#[test]
fn an_rlock_belongs_to_its_thread() {
    with_all(|manager| {
        let lock = manager.rlock().unwrap();
        lock.acquire().unwrap();
        assert!(
            lock.try_acquire().unwrap(),
            "its holder may acquire it again"
        );
        let other = lock.clone();
        in_thread(move || {
            assert!(!other.try_acquire().unwrap());
            let error = other.release().unwrap_err();
            assert_eq!(
                format!("{error:?}"),
                "RuntimeError: cannot release un-acquired lock"
            );
        });
        lock.release().unwrap();
        lock.release().unwrap();
        let other = lock.clone();
        in_thread(move || other.with(|| ())).unwrap();
    });
}

#[test]
fn semaphores_count() {
    with_all(|manager| {
        let counts = |semaphore: &AcquirerProxy| {
            semaphore.acquire().unwrap();
            semaphore.acquire().unwrap();
            assert!(!semaphore.try_acquire().unwrap());
            assert!(!semaphore.acquire_timeout(0.01).unwrap());
            semaphore.release().unwrap();
            semaphore.release().unwrap();
        };
        counts(&manager.semaphore(2).unwrap());
        let bounded = manager.bounded_semaphore(2).unwrap();
        counts(&bounded);
        let error = bounded.release().unwrap_err();
        assert_eq!(
            format!("{error:?}"),
            "ValueError: Semaphore released too many times"
        );
    });
}

#[test]
fn who_waits_for_a_condition_is_notified() {
    with_all(|manager| {
        let (condition, ready) = (manager.condition().unwrap(), manager.value("i", 0).unwrap());
        let (theirs, value) = (condition.clone(), ready.clone());
        let waiter = Thread::returning(move || {
            let _held = theirs.lock().unwrap();
            value.set(1).unwrap();
            theirs.wait_for(|| value.get().unwrap() == 2, LONG).unwrap()
        });
        waiter.start().unwrap();
        let held = condition.lock().unwrap();
        // Once it has said so and this thread has the lock, it waits.
        while ready.get().unwrap() != 1 {
            condition.wait(0.05).unwrap();
        }
        ready.set(2).unwrap();
        condition.notify_all().unwrap();
        condition.notify(1).unwrap();
        drop(held);
        assert!(waiter.join(LONG).unwrap());
    });
}

#[test]
fn a_condition_has_to_be_held() {
    with_all(|manager| {
        let condition = manager.condition().unwrap();
        let say = |error: RemoteError| format!("{error:?}");
        assert_eq!(
            say(condition.wait(0.01).unwrap_err()),
            "RuntimeError: cannot wait on un-acquired lock"
        );
        assert_eq!(
            say(condition.notify(1).unwrap_err()),
            "RuntimeError: cannot notify on un-acquired lock"
        );
        let _held = condition.lock().unwrap();
        assert!(!condition.wait(0.01).unwrap());
        assert!(!condition.wait_for(|| false, 0.02).unwrap());
    });
}

#[test]
fn a_condition_may_have_a_lock_of_the_manager_s() {
    with_newest(|manager| {
        let lock = manager.lock().unwrap();
        let condition = manager.condition_with(&lock).unwrap();
        lock.acquire().unwrap();
        condition.notify_all().unwrap();
        assert!(!condition.try_acquire().unwrap());
        lock.release().unwrap();
        assert!(condition.try_acquire().unwrap());
    });
}

#[test]
fn an_event_wakes_all() {
    with_all(|manager| {
        let event = manager.event().unwrap();
        assert!(!event.is_set().unwrap() && !event.wait(0.01).unwrap());
        let theirs = event.clone();
        let waiter = Thread::returning(move || theirs.wait(LONG).unwrap());
        waiter.start().unwrap();
        event.set().unwrap();
        assert!(event.is_set().unwrap() && event.wait(None).unwrap());
        assert!(waiter.join(LONG).unwrap());
        event.clear().unwrap();
        assert!(!event.is_set().unwrap());
    });
}

#[test]
fn a_barrier_lets_all_go_together() {
    with_all(|manager| {
        let barrier = manager.barrier(2).unwrap();
        assert_eq!(barrier.parties().unwrap(), 2);
        let theirs = barrier.clone();
        let other = Thread::returning(move || theirs.wait(LONG).unwrap());
        other.start().unwrap();
        let places = [barrier.wait(LONG).unwrap(), other.join(LONG).unwrap()];
        assert_eq!(places.iter().sum::<usize>(), 1, "{places:?}");
        assert_eq!(
            (barrier.n_waiting().unwrap(), barrier.broken().unwrap()),
            (0, false)
        );
        assert!(matches!(
            barrier.wait(0.01),
            Err(RemoteError::BrokenBarrier)
        ));
        assert!(barrier.broken().unwrap());
        barrier.reset().unwrap();
        assert!(!barrier.broken().unwrap());
        barrier.abort().unwrap();
        assert!(matches!(
            barrier.wait(None),
            Err(RemoteError::BrokenBarrier)
        ));
    });
}

#[test]
fn each_thread_has_a_connection_of_its_own() {
    with_newest(|manager: &RemoteManager| {
        let (lock, queue) = (manager.lock().unwrap(), manager.queue::<i64>(0).unwrap());
        // One waits in the server while another goes on.
        let theirs = queue.clone();
        let waiter = Thread::returning(move || theirs.get().unwrap());
        waiter.start().unwrap();
        lock.with(|| queue.put(1).unwrap()).unwrap();
        assert_eq!(waiter.join(LONG).unwrap(), 1);
    });
}

#[test]
fn a_barrier_s_action_is_the_server_s() {
    with_all(|manager| {
        let barrier = manager.barrier_with_action(1, &Global::new("builtins", "int"));
        assert_eq!(barrier.unwrap().wait(LONG).unwrap(), 0);
        // It is called with nothing, and needs something.
        let barrier = manager.barrier_with_action(1, &Global::new("builtins", "len"));
        let error = barrier.unwrap().wait(LONG).unwrap_err();
        assert!(matches!(error, RemoteError::Type(_)), "{error:?}");
    });
}
