//! `asyncio.Handle` and `asyncio.TimerHandle`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use hilos_core::contextvars::{Context, copy_context};
use hilos_core::panic::{Unwound, catch};

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::SystemExit;
use crate::handler::ExceptionContext;
use crate::repr::{function_name, qualified};

/// What a callback may return: nothing, or a `Result` whose error goes to the loop's exception
/// handler.
#[diagnostic::on_unimplemented(
    message = "a callback returns `()` or a `Result`, not `{Self}`",
    note = "end it with `;` to drop the value"
)]
pub trait CallbackResult {
    /// The same as a `Result` of this module.
    fn into_result(self) -> Result<()>;
}

impl CallbackResult for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Exception>> CallbackResult for Result<(), E> {
    fn into_result(self) -> Result<()> {
        self.map_err(Into::into)
    }
}

/// A scheduled call, of which only the loop knows what it does.
pub(crate) trait Scheduled {
    fn head(&self) -> &Head;
    fn event_loop(&self) -> &EventLoop;
    fn context(&self) -> Option<&Context>;
    /// The name of the function that is called, as the compiler has it.
    fn name(&self) -> &'static str;
    /// Calls the callback, unless it was called or cancelled.
    fn run(self: Rc<Self>);
    /// Drops the callback.
    fn clear(&self);
}

pub(crate) struct Head {
    /// When a timer is due.
    when: f64,
    cancelled: Cell<bool>,
    /// Whether the loop has it among its timers.
    pub(crate) in_heap: Cell<bool>,
}

impl Head {
    pub(crate) fn new(when: f64) -> Self {
        Self {
            when,
            cancelled: Cell::new(false),
            in_heap: Cell::new(false),
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    pub(crate) fn when(&self) -> f64 {
        self.when
    }
}

/// Cancels a call, unless it was cancelled before.
pub(crate) fn cancel<S: Scheduled + ?Sized>(call: &S) {
    let head = call.head();
    if !head.cancelled.replace(true) {
        if head.in_heap.get() {
            call.event_loop().timer_was_cancelled();
        }
        call.clear();
    }
}

struct Call<F> {
    head: Head,
    event_loop: EventLoop,
    context: Option<Context>,
    callback: RefCell<Option<F>>,
}

impl<F: FnOnce() -> R, R: CallbackResult> Scheduled for Call<F> {
    fn head(&self) -> &Head {
        &self.head
    }

    fn event_loop(&self) -> &EventLoop {
        &self.event_loop
    }

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn name(&self) -> &'static str {
        function_name::<F>()
    }

    fn run(self: Rc<Self>) {
        let callback = self.callback.borrow_mut().take();
        if let Some(callback) = callback {
            guard(&self.event_loop, self.context(), callback, || {
                format!("Exception in callback {}()", qualified(self.name()))
            });
        }
    }

    fn clear(&self) {
        let callback = self.callback.borrow_mut().take();
        drop(callback);
    }
}

/// Calls `callback` in its context, and tells the loop's handler, in the words of `message`, what
/// it failed with.
pub(crate) fn guard<R: CallbackResult>(
    event_loop: &EventLoop,
    context: Option<&Context>,
    callback: impl FnOnce() -> R,
    message: impl FnOnce() -> String,
) {
    let call = || match context {
        Some(context) => match context.run(callback) {
            Ok(returned) => returned.into_result(),
            Err(error) => Err(error.into()),
        },
        None => callback().into_result(),
    };
    let result = match catch(call) {
        Ok(result) => result,
        Err(Unwound::Panic(panic)) => Err(panic.into()),
        Err(Unwound::Exit) => Err(SystemExit(0).into()),
    };
    match result {
        Ok(()) => {}
        Err(exception) if exception.is_exit() => event_loop.raise(exception),
        Err(exception) => event_loop
            .call_exception_handler(ExceptionContext::new(message()).with_exception(exception)),
    }
}

/// A call that the loop will make, unless it is cancelled.
///
/// Returned by [`call_soon`](EventLoop::call_soon). Clones are the same call; dropping them all
/// does not cancel it.
///
/// Mirrors [`asyncio.Handle`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.Handle).
#[derive(Clone)]
pub struct Handle(pub(crate) Rc<dyn Scheduled>);

impl Handle {
    pub(crate) fn new<F, R>(
        event_loop: &EventLoop,
        when: f64,
        context: Option<Context>,
        callback: F,
    ) -> Self
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult,
    {
        Self(Rc::new(Call {
            head: Head::new(when),
            event_loop: event_loop.clone(),
            context,
            callback: RefCell::new(Some(callback)),
        }))
    }

    /// Cancels the call. If it was made or cancelled before, nothing happens.
    pub fn cancel(&self) {
        cancel(&*self.0);
    }

    /// Whether the call was cancelled.
    pub fn cancelled(&self) -> bool {
        self.0.head().is_cancelled()
    }

    /// The context in which the call will be made.
    pub fn get_context(&self) -> Context {
        self.0.context().cloned().unwrap_or_default()
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe("Handle", &*self.0, f)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn describe(kind: &str, call: &dyn Scheduled, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let head = call.head();
    write!(f, "<{kind}")?;
    if head.is_cancelled() {
        f.write_str(" cancelled")?;
    }
    if kind == "TimerHandle" {
        write!(f, " when={}", head.when)?;
    }
    if !head.is_cancelled() {
        write!(f, " {}()", qualified(call.name()))?;
    }
    f.write_str(">")
}

/// A call that the loop will make at a time, unless it is cancelled.
///
/// Returned by [`call_later`](EventLoop::call_later) and [`call_at`](EventLoop::call_at).
///
/// Mirrors [`asyncio.TimerHandle`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.TimerHandle).
#[derive(Clone)]
pub struct TimerHandle(pub(crate) Handle);

impl TimerHandle {
    /// Cancels the call. If it was made or cancelled before, nothing happens.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether the call was cancelled.
    pub fn cancelled(&self) -> bool {
        self.0.cancelled()
    }

    /// When the call is due, in seconds of the loop's [`time`](EventLoop::time).
    pub fn when(&self) -> f64 {
        self.0.0.head().when
    }

    /// The context in which the call will be made.
    pub fn get_context(&self) -> Context {
        self.0.get_context()
    }
}

impl fmt::Display for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe("TimerHandle", &*self.0.0, f)
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The context that a call without one of its own runs in.
pub(crate) fn captured() -> Option<Context> {
    Some(copy_context())
}
