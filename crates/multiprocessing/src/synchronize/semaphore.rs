//! `multiprocessing.Semaphore` and `BoundedSemaphore`.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytemuck::Zeroable;
use hilos_core::sync::spin_until;
use hilos_core::time::{Deadline, Timeout};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::holders::{Hint, Holders};
use super::lock::RELEASED_TOO_OFTEN;
use super::patience::Patience;
use super::repr::debug_like_display;
use crate::error::Error;
use crate::handle::Handle;
use crate::sys::futex;

/// A counter that processes take from and give back to, and that never goes below zero.
///
/// Use it to let a limited number of processes do something at the same time, or to count what one
/// process makes and another takes. A handle: clones are the same semaphore, in this process
/// and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::Semaphore;
///
/// let places = Semaphore::new(2)?;
/// places.acquire()?;
/// assert_eq!(places.get_value(), 1);
/// places.release()?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - Whoever would wait because a process was killed before it gave back what it took gets
///   [`Error::OwnerDied`]; CPython waits for ever. Where processes release what they have not
///   acquired, the semaphore counts things and has no holders: nobody is told of any death. So it is
///   where more than 250 processes hold it.
///
/// Mirrors [`multiprocessing.Semaphore`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Semaphore).
#[derive(Clone)]
pub struct Semaphore {
    state: Handle<State>,
    hint: Arc<Hint>,
}

#[derive(Debug, Zeroable)]
#[repr(C)]
struct State {
    value: AtomicU32,
    /// How many wait, or a little more if some were killed.
    waiting: AtomicU32,
    /// What the value may not exceed.
    maximum: AtomicU32,
    /// 1 once somebody has released what it had not acquired.
    counting: AtomicU32,
    holders: Holders,
}

/// The greatest value of a semaphore, as in CPython on Linux.
const SEM_VALUE_MAX: u32 = i32::MAX as u32;

impl Semaphore {
    /// Creates a semaphore with a value.
    ///
    /// # Errors
    /// [`Error::Value`] if the value exceeds 2,147,483,647; [`Error::Os`] if the system has no
    /// memory or no descriptor left.
    pub fn new(value: usize) -> Result<Self, Error> {
        Self::with_maximum(value, SEM_VALUE_MAX)
    }

    fn with_maximum(value: usize, maximum: u32) -> Result<Self, Error> {
        let value = u32::try_from(value).ok().filter(|&v| v <= SEM_VALUE_MAX);
        let value = value.ok_or_else(|| Error::Value("Invalid argument".into()))?;
        let state = Handle::<State>::new()?;
        state.value.store(value, Ordering::Relaxed);
        state.maximum.store(maximum.max(value), Ordering::Relaxed);
        Ok(Self {
            state,
            hint: Arc::default(),
        })
    }

