//! A loop, for other threads.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hilos_core::contextvars::copy_context;

use crate::base_events::EventLoop;
use crate::events::{CallbackResult, Handle, guard};
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::repr::{debug_like_display, function_name, qualified};
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
        if self.0.is_closed() {
            return Err(RuntimeError::new("Event loop is closed").into());
        }
        let cancelled = Arc::new(AtomicBool::new(false));
        let handle = ThreadsafeHandle(cancelled.clone());
        let context = copy_context();
        self.0.send_or_push(Injected::Call(Box::new(move || {
            if cancelled.swap(true, Ordering::AcqRel) {
                return;
            }
            let Some(event_loop) = running::get() else {
                return;
            };
            guard(&event_loop, Some(&context), callback, || {
                format!(
                    "Exception in callback {}()",
                    qualified(function_name::<F>())
                )
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
/// Returned by [`LoopHandle::call_soon_threadsafe`].
#[derive(Clone, Debug)]
pub struct ThreadsafeHandle(Arc<AtomicBool>);

impl ThreadsafeHandle {
    /// Cancels the call, from any thread; says whether it will not be made.
    ///
    /// `false` means that it was made, or cancelled before.
    pub fn cancel(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}
