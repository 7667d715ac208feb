//! What the loop and the combinators know of a future without knowing its result's type.

use std::cell::Cell;
use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::exception::Exception;
use crate::exceptions::{CancelledError, Message};
use crate::site::WaitsIn;
use crate::task_head::TaskHead;

/// A future or a task.
pub(crate) type AnyRc = Rc<dyn AnyFuture>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Cancelled,
    Finished,
}

/// The part of a future that does not depend on its result's type.
pub(crate) struct Head {
    pub(crate) event_loop: EventLoop,
    pub(crate) state: Cell<State>,
    /// Whether there is an exception that nobody has looked at.
    pub(crate) unseen: Cell<bool>,
    /// Whether nobody is told if a task is destroyed while it is pending: no program created it.
    pub(crate) silent: Cell<bool>,
    /// What the `CancelledError` will be, if not a plain one; boxed because it seldom is.
    cancellation: Cell<Option<Box<Cancellation>>>,
    /// What a task waits in; here because there is room between the others.
    pub(crate) waits_in: Cell<WaitsIn>,
}

enum Cancellation {
    /// `cancel` was given a text.
    Message(Message),
    /// The coroutine raised it; the first who asks gets this very exception.
    Raised(Exception),
}

impl Head {
    #[inline]
    pub(crate) fn new(event_loop: EventLoop) -> Self {
        Self {
            event_loop,
            state: Cell::new(State::Pending),
            unseen: Cell::new(false),
            silent: Cell::new(false),
            cancellation: Cell::new(None),
            waits_in: Cell::default(),
        }
    }

    #[inline]
    pub(crate) fn done(&self) -> bool {
        self.state.get() != State::Pending
    }

    #[inline]
    pub(crate) fn cancelled(&self) -> bool {
        self.state.get() == State::Cancelled
    }

    pub(crate) fn set_message(&self, message: Option<Message>) {
        let new = message.map(|message| Box::new(Cancellation::Message(message)));
        drop(self.cancellation.replace(new));
    }

    pub(crate) fn message(&self) -> Option<Message> {
        let cancellation = self.cancellation.take();
        let message = match cancellation.as_deref() {
            Some(Cancellation::Message(message)) => Some(message.clone()),
            _ => None,
        };
        self.cancellation.set(cancellation);
        message
    }

    /// Keeps the `CancelledError` that the coroutine raised.
    pub(crate) fn set_raised(&self, exception: Exception) {
        let raised = Box::new(Cancellation::Raised(exception));
        drop(self.cancellation.replace(Some(raised)));
    }

    /// The exception for whoever asks for the result of a cancelled future.
    pub(crate) fn cancelled_error(&self) -> Exception {
        let Some(cancellation) = self.cancellation.take() else {
            return CancelledError::default().into();
        };
        match &*cancellation {
            Cancellation::Raised(exception) => exception.clone(),
            Cancellation::Message(message) => {
                let error = CancelledError::new(Some(message.clone())).into();
                self.cancellation.set(Some(cancellation));
                error
            }
        }
    }
}

/// A future or a task, without its result's type.
pub(crate) trait AnyFuture: 'static {
    fn head(&self) -> &Head;

    /// The part that only tasks have.
    fn task(&self) -> Option<&TaskHead> {
        None
    }

    /// Whether `cancel` would be `true` now.
    fn accepts_cancel(&self) -> bool {
        !self.head().done()
    }

    /// Cancels this future alone, and returns what it waits for, to be cancelled in its stead.
    fn cancel_one(self: Rc<Self>, message: &Option<Message>) -> Vec<AnyRc>;

    // `event_loop` is the future's own, at hand also where the future is given away.

    /// Has a task's next step run soon, unless that is arranged.
    fn wake(self: Rc<Self>, _event_loop: &EventLoop) {}

    /// Drops a task's coroutine.
    fn abandon(self: Rc<Self>) {}

    fn add_callback(self: Rc<Self>, callback: Callback);

    /// Removes the callbacks that `gone` accepts, and says how many there were.
    fn remove_callbacks(&self, gone: &mut dyn FnMut(&Callback) -> bool) -> usize;

    fn each_callback(&self, look: &mut dyn FnMut(&Callback));

    /// What a task's coroutine is called.
    fn coroutine(&self) -> Option<String> {
        None
    }

    /// What a finished future failed with.
    fn failure(&self) -> Option<Exception>;

    /// What Python prints of the future, and of what it waits for up to `depth` steps away.
    fn describe(&self, depth: usize) -> String;

    /// What Python prints of the future; of an endless chain of waiting tasks only the beginning.
    fn repr(&self) -> String {
        self.describe(4)
    }
}

/// What happens when a future is done, in the order of registration.
pub(crate) enum Callback {
    /// A task is waiting for the future.
    Step(AnyRc),
    /// A task is waiting for the future through a combinator with wakers of its own.
    Wake(std::task::Waker),
    /// One of asyncio's own functions is.
    Notify(Rc<dyn Notify>),
    /// The program's callback, and its number.
    Call(Box<Numbered>),
}

type Numbered = (u64, Box<dyn FnOnce(AnyRc)>);

/// An object of asyncio that wants to know when futures are done.
pub(crate) trait Notify {
    fn notify(self: Rc<Self>, future: AnyRc);

    /// On whose behalf it wants to know: a task, or a future that somebody awaits.
    fn waits_for(self: Rc<Self>) -> Option<AnyRc> {
        None
    }
}

/// Whether both are the same future.
#[inline]
pub(crate) fn same(one: &AnyRc, other: &AnyRc) -> bool {
    std::ptr::addr_eq(Rc::as_ptr(one), Rc::as_ptr(other))
}

/// Cancels `future`, and through it whatever it waits for; says whether it was not done yet.
///
/// A loop instead of recursion, because chains of tasks may be longer than any stack.
pub(crate) fn cancel(future: AnyRc, message: Option<Message>) -> bool {
    let accepted = future.accepts_cancel();
    let mut way = Way::default();
    let mut next = Some(future);
    while let Some(future) = next {
        let waits_for = future.clone().cancel_one(&message);
        if !waits_for.is_empty() && !way.go_on(future, waits_for) {
            break;
        }
        next = way.next();
    }
    accepted
}

/// The way of a cancellation: who handed it on, and to whom they still have to.
#[derive(Default)]
struct Way(Vec<(AnyRc, std::vec::IntoIter<AnyRc>)>);

impl Way {
    /// Makes the way longer; `false` if it leads in a circle, where CPython's recursion fails.
    ///
    /// It looks out for one future, and the longer the way, the later one: it will be in the
    /// circle, and stay long enough to be met again.
    fn go_on(&mut self, from: AnyRc, to: Vec<AnyRc>) -> bool {
        let marked = self.0.len().checked_ilog2().map(|log| (1 << log) - 1);
        let circle = marked.is_some_and(|marked: usize| same(&self.0[marked].0, &from));
        self.0.push((from, to.into_iter()));
        !circle
    }

    /// The next future to cancel: what the last has still to hand on, or the one before it.
    fn next(&mut self) -> Option<AnyRc> {
        while let Some((_, to)) = self.0.last_mut() {
            let next = to.next();
            if next.is_some() {
                return next;
            }
            self.0.pop();
        }
        None
    }
}
