//! A task: its coroutine, what it is polled with, and what becomes of each step.

use std::future::Future as StdFuture;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Instant;

use hilos_core::contextvars::{Context, RuntimeError};
use hilos_core::lazy_context::LazyContext;
use hilos_core::panic::{Unwound, catch};

use crate::any_future::{self, AnyFuture, AnyRc, Callback, Head};
use crate::base_events::EventLoop;
use crate::core::{Core, Typed};
use crate::exception::{Exception, Result};
use crate::exceptions::{Message, SystemExit};
use crate::few::{self, Few};
use crate::futures::Future;
use crate::ready::Ready;
use crate::repr::{function_name, qualified};
use crate::site;
use crate::step::{self, Left, ask_for_context};
use crate::sys::coroutine::{self, InPlace, Place};
use crate::sys::waker::{Source, with_waker};
use crate::task_head::TaskHead;
use crate::tasks::Task;
use crate::watch::{self, Step};

/// Whether whoever asks for the result gets a `CancelledError`: a gather fails with one.
fn ended_by_cancellation(future: &AnyRc) -> bool {
    let failure = || future.failure();
    future.head().cancelled() || failure().is_some_and(|exception| exception.is_cancelled())
}

/// What a step failed with that the coroutine did not return.
#[cold]
fn failure(
    failed: std::result::Result<std::result::Result<(), RuntimeError>, Unwound>,
) -> Exception {
    match failed {
        Ok(Ok(())) => unreachable!("it did not fail"),
        Ok(Err(error)) => error.into(),
        Err(Unwound::Panic(panic)) => panic.into(),
        Err(Unwound::Exit) => SystemExit(0).into(),
    }
}

/// A task in its one allocation.
struct Cellular<F, T> {
    core: Core<T>,
    task: TaskHead,
    coroutine: Place<F>,
}

// SAFETY: `place` returns the field `coroutine`. Everything that is named `Cellular` is in an `Rc`
// from its creation in `spawn` on, nothing here takes the content out of that or `&mut` of it, and
// the field is private to this module.
unsafe impl<F, T> InPlace<F> for Cellular<F, T> {
    fn place(&self) -> &Place<F> {
        &self.coroutine
    }
}

/// How a task is to be made.
pub(crate) struct Making {
    pub(crate) name: Option<String>,
    pub(crate) context: Option<Context>,
    pub(crate) eager_start: bool,
    pub(crate) location: &'static Location<'static>,
}

/// Creates a task and schedules its first step, or takes it at once if it is eager.
pub(crate) fn spawn<F, T>(event_loop: &EventLoop, coroutine: F, making: Making) -> Result<Task<T>>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    static COUNTED: AtomicU64 = AtomicU64::new(0);
    event_loop.check_open()?;
    let number = COUNTED.fetch_add(1, Ordering::Relaxed) + 1;
    let context = match making.context {
        Some(context) => LazyContext::from(context),
        None => event_loop.copy_context(),
    };
    let cell = event_loop.0.tasks.borrow_mut().insert(number, |key| {
        Rc::new(Cellular {
            core: Core::new(event_loop.clone()),
            task: TaskHead::new(key, context, making.location, making.name),
            coroutine: Place::new(coroutine),
        })
    });
    if making.eager_start && event_loop.is_running() {
        step::nested(|| cell.clone().run(event_loop));
    } else {
        cell.task.notified.set(true);
        event_loop.push(cell.clone());
    }
    Ok(Task(Future(cell)))
}

