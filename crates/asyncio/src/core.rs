//! What is inside a future: its outcome, and whom to tell.

use std::cell::RefCell;
use std::rc::Rc;

use crate::any_future::{AnyFuture, AnyRc, Callback, Head, State};
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::{InvalidStateError, Message};
use crate::few::Few;
use crate::handler::ExceptionContext;
use crate::ready::Called;
use crate::task_head::TaskHead;

/// The outcome of a future and the callbacks that wait for it.
pub(crate) struct Core<T> {
    pub(crate) head: Head,
    inside: RefCell<Inside<T>>,
}

/// What changes when a future is finished; both in one cell, as futures should be small.
struct Inside<T> {
    /// There from when the future is finished; the value is there until somebody takes it.
    outcome: Option<Result<Option<T>>>,
    callbacks: Few<Callback>,
}

/// A future whose result's type is known.
pub(crate) trait Typed<T>: AnyFuture {
    fn core(&self) -> &Core<T>;

    /// Sets the result and schedules the callbacks.
    fn succeed(self: Rc<Self>, value: T);

    /// Sets the exception and schedules the callbacks.
    fn fail(self: Rc<Self>, exception: Exception);
}

impl<T> Core<T> {
    pub(crate) fn new(event_loop: EventLoop) -> Self {
        Self {
            head: Head::new(event_loop),
            inside: RefCell::new(Inside {
                outcome: None,
                callbacks: Few::None,
            }),
        }
    }

    /// The result, got out of its place by `get`.
    #[inline]
    pub(crate) fn result(&self, get: fn(&mut Option<T>) -> Option<T>) -> Result<T> {
        if self.head.cancelled() {
            return Err(self.head.cancelled_error());
        }
        self.head.unseen.set(false);
        match &mut self.inside.borrow_mut().outcome {
            None => Err(InvalidStateError::new("Result is not ready.").into()),
            Some(Err(exception)) => Err(exception.clone()),
            Some(Ok(value)) => get(value)
                .ok_or_else(|| InvalidStateError::new("the result was taken before").into()),
        }
    }

    pub(crate) fn failure(&self) -> Option<Exception> {
        match &self.inside.borrow().outcome {
            Some(Err(exception)) => Some(exception.clone()),
            _ => None,
        }
    }

    /// Sets the result and schedules the callbacks.
    #[inline]
    pub(crate) fn succeed<S: AnyFuture>(&self, this: &Rc<S>, value: T) {
        self.finish(this, Ok(Some(value)));
    }

    /// Sets the exception and schedules the callbacks.
    pub(crate) fn fail<S: AnyFuture>(&self, this: &Rc<S>, exception: Exception) {
        self.finish(this, Err(exception));
        self.head.unseen.set(true);
    }

    /// Forgets the result: the future is as if it were new. Its callbacks are scheduled already.
    pub(crate) fn renew(&self) {
        let outcome = self.inside.borrow_mut().outcome.take();
        drop(outcome);
        self.head.state.set(State::Pending);
    }

    #[inline]
    fn finish<S: AnyFuture>(&self, this: &Rc<S>, outcome: Result<Option<T>>) {
        let callbacks = {
            let mut inside = self.inside.borrow_mut();
            inside.outcome = Some(outcome);
            std::mem::take(&mut inside.callbacks)
        };
        self.head.state.set(State::Finished);
        self.schedule(callbacks, this);
    }

    /// Marks the future as cancelled, unless it is done.
    pub(crate) fn cancel<S: AnyFuture>(&self, this: &Rc<S>, message: Option<Message>) {
        self.head.unseen.set(false);
        if !self.head.done() {
            self.head.set_message(message);
            self.head.state.set(State::Cancelled);
            self.schedule_callbacks(this);
        }
    }

    /// Marks the future as cancelled by a `CancelledError` that its coroutine raised.
    pub(crate) fn cancel_by<S: AnyFuture>(&self, this: &Rc<S>, raised: Exception) {
        self.head.set_raised(raised);
        self.head.state.set(State::Cancelled);
        self.schedule_callbacks(this);
    }

    fn schedule_callbacks<S: AnyFuture>(&self, this: &Rc<S>) {
        let callbacks = std::mem::take(&mut self.inside.borrow_mut().callbacks);
        self.schedule(callbacks, this);
    }

    #[inline]
    fn schedule<S: AnyFuture>(&self, callbacks: Few<Callback>, this: &Rc<S>) {
        let event_loop = &self.head.event_loop;
        match callbacks {
            Few::None => {}
            Few::One(Callback::Step(task)) => task.wake(event_loop),
            callbacks => {
                for callback in callbacks {
                    schedule(event_loop, callback, this);
                }
            }
        }
    }

