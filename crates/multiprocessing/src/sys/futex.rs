//! Waiting on a word of memory that processes share.

use std::ptr::{from_ref, null};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use hilos_core::time::Deadline;

/// Blocks while `word` holds `expected`, until woken or until `deadline`.
///
/// Returns also for no reason: the caller looks at its condition again.
pub(crate) fn wait(word: &AtomicU32, expected: u32, deadline: Deadline) {
    let limit = deadline.remaining().map(timespec);
    let timeout = limit.as_ref().map_or(null(), from_ref);
    // SAFETY: the word is borrowed for the whole call, and so is the time; the kernel only reads
    // both. Not the private kind, so that other processes' waiters count.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            expected,
            timeout,
        );
    }
}

/// Wakes up to `count` waiters of any process.
pub(crate) fn wake(word: &AtomicU32, count: u32) {
    let count = count.min(i32::MAX as u32);
    // SAFETY: the address only names the word's queue; nothing is read or written there.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count);
    }
}

fn timespec(time: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}