impl<F, T> Cellular<F, T>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    /// The exception that this step shall throw.
    #[inline]
    fn take_throw(&self) -> Option<Exception> {
        match self.task.must_cancel.get() {
            true => self.take_cancellation(),
            false => None,
        }
    }

    #[cold]
    fn take_cancellation(&self) -> Option<Exception> {
        self.task.must_cancel.set(false);
        // What was waited for may have been cancelled itself: its exception goes first.
        let cancelled = |waiters: &mut Few<AnyRc>| matches!(waiters.as_slice(), [waiter] if ended_by_cancellation(waiter));
        match few::within(&self.task.waiters, cancelled) {
            true => None,
            false => Some(self.core.head.cancelled_error()),
        }
    }

    /// Polls the coroutine once, in its context; `None` if it is running already, or gone.
    #[inline]
    fn poll(
        self: &Rc<Self>,
        event_loop: &EventLoop,
        throw: Option<Exception>,
    ) -> (Option<Poll<Result<T>>>, Left) {
        let source = Source {
            shared: &event_loop.0.shared,
            key: self.task.key,
            cell: &self.task.wake_cell,
        };
        let mut polled = None;
        let poll = || {
            with_waker(&source, |waker| {
                let mut context = std::task::Context::from_waker(waker);
                polled = coroutine::poll(self, &mut context);
            });
        };
        self.task.running.set(true);
        site::forget();
        let watched = watch::is_on();
        if watched {
            event_loop.0.shared.watch.begin(self.watched_step());
        }
        step::begin(event_loop, self.task.key, source.address());
        if let Some(thrown) = throw {
            step::throw(thrown);
        }
        let caught = catch(|| self.task.context.run(ask_for_context, poll));
        let left = step::end();
        if watched {
            event_loop.0.shared.watch.end();
        }
        self.task.running.set(false);
        match caught {
            Ok(Ok(())) => (polled, left),
            failed => (Some(Poll::Ready(Err(failure(failed)))), left),
        }
    }

    fn watched_step(self: &Rc<Self>) -> Step {
        Step {
            task_id: Rc::as_ptr(self).addr(),
            task_name: self.task.name(),
            coroutine: coroutine_name::<F>,
            location: self.task.location(),
            since: Instant::now(),
        }
    }

    /// What the step's end means for the task.
    #[inline]
    fn after(self: Rc<Self>, event_loop: &EventLoop, polled: Option<Poll<Result<T>>>, left: Left) {
        match (polled, left.throw) {
            (None, _) => {}
            (Some(Poll::Ready(result)), _) => self.end(result),
            // Nothing on the way took the exception: it ends the coroutine.
            (Some(Poll::Pending), Some(thrown)) => self.end(Err(thrown)),
            (Some(Poll::Pending), None) => self.suspend(event_loop, left.yielded),
        }
    }

    /// Steps a task that is suspended in a future of a stranger.
    fn wake_suspended(self: &Rc<Self>) {
        if !self.task.running.get() {
            self.clone().wake(&self.core.head.event_loop);
        }
    }

    #[inline]
    fn suspend(self: Rc<Self>, event_loop: &EventLoop, yielded: bool) {
        self.note_site(yielded);
        let head = &self.task;
        // Whoever wakes the task from here on has its next step scheduled as well.
        let mut woken = yielded || head.notified.get();
        if head.must_cancel.get() {
            woken |= self.cancel_waiters();
        }
        if woken {
            head.notified.set(true);
            event_loop.push(self);
        }
    }

    /// Hands a cancellation that came during the step to what the coroutine waits for; whether it
    /// waits for nothing that could take it.
    #[cold]
    fn cancel_waiters(&self) -> bool {
        let waiters = self.task.waiters();
        let waits = !waiters.is_empty();
        let message = self.core.head.message();
        let accepted = waiters.into_iter().fold(false, |any, waiter| {
            any_future::cancel(waiter, message.clone()) | any
        });
        if accepted {
            self.task.must_cancel.set(false);
        }
        !accepted && !waits
    }

    /// Remembers where the coroutine waits, if it is in something of asyncio.
    #[inline]
    fn note_site(&self, yielded: bool) {
        let site = site::last();
        if !yielded && few::is_empty(&self.task.waiters) {
            self.task.waits_at.set(None);
        } else if let Some(site) = site {
            self.task.waits_at.set(Some(site.location));
            self.core.head.waits_in.set(site.waits_in);
        }
        // Without one it has been woken, and waits again, inside the same function of asyncio.
    }

    fn end(self: &Rc<Self>, result: Result<T>) {
        few::clear(&self.task.waiters);
        coroutine::clear(self);
        match result {
            Ok(_) if self.task.must_cancel.replace(false) => {
                self.core.cancel(self, self.core.head.message());
            }
            Err(exception) if exception.is_cancelled() => self.core.cancel_by(self, exception),
            Err(exception) if exception.is_exit() => {
                self.core.fail(self, exception.clone());
                self.core.head.event_loop.raise(exception);
            }
            Ok(value) => self.core.succeed(self, value),
            Err(exception) => self.core.fail(self, exception),
        }
        let registered = self
            .core
            .head
            .event_loop
            .0
            .tasks
            .borrow_mut()
            .remove(self.task.key);
        drop(registered);
    }
}

