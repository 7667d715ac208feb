//! Who waits for a queue.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::awaiting::Await;
use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::futures::Future;

/// The tasks that wait for an item, or for room.
#[derive(Default)]
pub(super) struct Line {
    waiting: RefCell<VecDeque<Future<()>>>,
    /// The future of a wait that is over: where two tasks take turns, the next wait's.
    spare: Cell<Option<Future<()>>>,
}

impl Line {
    /// Waits to be woken by a task of `event_loop`. A task that is cancelled or dropped instead wakes
    /// the next one, if what it waited for is there by `ready`.
    pub(super) async fn wait(&self, event_loop: EventLoop, ready: impl Fn() -> bool) -> Result<()> {
        let future = self.future(&event_loop);
        self.waiting.borrow_mut().push_back(future.clone());
        let mut place = Place {
            line: self,
            waiting: future.waiting(),
            ready,
            woken: false,
        };
        (&mut place.waiting).await?;
        place.woken = true;
        Ok(())
    }

    /// A future of the queue's loop that is not done.
    fn future(&self, event_loop: &EventLoop) -> Future<()> {
        match self.spare.take() {
            Some(spare) if spare.renew() => spare,
            _ => event_loop.create_future(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }

    #[inline]
    pub(super) fn wake_next(&self) {
        // Mostly nobody waits.
        if !self.waiting.borrow().is_empty() {
            self.wake_one();
        }
    }

    fn wake_one(&self) {
        loop {
            let next = self.waiting.borrow_mut().pop_front();
            match next {
                Some(future) if future.done() => {}
                // It is no task, and can be completed.
                Some(future) => return future.0.succeed(()),
                None => return,
            }
        }
    }

    fn remove(&self, gone: &Future<()>) {
        let mut waiting = self.waiting.borrow_mut();
        // Mostly the first: of those that have waited as long, the oldest is cancelled first.
        if let Some(place) = waiting.iter().position(|future| future == gone) {
            waiting.remove(place);
        }
    }

    pub(super) fn wake_all(&self) {
        let all = self.waiting.take();
        for future in all {
            let _ = future.set_result(());
        }
    }
}

/// A task's place in a line.
struct Place<'l, R: Fn() -> bool> {
    line: &'l Line,
    waiting: Await<()>,
    ready: R,
    woken: bool,
}

impl<R: Fn() -> bool> Drop for Place<'_, R> {
    fn drop(&mut self) {
        let future = self.waiting.future();
        if self.woken {
            self.line.spare.set(Some(future.clone()));
            return;
        }
        future.cancel();
        self.line.remove(future);
        if (self.ready)() && !future.cancelled() {
            self.line.wake_next();
        }
    }
}
