//! What is ready to run, in its order.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::any_future::{AnyRc, Notify};
use crate::base_events::EventLoop;
use crate::events::{Handle, Scheduled};
use crate::shuffle::Shuffle;

/// Something that is ready to run.
pub(crate) enum Ready {
    /// A task's next step.
    Step(AnyRc),
    /// A call that may be cancelled until it runs.
    Handle(Rc<dyn Scheduled>),
    /// A future is done, and one of asyncio's own objects shall know.
    Notify(Rc<dyn Notify>, AnyRc),
    /// A future is done, and the program's callback shall know.
    Call(Box<dyn FnOnce(AnyRc)>, AnyRc),
    /// What another thread has sent.
    Sent(Box<dyn FnOnce() + Send>),
    /// What another thread has done, by its number.
    Return(u64),
    /// Signals have come.
    #[cfg(target_os = "linux")]
    Signals,
}

impl Ready {
    #[inline]
    pub(crate) fn run(self, event_loop: &EventLoop) {
        match self {
            Self::Step(task) => task.step(event_loop),
            other => other.call(event_loop),
        }
    }

    /// Runs what is not a step, which most are.
    fn call(self, event_loop: &EventLoop) {
        match self {
            Self::Step(task) => task.step(event_loop),
            Self::Handle(handle) => handle.run(),
            Self::Notify(whom, future) => whom.notify(future),
            Self::Call(callback, future) => callback(future),
            Self::Sent(call) => call(),
            Self::Return(number) => event_loop.0.returns.take(number),
            #[cfg(target_os = "linux")]
            Self::Signals => event_loop.receive_signals(),
        }
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(task) => f.write_str(&task.repr()),
            Self::Handle(handle) => Handle(handle.clone()).fmt(f),
            Self::Notify(_, future) | Self::Call(_, future) => {
                write!(f, "a callback of {}", future.repr())
            }
            Self::Sent(_) | Self::Return(_) => f.write_str("a call from another thread"),
            #[cfg(target_os = "linux")]
            Self::Signals => f.write_str("the look for signals"),
        }
    }
}

/// What runs in the next iteration; in this one, if it was pushed before that began.
#[derive(Default)]
pub(crate) struct ReadyQueue(RefCell<Ring>);

impl ReadyQueue {
    #[inline]
    pub(crate) fn push(&self, ready: Ready) {
        self.0.borrow_mut().push(ready);
    }

    /// Pushes what is pushed most. Two words are handed over instead of a whole `Ready`.
    #[inline(never)]
    pub(crate) fn push_step(&self, task: AnyRc) {
        self.0.borrow_mut().push(Ready::Step(task));
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<Ready> {
        self.0.borrow_mut().pop()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len
    }

    /// Has `shuffle` change the order.
    #[inline]
    pub(crate) fn permute(&self, shuffle: &Shuffle) {
        if shuffle.is_wanted() {
            let mut ring = self.0.borrow_mut();
            let mut ready = ring.take();
            shuffle.permute(&mut ready);
            ready.into_iter().for_each(|one| ring.push(one));
        }
    }

    /// Gives memory back that only a rush needed.
    #[inline]
    pub(crate) fn trim(&self) {
        let mut ring = self.0.borrow_mut();
        if ring.places.len() > SPARE && ring.len == 0 {
            *ring = Ring::default();
        }
    }

    /// Empties the queue; the caller drops what was in it.
    pub(crate) fn take(&self) -> Vec<Ready> {
        self.0.borrow_mut().take()
    }
}

/// How long a queue may be whose memory is kept when it is empty.
const SPARE: usize = 4096;

/// A queue in a ring of places, of which some power of two is there, or none.
///
/// Unlike a `VecDeque`, it is small enough to be compiled into whoever pushes.
#[derive(Default)]
struct Ring {
    places: Vec<Option<Ready>>,
    first: usize,
    len: usize,
}

impl Ring {
    #[inline(always)]
    fn push(&mut self, ready: Ready) {
        if self.len == self.places.len() {
            self.grow();
        }
        let place = (self.first + self.len) & (self.places.len() - 1);
        // The place is empty: there is nothing to drop.
        std::mem::forget(self.places[place].replace(ready));
        self.len += 1;
    }

    #[inline]
    fn pop(&mut self) -> Option<Ready> {
        let ready = self.places.get_mut(self.first)?.take()?;
        self.first = (self.first + 1) & (self.places.len() - 1);
        self.len -= 1;
        Some(ready)
    }

    #[cold]
    fn grow(&mut self) {
        let places = (self.places.len() * 2).max(16);
        let ready = self.take();
        self.len = ready.len();
        self.places = ready.into_iter().map(Some).collect();
        self.places.resize_with(places, || None);
    }

    /// Empties the ring.
    fn take(&mut self) -> Vec<Ready> {
        let Self {
            mut places, first, ..
        } = std::mem::take(self);
        places.rotate_left(first);
        places.into_iter().flatten().collect()
    }
}
