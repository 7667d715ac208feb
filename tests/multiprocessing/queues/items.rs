//! What an item may be, and what becomes of one that cannot travel.

use hilos::multiprocessing::{Error, Lock, Process, Queue};
use serde::{Deserialize, Serialize};

use crate::support::LONG;

/// Refuses to be sent.
#[derive(Clone, Deserialize)]
struct Stubborn(bool);

impl Serialize for Stubborn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            true => Err(serde::ser::Error::custom("I stay")),
            false => serializer.serialize_newtype_struct("Stubborn", &false),
        }
    }
}

// cpython: _test_multiprocessing.py::_TestQueue::test_queue_feeder_donot_stop_onexc
// cpython: _test_multiprocessing.py::_TestQueue::test_queue_feeder_on_queue_feeder_error
#[test]
fn an_item_that_cannot_travel_is_an_error_of_put() {
    let queue = Queue::new(1).unwrap();
    let error = queue.put(&Stubborn(true)).unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }));
    assert!(error.to_string().contains("Stubborn"), "{error}");
    queue.put(&Stubborn(false)).unwrap();
    assert_eq!(queue.qsize(), 1);
    assert!(!queue.get_timeout(LONG).unwrap().0);
    assert!(queue.empty());
}

/// Refuses to arrive if it says so.
#[derive(Serialize)]
struct Shy(bool);

impl<'de> Deserialize<'de> for Shy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer)? {
            true => Err(serde::de::Error::custom("not here")),
            false => Ok(Self(false)),
        }
    }
}

#[test]
fn an_item_that_does_not_arrive_costs_itself_alone() {
    let queue = Queue::new(0).unwrap();
    queue.put(&Shy(true)).unwrap();
    queue.put(&Shy(false)).unwrap();
    let error = queue.get().map(drop).unwrap_err();
    assert!(error.to_string().contains("Shy"), "{error}");
    assert!(!queue.get().unwrap().0);
}

#[test]
fn items_of_all_sizes_arrive_whole() {
    let queue = Queue::<Vec<u8>>::new(0).unwrap();
    let echo = |queue: Queue<Vec<u8>>, back: Queue<Vec<u8>>| loop {
        let item = queue.get().unwrap();
        let last = item.len() == 1;
        back.put(&item).unwrap();
        if last {
            return;
        }
    };
    let back = Queue::new(0).unwrap();
    let process = Process::new(echo, (queue.clone(), back.clone()));
    process.start().unwrap();
    let item = |size: usize| -> Vec<u8> { (0..size).map(|n| (n * 31 % 251) as u8).collect() };
    let sizes = [
        0, 2, 7, 65_519, 65_520, 65_536, 65_537, 200_000, 5_000_000, 3, 1_000_000, 1,
    ];
    for size in sizes {
        queue.put(&item(size)).unwrap();
    }
    for size in sizes {
        assert_eq!(back.get_timeout(LONG).unwrap(), item(size), "{size} bytes");
    }
    process.join(LONG).unwrap();
}

#[test]
fn handles_do_not_travel_through_a_queue() {
    let queue = Queue::new(0).unwrap();
    let error = queue.put(&Lock::new().unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("through a Connection"),
        "{error}"
    );
    let inner = Queue::<i32>::new(0).unwrap();
    assert!(matches!(
        Queue::new(0).unwrap().put(&inner),
        Err(Error::Encoding { .. })
    ));
    // Through a connection they do.
    let (one, other) = hilos::multiprocessing::pipe(true).unwrap();
    one.send(&inner).unwrap();
    inner.put(&5).unwrap();
    assert_eq!(other.recv::<Queue<i32>>().unwrap().get().unwrap(), 5);
}
