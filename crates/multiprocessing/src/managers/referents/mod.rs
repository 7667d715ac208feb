//! The types that a `SyncManager` has.

#![allow(
    clippy::unit_arg,
    reason = "a method that returns nothing returns Python's None, as the others their values"
)]

mod array;
mod callbacks;
mod dict;
mod holder;
mod iterables;
mod iterator;
mod list;
mod lockable;
mod locks;
mod patience;
mod pool;
mod queue;
mod ranked;
mod set;
mod signals;
mod values;

use std::sync::Arc;

pub use array::Array;
pub(super) use dict::make as make_dict;
use hilos_threading::{BoundedSemaphore, Event, Lock, RLock, Semaphore};
pub use holder::{Namespace, Value};
pub use iterator::PythonIterator;
pub use ranked::Ranked;
pub(super) use set::make as make_set;
pub(super) use values::{Index, index, iterate};

use super::exception::Exception;
use super::registry::Registry;

/// The types that CPython's `SyncManager` registers.
pub(super) fn register(registry: &mut Registry) {
    registry.add("Array", |args| array::make(args).map(Arc::new));
    registry.add("Barrier", |args| signals::make_barrier(args).map(Arc::new));
    registry.add("BoundedSemaphore", |args| {
        signals::initial_value(args).map(|value| Arc::new(BoundedSemaphore::new(value)))
    });
    registry.add("Condition", |args| {
        locks::make_condition(args).map(Arc::new)
    });
    registry.add("Event", |args| {
        args.bind("Event.__init__", [], 0)
            .map(|[]| Arc::new(Event::new()))
    });
    registry.add("JoinableQueue", |args| queue::make(args).map(Arc::new));
    registry.add("Lock", |args| {
        args.between("lock", (0, 0)).map(|_| Arc::new(Lock::new()))
    });
    registry.add("Namespace", |args| {
        holder::make_namespace(args).map(Arc::new)
    });
    registry.add("Pool", |args| pool::make(args).map(Arc::new));
    registry.add("Queue", |args| queue::make(args).map(Arc::new));
    registry.add("RLock", |args| {
        args.between("RLock", (0, 0))
            .map(|_| Arc::new(RLock::new()))
    });
    registry.add("Semaphore", |args| {
        signals::initial_value(args).map(|value| Arc::new(Semaphore::new(value)))
    });
    for typeid in ["AsyncResult", "Iterator"] {
        registry.add(typeid, |_| -> Result<Arc<Namespace>, Exception> {
            let text = "Without callable, must have one non-keyword argument";
            Err(Exception::value_error(text))
        });
    }
    registry.add("Value", |args| holder::make_value(args).map(Arc::new));
    registry.add("dict", |args| dict::make(args).map(Arc::new));
    registry.add("list", |args| list::make(args).map(Arc::new));
    registry.add("set", |args| set::make(args).map(Arc::new));
}
