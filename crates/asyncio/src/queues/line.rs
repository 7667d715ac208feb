//! Who waits for a queue.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::exception::Result;
use crate::futures::Future;
use crate::running;

/// The tasks that wait for an item, or for room.
#[derive(Default)]
pub(super) struct Line(RefCell<VecDeque<Future<()>>>);

impl Line {
    /// Waits to be woken. A task that is cancelled or dropped instead wakes the next one, if what
    /// it waited for is there by `ready`.
    pub(super) async fn wait(&self, ready: impl Fn() -> bool) -> Result<()> {
        let future: Future<()> = running::get_running_loop()?.create_future();
        self.0.borrow_mut().push_back(future.clone());
        let mut place = Place {
            line: self,
            future,
            ready,
            woken: false,
        };
        place.future.clone().waiting().await?;
        place.woken = true;
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    pub(super) fn wake_next(&self) {
        loop {
            let next = self.0.borrow_mut().pop_front();
            match next {
                Some(future) if future.done() => {}
                Some(future) => return drop(future.set_result(())),
                None => return,
            }
        }
    }

    pub(super) fn wake_all(&self) {
        let all = self.0.take();
        for future in all {
            let _ = future.set_result(());
        }
    }
}

/// A task's place in a line.
struct Place<'l, R: Fn() -> bool> {
    line: &'l Line,
    future: Future<()>,
    ready: R,
    woken: bool,
}

impl<R: Fn() -> bool> Drop for Place<'_, R> {
    fn drop(&mut self) {
        if self.woken {
            return;
        }
        self.future.cancel();
        self.line
            .0
            .borrow_mut()
            .retain(|other| *other != self.future);
        if (self.ready)() && !self.future.cancelled() {
            self.line.wake_next();
        }
    }
}
