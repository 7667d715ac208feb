//! What is left of queues and their tasks.

use hilos::multiprocessing::{Error, Event, JoinableQueue, Process, Queue};

use super::{died, hold_on, kill_when_holding};
use crate::support::{LONG, run_to_end, wait_until};

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
