//! Calls that a program has the loop make: soon, later, at a time.

use hilos_core::contextvars::Context;
use hilos_core::time::Timeout;

use crate::base_events::EventLoop;
use crate::events::{CallbackResult, Handle, TimerHandle, captured};
use crate::exception::Result;
use crate::exceptions::ValueError;

impl EventLoop {
    /// Has `callback` called in the next iteration, after what is ready already.
    ///
    /// # Errors
    /// [`RuntimeError`](crate::RuntimeError) if the loop is closed.
    pub fn call_soon<F, R>(&self, callback: F) -> Result<Handle>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.call_soon_in(captured(), callback)
    }

    /// Like [`call_soon`](Self::call_soon), in the given context instead of a copy of the current one.
    ///
    /// # Errors
    /// [`RuntimeError`](crate::RuntimeError) if the loop is closed.
    pub fn call_soon_with_context<F, R>(&self, context: &Context, callback: F) -> Result<Handle>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.call_soon_in(Some(context.clone()), callback)
    }

    pub(crate) fn call_soon_in<F, R>(&self, context: Option<Context>, callback: F) -> Result<Handle>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.check_open()?;
        let handle = Handle::new(self, None, context, callback);
        self.push(handle.0.clone());
        Ok(handle)
    }

    /// Has `callback` called after `delay` seconds; a negative delay is none.
    ///
    /// Calls that are due at the very same time run in the order of CPython's heap, which is not
    /// that of the calls of this function.
    ///
    /// # Errors
    /// [`RuntimeError`](crate::RuntimeError) if the loop is closed, [`ValueError`] if `delay` is NaN or `None`.
    pub fn call_later<D, F, R>(&self, delay: D, callback: F) -> Result<TimerHandle>
    where
        D: Into<Timeout>,
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.call_later_in(captured(), delay.into(), callback)
    }

    /// Like [`call_later`](Self::call_later), in the given context instead of a copy of the current one.
    ///
    /// # Errors
    /// As [`call_later`](Self::call_later).
    pub fn call_later_with_context<D, F, R>(
        &self,
        context: &Context,
        delay: D,
        callback: F,
    ) -> Result<TimerHandle>
    where
        D: Into<Timeout>,
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.call_later_in(Some(context.clone()), delay.into(), callback)
    }

    fn call_later_in<F, R>(
        &self,
        context: Option<Context>,
        delay: Timeout,
        callback: F,
    ) -> Result<TimerHandle>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        let Some(delay) = delay.seconds() else {
            return Err(ValueError::new("delay cannot be None").into());
        };
        self.call_at_in(context, self.time() + delay, callback)
    }

    /// Has `callback` called when the loop's [`time`](Self::time) is `when`.
    ///
    /// # Errors
    /// As [`call_later`](Self::call_later).
    pub fn call_at<F, R>(&self, when: f64, callback: F) -> Result<TimerHandle>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.call_at_in(captured(), when, callback)
    }

    /// Like [`call_at`](Self::call_at), in the given context instead of a copy of the current one.
    ///
    /// # Errors
    /// As [`call_later`](Self::call_later).
    pub fn call_at_with_context<F, R>(
        &self,
        context: &Context,
        when: f64,
        callback: F,
    ) -> Result<TimerHandle>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.call_at_in(Some(context.clone()), when, callback)
    }

    pub(crate) fn call_at_in<F, R>(
        &self,
        context: Option<Context>,
        when: f64,
        callback: F,
    ) -> Result<TimerHandle>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult + 'static,
    {
        if when.is_nan() {
            return Err(ValueError::new("when cannot be NaN").into());
        }
        self.check_open()?;
        let handle = Handle::new(self, Some(when), context, callback);
        self.push_timer(handle.0.clone());
        Ok(TimerHandle(handle))
    }
}
