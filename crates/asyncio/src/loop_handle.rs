//! A loop, for other threads.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use hilos_core::contextvars::{Context, copy_context};

use crate::base_events::EventLoop;
use crate::events::{CallbackResult, Handle, exception_in, guard};
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::repr::{debug_like_display, function_name};
use crate::running;
use crate::threadsafe::{Injected, Shared};

/// A loop, for other threads: what an [`EventLoop`] may be asked to do from outside.
///
/// [`EventLoop::handle`] returns one. Clones are handles of the same loop.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let event_loop = asyncio::get_running_loop()?;
///     let handle = event_loop.handle();
///     asyncio::try_to_thread(move || handle.call_soon_threadsafe(|| println!("hello"))).await?;
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
#[derive(Clone)]
pub struct LoopHandle(pub(crate) Arc<Shared>);

impl LoopHandle {
    /// Has the loop's thread call `callback` soon, also if the loop sleeps.
    ///
    /// It is called in a copy of the context that is current here.
    ///
    /// # Errors
    /// [`RuntimeError`] if the loop is closed.
    pub fn call_soon_threadsafe<F, R>(&self, callback: F) -> Result<ThreadsafeHandle>
    where
        F: FnOnce() -> R + Send + 'static,
        R: CallbackResult,
    {
        self.call_in(copy_context(), callback)
    }

    /// Like [`call_soon_threadsafe`](Self::call_soon_threadsafe), in the given context instead of a copy
    /// of the current one.
    ///
    /// # Errors
    /// [`RuntimeError`] if the loop is closed.
    pub fn call_soon_threadsafe_with_context<F, R>(
        &self,
        context: &Context,
        callback: F,
    ) -> Result<ThreadsafeHandle>
    where
        F: FnOnce() -> R + Send + 'static,
        R: CallbackResult,
    {
        self.call_in(context.clone(), callback)
    }

    fn call_in<F, R>(&self, context: Context, callback: F) -> Result<ThreadsafeHandle>
    where
        F: FnOnce() -> R + Send + 'static,
        R: CallbackResult,
    {
        if self.0.is_closed() {
            return Err(RuntimeError::new("Event loop is closed").into());
        }
        let handle = ThreadsafeHandle(Arc::default());
        let call = handle.clone();
        self.0.send_or_push(Injected::Call(Box::new(move || {
            let Some(event_loop) = running::get() else {
                return;
            };
            call.make(|| {
                guard(&event_loop, Some(&context), callback, || {
                    exception_in(function_name::<F>())
                });
            });
        })));
        Ok(handle)
    }

    /// Whether the loop is closed.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl EventLoop {
    /// The loop, for other threads.
    pub fn handle(&self) -> LoopHandle {
        LoopHandle(self.0.shared.clone())
    }

    /// Has `callback` called soon, like [`call_soon`](Self::call_soon), which it is in the loop's
    /// own thread; other threads use [`LoopHandle::call_soon_threadsafe`].
    ///
    /// # Errors
    /// [`RuntimeError`] if the loop is closed.
    pub fn call_soon_threadsafe<F, R>(&self, callback: F) -> Result<Handle>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.call_soon(callback)
    }
}

impl fmt::Display for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = if self.is_closed() { "True" } else { "False" };
        write!(f, "<LoopHandle at {:p} closed={closed}>", self.0)
    }
}

debug_like_display!(LoopHandle);

/// A call that another thread has asked a loop for.
///
/// Returned by [`LoopHandle::call_soon_threadsafe`]. Clones are the same call.
#[derive(Clone)]
pub struct ThreadsafeHandle(Arc<Call>);

#[derive(Default)]
struct Call {
    state: Mutex<State>,
    /// Told when the call has been made.
    made: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Waiting,
    /// It is being made, in this thread.
    Running(ThreadId),
    Made,
    Cancelled,
}

impl ThreadsafeHandle {
    /// Cancels the call, from any thread; says whether it will not be made.
    ///
    /// `false` means that it was made, or cancelled before.
    ///
    /// # Blocking
    /// While the call is being made, unless the call itself asks.
    pub fn cancel(&self) -> bool {
        let mut state = self.settled();
        let waiting = *state == State::Waiting;
        if waiting {
            *state = State::Cancelled;
        }
        waiting
    }

    /// Whether the call was cancelled before it was made.
    ///
    /// # Blocking
    /// As [`cancel`](Self::cancel).
    pub fn cancelled(&self) -> bool {
        *self.settled() == State::Cancelled
    }

    /// The state when no other thread makes the call.
    fn settled(&self) -> MutexGuard<'_, State> {
        let me = thread::current().id();
        let elsewhere = |state: &mut State| matches!(*state, State::Running(id) if id != me);
        let waited = self.0.made.wait_while(self.state(), elsewhere);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of the program runs under the lock.
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the call, unless it was cancelled.
    fn make(&self, call: impl FnOnce()) {
        let mut state = self.state();
        if *state == State::Cancelled {
            return;
        }
        *state = State::Running(thread::current().id());
        drop(state);
        call();
        *self.state() = State::Made;
        self.0.made.notify_all();
    }
}

impl fmt::Display for ThreadsafeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // To ask must not block.
        f.write_str(match *self.state() {
            State::Cancelled => "<ThreadsafeHandle cancelled>",
            _ => "<ThreadsafeHandle>",
        })
    }
}

debug_like_display!(ThreadsafeHandle);
