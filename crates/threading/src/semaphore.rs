//! `threading.Semaphore` and `threading.BoundedSemaphore`.

use std::fmt;
use std::ops::Deref;

use hilos_core::const_fn;
use hilos_core::park::{PARKED, Parked, park, unpark};
use hilos_core::sync::atomic::{AtomicUsize, Ordering};
use hilos_core::sync::spin_until;
use hilos_core::time::{Deadline, Timeout};

use crate::error::ValueError;
use crate::repr::{address, debug_like_display};

/// What one unit of the value adds to the state, above the bit [`PARKED`].
const ONE: usize = 2;

/// The largest value that fits the state.
const MAX: usize = usize::MAX / ONE;

/// A counter that threads take from and give back to; taking from zero blocks.
///
/// Use it to let a limited number of threads use something at once, or to count what producers
/// have made for consumers. [`BoundedSemaphore`] also notices a release too many.
///
/// ```
/// use hilos_threading as threading;
/// use threading::Semaphore;
///
/// static CONNECTIONS: Semaphore = Semaphore::new(2);
///
/// let _first = CONNECTIONS.lock(); // Python's `with semaphore:`
/// CONNECTIONS.acquire();
/// assert!(!CONNECTIONS.try_acquire());
/// CONNECTIONS.release()?;
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// - `release(n)` is [`release_n`](Self::release_n).
/// - A negative initial value cannot be written.
/// - A timeout beyond [`TIMEOUT_MAX`](crate::TIMEOUT_MAX) waits for ever; CPython refuses it.
///
/// Mirrors [`threading.Semaphore`](https://docs.python.org/3.14/library/threading.html#threading.Semaphore).
pub struct Semaphore {
    /// The value times [`ONE`], and [`PARKED`] while threads wait.
    state: AtomicUsize,
    /// What the value may not exceed.
    bound: usize,
}

impl Semaphore {
    const_fn! {
        /// Creates a semaphore that `value` acquisitions do not block on; Python's default is 1.
        pub const fn new(value: usize) -> Self {
            Self::with_bound(value, MAX)
        }
    }

    const_fn! {
        const fn with_bound(value: usize, bound: usize) -> Self {
            let value = if value > MAX { MAX } else { value };
            Self { state: AtomicUsize::new(value * ONE), bound }
        }
    }

    /// Takes one from the value, and blocks while it is zero.
    ///
    /// # Blocking
    /// Without a limit.
    #[inline]
    pub fn acquire(&self) {
        self.acquire_until(Deadline::NEVER);
    }

