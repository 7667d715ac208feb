//! A thread waits on a word of memory until another wakes it.
//!
//! The word is the primitive's own state. Its lowest bit, [`PARKED`], says that threads may be
//! waiting: whoever waits sets it first, and the last one to leave clears it, so that waking costs
//! nothing while nobody waits. Waiters are woken in the order in which they came, never by chance.

/// The bit of a word that is set while threads wait on it.
pub const PARKED: usize = 1;

/// How a call of [`park`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// [`unpark`] chose this thread.
    Woken,
    /// The word did not hold the expected value; the thread did not wait.
    Changed,
    /// The deadline passed; the thread is no longer in the queue.
    TimedOut,
}

#[cfg(not(loom))]
pub use system::{park, unpark, unpark_all};

#[cfg(loom)]
pub use crate::sync::model::{park, unpark, unpark_all};

#[cfg(not(loom))]
mod system {
    use parking_lot_core::{
        DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN, FilterOp, ParkResult, UnparkResult,
    };

    use super::{PARKED, Parked};
    use crate::sync::atomic::{AtomicUsize, Ordering};
    use crate::time::Deadline;

    /// Waits on `word` until it is woken or `deadline` passes, if it still holds `expected`.
    ///
    /// `expected` must have [`PARKED`] set. The comparison and the entry into the queue are one
    /// step for [`unpark`]: no wake-up is lost between them.
    pub fn park(word: &AtomicUsize, expected: usize, deadline: Deadline) -> Parked {
        debug_assert!(
            expected & PARKED != 0,
            "unpark would not look for this thread"
        );
        let validate = || word.load(Ordering::Relaxed) == expected;
        let timed_out = |_key, was_last| {
            if was_last {
                word.fetch_and(!PARKED, Ordering::Relaxed);
            }
        };
        // SAFETY: the key is the address of a word that the caller borrows for the whole call, so
        // no other primitive lives there; `validate` and `timed_out` only touch that word and can
        // neither panic nor enter the parking lot; `before_sleep` does nothing.
        let result = unsafe {
            parking_lot_core::park(
                key(word),
                validate,
                || {},
                timed_out,
                DEFAULT_PARK_TOKEN,
                deadline.instant(),
            )
        };
        match result {
            ParkResult::Unparked(_) => Parked::Woken,
            ParkResult::Invalid => Parked::Changed,
            ParkResult::TimedOut => Parked::TimedOut,
        }
    }

    /// Wakes up to `count` threads that wait on `word`, the longest waiting first.
    ///
    /// Sets [`PARKED`] if anybody is left in the queue and clears it if not, whatever it was, and
    /// returns how many were woken.
    pub fn unpark(word: &AtomicUsize, count: usize) -> usize {
        let mut left = count;
        let filter = |_| match left {
            0 => FilterOp::Stop,
            _ => {
                left -= 1;
                FilterOp::Unpark
            }
        };
        let callback = |result: UnparkResult| {
            if result.have_more_threads {
                word.fetch_or(PARKED, Ordering::Relaxed);
            } else {
                word.fetch_and(!PARKED, Ordering::Relaxed);
            }
            DEFAULT_UNPARK_TOKEN
        };
        // SAFETY: the key is the address of a word that the caller borrows; neither closure can
        // panic or enter the parking lot.
        unsafe { parking_lot_core::unpark_filter(key(word), filter, callback) }.unparked_threads
    }

    /// Wakes every thread that waits on `word`, and stores `value` in it in the same step.
    ///
    /// Whoever finds `value` in the word comes too late to be woken by this call.
    pub fn unpark_all(word: &AtomicUsize, value: usize) {
        let callback = |_| {
            // A swap goes on with the release sequence of whoever wrote the word before.
            word.swap(value, Ordering::Release);
            DEFAULT_UNPARK_TOKEN
        };
        // SAFETY: the key is the address of a word that the caller borrows; neither closure can
        // panic or enter the parking lot.
        unsafe { parking_lot_core::unpark_filter(key(word), |_| FilterOp::Unpark, callback) };
    }

    fn key(word: &AtomicUsize) -> usize {
        std::ptr::from_ref(word).addr()
    }
}
