//! The tasks that wait for a lock, in the order in which they came.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::awaiting::Await;
use crate::exception::Result;
use crate::futures::Future;
use crate::mixins::LoopBound;

/// Futures of waiting tasks, first come first.
#[derive(Default)]
pub(crate) struct Waiters {
    futures: RefCell<VecDeque<Future<()>>>,
    bound: LoopBound,
}

impl Waiters {
    /// Adds a waiter, which stays until it is dropped.
    ///
    /// `what` is the object that is waited for, in case it belongs to another loop.
    pub(crate) fn enter(self: &Rc<Self>, what: impl FnOnce() -> String) -> Result<Waiter> {
        let event_loop = self.bound.get_loop(what)?;
        let future: Future<()> = event_loop.create_future();
        self.futures.borrow_mut().push_back(future.clone());
        let waiters = self.clone();
        let woken = future.waiting();
        Ok(Waiter { waiters, woken })
    }

    pub(crate) fn len(&self) -> usize {
        self.futures.borrow().len()
    }

    /// Whether every waiter, if there is one, was cancelled.
    pub(crate) fn all_cancelled(&self) -> bool {
        self.futures.borrow().iter().all(Future::cancelled)
    }

    pub(crate) fn first(&self) -> Option<Future<()>> {
        self.futures.borrow().front().cloned()
    }

    /// Wakes up to `n` waiters that are not woken or cancelled yet, and says how many.
    pub(crate) fn wake(&self, n: usize) -> usize {
        let waiting: Vec<_> = self
            .futures
            .borrow()
            .iter()
            .filter(|future| !future.done())
            .take(n)
            .cloned()
            .collect();
        // A future that is not done can be completed.
        waiting
            .iter()
            .filter(|future| future.set_result(()).is_ok())
            .count()
    }

    fn remove(&self, gone: &Future<()>) {
        let mut futures = self.futures.borrow_mut();
        // Mostly the first: waiters are woken in their order.
        if let Some(place) = futures.iter().position(|future| future == gone) {
            futures.remove(place);
        }
    }
}

/// A task's place among the waiters, and how it waits to be woken; when it is dropped, it leaves.
pub(crate) struct Waiter {
    waiters: Rc<Waiters>,
    woken: Await<()>,
}

impl Waiter {
    /// What the waiter is woken by.
    pub(crate) fn future(&self) -> &Future<()> {
        self.woken.future()
    }
}

impl StdFuture for Waiter {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.woken).poll(context)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.waiters.remove(self.woken.future());
    }
}
