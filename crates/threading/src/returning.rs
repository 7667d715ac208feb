//! A thread whose value the one who joins it gets.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use hilos_core::panic::{Unwound, catch};
use hilos_core::time::Timeout;
use parking_lot::Mutex;

use crate::Thread;
use crate::error::JoinError;
use crate::excepthook::Exception;
use crate::name::Name;
use crate::repr::debug_like_display;
use crate::settings::thread_settings;

/// A [`Thread`] whose [`join`](Self::join) hands over what its function returned.
///
/// Made by [`Thread::returning`]. A panic goes to [`excepthook`](fn@crate::excepthook) as in every
/// thread, and to the one who joins as well.
///
/// ```
/// use hilos_threading as threading;
/// use threading::Thread;
///
/// let answer = Thread::returning(|| 6 * 7);
/// answer.start()?;
/// assert_eq!(answer.join(None).unwrap(), 42);
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// Python's threads return nothing; `concurrent.futures` does this there.
pub struct Returning<T> {
    thread: Thread,
    result: Arc<Mutex<Result<T, JoinError>>>,
}

impl<T: Send + 'static> Returning<T> {
    pub(crate) fn new<F: FnOnce() -> T + Send + 'static>(target: F) -> Self {
        // As long as the thread runs, nobody looks.
        let result = Arc::new(Mutex::new(Err(JoinError::TimedOut)));
        let slot = result.clone();
        let job = Box::new(move || {
            let (result, exception) = match catch(target) {
                Ok(value) => (Ok(value), None),
                Err(Unwound::Exit) => (Err(JoinError::Exited), None),
                Err(Unwound::Panic(panic)) => (
                    Err(JoinError::Panicked(panic.clone())),
                    Some(Exception::from(panic)),
                ),
            };
            *slot.lock() = result;
            exception
        });
        let thread = Thread::with_job("Thread", Name::of_target::<F>(), job, None);
        Self { thread, result }
    }
}

impl<T> Returning<T> {
    thread_settings!();

    /// Blocks until the thread has ended or `timeout` has passed, and takes what it returned.
    ///
    /// # Errors
    /// [`JoinError`] if the thread runs on, panicked, left by [`exit`](crate::exit), if an earlier
    /// join took the value, or for the reasons for which [`Thread::join`] fails.
    pub fn join<D: Into<Timeout>>(&self, timeout: D) -> Result<T, JoinError> {
        self.thread.join(timeout)?;
        if self.thread.is_alive() {
            return Err(JoinError::TimedOut);
        }
        let mut result = self.result.lock();
        let later = match &*result {
            Ok(_) => JoinError::Taken,
            Err(error) => error.clone(),
        };
        std::mem::replace(&mut *result, Err(later))
    }
}

impl<T> Deref for Returning<T> {
    type Target = Thread;

    fn deref(&self) -> &Thread {
        &self.thread
    }
}

impl<T> fmt::Display for Returning<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.thread.fmt(f)
    }
}

debug_like_display!(Returning<T>, T);
