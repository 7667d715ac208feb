//! `concurrent.futures.Future`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::task::{Context, Poll};

use hilos_core::sync::{Condvar, Mutex, MutexGuard};
use hilos_core::time::{Deadline, Timeout};
use hilos_threading::Exception;

use crate::error::{CancelledError, FutureError, InvalidStateError, RuntimeError, TimeoutError};
use crate::repr::{call_back, short_type_name};
use crate::state::{Core, State};
use crate::waiter::Waiter;

/// The result of a call that may still have to run.
///
/// Executors make futures: [`submit`](crate::ThreadPoolExecutor::submit) returns one. A handle:
/// clones are the same future, equal and with the same hash, and dropping them all neither cancels
/// the call nor waits for it. A future can also be awaited, in any async runtime.
///
/// ```
/// # use hilos_futures as futures;
/// use futures::{FutureError, ThreadPoolExecutor};
///
/// let executor = ThreadPoolExecutor::new(1)?;
/// let future = executor.submit(|| 6 * 7)?;
/// assert_eq!(future.result(None)?, 42);
///
/// let future = executor.try_submit(|| "x".parse::<i32>())?;
/// match future.result(None) {
///     Err(FutureError::Failed(exception)) => assert_eq!(exception.type_name(), "ParseIntError"),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), futures::FutureError>(())
/// ```
///
/// # Differences from Python
/// - [`result`](Self::result) takes the value, so that it need not be `Clone`; a later call finds
///   it taken. [`result_cloned`](Self::result_cloned) may be called as often as one likes.
/// - A callback that panics is reported to `threading.excepthook`; Python has a logger.
///
/// Mirrors [`concurrent.futures.Future`](https://docs.python.org/3.14/library/concurrent.futures.html#concurrent.futures.Future).
pub struct Future<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    core: Mutex<Core<T>>,
    /// Told when the future is done.
    done: Condvar,
}