impl<F, T> Ready for Cellular<F, T>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    /// Runs the coroutine as far as it gets.
    fn run(self: Rc<Self>, event_loop: &EventLoop) {
        self.task.notified.set(false);
        if self.core.head.done() {
            return;
        }
        let throw = self.take_throw();
        few::clear(&self.task.waiters);
        if !self.task.started.replace(true)
            && let Some(thrown) = throw
        {
            return self.end(Err(thrown));
        }
        let (polled, left) = self.poll(event_loop, throw);
        self.after(event_loop, polled, left);
    }

    fn is_step(&self) -> bool {
        true
    }

    fn what(&self, _event_loop: &EventLoop) -> String {
        self.repr()
    }
}

impl<F, T> AnyFuture for Cellular<F, T>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    fn head(&self) -> &Head {
        &self.core.head
    }

    fn task(&self) -> Option<&TaskHead> {
        Some(&self.task)
    }

    fn cancel_one(self: Rc<Self>, message: &Option<Message>) -> Vec<AnyRc> {
        let head = &self.task;
        self.core.head.unseen.set(false);
        if self.core.head.done() {
            return Vec::new();
        }
        head.cancels.set(head.cancels.get() + 1);
        let waiters = head.waiters();
        if waiters.iter().any(|waiter| waiter.accepts_cancel()) {
            return waiters;
        }
        head.must_cancel.set(true);
        self.core.head.set_message(message.clone());
        if waiters.is_empty() {
            // It waits for something that asyncio knows nothing of, if not for its next step.
            self.wake_suspended();
        }
        Vec::new()
    }

    fn wake(self: Rc<Self>, event_loop: &EventLoop) {
        let head = &self.task;
        if !self.core.head.done() && !head.notified.replace(true) && !head.running.get() {
            event_loop.push(self);
        }
    }

    fn abandon(self: Rc<Self>) {
        few::clear(&self.task.waiters);
        coroutine::clear(&self);
    }

    fn add_callback(self: Rc<Self>, callback: Callback) {
        self.core.add_callback(&self, callback);
    }

    fn remove_callbacks(&self, gone: &mut dyn FnMut(&Callback) -> bool) -> usize {
        self.core.remove_callbacks(gone)
    }

    fn each_callback(&self, look: &mut dyn FnMut(&Callback)) {
        self.core.each_callback(look);
    }

    fn failure(&self) -> Option<Exception> {
        self.core.failure()
    }

    fn coroutine(&self) -> Option<String> {
        Some(coroutine_name::<F>())
    }

    fn describe(&self, depth: usize) -> String {
        describe::<F, T>(&self.core, &self.task, depth)
    }
}

fn describe<F, T>(core: &Core<T>, task: &TaskHead, depth: usize) -> String {
    let coroutine = coroutine_name::<F>();
    let (doing, place) = match task.waits_at() {
        _ if core.head.done() => (" done, created", task.location()),
        Some(place) => (" running", place),
        None => (" created", task.location()),
    };
    let waits_for = match &task.waiters()[..] {
        [waiter] if depth > 0 => format!(" wait_for={}", waiter.describe(depth - 1)),
        [_] => " wait_for=...".to_owned(),
        _ => String::new(),
    };
    let (state, outcome) = match core.repr() {
        state if state.starts_with("finished ") => {
            ("finished".to_owned(), state["finished".len()..].to_owned())
        }
        state => (state, String::new()),
    };
    let state = match task.must_cancel.get() || (!core.head.done() && task.cancels.get() > 0) {
        true => "cancelling".to_owned(),
        false => state,
    };
    format!(
        "<Task {state} name='{}' coro=<{coroutine}(){doing} at {}:{}>{waits_for}{outcome}>",
        task.name(),
        place.file(),
        place.line(),
    )
}

/// What the coroutine is called in Python: an `async fn` by its name, a block by its function's.
fn coroutine_name<F>() -> String {
    let name = qualified(function_name::<F>());
    name.trim_end_matches(".<locals>.<lambda>").to_owned()
}

impl<F, T> Typed<T> for Cellular<F, T>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    fn core(&self) -> &Core<T> {
        &self.core
    }

    fn succeed(self: Rc<Self>, value: T) {
        self.end(Ok(value));
    }

    fn fail(self: Rc<Self>, exception: Exception) {
        self.end(Err(exception));
    }
}

impl<F, T> Drop for Cellular<F, T> {
    fn drop(&mut self) {
        self.core.report_unseen("Task", Some(&self.task), || {
            describe::<F, T>(&self.core, &self.task, 0)
        });
    }
}
