//! What other threads may do to a loop: hand it calls, wake its tasks and end its sleep.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::time::Duration;

use crate::running;

/// A task's place in its loop's registry, with a number that no other task has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskKey {
    pub(crate) place: u32,
    pub(crate) number: u64,
}

/// What another thread has for the loop.
pub(crate) enum Injected {
    Wake(TaskKey),
    Call(Box<dyn FnOnce() + Send>),
    /// What waits under this number in [`Returns`](crate::returns::Returns) has come.
    Return(u64),
}

/// The part of a loop that threads share.
pub(crate) struct Shared {
    inbox: Mutex<Inbox>,
    /// Told when something arrives while the loop sleeps.
    arrived: Condvar,
    /// Whether something is in the inbox: a look that needs no lock.
    any: AtomicBool,
    /// The thread-safe copy of the loop's own flag.
    closed: AtomicBool,
}

#[derive(Default)]
struct Inbox {
    items: Vec<Injected>,
}

impl Shared {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            inbox: Mutex::default(),
            arrived: Condvar::new(),
            any: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // No code of the program runs under the lock.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn send(&self, item: Injected) {
        let mut inbox = self.inbox();
        inbox.items.push(item);
        self.any.store(true, Ordering::Release);
        self.ring(inbox);
    }

    /// Like [`send`](Self::send); in the loop's own thread it is ready like anything else.
    pub(crate) fn send_or_push(self: &Arc<Self>, item: Injected) {
        match running::get() {
            Some(event_loop) if event_loop.is_of(self) => event_loop.accept(item),
            _ => self.send(item),
        }
    }

    fn ring(&self, inbox: MutexGuard<'_, Inbox>) {
        drop(inbox);
        self.arrived.notify_one();
    }

    pub(crate) fn receive(&self) -> Vec<Injected> {
        match self.any.swap(false, Ordering::Acquire) {
            true => std::mem::take(&mut self.inbox().items),
            false => Vec::new(),
        }
    }

    pub(crate) fn has_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Sleeps until something arrives or `timeout` has passed.
    pub(crate) fn sleep(&self, timeout: Option<Duration>) {
        let inbox = self.inbox();
        let asleep = |_: &mut Inbox| !self.any.load(Ordering::Relaxed);
        match timeout {
            None => drop(self.arrived.wait_while(inbox, asleep)),
            Some(timeout) => drop(self.arrived.wait_timeout_while(inbox, timeout, asleep)),
        }
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// What the clones of a task's waker share.
pub(crate) struct WakeCell {
    shared: Arc<Shared>,
    key: TaskKey,
}

impl WakeCell {
    pub(crate) fn new(shared: &Arc<Shared>, key: TaskKey) -> Arc<Self> {
        let shared = shared.clone();
        Arc::new(Self { shared, key })
    }

    pub(crate) fn wake_task(&self) {
        let here = running::with(|event_loop| {
            let ours = event_loop.is_of(&self.shared);
            if ours {
                event_loop.wake_task(self.key);
            }
            ours
        });
        if here != Some(true) && !self.shared.is_closed() {
            self.shared.send(Injected::Wake(self.key));
        }
    }
}

impl Wake for WakeCell {
    fn wake(self: Arc<Self>) {
        self.wake_task();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_task();
    }
}
