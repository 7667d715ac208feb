//! Where other threads leave what they have for a loop, and how they end its sleep.

use std::task::Waker;
use std::time::{Duration, Instant};

use hilos_core::sync::atomic::{AtomicBool, Ordering};
use hilos_core::sync::{Condvar, Mutex};

/// What has come for a loop. No code of the program runs under its lock.
pub(crate) struct Inbox<T> {
    inside: Mutex<Inside<T>>,
    /// Told when something arrives while the loop sleeps.
    arrived: Condvar,
    /// Whether something is there: a look that needs no lock, under which alone it changes.
    any: AtomicBool,
    /// Whether nothing can be sent any more; changes under the lock.
    closed: AtomicBool,
}

struct Inside<T> {
    items: Vec<T>,
    /// Ends the loop's sleep while it sleeps elsewhere than on [`Inbox::arrived`].
    alarm: Option<Waker>,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Self {
        let (items, alarm) = (Vec::new(), None);
        Self {
            inside: Mutex::new(Inside { items, alarm }),
            arrived: Condvar::new(),
            any: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// Leaves `item` for the loop, and ends its sleep; a closed inbox drops it.
    pub(crate) fn send(&self, item: T) {
        let mut inside = self.inside.lock();
        if self.is_closed() {
            drop(inside);
            return drop(item);
        }
        inside.items.push(item);
        self.any.store(true, Ordering::Release);
        let alarm = inside.alarm.take();
        drop(inside);
        self.arrived.notify_one();
        if let Some(alarm) = alarm {
            alarm.wake();
        }
    }

    /// Takes what has come.
    pub(crate) fn receive(&self) -> Vec<T> {
        if !self.has_any() {
            return Vec::new();
        }
        let mut inside = self.inside.lock();
        self.any.store(false, Ordering::Relaxed);
        std::mem::take(&mut inside.items)
    }

    #[inline]
    pub(crate) fn has_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Has `alarm` woken by the next arrival; `false` if something is there already.
    pub(crate) fn set_alarm(&self, alarm: Waker) -> bool {
        let mut inside = self.inside.lock();
        let asleep = inside.items.is_empty();
        let old = std::mem::replace(&mut inside.alarm, asleep.then_some(alarm));
        drop(inside);
        drop(old);
        asleep
    }

    pub(crate) fn unset_alarm(&self) {
        let alarm = self.inside.lock().alarm.take();
        drop(alarm);
    }

    /// Sleeps until something is there or `timeout` has passed.
    pub(crate) fn sleep(&self, timeout: Option<Duration>) {
        let moment = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut inside = self.inside.lock();
        while inside.items.is_empty() {
            match moment {
                None => self.arrived.wait(&mut inside),
                Some(moment) => {
                    if self.arrived.wait_until(&mut inside, moment).timed_out() {
                        return;
                    }
                }
            }
        }
    }

    /// Refuses what is sent from now on, and returns what was not taken.
    pub(crate) fn close(&self) -> Vec<T> {
        let mut inside = self.inside.lock();
        self.closed.store(true, Ordering::Release);
        self.any.store(false, Ordering::Relaxed);
        std::mem::take(&mut inside.items)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
