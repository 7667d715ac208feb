//! What is ready to run, in its order.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::any_future::{AnyRc, Notify};
use crate::base_events::EventLoop;
use crate::shuffle::Shuffle;

/// Something that can be made ready, and then is run once for each time.
///
/// An object instead of an enum of all there is: handing two words over is what each step pays.
pub(crate) trait Ready {
    fn run(self: Rc<Self>, event_loop: &EventLoop);

    /// Whether it is a task's step; all else is a callback.
    fn is_step(&self) -> bool {
        false
    }

    /// What debug mode calls it.
    fn what(&self, event_loop: &EventLoop) -> String;
}

/// The notification that is next: one object for all, because gathering thousands makes thousands.
struct NextNotification;

impl Ready for NextNotification {
    fn run(self: Rc<Self>, event_loop: &EventLoop) {
        let next = event_loop.0.ready.notifications.borrow_mut().pop_front();
        if let Some((whom, future)) = next {
            whom.notify(future);
        }
    }

    fn what(&self, event_loop: &EventLoop) -> String {
        let next = event_loop.0.ready.notifications.borrow().front().cloned();
        let future = next.map(|(_, future)| future.repr());
        format!("a callback of {}", future.unwrap_or_default())
    }
}

/// A future is done, and the program's callback shall know.
pub(crate) struct Called(pub(crate) Box<dyn FnOnce(AnyRc)>, pub(crate) AnyRc);

impl Ready for Called {
    fn run(self: Rc<Self>, _event_loop: &EventLoop) {
        if let Some(Self(callback, future)) = Rc::into_inner(self) {
            callback(future);
        }
    }

    fn what(&self, _event_loop: &EventLoop) -> String {
        format!("a callback of {}", self.1.repr())
    }
}

/// What another thread has sent.
pub(crate) struct Sent(pub(crate) Box<dyn FnOnce() + Send>);

impl Ready for Sent {
    fn run(self: Rc<Self>, _event_loop: &EventLoop) {
        if let Some(Self(call)) = Rc::into_inner(self) {
            call();
        }
    }

    fn what(&self, _event_loop: &EventLoop) -> String {
        "a call from another thread".to_owned()
    }
}

/// What another thread has done, by its number.
pub(crate) struct Returned(pub(crate) u64);

impl Ready for Returned {
    fn run(self: Rc<Self>, event_loop: &EventLoop) {
        event_loop.0.returns.take(self.0);
    }

    fn what(&self, _event_loop: &EventLoop) -> String {
        "a call from another thread".to_owned()
    }
}

/// What runs in the next iteration; in this one, if it was pushed before that began.
pub(crate) struct ReadyQueue {
    queue: RefCell<VecDeque<Rc<dyn Ready>>>,
    /// Which of asyncio's own objects shall know that a future is done; each has its place in the
    /// queue.
    notifications: RefCell<VecDeque<Notification>>,
    next_notification: Rc<NextNotification>,
}

type Notification = (Rc<dyn Notify>, AnyRc);

impl Default for ReadyQueue {
    fn default() -> Self {
        Self {
            queue: RefCell::default(),
            notifications: RefCell::default(),
            next_notification: Rc::new(NextNotification),
        }
    }
}

impl ReadyQueue {
    /// Has `whom` told that `future` is done.
    pub(crate) fn push_notification(&self, whom: Rc<dyn Notify>, future: AnyRc) {
        self.notifications.borrow_mut().push_back((whom, future));
        self.push(self.next_notification.clone());
    }

    #[inline]
    pub(crate) fn push(&self, ready: Rc<dyn Ready>) {
        self.queue.borrow_mut().push_back(ready);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<Rc<dyn Ready>> {
        self.queue.borrow_mut().pop_front()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Has `shuffle` change the order.
    #[inline]
    pub(crate) fn permute(&self, shuffle: &Shuffle) {
        if shuffle.is_wanted() {
            shuffle.permute(self.queue.borrow_mut().make_contiguous());
        }
    }

    /// Gives memory back that only a rush needed.
    #[inline]
    pub(crate) fn trim(&self) {
        if self.len() == 0 {
            trim(&mut self.queue.borrow_mut());
            trim(&mut self.notifications.borrow_mut());
        }
    }

    /// Empties the queue; the caller drops what was in it.
    pub(crate) fn take(&self) -> (VecDeque<Rc<dyn Ready>>, VecDeque<Notification>) {
        (self.queue.take(), self.notifications.take())
    }
}

#[inline]
fn trim<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() > SPARE {
        *queue = VecDeque::new();
    }
}

/// How long a queue may be whose memory is kept when it is empty.
const SPARE: usize = 4096;
