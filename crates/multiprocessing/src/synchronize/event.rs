//! `multiprocessing.Event`.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use bytemuck::Zeroable;
use hilos_core::time::Timeout;
use serde::{Deserialize, Serialize};

use super::patience::Patience;
use super::repr::debug_like_display;
use crate::error::Error;
use crate::handle::Handle;
use crate::sys::futex;

/// A flag that processes can wait for.
///
/// Use it to tell processes that something has happened or that they shall stop. A handle: clones
/// are the same event, in this process and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{Event, Process};
///
/// let ready = Event::new()?;
/// let process = Process::new(|ready: Event| ready.set(), (ready.clone(),));
/// process.start()?;
/// assert!(ready.wait(None));
/// # process.join(None)?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - Who waits when the event is set goes on, even if it is cleared before it runs; `wait` is then
///   `true`, where CPython may answer `False`.
///
/// Mirrors [`multiprocessing.Event`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Event).
#[derive(Clone, Serialize, Deserialize)]
pub struct Event {
    state: Handle<State>,
}

#[derive(Debug, Zeroable)]
#[repr(C)]
struct State {
    /// [`SET`] while it is set, and above that how often it was.
    word: AtomicU32,
    /// How many wait, or a little more if some were killed.
    waiting: AtomicU32,
}

const SET: u32 = 1;

impl Event {
    /// Creates an event that is not set.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptor left.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            state: Handle::new()?,
        })
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.state.word.load(Ordering::Acquire) & SET != 0
    }

    /// Sets the event and wakes every process that waits for it.
    pub fn set(&self) {
        // Also if it is set: a `clear` after this call must see what came before it.
        let set = |word: u32| match word & SET {
            0 => Some((word | SET).wrapping_add(2)),
            _ => Some(word),
        };
        let state = &*self.state;
        let _ = state
            .word
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, set);
        if state.waiting.load(Ordering::SeqCst) != 0 {
            futex::wake(&state.word, u32::MAX);
        }
    }

    /// Clears the event: `wait` waits again.
    pub fn clear(&self) {
        self.state.word.fetch_and(!SET, Ordering::AcqRel);
    }

    /// Blocks until the event is set, or returns `false` when `timeout` has passed.
    ///
    /// A negative timeout does not block.
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> bool {
        let deadline = timeout.into().deadline();
        let first = self.state.word.load(Ordering::Acquire);
        let happened = |word: u32| word & SET != 0 || word >> 1 != first >> 1;
        if happened(first) || deadline.is_past() {
            return happened(first);
        }
        let mut patience = Patience::until(deadline);
        self.state.waiting.fetch_add(1, Ordering::SeqCst);
        let result = loop {
            let word = self.state.word.load(Ordering::SeqCst);
            if happened(word) || deadline.passed() {
                break happened(word);
            }
            futex::wait(&self.state.word, word, patience.next());
        };
        self.state.waiting.fetch_sub(1, Ordering::Relaxed);
        result
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_set() { "set" } else { "unset" };
        let place = std::ptr::from_ref(&*self.state).addr();
        write!(f, "<Event at {place:#x} {state}>")
    }
}

debug_like_display!(Event);
