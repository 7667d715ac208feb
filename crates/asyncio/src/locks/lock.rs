//! `asyncio.Lock`.

use std::cell::Cell;
use std::fmt;
use std::future::Future as StdFuture;
use std::rc::Rc;

use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::locks::event::describe_waiters;
use crate::locks::waiters::Waiters;
use crate::repr::{address, debug_like_display};
use crate::site::{self, WaitsIn};

/// A lock that tasks acquire in the order in which they ask for it.
///
/// A handle: clones are the same lock. `async with lock:` is
/// `let _held = lock.lock().await?;`, which holds the lock until the end of the block.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let lock = asyncio::Lock::new();
///     {
///         let _held = lock.lock().await?;
///         assert!(lock.locked());
///     }
///     assert!(!lock.locked());
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// Mirrors [`asyncio.Lock`](https://docs.python.org/3.14/library/asyncio-sync.html#asyncio.Lock).
#[derive(Clone, Default)]
pub struct Lock(Rc<Inner>);

#[derive(Default)]
struct Inner {
    locked: Cell<bool>,
    waiters: Rc<Waiters>,
}

impl Lock {
    /// Creates a lock that nobody holds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the lock is held.
    pub fn locked(&self) -> bool {
        self.0.locked.get()
    }

    /// Waits until the lock is free and it is this task's turn, and takes it.
    ///
    /// # Errors
    /// The `CancelledError` of a task that is cancelled meanwhile, which then does not hold it;
    /// [`RuntimeError`] in another loop than that of earlier waiters.
    #[track_caller]
    pub fn acquire(&self) -> impl StdFuture<Output = Result<()>> + use<> {
        site::mark(WaitsIn::Lock);
        let this = self.clone();
        async move {
            if !this.locked() && this.0.waiters.all_cancelled() {
                this.0.locked.set(true);
                return Ok(());
            }
            let waiter = this.0.waiters.enter(|| this.to_string())?;
            let mut turn = Turn {
                lock: &this,
                taken: false,
            };
            waiter.await?;
            turn.taken = true;
            this.0.locked.set(true);
            Ok(())
        }
    }

    /// Acquires the lock, and releases it when the guard is dropped: Python's `async with`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    #[track_caller]
    pub fn lock(&self) -> impl StdFuture<Output = Result<LockGuard>> + use<> {
        site::mark(WaitsIn::Lock);
        let this = self.clone();
        async move {
            site::quietly(|| this.acquire()).await?;
            Ok(LockGuard(this))
        }
    }

    /// Releases the lock, and wakes the task whose turn it is.
    ///
    /// # Errors
    /// [`RuntimeError`] if nobody holds it.
    pub fn release(&self) -> Result<()> {
        if !self.0.locked.replace(false) {
            return Err(RuntimeError::new("Lock is not acquired.").into());
        }
        self.wake_up_first();
        Ok(())
    }

    /// Wakes the first waiter, unless it was woken before.
    fn wake_up_first(&self) {
        if let Some(first) = self.0.waiters.first()
            && !first.done()
        {
            let _ = first.set_result(());
        }
    }

    /// Whether both are the same lock.
    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// A waiter's turn: if it is not taken, the next one's has come.
struct Turn<'l> {
    lock: &'l Lock,
    taken: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.taken && !self.lock.locked() {
            self.lock.wake_up_first();
        }
    }
}

/// Holds a [`Lock`] until it is dropped.
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct LockGuard(pub(super) Lock);

impl Drop for LockGuard {
    fn drop(&mut self) {
        // The program may have released it by hand.
        let _ = self.0.release();
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LockGuard").field(&self.0).finish()
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.locked() { "locked" } else { "unlocked" };
        write!(
            f,
            "<asyncio.locks.Lock object at {} [{state}",
            address(&*self.0)
        )?;
        describe_waiters(&self.0.waiters, f)
    }
}

debug_like_display!(Lock);
