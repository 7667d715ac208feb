//! What is left of locks, semaphores and values.

use hilos::multiprocessing::{
    BoundedSemaphore, Event, Lock, Process, RLock, Semaphore, StartMethod, Value,
};
use hilos::threading::Thread;

use super::{died, hold_on, kill_when_holding};
use crate::support::{LONG, each_start_method, run_to_end};

each_start_method! {
    fn of_a_lock(method: StartMethod) {
        let (lock, holding) = (Lock::new().unwrap(), Event::new().unwrap());
        let hold = |lock: Lock, holding: Event| {
            lock.acquire().unwrap();
            hold_on(&holding)
        };
        let process = Process::new(hold, (lock.clone(), holding.clone()));
        let process = process.with_start_method(method);
        let pid = kill_when_holding(&process, &holding);
        // Also before anybody has waited for the process's end, and again until it is recovered.
        assert_eq!(died(lock.acquire()), pid);
        assert_eq!(died(lock.acquire_timeout(LONG)), pid);
        assert_eq!(died(lock.try_acquire()), pid);
        process.join(LONG).unwrap();
        assert_eq!(died(lock.lock()), pid);
        assert!(lock.locked());
        assert!(lock.recover());
        assert!(!lock.recover(), "its holder lives now");
        assert!(!lock.try_acquire().unwrap());
        lock.release().unwrap();
        lock.with(|| ()).unwrap();
    }

    fn of_an_rlock(method: StartMethod) {
        let (lock, holding) = (RLock::new().unwrap(), Event::new().unwrap());
        let hold = |lock: RLock, holding: Event| {
            lock.acquire().unwrap();
            lock.acquire().unwrap();
            hold_on(&holding)
        };
        let process = Process::new(hold, (lock.clone(), holding.clone()));
        let process = process.with_start_method(method);
        let pid = kill_when_holding(&process, &holding);
        assert_eq!(died(lock.acquire()), pid);
        assert!(lock.recover());
        lock.acquire().unwrap();
        lock.release().unwrap();
        assert!(lock.locked());
        lock.release().unwrap();
        assert!(!lock.locked(), "the dead holder's depth does not count");
    }

    fn of_a_semaphore(method: StartMethod) {
        let (semaphore, holding) = (BoundedSemaphore::new(2).unwrap(), Event::new().unwrap());
        let hold = |semaphore: BoundedSemaphore, holding: Event| {
            semaphore.acquire().unwrap();
            semaphore.acquire().unwrap();
            hold_on(&holding)
        };
        let process = Process::new(hold, (semaphore.clone(), holding.clone()));
        let process = process.with_start_method(method);
        let pid = kill_when_holding(&process, &holding);
        assert_eq!(died(semaphore.acquire()), pid);
        assert!(semaphore.recover());
        assert!(!semaphore.recover());
        assert_eq!(semaphore.get_value(), 2);
        semaphore.acquire().unwrap();
        semaphore.release().unwrap();
    }
}

#[test]
fn those_who_wait_already_are_told() {
    let (lock, holding) = (Lock::new().unwrap(), Event::new().unwrap());
    let hold = |lock: Lock, holding: Event| {
        lock.acquire().unwrap();
        hold_on(&holding)
    };
    let process = Process::new(hold, (lock.clone(), holding.clone()));
    process.start().unwrap();
    assert!(holding.wait(LONG));
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let lock = lock.clone();
            let waiter = Thread::returning(move || lock.acquire());
            waiter.start().unwrap();
            waiter
        })
        .collect();
    let pid = process.pid().unwrap();
    process.kill().unwrap();
    for waiter in waiters {
        assert_eq!(died(waiter.join(None).unwrap()), pid);
    }
}

#[test]
fn an_rlock_is_lost_with_its_thread() {
    let lock = RLock::new().unwrap();
    let theirs = lock.clone();
    let thread = Thread::returning(move || theirs.acquire().unwrap());
    thread.start().unwrap();
    thread.join(None).unwrap();
    died(lock.acquire());
    assert!(lock.recover());
    lock.release().unwrap();
}

#[test]
fn a_plain_lock_outlives_the_thread_that_acquired_it() {
    let lock = Lock::new().unwrap();
    let theirs = lock.clone();
    let thread = Thread::returning(move || theirs.acquire().unwrap());
    thread.start().unwrap();
    thread.join(None).unwrap();
    assert!(
        !lock.acquire_timeout(0.3).unwrap(),
        "anybody may still release it"
    );
    lock.release().unwrap();
}

#[test]
fn a_semaphore_that_counts_things_has_no_holders() {
    let (semaphore, holding) = (Semaphore::new(0).unwrap(), Event::new().unwrap());
    semaphore.release().unwrap();
    let take = |semaphore: Semaphore, holding: Event| {
        semaphore.acquire().unwrap();
        hold_on(&holding)
    };
    let process = Process::new(take, (semaphore.clone(), holding.clone()));
    kill_when_holding(&process, &holding);
    process.join(LONG).unwrap();
    assert!(!semaphore.acquire_timeout(0.3).unwrap());
}

#[test]
fn a_value_s_lock_is_recovered() {
    let (value, holding) = (Value::new(1).unwrap(), Event::new().unwrap());
    let hold = |value: Value<i32>, holding: Event| {
        value.acquire().unwrap();
        value.set(2).unwrap();
        hold_on(&holding)
    };
    let process = Process::new(hold, (value.clone(), holding.clone()));
    let pid = kill_when_holding(&process, &holding);
    assert_eq!(died(value.get()), pid);
    assert!(value.get_lock().recover());
    assert_eq!(value.get_obj().get(), 2);
    value.release().unwrap();
    assert_eq!(value.get().unwrap(), 2);
}

#[test]
fn one_of_those_who_recover_has_the_lock() {
    let lock = Lock::new().unwrap();
    for _ in 0..20 {
        let holder = Process::new(|lock: Lock| lock.acquire().unwrap(), (lock.clone(),));
        assert_eq!(run_to_end(&holder), Some(0));
        let threads = [(); 4].map(|()| {
            let lock = lock.clone();
            Thread::returning(move || lock.recover())
        });
        threads.iter().for_each(|thread| thread.start().unwrap());
        let recovered = threads.map(|thread| thread.join(None).unwrap());
        assert_eq!(recovered.iter().filter(|&&recovered| recovered).count(), 1);
        lock.release().unwrap();
        assert!(!lock.locked());
    }
}

#[test]
fn a_semaphore_that_counts_things_has_nothing_to_recover() {
    let semaphore = Semaphore::new(2).unwrap();
    let take = |semaphore: Semaphore| {
        semaphore.acquire().unwrap();
        semaphore.acquire().unwrap();
    };
    assert_eq!(
        run_to_end(&Process::new(take, (semaphore.clone(),))),
        Some(0)
    );
    // One that this process has not acquired.
    semaphore.release().unwrap();
    assert!(!semaphore.recover());
    assert_eq!(semaphore.get_value(), 1);
}
