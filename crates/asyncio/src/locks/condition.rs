//! `asyncio.Condition`.

use std::fmt;
use std::future::Future as StdFuture;
use std::rc::Rc;

use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::locks::event::describe_waiters;
use crate::locks::lock::{Lock, LockGuard};
use crate::locks::waiters::Waiters;
use crate::repr::{address, debug_like_display};
use crate::site::{self, WaitsIn};

/// A lock with which tasks can wait until others notify them.
///
/// A handle: clones are the same condition. Python's `async with condition:` is
/// `let _held = condition.lock().await?;`.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let condition = asyncio::Condition::new();
///     let waiter = asyncio::create_task({
///         let condition = condition.clone();
///         async move {
///             let _held = condition.lock().await?;
///             condition.wait().await
///         }
///     });
///     asyncio::sleep(0).await?;
///     {
///         let _held = condition.lock().await?;
///         condition.notify(1)?;
///     }
///     waiter.await
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// Mirrors [`asyncio.Condition`](https://docs.python.org/3.14/library/asyncio-sync.html#asyncio.Condition).
#[derive(Clone)]
pub struct Condition(Rc<Inner>);

struct Inner {
    lock: Lock,
    waiters: Rc<Waiters>,
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl Condition {
    /// Creates a condition with a lock of its own.
    pub fn new() -> Self {
        Self::with_lock(&Lock::new())
    }

    /// Creates a condition that uses `lock`, which others may use too.
    pub fn with_lock(lock: &Lock) -> Self {
        Self(Rc::new(Inner {
            lock: lock.clone(),
            waiters: Rc::default(),
        }))
    }

    /// Acquires the lock; as [`Lock::acquire`].
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn acquire(&self) -> impl StdFuture<Output = Result<()>> + use<> {
        self.0.lock.acquire()
    }

    /// Acquires the lock, and releases it when the guard is dropped; as [`Lock::lock`].
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn lock(&self) -> impl StdFuture<Output = Result<LockGuard>> + use<> {
        self.0.lock.lock()
    }

    /// Releases the lock; as [`Lock::release`].
    ///
    /// # Errors
    /// As there.
    pub fn release(&self) -> Result<()> {
        self.0.lock.release()
    }

    /// Whether the lock is held.
    pub fn locked(&self) -> bool {
        self.0.lock.locked()
    }

    /// Whether the condition uses this lock.
    pub fn uses(&self, lock: &Lock) -> bool {
        self.0.lock.is(lock)
    }

    /// Releases the lock, waits until notified, and acquires the lock again.
    ///
    /// The lock is held again whatever happens. A task may be woken without a reason: wait for the
    /// reason itself, as [`wait_for`](Self::wait_for) does.
    ///
    /// # Errors
    /// [`RuntimeError`] if the lock is not held; the `CancelledError` of a task that is cancelled
    /// meanwhile.
    #[track_caller]
    pub fn wait(&self) -> impl StdFuture<Output = Result<()>> + use<> {
        site::mark(WaitsIn::Condition);
        let this = self.clone();
        async move {
            if !this.locked() {
                return Err(RuntimeError::new("cannot wait on un-acquired lock").into());
            }
            let waiter = this.0.waiters.enter(|| this.to_string())?;
            this.release()?;
            let pass_on = PassOn(&this);
            let woken = waiter.await;
            this.acquire_in_any_case().await?;
            woken?;
            std::mem::forget(pass_on);
            Ok(())
        }
    }

    /// Acquires the lock, also if the task is cancelled meanwhile: the last error comes afterwards.
    async fn acquire_in_any_case(&self) -> Result<()> {
        let mut cancelled = Ok(());
        loop {
            match site::quietly(|| self.acquire()).await {
                Ok(()) => return cancelled,
                Err(exception) if exception.is_cancelled() => cancelled = Err(exception),
                Err(exception) => return Err(exception),
            }
        }
    }

    /// Waits until `predicate` is true, which is called first now and then each time that the task
    /// is woken.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_for<P: FnMut() -> bool>(
        &self,
        mut predicate: P,
    ) -> impl StdFuture<Output = Result<()>> + use<P> {
        site::mark(WaitsIn::Condition);
        let this = self.clone();
        async move {
            while !predicate() {
                site::quietly(|| this.wait()).await?;
            }
            Ok(())
        }
    }

    /// Wakes up to `n` waiting tasks.
    ///
    /// # Errors
    /// [`RuntimeError`] if the lock is not held.
    pub fn notify(&self, n: usize) -> Result<()> {
        if !self.locked() {
            return Err(RuntimeError::new("cannot notify on un-acquired lock").into());
        }
        self.0.waiters.wake(n);
        Ok(())
    }

    /// Wakes all waiting tasks.
    ///
    /// # Errors
    /// As [`notify`](Self::notify).
    pub fn notify_all(&self) -> Result<()> {
        self.notify(usize::MAX)
    }
}

/// Wakes another waiter in the stead of one that was perhaps woken and fails.
struct PassOn<'c>(&'c Condition);

impl Drop for PassOn<'_> {
    fn drop(&mut self) {
        self.0.0.waiters.wake(1);
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.locked() { "locked" } else { "unlocked" };
        write!(
            f,
            "<asyncio.locks.Condition object at {} [{state}",
            address(&*self.0)
        )?;
        describe_waiters(&self.0.waiters, f)
    }
}

debug_like_display!(Condition);