impl<T> Future<T> {
    /// Creates a future that somebody will have to complete; for executors and tests.
    pub fn new() -> Self {
        let shared = Shared {
            core: Mutex::new(Core::new()),
            done: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Cancels the call if it has not begun; says whether the future is cancelled now.
    ///
    /// `false` means that the call is running or has ended. Cancelling twice is `true` both times.
    pub fn cancel(&self) -> bool {
        let mut core = self.core();
        if !core.state.is_done() {
            if matches!(core.state, State::Running) {
                return false;
            }
            core.state = State::Cancelled;
            self.complete(core);
            return true;
        }
        core.state.is_cancelled()
    }

    /// Whether the future was cancelled.
    pub fn cancelled(&self) -> bool {
        self.core().state.is_cancelled()
    }

    /// Whether the call is running at this moment.
    pub fn running(&self) -> bool {
        matches!(self.core().state, State::Running)
    }

    /// Whether the call has ended or was cancelled.
    pub fn done(&self) -> bool {
        self.core().state.is_done()
    }

    /// Blocks until the future is done or `timeout` has passed, and takes what the call returned.
    ///
    /// One caller gets the value. If several ask, use [`result_cloned`](Self::result_cloned).
    ///
    /// # Blocking
    /// Up to `timeout`; a negative one does not block.
    ///
    /// # Errors
    /// [`FutureError`]: `Failed` if the call panicked or returned an error, `Cancelled`, `Timeout`,
    /// `Broken` if its executor broke, `Taken` if the value was taken before.
    pub fn result<D: Into<Timeout>>(&self, timeout: D) -> Result<T, FutureError> {
        self.result_until(timeout.into().deadline())
    }

    /// Like [`result`](Self::result), but leaves the value for others and returns a clone.
    ///
    /// # Blocking
    /// As [`result`](Self::result).
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub fn result_cloned<D: Into<Timeout>>(&self, timeout: D) -> Result<T, FutureError>
    where
        T: Clone,
    {
        let core = self.wait_until(timeout.into().deadline())?;
        match &core.state {
            State::Finished(Ok(value)) => value.clone().ok_or(FutureError::Taken),
            State::Finished(Err(exception)) => Err(exception.clone().into()),
            _ => Err(CancelledError.into()),
        }
    }

    /// Blocks until the future is done or `timeout` has passed, and returns how the call failed.
    ///
    /// `None` if it returned a value.
    ///
    /// # Blocking
    /// As [`result`](Self::result).
    ///
    /// # Errors
    /// [`FutureError`]: `Cancelled` or `Timeout`.
    pub fn exception<D: Into<Timeout>>(
        &self,
        timeout: D,
    ) -> Result<Option<Exception>, FutureError> {
        let core = self.wait_until(timeout.into().deadline())?;
        match &core.state {
            State::Finished(outcome) => Ok(outcome.as_ref().err().cloned()),
            _ => Err(CancelledError.into()),
        }
    }

    /// Has `callback` called with the future when it is done, at once if it is already.
    ///
    /// Callbacks run in the order in which they were added, in the thread that completes or cancels
    /// the future, or here. A panic in one is reported to `threading.excepthook` and ignored.
    pub fn add_done_callback<F>(&self, callback: F)
    where
        F: FnOnce(&Self) + Send + 'static,
    {
        let mut core = self.core();
        if core.state.is_done() {
            drop(core);
            call_back(self, || callback(self));
        } else {
            core.callbacks.push(Box::new(callback));
        }
    }

    /// Marks the call as running, or the cancellation as noticed; for executors, before they run it.
    ///
    /// `false` means that the future was cancelled and the call must not run. Only then do
    /// [`wait`](crate::wait()) and [`as_completed`](crate::as_completed()) count it as done.
    ///
    /// # Errors
    /// [`RuntimeError::UnexpectedState`] if this was called before, or if the future is finished.
    pub fn set_running_or_notify_cancel(&self) -> Result<bool, RuntimeError> {
        let mut core = self.core();
        match core.state {
            State::Pending => {
                core.state = State::Running;
                Ok(true)
            }
            State::Cancelled => {
                core.state = State::CancelledAndNotified;
                core.tell_waiters();
                Ok(false)
            }
            _ => Err(RuntimeError::UnexpectedState),
        }
    }

    /// Completes the future with what the call returned; for executors and tests.
    ///
    /// # Errors
    /// [`InvalidStateError`] if the future is done or cancelled; `value` is dropped.
    pub fn set_result(&self, value: T) -> Result<(), InvalidStateError> {
        self.finish(Ok(value))
    }

    /// Completes the future with how the call failed; for executors and tests.
    ///
    /// # Errors
    /// [`InvalidStateError`] if the future is done or cancelled.
    pub fn set_exception<E: Into<Exception>>(&self, exception: E) -> Result<(), InvalidStateError> {
        self.finish(Err(exception.into()))
    }

    pub(crate) fn finish(&self, outcome: Result<T, Exception>) -> Result<(), InvalidStateError> {
        let mut core = self.core();
        if core.state.is_done() {
            let error = InvalidStateError::new(core.state.name(), &self.repr(&core.state));
            return Err(error);
        }
        core.state = State::Finished(outcome.map(Some));
        core.tell_waiters();
        self.complete(core);
        Ok(())
    }

    pub(crate) fn result_until(&self, deadline: Deadline) -> Result<T, FutureError> {
        take(&mut self.wait_until(deadline)?.state)
    }

    /// Takes the result if it is there, or has the task of `context` woken when it is.
    pub(crate) fn poll(
        &self,
        key: &mut Option<u64>,
        context: &Context<'_>,
    ) -> Poll<Result<T, FutureError>> {
        let mut core = self.core();
        if core.state.is_done() {
            return Poll::Ready(take(&mut core.state));
        }
        core.set_waker(key, context.waker());
        Poll::Pending
    }

    pub(crate) fn remove_waker(&self, key: u64) {
        self.core().remove_waker(key);
    }

    pub(crate) fn add_waiter(&self, waiter: &Arc<Waiter>, number: usize) {
        self.core().add_waiter(waiter, number);
    }

    pub(crate) fn remove_waiter(&self, waiter: &Arc<Waiter>) {
        self.core().remove_waiter(waiter);
    }

    /// Where the future is: no other one that lives is there.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    fn core(&self) -> MutexGuard<'_, Core<T>> {
        self.shared.core.lock()
    }

    /// Blocks until the future is done, and keeps it locked.
    fn wait_until(&self, deadline: Deadline) -> Result<MutexGuard<'_, Core<T>>, TimeoutError> {
        let mut core = self.core();
        while !core.state.is_done() {
            if deadline.is_past() {
                return Err(TimeoutError::ONE);
            }
            match deadline.instant() {
                None => self.shared.done.wait(&mut core),
                Some(moment) => {
                    let timed_out = self.shared.done.wait_until(&mut core, moment).timed_out();
                    if timed_out && !core.state.is_done() {
                        return Err(TimeoutError::ONE);
                    }
                }
            }
        }
        Ok(core)
    }

    /// Tells everybody that the future is done, outside its lock.
    fn complete(&self, mut core: MutexGuard<'_, Core<T>>) {
        let wakers = core.take_wakers();
        let callbacks = std::mem::take(&mut core.callbacks);
        drop(core);
        self.shared.done.notify_all();
        for (_, waker) in wakers {
            waker.wake();
        }
        for callback in callbacks {
            call_back(self, || callback(self));
        }
    }

    fn repr(&self, state: &State<T>) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            let (id, description) = (self.id(), state.description());
            write!(f, "<Future at {id:#x} state={description}")?;
            match state {
                State::Finished(Ok(_)) => write!(f, " returned {}>", short_type_name::<T>()),
                State::Finished(Err(exception)) => write!(f, " raised {}>", exception.type_name()),
                _ => f.write_str(">"),
            }
        })
    }
}

/// Takes the result out of a future that is done.
fn take<T>(state: &mut State<T>) -> Result<T, FutureError> {
    match state {
        State::Finished(Ok(value)) => value.take().ok_or(FutureError::Taken),
        State::Finished(Err(exception)) => Err(exception.clone().into()),
        _ => Err(CancelledError.into()),
    }
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<T> Default for Future<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> PartialEq for Future<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl<T> Eq for Future<T> {}

impl<T> Hash for Future<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl<T> fmt::Display for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repr(&self.core().state).fmt(f)
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
