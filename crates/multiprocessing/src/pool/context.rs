//! A value that all the tasks of a call share: it is encoded once and goes to each worker once.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::failure::Failure;
use crate::reduction::{Message, dumps, loads};

/// The value on the pool's side, for as long as there are tasks that need it.
pub(super) struct Context {
    pub(super) number: u64,
    pub(super) message: Message,
}

impl Context {
    pub(super) fn new<C: Serialize>(value: &C) -> Result<Arc<Self>, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (number, message) = (NEXT.fetch_add(1, Ordering::Relaxed), dumps(value)?);
        Ok(Arc::new(Self { number, message }))
    }
}

/// The value on a worker's side, which the first task decodes.
enum Known {
    Encoded(Message),
    Decoded(Rc<dyn Any>),
    Failed(Failure),
}

thread_local! {
    static KNOWN: RefCell<HashMap<u64, Known>> = RefCell::default();
}

/// Keeps a value for the tasks to come.
pub(super) fn remember(number: u64, message: Message) {
    KNOWN.with_borrow_mut(|known| known.insert(number, Known::Encoded(message)));
}

/// Drops a value that no task will need.
pub(super) fn forget(number: u64) {
    // Its destructor is the user's, and may run anything.
    drop(KNOWN.with_borrow_mut(|known| known.remove(&number)));
}

/// The value of a number.
pub(super) fn recall<C: DeserializeOwned + 'static>(number: u64) -> Result<Rc<C>, Failure> {
    let known = KNOWN.with_borrow_mut(|known| known.remove(&number));
    let known = match known {
        Some(Known::Encoded(Message { bytes, fds })) => match loads::<C>(&bytes, fds) {
            Ok(value) => Known::Decoded(Rc::new(value)),
            Err(error) => Known::Failed(Failure::new("UnpicklingError", error)),
        },
        Some(known) => known,
        None => return Err(Failure::new("RuntimeError", "the context did not arrive")),
    };
    let value = match &known {
        Known::Decoded(value) => value.clone().downcast().map_err(|other| {
            let (found, expected) = ((*other).type_id(), TypeId::of::<C>());
            Failure::new(
                "RuntimeError",
                format!("{found:?} in place of {expected:?}"),
            )
        }),
        Known::Failed(failure) => Err(failure.clone()),
        Known::Encoded(_) => unreachable!("it was decoded above"),
    };
    KNOWN.with_borrow_mut(|all| all.insert(number, known));
    value
}
