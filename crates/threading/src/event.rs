//! `threading.Event`.

use std::fmt;

use hilos_core::const_fn;
use hilos_core::park::{PARKED, Parked, park, unpark_all};
use hilos_core::sync::atomic::{AtomicUsize, Ordering};
use hilos_core::sync::spin_until;
use hilos_core::time::{Deadline, Timeout};

use crate::repr::{address, debug_like_display};

/// The bit that is set while the event is.
const SET: usize = 2;

/// A flag that threads can wait for.
///
/// Use it to tell threads that something has happened or that they shall stop. It can be a
/// `static`; threads share it by reference or in an `Arc`.
///
/// ```
/// use hilos_threading as threading;
/// use threading::{Event, Thread};
///
/// static READY: Event = Event::new();
///
/// let waiter = Thread::new(|| assert!(READY.wait(None)));
/// waiter.start()?;
/// READY.set();
/// waiter.join(None)?;
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// - A timeout beyond [`TIMEOUT_MAX`](crate::TIMEOUT_MAX) waits for ever; CPython refuses it.
///
/// Mirrors [`threading.Event`](https://docs.python.org/3.14/library/threading.html#threading.Event).
#[derive(Default)]
pub struct Event {
    /// [`SET`] or [`PARKED`], never both: whoever sets the event wakes every waiter.
    state: AtomicUsize,
}

impl Event {
    const_fn! {
        /// Creates an event that is not set.
        pub const fn new() -> Self {
            Self { state: AtomicUsize::new(0) }
        }
    }

    /// Whether the event is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.state.load(Ordering::Acquire) & SET != 0
    }

    /// Sets the event and wakes every thread that waits for it.
    ///
    /// They all go on, even if the event is cleared before they run.
    #[inline]
    pub fn set(&self) {
        let mut state = self.state.load(Ordering::Relaxed);
        while state != PARKED {
            // Also if it is set: a `clear` after this call must see what came before it.
            match self
                .state
                .compare_exchange_weak(state, SET, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(current) => state = current,
            }
        }
        // In one step, so that a thread that waits after a `clear` is not woken by this call.
        unpark_all(&self.state, SET);
    }

    /// Sets the event where no thread can be waiting, as in a forked child, without a look at who
    /// waited before the fork.
    pub(crate) fn set_unwatched(&self) {
        self.state.store(SET, Ordering::Release);
    }

    /// Clears the event: later calls of [`wait`](Self::wait) block again.
    #[inline]
    pub fn clear(&self) {
        // Acquires what came before the `set` that it undoes: nobody else will be told of it.
        self.state.fetch_and(!SET, Ordering::AcqRel);
    }

    /// Blocks until the event is set, or until `timeout` has passed; says whether it was set.
    ///
    /// As in Python, a negative timeout does not block.
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> bool {
        self.is_set() || self.wait_until(timeout.into().deadline())
    }

    /// Like [`wait`](Self::wait), with the moment at which to give up.
    #[doc(hidden)]
    pub fn wait_until(&self, deadline: Deadline) -> bool {
        if !deadline.is_past() && spin_until(|| self.is_set()) {
            return true;
        }
        loop {
            let state = self.state.load(Ordering::Acquire);
            if state & SET != 0 {
                return true;
            }
            if deadline.is_past() {
                return false;
            }
            if state & PARKED == 0 && !self.announce_waiter() {
                continue;
            }
            match park(&self.state, PARKED, deadline) {
                // Only `set` wakes: the event was set, whatever it is now.
                Parked::Woken => return true,
                Parked::TimedOut => return self.is_set(),
                Parked::Changed => {}
            }
        }
    }

    fn announce_waiter(&self) -> bool {
        self.state
            .compare_exchange(0, PARKED, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_set() { "set" } else { "unset" };
        write!(f, "<threading.Event at {}: {state}>", address(self))
    }
}

debug_like_display!(Event);
