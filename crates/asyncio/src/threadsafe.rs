//! What other threads may do to a loop: hand it calls, wake its tasks and end its sleep.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use crate::inbox::Inbox;
use crate::running;
use crate::watch::Watch;

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
    pub(crate) inbox: Inbox<Injected>,
    /// How many [`WakeCell`]s there are.
    wakers: AtomicUsize,
    pub(crate) watch: Watch,
}

impl Shared {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            inbox: Inbox::new(),
            wakers: AtomicUsize::new(0),
            watch: Watch::default(),
        })
    }

    /// Sends `item`; in the loop's own thread it is ready like anything else.
    pub(crate) fn send_or_push(self: &Arc<Self>, item: Injected) {
        match running::get() {
            Some(event_loop) if event_loop.is_of(self) => event_loop.accept(item),
            _ => self.inbox.send(item),
        }
    }

    /// Whether anything but the loop's own futures may wake a task.
    #[cfg(feature = "tokio")]
    pub(crate) fn has_wakers(&self) -> bool {
        self.wakers.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inbox.is_closed()
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
        shared.wakers.fetch_add(1, Ordering::Relaxed);
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
        if here != Some(true) {
            self.shared.inbox.send(Injected::Wake(self.key));
        }
    }
}

impl Drop for WakeCell {
    fn drop(&mut self) {
        self.shared.wakers.fetch_sub(1, Ordering::Relaxed);
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
