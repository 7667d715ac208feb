//! The parking lot: a queue for each word of memory.

use std::collections::HashMap;
use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use parking_lot::Mutex as Hidden;

use super::queue::Queue;
use crate::park::{PARKED, Parked};
use crate::time::Deadline;

loom::lazy_static! {
    /// By the address of the word. Each queue has a lock of its own, as words seldom share one in
    /// parking_lot: a common lock would order memory that nothing else orders.
    static ref QUEUES: Hidden<HashMap<usize, Arc<Queue>>> = Hidden::default();
}

pub(super) fn make() {
    let _made: &Hidden<_> = &QUEUES;
}

fn queue(word: &AtomicUsize) -> Arc<Queue> {
    let address = std::ptr::from_ref(word).addr();
    QUEUES.lock().entry(address).or_default().clone()
}

/// The model of [`park`](crate::park::park).
pub fn park(word: &AtomicUsize, expected: usize, deadline: Deadline) -> Parked {
    assert!(
        expected & PARKED != 0,
        "unpark would not look for this thread"
    );
    queue(word).sleep(
        || word.load(Ordering::Relaxed) == expected,
        || {},
        deadline.instant(),
        |was_last| clear_parked(word, was_last),
    )
}

/// The model of [`unpark`](crate::park::unpark).
pub fn unpark(word: &AtomicUsize, count: usize) -> usize {
    queue(word).wake(count, |was_last| {
        if was_last {
            word.fetch_and(!PARKED, Ordering::Relaxed);
        } else {
            word.fetch_or(PARKED, Ordering::Relaxed);
        }
    })
}

/// The model of [`unpark_all`](crate::park::unpark_all).
pub fn unpark_all(word: &AtomicUsize, value: usize) {
    // All other changes of a word are read-modify-writes, so a store comes after those that the
    // thread has seen and all that build on them. Loom does not conclude that of a store.
    queue(word).wake(usize::MAX, |_| {
        word.swap(value, Ordering::Release);
    });
}

fn clear_parked(word: &AtomicUsize, was_last: bool) {
    if was_last {
        word.fetch_and(!PARKED, Ordering::Relaxed);
    }
}