    /// Blocks until the value is above zero, and takes one away.
    ///
    /// # Errors
    /// [`Error::OwnerDied`] if it would wait and a process was killed that had not given back what
    /// it took; [`recover`](Self::recover) gives it back.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn acquire(&self) -> Result<(), Error> {
        self.acquire_until(Deadline::NEVER).map(drop)
    }

    /// Takes one away if that needs no waiting; Python's `acquire(block=False)`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn try_acquire(&self) -> Result<bool, Error> {
        self.acquire_until(Deadline::PAST)
    }

    /// Takes one away, or returns `false` when `timeout` has passed; a negative one does not wait.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn acquire_timeout<T: Into<Timeout>>(&self, timeout: T) -> Result<bool, Error> {
        self.acquire_until(timeout.into().deadline())
    }

    /// Gives one back, and lets one waiting process go on.
    ///
    /// # Errors
    /// [`Error::Value`] if the value would exceed the greatest one.
    pub fn release(&self) -> Result<(), Error> {
        let state = &*self.state;
        // First, so that nobody who is killed in between counts as the holder of what is free.
        let mine = !self.counts() && state.holders.remove(&self.hint);
        let maximum = state.maximum.load(Ordering::Relaxed);
        let more = |value| (value < maximum).then_some(value + 1);
        state
            .value
            .fetch_update(Ordering::Release, Ordering::Relaxed, more)
            .map_err(|_| Error::Value(RELEASED_TOO_OFTEN.into()))?;
        if !mine {
            state.counting.store(1, Ordering::Relaxed);
        }
        self.wake(1);
        Ok(())
    }

    /// Gives back what killed processes had taken; `false` if there was nothing.
    #[must_use]
    pub fn recover(&self) -> bool {
        if self.counts() {
            return false;
        }
        let taken = self.state.holders.bury();
        self.state.value.fetch_add(taken, Ordering::Release);
        self.wake(taken);
        taken != 0
    }

    /// The value at this moment.
    pub fn get_value(&self) -> usize {
        self.state.value.load(Ordering::Relaxed) as usize
    }

    /// Whether [`acquire`](Self::acquire) would wait.
    pub fn locked(&self) -> bool {
        self.get_value() == 0
    }

    /// Takes one away and gives it back when the guard is dropped: Python's `with semaphore:`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn lock(&self) -> Result<SemaphoreGuard<'_>, Error> {
        self.acquire()?;
        Ok(SemaphoreGuard(self))
    }

    /// Calls `f` between [`acquire`](Self::acquire) and [`release`](Self::release), which happens
    /// also if `f` panics.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire); `f` is not called then.
    pub fn with<R, F: FnOnce() -> R>(&self, f: F) -> Result<R, Error> {
        let _held = self.lock()?;
        Ok(f())
    }

    fn acquire_until(&self, deadline: Deadline) -> Result<bool, Error> {
        let taken = self.take() || !deadline.is_past() && spin_until(|| self.take());
        Ok(taken || self.wait(deadline)?)
    }

    fn take(&self) -> bool {
        let state = &*self.state;
        let less = |value: u32| value.checked_sub(1);
        let taken = state
            .value
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, less)
            .is_ok();
        if taken && !self.counts() {
            state.holders.add(&self.hint);
        }
        taken
    }

    fn wait(&self, deadline: Deadline) -> Result<bool, Error> {
        let state = &*self.state;
        let mut patience = Patience::until(deadline);
        state.waiting.fetch_add(1, Ordering::SeqCst);
        let result = loop {
            if self.take() {
                break Ok(true);
            }
            if patience.exhausted() {
                if let Err(error) = self.check_holders() {
                    break Err(error);
                }
                if deadline.passed() {
                    break Ok(false);
                }
            }
            futex::wait(&state.value, 0, patience.next());
        };
        state.waiting.fetch_sub(1, Ordering::Relaxed);
        result
    }

    fn check_holders(&self) -> Result<(), Error> {
        if self.counts() {
            return Ok(());
        }
        match self.state.holders.dead() {
            Some(life) => Err(Error::OwnerDied(life.id())),
            None => Ok(()),
        }
    }

    /// Whether it counts things, which nobody holds.
    #[inline]
    fn counts(&self) -> bool {
        self.state.counting.load(Ordering::Relaxed) != 0
    }

    fn wake(&self, count: u32) {
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.state.waiting.load(Ordering::Relaxed) != 0 {
            futex::wake(&self.state.value, count);
        }
    }
}

impl Serialize for Semaphore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.state.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Semaphore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            state: Handle::deserialize(deserializer)?,
            hint: Arc::default(),
        })
    }
}

impl fmt::Display for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Semaphore(value={})>", self.get_value())
    }
}

debug_like_display!(Semaphore);

/// A [`Semaphore`] whose value never exceeds its first.
///
/// Use it where each release belongs to an acquire: one too many is an error then.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::BoundedSemaphore;
///
/// let places = BoundedSemaphore::new(2)?;
/// assert!(places.release().is_err());
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// Mirrors [`multiprocessing.BoundedSemaphore`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.BoundedSemaphore).
#[derive(Clone, Serialize, Deserialize)]
pub struct BoundedSemaphore(Semaphore);

impl BoundedSemaphore {
    /// Creates a semaphore with its greatest value.
    ///
    /// # Errors
    /// As [`Semaphore::new`].
    pub fn new(value: usize) -> Result<Self, Error> {
        Semaphore::with_maximum(value, 0).map(Self)
    }
}

impl Deref for BoundedSemaphore {
    type Target = Semaphore;

    fn deref(&self) -> &Semaphore {
        &self.0
    }
}

impl fmt::Display for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let maximum = self.state.maximum.load(Ordering::Relaxed);
        let value = self.get_value();
        write!(f, "<BoundedSemaphore(value={value}, maxvalue={maximum})>")
    }
}

debug_like_display!(BoundedSemaphore);

/// Gives back to a [`Semaphore`] when it is dropped.
#[must_use = "the semaphore is released at once if the guard is not kept"]
#[derive(Debug)]
pub struct SemaphoreGuard<'a>(&'a Semaphore);

impl Drop for SemaphoreGuard<'_> {
    fn drop(&mut self) {
        // Released by hand meanwhile.
        let _ = self.0.release();
    }
}
