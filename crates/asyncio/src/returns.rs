//! What shall happen in the loop when another thread has done something.
//!
//! The closures stay with the loop, because they need not be `Send`: the thread has but a number.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use crate::base_events::EventLoop;
use crate::threadsafe::{Injected, Shared};

#[derive(Default)]
pub(crate) struct Returns {
    waiting: RefCell<HashMap<u64, Box<dyn FnOnce()>>>,
    counted: Cell<u64>,
}

impl Returns {
    /// Whether anything is awaited from another thread.
    pub(crate) fn any(&self) -> bool {
        !self.waiting.borrow().is_empty()
    }

    /// Does what was to happen; nothing, if it was done.
    pub(crate) fn take(&self, number: u64) {
        let then = self.waiting.borrow_mut().remove(&number);
        if let Some(then) = then {
            then();
        }
    }

    pub(crate) fn clear(&self) {
        let dropped = self.waiting.take();
        drop(dropped);
    }
}

impl EventLoop {
    /// Has `then` called in the loop when the ticket is redeemed, in whichever thread.
    pub(crate) fn on_return(&self, then: impl FnOnce() + 'static) -> Ticket {
        let returns = &self.0.returns;
        let number = returns.counted.get() + 1;
        returns.counted.set(number);
        returns.waiting.borrow_mut().insert(number, Box::new(then));
        let shared = self.0.shared.clone();
        Ticket { shared, number }
    }
}

/// Stands for a closure that waits in a loop.
pub(crate) struct Ticket {
    shared: Arc<Shared>,
    number: u64,
}

impl Ticket {
    pub(crate) fn redeem(&self) {
        if !self.shared.is_closed() {
            self.shared.send_or_push(Injected::Return(self.number));
        }
    }
}
