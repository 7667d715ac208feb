//! What is left when a process is killed while it holds something.

use hilos::multiprocessing::{
    Barrier, BoundedSemaphore, Condition, Error, Event, JoinableQueue, Lock, Process, Queue, RLock,
    Semaphore, StartMethod, Value,
};
use hilos::threading::Thread;

use crate::support::{LONG, each_start_method, run_to_end, wait_until};

/// Says that it holds what it shall hold, and waits to be killed.
fn hold_on(holding: &Event) -> ! {
    holding.set();
    loop {
        std::thread::park();
    }
}

/// Starts a process, kills it when it holds what it shall hold, and returns its number.
fn kill_when_holding(process: &Process, holding: &Event) -> u32 {
    process.start().unwrap();
    assert!(holding.wait(LONG));
    let pid = process.pid().unwrap();
    process.kill().unwrap();
    pid
}

fn died(result: Result<impl std::fmt::Debug, Error>) -> u32 {
    match result {
        Err(Error::OwnerDied(pid)) => pid,
        other => panic!("nobody has died: {other:?}"),
    }
}

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

    fn while_it_waits_at_a_barrier(method: StartMethod) {
        let barrier = Barrier::new(3).unwrap();
        let wait = |barrier: Barrier| barrier.wait(None).map(drop);
        let [first, second] = [(); 2].map(|()| {
            Process::new(wait, (barrier.clone(),)).with_start_method(method)
        });
        first.start().unwrap();
        second.start().unwrap();
        wait_until("both are inside", || barrier.n_waiting() == 2);
        second.kill().unwrap();
        first.join(LONG).unwrap();
        assert_eq!(first.exitcode(), Some(1));
        assert!(barrier.broken());
        barrier.reset().unwrap();
        assert!(!barrier.broken());
        assert_eq!(barrier.n_waiting(), 0);
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
fn a_notification_is_not_lost_with_its_receiver() {
    fn wait(condition: Condition, inside: Value<i32>) -> Result<(), Error> {
        let _held = condition.lock()?;
        inside.update(|n| *n += 1)?;
        assert!(condition.wait(LONG)?);
        Ok(())
    }
    let (condition, inside) = (Condition::new().unwrap(), Value::new(0).unwrap());
    let [first, second] = [(); 2].map(|()| Process::new(wait, (condition.clone(), inside.clone())));
    first.start().unwrap();
    wait_until("the first one waits", || inside.get().unwrap() == 1);
    second.start().unwrap();
    wait_until("both wait", || inside.get().unwrap() == 2);
    // The first to come is the first to be notified, but it is no more.
    let held = condition.lock().unwrap();
    first.kill().unwrap();
    first.join(LONG).unwrap();
    condition.notify(1).unwrap();
    drop(held);
    second.join(LONG).unwrap();
    assert_eq!(second.exitcode(), Some(0));
}

#[test]
fn an_action_s_death_breaks_the_barrier() {
    let holding = Event::new().unwrap();
    let barrier = Barrier::new(2)
        .unwrap()
        .with_action(|holding: Event| hold_on(&holding), (holding.clone(),))
        .unwrap();
    let wait = |barrier: Barrier| barrier.wait(None).map(drop);
    let first = Process::new(wait, (barrier.clone(),));
    first.start().unwrap();
    wait_until("the first one is inside", || barrier.n_waiting() == 1);
    let second = Process::new(wait, (barrier.clone(),));
    kill_when_holding(&second, &holding);
    first.join(LONG).unwrap();
    assert_eq!(first.exitcode(), Some(1));
    assert!(barrier.broken());
}

#[test]
fn a_queue_goes_on_without_those_who_were_killed_in_it() {
    fn put(queue: Queue<Vec<u64>>, who: u64) {
        for number in 0.. {
            queue.put(&vec![who + number; 100]).unwrap();
        }
    }
    let queue = Queue::new(50).unwrap();
    for round in 0..50 {
        let process = Process::new(put, (queue.clone(), round * 1_000_000));
        process.start().unwrap();
        for _ in 0..(round % 7 + 1) * 11 {
            let item = queue.get_timeout(LONG).unwrap();
            assert!(item.len() == 100 && item.iter().all(|&n| n == item[0]));
        }
        // In the middle of a `put`, or of waiting for room.
        process.kill().unwrap();
        process.join(LONG).unwrap();
        let left = queue.qsize();
        for _ in 0..left {
            let item = queue.get_timeout(LONG).unwrap();
            assert!(item.len() == 100 && item.iter().all(|&n| n == item[0]));
        }
        assert!(matches!(queue.get_nowait(), Err(Error::Empty)));
    }
}

#[test]
fn every_item_is_got_once_although_readers_are_killed() {
    fn get(queue: Queue<u64>, seen: Queue<u64>) {
        loop {
            let item = queue.get().unwrap();
            seen.put(&item).unwrap();
        }
    }
    let (queue, seen) = (Queue::new(0).unwrap(), Queue::new(0).unwrap());
    const ITEMS: u64 = 20_000;
    for item in 0..ITEMS {
        queue.put(&item).unwrap();
    }
    let mut killed = 0;
    while !queue.empty() {
        let reader = Process::new(get, (queue.clone(), seen.clone()));
        reader.start().unwrap();
        let before = seen.qsize();
        wait_until("the reader reads", || {
            queue.empty() || seen.qsize() > before + 500
        });
        reader.kill().unwrap();
        reader.join(LONG).unwrap();
        killed += 1;
    }
    let mut items: Vec<u64> = (0..seen.qsize()).map(|_| seen.get().unwrap()).collect();
    let count = items.len() as u64;
    items.sort_unstable();
    items.dedup();
    assert_eq!(items.len() as u64, count, "an item came twice");
    // Each one that was killed may have had one item in its hands.
    assert!(
        ITEMS - count <= killed,
        "{count} of {ITEMS} came, {killed} were killed"
    );
}

#[test]
fn join_tells_that_a_task_will_not_be_done() {
    let (tasks, holding) = (JoinableQueue::new(0).unwrap(), Event::new().unwrap());
    tasks.put(&1).unwrap();
    let take = |tasks: JoinableQueue<i32>, holding: Event| {
        tasks.get().unwrap();
        hold_on(&holding)
    };
    let process = Process::new(take, (tasks.clone(), holding.clone()));
    let pid = kill_when_holding(&process, &holding);
    assert_eq!(died(tasks.join()), pid);
    tasks.task_done().unwrap();
    tasks.join().unwrap();
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
fn a_notification_is_inherited_only_by_those_who_waited_then() {
    let (condition, inside) = (Condition::new().unwrap(), Value::new(0).unwrap());
    let wait = |condition: Condition, inside: Value<i32>| {
        let _held = condition.lock().unwrap();
        inside.set(1).unwrap();
        condition.wait(None).unwrap();
    };
    let process = Process::new(wait, (condition.clone(), inside.clone()));
    process.start().unwrap();
    wait_until("it waits", || inside.get().unwrap() == 1);
    let _held = condition.lock().unwrap();
    process.kill().unwrap();
    process.join(LONG).unwrap();
    condition.notify_all().unwrap();
    assert!(
        !condition.wait(0.5).unwrap(),
        "nobody has notified this one"
    );
}

#[test]
fn a_barrier_with_a_dead_one_inside_can_be_reset() {
    let barrier = Barrier::new(3).unwrap();
    let wait = |barrier: Barrier| barrier.wait(None).map(drop);
    let process = Process::new(wait, (barrier.clone(),));
    process.start().unwrap();
    wait_until("it is inside", || barrier.n_waiting() == 1);
    process.kill().unwrap();
    process.join(LONG).unwrap();
    barrier.reset().unwrap();
    assert_eq!((barrier.n_waiting(), barrier.broken()), (0, false));
    let processes = [(); 2].map(|()| Process::new(wait, (barrier.clone(),)));
    processes
        .iter()
        .for_each(|process| process.start().unwrap());
    barrier.wait(LONG).unwrap();
    for process in processes {
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
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

#[test]
fn a_dead_one_s_task_that_another_does_is_forgotten() {
    let tasks = JoinableQueue::new(0).unwrap();
    tasks.put(&1).unwrap();
    let take = |tasks: JoinableQueue<i32>| assert_eq!(tasks.get().unwrap(), 1);
    assert_eq!(run_to_end(&Process::new(take, (tasks.clone(),))), Some(0));
    died(tasks.join());
    tasks.task_done().unwrap();
    tasks.join().unwrap();
    tasks.put(&2).unwrap();
    assert!(
        !tasks.join_timeout(0.3).unwrap(),
        "nobody has the second task"
    );
}

#[test]
fn tasks_that_are_handed_on_are_nobody_s() {
    let (tasks, handed) = (JoinableQueue::new(0).unwrap(), Queue::new(0).unwrap());
    (1..=3).for_each(|task| tasks.put(&task).unwrap());
    let take = |tasks: JoinableQueue<i32>, handed: Queue<i32>, ready: Event| {
        (1..=3).for_each(|_| handed.put(&tasks.get().unwrap()).unwrap());
        ready.wait(LONG);
    };
    let ready = Event::new().unwrap();
    let process = Process::new(take, (tasks.clone(), handed.clone(), ready.clone()));
    process.start().unwrap();
    handed.get().unwrap();
    tasks.task_done().unwrap();
    ready.set();
    process.join(LONG).unwrap();
    assert!(!tasks.join_timeout(0.3).unwrap(), "two tasks are not done");
    (2..=3).for_each(|_| tasks.task_done().unwrap());
    tasks.join().unwrap();
}

/// An item whose arrival takes for ever.
#[derive(serde::Serialize)]
struct Slow(bool);

impl<'de> serde::Deserialize<'de> for Slow {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer)? {
            true => loop {
                std::thread::park();
            },
            false => Ok(Self(false)),
        }
    }
}

#[test]
fn a_task_is_taken_before_it_is_decoded() {
    let tasks = JoinableQueue::new(0).unwrap();
    tasks.put(&Slow(true)).unwrap();
    let take = |tasks: JoinableQueue<Slow>| drop(tasks.get());
    let process = Process::new(take, (tasks.clone(),));
    process.start().unwrap();
    wait_until("the item is got", || tasks.empty());
    process.kill().unwrap();
    let pid = process.pid().unwrap();
    assert_eq!(died(tasks.join_timeout(LONG)), pid);
}
