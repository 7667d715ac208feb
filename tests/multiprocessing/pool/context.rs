//! `map_with`: a value that goes to each worker once.

use std::sync::atomic::{AtomicUsize, Ordering};

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::pool::{JobError, Pool};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Deserializer, Serialize};

use super::Refuses;
use crate::support::{LONG, wait_until};

/// How often a worker has received a context, and how many it has.
static RECEIVED: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);

#[derive(Serialize)]
struct Table(Vec<u64>);

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RECEIVED.fetch_add(1, Ordering::Relaxed);
        HELD.fetch_add(1, Ordering::Relaxed);
        Vec::deserialize(deserializer).map(Self)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::Relaxed);
    }
}

fn look_up(table: &Table, index: usize) -> (u64, usize) {
    (table.0[index], RECEIVED.load(Ordering::Relaxed))
}

#[test]
fn each_worker_receives_it_once_and_drops_it_in_the_end() {
    let pool = Pool::new(3).unwrap();
    let small = pool.with_chunksize(1);
    for round in 1..=3 {
        let table = Table((0..1000).map(|n| n * round).collect());
        let results = small.map_with(table, look_up, 0..1000).unwrap();
        for (index, (value, received)) in (0..).zip(results) {
            assert_eq!(value, index * round);
            assert!(received <= round as usize, "received {received} times");
        }
    }
    wait_until("the workers to drop the last context", || {
        let held = small.map(|_: u32| HELD.load(Ordering::Relaxed), 0..100);
        held.unwrap().iter().all(|held| *held == 0)
    });
}

#[test]
fn several_contexts_are_told_apart() {
    let pool = Pool::new(2).unwrap().with_chunksize(1);
    let multiply = |factor: &u64, number: u64| factor * number;
    let maps: Vec<_> = (0..10)
        .map(|factor| pool.map_async_with(factor, multiply, 0..50).unwrap())
        .collect();
    for (factor, map) in (0..).zip(maps) {
        let expected: Vec<u64> = (0..50).map(|number| factor * number).collect();
        assert_eq!(map.get(LONG).unwrap(), expected);
    }
    let texts = pool.imap_with("a".to_string(), |a, n: u8| format!("{a}{n}"), 0..20);
    let texts: Vec<String> = texts.map(Result::unwrap).collect();
    assert_eq!(texts, (0..20).map(|n| format!("a{n}")).collect::<Vec<_>>());
}

#[test]
fn a_worker_that_takes_anothers_place_receives_it_too() {
    fn add(base: &u32, number: u32) -> u32 {
        if number % 10 == 3 {
            kill(Pid::this(), Signal::SIGKILL).unwrap();
        }
        base + number
    }
    let pool = Pool::new(2).unwrap();
    let results: Vec<_> = pool.imap_with(1000, add, 0..100).collect();
    for (number, result) in (0..).zip(results) {
        match result {
            Ok(value) => assert_eq!(value, 1000 + number),
            Err(error) => assert!(error.is_worker_lost() && number % 10 == 3, "{error:?}"),
        }
    }
}

#[test]
fn handles_in_it_travel() {
    let pool = Pool::new(2).unwrap();
    let (ours, theirs) = pipe(true).unwrap();
    let send = |end: &Connection, _: u8| end.send(&5).map_err(|error| error.to_string());
    // Two processes that write to one socket at a time: each message is short and goes whole.
    let sent = pool.map_with(theirs, send, [1, 2, 3]).unwrap();
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    for _ in 0..3 {
        assert_eq!(ours.recv_timeout::<i32, _>(LONG).unwrap(), 5);
    }
}

#[test]
fn one_that_does_not_travel_fails_the_call_alone() {
    let pool = Pool::new(1).unwrap();
    let refused = pool.map_with(Refuses, |_, number: u32| number, [1]);
    let Err(JobError::Encoding(reason)) = refused else {
        panic!("{refused:?}")
    };
    assert!(reason.contains("Refuses"), "{reason}");
    assert_eq!(
        pool.map_with(2, |two, number| two * number, [4]),
        Ok(vec![8])
    );
}

#[test]
fn one_that_does_not_arrive_fails_its_jobs() {
    #[derive(Serialize)]
    struct Vanishes;
    impl<'de> Deserialize<'de> for Vanishes {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom("lost on the way"))
        }
    }
    let pool = Pool::new(1).unwrap();
    let results = pool.imap_with(Vanishes, |_, number: u32| number, 0..3);
    for result in results {
        let Err(JobError::Failed(failure)) = result else {
            panic!("{result:?}")
        };
        assert_eq!(failure.type_name(), "UnpicklingError");
        assert!(failure.message().contains("Vanishes"), "{failure}");
    }
}
