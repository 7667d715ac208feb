//! How a coroutine waits for a future.

use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use crate::any_future::{AnyRc, Callback, Head, same};
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
    wait: Wait,
}

impl<T> Await<T> {
    pub(crate) fn new(future: Future<T>, get: fn(&mut Option<T>) -> Option<T>) -> Self {
        Self {
            future,
            get,
            wait: Wait::default(),
        }
    }

    pub(crate) fn future(&self) -> &Future<T> {
        &self.future
    }
}

impl<T: 'static> StdFuture for Await<T> {
    type Output = Result<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        ready!(this.wait.poll(&this.future, context))?;
        Poll::Ready(this.future.core().result(this.get))
    }
}

impl<T: 'static> Drop for Await<T> {
    #[inline]
    fn drop(&mut self) {
        self.wait.end(&self.future);
    }
}

impl<T: 'static> Unpin for Await<T> {}

/// A handle of a future that can be waited for.
pub(crate) trait Awaited {
    fn head(&self) -> &Head;

    fn erased(&self) -> AnyRc;

    /// Adds a callback while the future is not done.
    fn call_when_done(&self, callback: Callback);
}

impl<T: 'static> Awaited for Future<T> {
    #[inline]
    fn head(&self) -> &Head {
        Self::head(self)
    }

    #[inline]
    fn erased(&self) -> AnyRc {
        Self::erased(self)
    }

    #[inline]
    fn call_when_done(&self, callback: Callback) {
        self.core().add_callback_while_pending(callback);
    }
}

/// A wait for one future: what that will wake, once it is to wake something.
#[derive(Default)]
pub(crate) struct Wait(Option<Registered>);

enum Registered {
    /// By its address; the future keeps it alive.
    Task(*const ()),
    /// Boxed because few awaits are polled by anything else.
    Waker(Box<Waker>),
    /// It cannot be waited for, which the coroutine will hear in the next iteration, as in CPython.
    Refused(Exception),
}

impl Wait {
    /// Waits until the future is done.
    #[inline]
    pub(crate) fn poll<F: Awaited>(
        &mut self,
        future: &F,
        context: &Context<'_>,
    ) -> Poll<Result<()>> {
        // A cancellation comes before a result, which then is lost.
        if let Some(thrown) = step::take_throw() {
            return Poll::Ready(Err(self.interrupted(future, thrown)));
        }
        if let Some(error) = self.take_refusal() {
            return Poll::Ready(Err(error));
        }
        if future.head().done() {
            self.0 = None;
            return Poll::Ready(Ok(()));
        }
        if let Err(error) = self.register(future, context) {
            self.0 = Some(Registered::Refused(error));
            step::yield_once(context);
        }
        Poll::Pending
    }

    /// Has the current task stepped when the future is done, and cancellations go to the future.
    #[inline]
    fn register<F: Awaited>(&mut self, future: &F, context: &Context<'_>) -> Result<()> {
        let Some(task) = future.head().event_loop.stepping_task() else {
            return self.register_stranger(future, context);
        };
        let waiting = future.erased();
        if same(&task, &waiting) {
            return Err(awaits_itself(&task));
        }
        step::waits_for(&task, waiting);
        match step::is_direct(context.waker()) {
            true if self.0.is_none() => {
                // There is nothing to drop.
                let ours = Registered::Task(address(&task));
                std::mem::forget(self.0.replace(ours));
                future.call_when_done(Callback::Step(task));
            }
            direct => self.register_anew(future, direct, task, context.waker()),
        }
        Ok(())
    }

    /// Has `task` stepped or `waker` woken, if that is not what is to happen already.
    fn register_anew<F: Awaited>(&mut self, future: &F, direct: bool, task: AnyRc, waker: &Waker) {
        match &self.0 {
            Some(Registered::Task(other)) if direct && *other == address(&task) => {}
            Some(Registered::Waker(other)) if !direct && other.will_wake(waker) => {}
            _ => {
                self.end(future);
                self.0 = Some(match direct {
                    true => {
                        let address = address(&task);
                        future.call_when_done(Callback::Step(task));
                        Registered::Task(address)
                    }
                    false => add_waker(future.erased(), waker),
                });
            }
        }
    }

    /// Like [`register`](Self::register), for a poll by something that is not this loop's task.
    fn register_stranger<F: Awaited>(&mut self, future: &F, context: &Context<'_>) -> Result<()> {
        if let Some(other) = crate::running::get()
            && !other.is(&future.head().event_loop)
            && let Some(task) = other.stepping_task()
        {
            let (task, future) = (task.repr(), future.erased().repr());
            return Err(error(format!(
                "Task {task} got Future {future} attached to a different loop"
            )));
        }
        self.end(future);
        self.0 = Some(add_waker(future.erased(), context.waker()));
        Ok(())
    }

    /// Why the future cannot be waited for.
    #[inline]
    fn take_refusal(&mut self) -> Option<Exception> {
        match &self.0 {
            Some(Registered::Refused(_)) => match self.0.take() {
                Some(Registered::Refused(error)) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }

    /// Ends the wait with `thrown`.
    #[cold]
    fn interrupted<F: Awaited>(&mut self, future: &F, thrown: Exception) -> Exception {
        self.end(future);
        // CPython looks at the result before it throws.
        if future.head().done() {
            future.head().unseen.set(false);
        }
        thrown
    }

    /// Has the future wake nobody, if it was to wake somebody.
    #[inline]
    pub(crate) fn end<F: Awaited>(&mut self, future: &F) {
        if self.0.is_some() {
            self.take_back(future);
        }
    }

    fn take_back<F: Awaited>(&mut self, future: &F) {
        match self.0.take() {
            None | Some(Registered::Refused(_)) => {}
            _ if future.head().done() => {}
            Some(Registered::Task(task)) => {
                future.erased().remove_callbacks(
                    &mut |callback| matches!(callback, Callback::Step(other) if address(other) == task),
                );
            }
            Some(Registered::Waker(waker)) => {
                future.erased().remove_callbacks(
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

/// Keeps the type out of the way of what only needs to be told.
pub(crate) fn notify_when_done(future: &AnyRc, whom: Rc<dyn crate::any_future::Notify>) {
    future.clone().add_callback(Callback::Notify(whom));
}
