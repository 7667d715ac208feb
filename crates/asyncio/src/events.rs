//! `asyncio.Handle` and `asyncio.TimerHandle`.

use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use hilos_core::contextvars::{Context, copy_context};
use hilos_core::panic::catch;

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::handler::ExceptionContext;
use crate::ready::Ready;
use crate::repr::{debug_like_display, function_name, qualified};

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
pub(crate) trait Scheduled: Ready {
    fn head(&self) -> &Head;
    fn event_loop(&self) -> &EventLoop;
    fn context(&self) -> Option<&Context>;
    /// The name of the function that is called, as the compiler has it.
    fn name(&self) -> &'static str;
    /// The callback, if that is all there is to know of it: it captures nothing.
    fn callback(&self) -> Option<TypeId>;
    /// Drops the callback.
    fn clear(&self);
}

pub(crate) struct Head {
    /// When it is due, if it is a timer.
    when: Option<f64>,
    cancelled: Cell<bool>,
    /// Whether the loop has it among its timers.
    pub(crate) in_heap: Cell<bool>,
}

impl Head {
    pub(crate) fn new(when: Option<f64>) -> Self {
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
        self.when.unwrap_or_default()
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

impl<F: FnOnce() -> R + 'static, R: CallbackResult> Ready for Call<F> {
    /// Calls the callback, unless it was called or cancelled.
    fn run(self: Rc<Self>, event_loop: &EventLoop) {
        let callback = self.callback.borrow_mut().take();
        if let Some(callback) = callback {
            guard(event_loop, self.context(), callback, || {
                exception_in(self.name()).with_handle(&*self as &dyn Scheduled)
            });
        }
    }

    fn what(&self, _event_loop: &EventLoop) -> String {
        (self as &dyn Scheduled).to_string()
    }
}

impl<F: FnOnce() -> R + 'static, R: CallbackResult> Scheduled for Call<F> {
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

    fn callback(&self) -> Option<TypeId> {
        identity::<F>()
    }

    fn clear(&self) {
        let callback = self.callback.borrow_mut().take();
        drop(callback);
    }
}

/// A call that is made each time that something happens.
#[cfg(target_os = "linux")]
struct RepeatedCall<F> {
    head: Head,
    event_loop: EventLoop,
    context: Option<Context>,
    /// Absent while it runs.
    callback: RefCell<Option<F>>,
}

#[cfg(target_os = "linux")]
impl<F: FnMut() -> R + 'static, R: CallbackResult> Ready for RepeatedCall<F> {
    fn run(self: Rc<Self>, event_loop: &EventLoop) {
        let callback = self.callback.borrow_mut().take();
        let Some(mut callback) = callback else { return };
        guard(event_loop, self.context(), &mut callback, || {
            exception_in(self.name()).with_handle(&*self as &dyn Scheduled)
        });
        if !self.head.is_cancelled() {
            *self.callback.borrow_mut() = Some(callback);
        }
    }

    fn what(&self, _event_loop: &EventLoop) -> String {
        (self as &dyn Scheduled).to_string()
    }
}

#[cfg(target_os = "linux")]
impl<F: FnMut() -> R + 'static, R: CallbackResult> Scheduled for RepeatedCall<F> {
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

    fn callback(&self) -> Option<TypeId> {
        identity::<F>()
    }

    fn clear(&self) {
        let callback = self.callback.borrow_mut().take();
        drop(callback);
    }
}

/// What tells functions of different types apart that capture nothing.
fn identity<F: 'static>() -> Option<TypeId> {
    (size_of::<F>() == 0).then(TypeId::of::<F>)
}

/// What the loop's handler is told about a failure of the function of this name.
pub(crate) fn exception_in(name: &'static str) -> ExceptionContext {
    let name = qualified(name);
    let message = format!("Exception in callback {name}()");
    ExceptionContext::new(message).with_handle(format_args!("<Handle {name}()>"))
}

/// Calls `callback` in its context, and tells the loop's handler what it failed with, beside what
/// `failure` says.
pub(crate) fn guard<R: CallbackResult>(
    event_loop: &EventLoop,
    context: Option<&Context>,
    callback: impl FnOnce() -> R,
    failure: impl FnOnce() -> ExceptionContext,
) {
    let call = || match context {
        Some(context) => match context.run(callback) {
            Ok(returned) => returned.into_result(),
            Err(error) => Err(error.into()),
        },
        None => callback().into_result(),
    };
    let result = catch(call).unwrap_or_else(|unwound| Err(Exception::of_unwound(unwound)));
    match result {
        Ok(()) => {}
        Err(exception) if exception.is_exit() => event_loop.raise(exception),
        Err(exception) => {
            let failure = failure().with_exception(exception);
            event_loop.report(failure.in_context(context.cloned()));
        }
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
        when: Option<f64>,
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

    /// A handle that may be run many times.
    #[cfg(target_os = "linux")]
    pub(crate) fn repeating<F, R>(
        event_loop: &EventLoop,
        context: Option<Context>,
        callback: F,
    ) -> Self
    where
        F: FnMut() -> R + 'static,
        R: CallbackResult,
    {
        Self(Rc::new(RepeatedCall {
            head: Head::new(None),
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
        self.0.fmt(f)
    }
}

debug_like_display!(Handle);

impl fmt::Display for dyn Scheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.head();
        let kind = head.when.map_or("Handle", |_| "TimerHandle");
        write!(f, "<{kind}")?;
        if head.is_cancelled() {
            f.write_str(" cancelled")?;
        }
        if let Some(when) = head.when {
            write!(f, " when={when}")?;
        }
        if !head.is_cancelled() {
            write!(f, " {}()", qualified(self.name()))?;
        }
        f.write_str(">")
    }
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
        self.head().when()
    }

    /// The context in which the call will be made.
    pub fn get_context(&self) -> Context {
        self.0.get_context()
    }
}

impl TimerHandle {
    fn head(&self) -> &Head {
        self.0.0.head()
    }
}

/// Two timers are equal if they would do the same at the same time: call a function that captures
/// nothing, or nothing at all because they are cancelled. Otherwise each equals only itself.
impl PartialEq for TimerHandle {
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (self.head(), other.head());
        let cancelled = one.is_cancelled();
        let callback = self.0.0.callback();
        let same_call = cancelled || (callback.is_some() && callback == other.0.0.callback());
        let same = same_call && cancelled == two.is_cancelled() && one.when == two.when;
        same || Rc::ptr_eq(&self.0.0, &other.0.0)
    }
}

impl Eq for TimerHandle {}

/// The earlier timer is the lesser; timers that are due together are neither, unless they are equal.
impl PartialOrd for TimerHandle {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.when().partial_cmp(&other.when()) {
            Some(Ordering::Equal) => (self == other).then_some(Ordering::Equal),
            order => order,
        }
    }
}

impl Hash for TimerHandle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Zero has two signs, which are equal.
        (self.when() + 0.0).to_bits().hash(state);
    }
}

impl fmt::Display for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

debug_like_display!(TimerHandle);

/// The context that a call without one of its own runs in.
pub(crate) fn captured() -> Option<Context> {
    Some(copy_context())
}
