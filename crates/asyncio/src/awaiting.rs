//! How a coroutine waits for a future.

use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::any_future::{AnyRc, Callback, same};
use crate::exception::{Exception, Result};
use crate::exceptions::RuntimeError;
use crate::futures::Future;
use crate::step;

/// What awaiting a future or a task waits with.
///
/// Dropping it neither cancels the future nor takes its result.
#[must_use = "nothing waits unless it is awaited"]
pub struct Await<T: 'static> {
    future: Future<T>,
    get: fn(&mut Option<T>) -> Option<T>,
    /// What the future will wake, once it is to wake something.
    registered: Option<Registered>,
}

enum Registered {
    /// By its address; the future keeps it alive.
    Task(*const ()),
    /// Boxed because few awaits are polled by anything else.
    Waker(Box<Waker>),
    /// It cannot be waited for, which the coroutine will hear in the next iteration, as in CPython.
    Refused(Exception),
}

impl<T> Await<T> {
    pub(crate) fn new(future: Future<T>, get: fn(&mut Option<T>) -> Option<T>) -> Self {
        Self {
            future,
            get,
            registered: None,
        }
    }

    pub(crate) fn future(&self) -> &Future<T> {
        &self.future
    }

    /// Has the current task stepped when the future is done, and cancellations go to the future.
    #[inline]
    fn register(&mut self, context: &Context<'_>) -> Result<()> {
        let core = self.future.core();
        let Some(task) = core.head.event_loop.stepping_task() else {
            return self.register_stranger(context);
        };
        let waiting = self.future.erased();
        if same(&task, &waiting) {
            return Err(awaits_itself(&task));
        }
        step::waits_for(&task, waiting);
        match step::is_direct(context.waker()) {
            true if self.registered.is_none() => {
                // There is nothing to drop.
                let ours = Registered::Task(address(&task));
                std::mem::forget(self.registered.replace(ours));
                core.add_callback_while_pending(Callback::Step(task));
            }
            direct => self.register_anew(direct, task, context.waker()),
        }
        Ok(())
    }

    /// Has `task` stepped or `waker` woken, if that is not what is to happen already.
    fn register_anew(&mut self, direct: bool, task: AnyRc, waker: &Waker) {
        match &self.registered {
            Some(Registered::Task(other)) if direct && *other == address(&task) => {}
            Some(Registered::Waker(other)) if !direct && other.will_wake(waker) => {}
            _ => {
                self.deregister();
                self.registered = Some(match direct {
                    true => {
                        let address = address(&task);
                        let core = self.future.core();
                        core.add_callback_while_pending(Callback::Step(task));
                        Registered::Task(address)
                    }
                    false => add_waker(self.future.erased(), waker),
                });
            }
        }
    }

    /// Like [`register`](Self::register), for a poll by something that is not this loop's task.
    fn register_stranger(&mut self, context: &Context<'_>) -> Result<()> {
        if let Some(other) = crate::running::get()
            && !other.is(&self.future.head().event_loop)
            && let Some(task) = other.stepping_task()
        {
            let (task, future) = (task.repr(), &self.future);
            return Err(error(format!(
                "Task {task} got Future {future} attached to a different loop"
            )));
        }
        self.deregister();
        self.registered = Some(add_waker(self.future.erased(), context.waker()));
        Ok(())
    }

    /// Why the future cannot be waited for.
    #[inline]
    fn take_refusal(&mut self) -> Option<Exception> {
        match &self.registered {
            Some(Registered::Refused(_)) => match self.registered.take() {
                Some(Registered::Refused(error)) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }

    /// Ends the wait with `thrown`.
    #[cold]
    fn interrupted(&mut self, thrown: Exception) -> Exception {
        self.deregister();
        // CPython looks at the result before it throws.
        if self.future.done() {
            self.future.head().unseen.set(false);
        }
        thrown
    }

    #[inline]
    fn deregister(&mut self) {
        if self.registered.is_some() {
            self.take_back();
        }
    }

    /// Has the future wake nobody, if it was to wake somebody.
    fn take_back(&mut self) {
        match self.registered.take() {
            None | Some(Registered::Refused(_)) => {}
            _ if self.future.done() => {}
            Some(Registered::Task(task)) => {
                self.future.0.remove_callbacks(
                    &mut |callback| matches!(callback, Callback::Step(other) if address(other) == task),
                );
            }
            Some(Registered::Waker(waker)) => {
                self.future.0.remove_callbacks(
                    &mut |callback| matches!(callback, Callback::Wake(other) if other.will_wake(&waker)),
                );
            }
        }
    }
}

fn address(task: &AnyRc) -> *const () {
    Rc::as_ptr(task).cast()
}

#[cold]
fn awaits_itself(task: &AnyRc) -> Exception {
    error(format!("Task cannot await on itself: {}", task.repr()))
}

fn add_waker(future: AnyRc, waker: &Waker) -> Registered {
    future.add_callback(Callback::Wake(waker.clone()));
    Registered::Waker(Box::new(waker.clone()))
}

fn error(message: String) -> Exception {
    RuntimeError::new(message).into()
}

impl<T: 'static> StdFuture for Await<T> {
    type Output = Result<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        // A cancellation comes before a result, which then is lost.
        if let Some(thrown) = step::take_throw() {
            return Poll::Ready(Err(this.interrupted(thrown)));
        }
        if let Some(error) = this.take_refusal() {
            return Poll::Ready(Err(error));
        }
        let core = this.future.core();
        if core.head.done() {
            this.registered = None;
            return Poll::Ready(core.result(this.get));
        }
        match this.register(context) {
            Ok(()) => Poll::Pending,
            Err(error) => {
                this.registered = Some(Registered::Refused(error));
                step::yield_once(context);
                Poll::Pending
            }
        }
    }
}

impl<T: 'static> Drop for Await<T> {
    #[inline]
    fn drop(&mut self) {
        self.deregister();
    }
}

impl<T: 'static> Unpin for Await<T> {}

/// Keeps the type out of the way of what only needs to be told.
pub(crate) fn notify_when_done(future: &AnyRc, whom: Rc<dyn crate::any_future::Notify>) {
    future.clone().add_callback(Callback::Notify(whom));
}