    /// Takes one from the value if it is not zero; Python's `acquire(blocking=False)`.
    #[inline]
    #[must_use]
    pub fn try_acquire(&self) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state >= ONE {
            match self.state.compare_exchange_weak(
                state,
                state - ONE,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(current) => state = current,
            }
        }
        false
    }

    /// Takes one from the value, or returns `false` if it is still zero after `timeout`.
    ///
    /// As in Python, a negative timeout does not block.
    #[must_use]
    pub fn acquire_timeout<T: Into<Timeout>>(&self, timeout: T) -> bool {
        self.try_acquire() || self.acquire_slow(timeout.into().deadline())
    }

    /// Adds one to the value and wakes one waiting thread.
    ///
    /// # Errors
    /// [`ValueError`] if the semaphore is bounded and would exceed its initial value; nothing has
    /// changed then.
    #[inline]
    pub fn release(&self) -> Result<(), ValueError> {
        self.release_n(1)
    }

    /// Adds `n` to the value and wakes up to `n` waiting threads; Python's `release(n)`.
    ///
    /// # Errors
    /// [`ValueError`] if `n` is 0, or if the semaphore is bounded and would exceed its initial
    /// value; nothing has changed then.
    #[inline]
    pub fn release_n(&self, n: usize) -> Result<(), ValueError> {
        if n == 0 {
            return Err(ValueError::ReleaseNone);
        }
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if self.bound - state / ONE < n {
                return Err(ValueError::ReleasedTooManyTimes);
            }
            match self.state.compare_exchange_weak(
                state,
                state + n * ONE,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(current) => state = current,
            }
        }
        if state & PARKED != 0 {
            unpark(&self.state, n);
        }
        Ok(())
    }

    /// Acquires the semaphore and releases it when the guard is dropped: Python's `with`.
    #[inline]
    pub fn lock(&self) -> SemaphoreGuard<'_> {
        self.acquire();
        SemaphoreGuard(self)
    }

    /// Calls `f` between an acquisition and its release, and releases also if `f` panics.
    pub fn with<R, F: FnOnce() -> R>(&self, f: F) -> R {
        let _held = self.lock();
        f()
    }

    #[inline]
    fn acquire_until(&self, deadline: Deadline) -> bool {
        self.try_acquire() || self.acquire_slow(deadline)
    }

    #[cold]
    fn acquire_slow(&self, deadline: Deadline) -> bool {
        if !deadline.is_past() && spin_until(|| self.try_acquire()) {
            return true;
        }
        loop {
            if self.try_acquire() {
                return true;
            }
            if deadline.is_past() {
                return false;
            }
            // Fails if there is something to take now; the next turn finds out.
            let empty =
                self.state
                    .compare_exchange(0, PARKED, Ordering::Relaxed, Ordering::Relaxed);
            if matches!(empty, Ok(_) | Err(PARKED))
                && park(&self.state, PARKED, deadline) == Parked::TimedOut
            {
                return self.try_acquire();
            }
        }
    }

    fn value(&self) -> usize {
        self.state.load(Ordering::Relaxed) / ONE
    }
}

impl Default for Semaphore {
    /// A semaphore of value 1.
    fn default() -> Self {
        Self::new(1)
    }
}

impl fmt::Display for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<threading.Semaphore at {}: value={}>",
            address(self),
            self.value()
        )
    }
}

debug_like_display!(Semaphore);

/// A semaphore whose value never exceeds the one it started with.
///
/// Use it where each release pairs with an acquisition: a release too many is an error instead of
/// a limit that silently grew. It has every method of [`Semaphore`].
///
/// ```
/// use hilos_threading as threading;
/// use threading::BoundedSemaphore;
///
/// let places = BoundedSemaphore::new(1);
/// places.acquire();
/// places.release()?;
/// assert_eq!(places.release().unwrap_err().to_string(), "Semaphore released too many times");
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// As for [`Semaphore`].
///
/// Mirrors [`threading.BoundedSemaphore`](https://docs.python.org/3.14/library/threading.html#threading.BoundedSemaphore).
pub struct BoundedSemaphore(Semaphore);

impl BoundedSemaphore {
    const_fn! {
        /// Creates a semaphore that `value` acquisitions do not block on; Python's default is 1.
        pub const fn new(value: usize) -> Self {
            Self(Semaphore::with_bound(value, if value > MAX { MAX } else { value }))
        }
    }
}

impl Deref for BoundedSemaphore {
    type Target = Semaphore;

    #[inline]
    fn deref(&self) -> &Semaphore {
        &self.0
    }
}

impl Default for BoundedSemaphore {
    /// A semaphore of value 1.
    fn default() -> Self {
        Self::new(1)
    }
}

impl fmt::Display for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, value, bound) = (address(self), self.value(), self.bound);
        write!(
            f,
            "<threading.BoundedSemaphore at {address}: value={value}/{bound}>"
        )
    }
}

debug_like_display!(BoundedSemaphore);

/// Gives back to a [`Semaphore`] what it took when it is dropped.
#[must_use = "the semaphore is released at once if the guard is not kept"]
#[derive(Debug)]
pub struct SemaphoreGuard<'a>(&'a Semaphore);

impl Drop for SemaphoreGuard<'_> {
    fn drop(&mut self) {
        // Fails only if somebody released by hand what this guard holds.
        let _ = self.0.release();
    }
}
