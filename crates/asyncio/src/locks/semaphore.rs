//! `asyncio.Semaphore` and `asyncio.BoundedSemaphore`.

use std::cell::Cell;
use std::fmt;
use std::future::Future as StdFuture;
use std::ops::Deref;
use std::rc::Rc;

use crate::exception::Result;
use crate::exceptions::ValueError;
use crate::futures::Future;
use crate::locks::event::describe_waiters;
use crate::locks::waiters::Waiters;
use crate::repr::{address, debug_like_display};
use crate::site::{self, WaitsIn};

/// A number of permits that tasks acquire in the order in which they ask.
///
/// A handle: clones are the same semaphore. `async with semaphore:` is
/// `let _held = semaphore.lock().await?;`.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let two_at_a_time = asyncio::Semaphore::new(2);
///     let _one = two_at_a_time.lock().await?;
///     let _two = two_at_a_time.lock().await?;
///     assert!(two_at_a_time.locked());
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Differences from Python
/// - A negative number of permits cannot be written.
///
/// Mirrors [`asyncio.Semaphore`](https://docs.python.org/3.14/library/asyncio-sync.html#asyncio.Semaphore).
#[derive(Clone)]
pub struct Semaphore(Rc<Inner>);

struct Inner {
    value: Cell<usize>,
    waiters: Rc<Waiters>,
    /// The most permits that there can be.
    bound: Option<usize>,
}

impl Default for Semaphore {
    /// A semaphore of one permit.
    fn default() -> Self {
        Self::new(1)
    }
}

impl Semaphore {
    /// Creates a semaphore of `value` permits.
    pub fn new(value: usize) -> Self {
        Self::of(value, None)
    }

    fn of(value: usize, bound: Option<usize>) -> Self {
        Self(Rc::new(Inner {
            value: Cell::new(value),
            waiters: Rc::default(),
            bound,
        }))
    }

    /// Whether a task that asks for a permit now would have to wait.
    pub fn locked(&self) -> bool {
        self.0.value.get() == 0 || !self.0.waiters.all_cancelled()
    }

    /// Waits for a permit and takes it.
    ///
    /// # Errors
    /// The `CancelledError` of a task that is cancelled meanwhile, which then has none;
    /// [`RuntimeError`](crate::RuntimeError) in another loop than that of earlier waiters.
    #[track_caller]
    pub fn acquire(&self) -> impl StdFuture<Output = Result<()>> + use<> {
        site::mark(WaitsIn::Semaphore);
        let this = self.clone();
        async move {
            if !this.locked() {
                this.0.value.update(|value| value - 1);
                return Ok(());
            }
            let waiter = this.0.waiters.enter(|| this.to_string())?;
            let mut granted = Granted {
                semaphore: &this,
                future: waiter.future().clone(),
                taken: false,
            };
            waiter.await?;
            granted.taken = true;
            Ok(())
        }
    }

    /// Acquires a permit, and releases it when the guard is dropped: Python's `async with`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    #[track_caller]
    pub fn lock(&self) -> impl StdFuture<Output = Result<SemaphoreGuard>> + use<> {
        site::mark(WaitsIn::Semaphore);
        let this = self.clone();
        async move {
            site::quietly(|| this.acquire()).await?;
            Ok(SemaphoreGuard(this))
        }
    }

    /// Releases a permit, and wakes the task whose turn it is.
    ///
    /// # Errors
    /// [`ValueError`] if the semaphore is bounded and all permits are there.
    pub fn release(&self) -> Result<()> {
        if self
            .0
            .bound
            .is_some_and(|bound| self.0.value.get() >= bound)
        {
            let message = "BoundedSemaphore released too many times";
            return Err(ValueError::new(message).into());
        }
        self.0.value.update(|value| value + 1);
        self.wake_up_next();
        Ok(())
    }

    /// Hands a permit to the first waiter that has none; says whether there is one.
    fn wake_up_next(&self) -> bool {
        let woken = self.0.waiters.wake(1) == 1;
        if woken {
            self.0.value.update(|value| value - 1);
        }
        woken
    }
}

/// The permit that a waiter may have been handed.
struct Granted<'s> {
    semaphore: &'s Semaphore,
    future: Future<()>,
    taken: bool,
}

impl Drop for Granted<'_> {
    fn drop(&mut self) {
        let value = &self.semaphore.0.value;
        if !self.taken && self.future.done() && !self.future.cancelled() {
            value.update(|value| value + 1);
        }
        // Others may have come meanwhile and had to queue up.
        while value.get() > 0 && self.semaphore.wake_up_next() {}
    }
}

/// Holds a permit of a [`Semaphore`] until it is dropped.
#[must_use = "the permit is released at once if the guard is not kept"]
pub struct SemaphoreGuard(Semaphore);

impl Drop for SemaphoreGuard {
    fn drop(&mut self) {
        // The program may have released it by hand.
        let _ = self.0.release();
    }
}

impl fmt::Debug for SemaphoreGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SemaphoreGuard").field(&self.0).finish()
    }
}

impl fmt::Display for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.0.bound.is_some() {
            "BoundedSemaphore"
        } else {
            "Semaphore"
        };
        write!(f, "<asyncio.locks.{name} object at {} [", address(&*self.0))?;
        match self.locked() {
            true => f.write_str("locked")?,
            false => write!(f, "unlocked, value:{}", self.0.value.get())?,
        }
        describe_waiters(&self.0.waiters, f)
    }
}

debug_like_display!(Semaphore);

/// A [`Semaphore`] that refuses to have more permits than at first.
///
/// Mirrors [`asyncio.BoundedSemaphore`](https://docs.python.org/3.14/library/asyncio-sync.html#asyncio.BoundedSemaphore).
#[derive(Clone)]
pub struct BoundedSemaphore(Semaphore);

impl Default for BoundedSemaphore {
    /// A semaphore of one permit.
    fn default() -> Self {
        Self::new(1)
    }
}

impl BoundedSemaphore {
    /// Creates a semaphore of `value` permits.
    pub fn new(value: usize) -> Self {
        Self(Semaphore::of(value, Some(value)))
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
        self.0.fmt(f)
    }
}

debug_like_display!(BoundedSemaphore);