    /// Adds a callback to a future that is not done.
    #[inline]
    pub(crate) fn add_callback_while_pending(&self, callback: Callback) {
        self.inside.borrow_mut().callbacks.push(callback);
    }

    #[inline]
    pub(crate) fn add_callback<S: AnyFuture>(&self, this: &Rc<S>, callback: Callback) {
        match self.head.done() {
            true => schedule(&self.head.event_loop, callback, this),
            false => self.add_callback_while_pending(callback),
        }
    }

    pub(crate) fn remove_callbacks(&self, gone: &mut dyn FnMut(&Callback) -> bool) -> usize {
        // None is left then, and a value that is being cloned may be what asks.
        if self.head.done() {
            return 0;
        }
        let removed = self.inside.borrow_mut().callbacks.extract(gone);
        removed.len()
    }

    pub(crate) fn each_callback(&self, look: &mut dyn FnMut(&Callback)) {
        if self.head.done() {
            return;
        }
        let inside = self.inside.borrow();
        inside.callbacks.as_slice().iter().for_each(look);
    }

    /// What Python prints of the future, without the name and details of its kind.
    pub(crate) fn repr(&self) -> String {
        match self.head.state.get() {
            State::Pending => "pending".to_owned(),
            State::Cancelled => "cancelled".to_owned(),
            State::Finished => match self.failure() {
                Some(exception) => format!("finished exception={}", exception.repr()),
                None => "finished".to_owned(),
            },
        }
    }

    /// Tells the loop's handler if the exception was never looked at.
    #[inline]
    pub(crate) fn report_unseen(
        &self,
        kind: &str,
        task: Option<&TaskHead>,
        repr: impl FnOnce() -> String,
    ) {
        if self.head.unseen.get() {
            self.report(kind, task, repr());
        }
    }

    #[cold]
    fn report(&self, kind: &str, task: Option<&TaskHead>, repr: String) {
        self.head.unseen.set(false);
        if let Some(exception) = self.failure() {
            let mut context =
                ExceptionContext::new(format!("{kind} exception was never retrieved"))
                    .with_exception(exception)
                    .with_future(repr)
                    .in_context_of(task);
            let task = task.filter(|_| self.head.event_loop.get_debug());
            context.created_at = task.map(TaskHead::location);
            self.head.event_loop.report_dropped(context);
        }
    }
}

/// Has the loop run the callback of a future that is done.
fn schedule<S: AnyFuture>(event_loop: &EventLoop, callback: Callback, future: &Rc<S>) {
    match callback {
        Callback::Step(task) => task.wake(event_loop),
        // The waker only marks; the task that it wakes runs in the next iteration all the same.
        Callback::Wake(waker) => waker.wake(),
        Callback::Notify(whom) => event_loop.0.ready.push_notification(whom, future.clone()),
        Callback::Call(called) => event_loop.push(Rc::new(Called(called.1, future.clone()))),
    }
}

/// A future that somebody completes by hand, and what that somebody needs.
pub(crate) struct Plain<T, X = ()>(pub(crate) Core<T>, pub(crate) X);

impl<T: 'static, X: 'static> AnyFuture for Plain<T, X> {
    fn head(&self) -> &Head {
        &self.0.head
    }

    fn cancel_one(self: Rc<Self>, message: &Option<Message>) -> Vec<AnyRc> {
        self.0.cancel(&self, message.clone());
        Vec::new()
    }

    fn add_callback(self: Rc<Self>, callback: Callback) {
        self.0.add_callback(&self, callback);
    }

    fn remove_callbacks(&self, gone: &mut dyn FnMut(&Callback) -> bool) -> usize {
        self.0.remove_callbacks(gone)
    }

    fn failure(&self) -> Option<Exception> {
        self.0.failure()
    }

    fn each_callback(&self, look: &mut dyn FnMut(&Callback)) {
        self.0.each_callback(look);
    }

    fn describe(&self, _depth: usize) -> String {
        format!("<Future {}>", self.0.repr())
    }
}

impl<T: 'static, X: 'static> Typed<T> for Plain<T, X> {
    fn core(&self) -> &Core<T> {
        &self.0
    }

    fn succeed(self: Rc<Self>, value: T) {
        self.0.succeed(&self, value);
    }

    fn fail(self: Rc<Self>, exception: Exception) {
        self.0.fail(&self, exception);
    }
}

impl<T, X> Drop for Plain<T, X> {
    fn drop(&mut self) {
        self.0
            .report_unseen("Future", None, || format!("<Future {}>", self.0.repr()));
    }
}
