//! Who awaits whom: read off what tasks wait for when somebody asks, so that awaiting costs nothing.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::{Rc, Weak};

use crate::any_future::{AnyFuture, AnyRc, Callback};
use crate::base_events::EventLoop;
use crate::wait::Waitable;

/// What the program has said itself, by [`future_add_to_awaited_by`]; the addresses of futures
/// that are gone mean nothing.
#[derive(Default)]
pub(crate) struct Told(RefCell<HashMap<*const (), Awaited>>);

struct Awaited {
    future: Weak<dyn AnyFuture>,
    by: Vec<Weak<dyn AnyFuture>>,
}

impl Told {
    fn add(&self, future: &AnyRc, waiter: &AnyRc) {
        let mut told = self.0.borrow_mut();
        told.retain(|_, awaited| awaited.future.strong_count() > 0);
        let awaited = told.entry(id(future)).or_insert_with(|| Awaited {
            future: Rc::downgrade(future),
            by: Vec::new(),
        });
        if !awaited
            .by
            .iter()
            .any(|other| other.as_ptr().cast() == id(waiter))
        {
            awaited.by.push(Rc::downgrade(waiter));
        }
    }

    fn discard(&self, future: &AnyRc, waiter: &AnyRc) {
        if let Some(awaited) = self.0.borrow_mut().get_mut(&id(future)) {
            awaited
                .by
                .retain(|other| other.as_ptr().cast() != id(waiter));
        }
    }

    fn of(&self, future: &AnyRc) -> Vec<AnyRc> {
        match self.0.borrow().get(&id(future)) {
            Some(awaited) if awaited.future.strong_count() > 0 => {
                awaited.by.iter().filter_map(Weak::upgrade).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What tells a future from all others that are alive: its address, as Python's `id`.
pub(crate) fn id(future: &AnyRc) -> *const () {
    Rc::as_ptr(future).cast()
}

/// Who awaits whom in a loop, at one moment.
pub(crate) struct Awaiters {
    event_loop: EventLoop,
    /// The tasks that wait for the future with this address, oldest first.
    tasks: HashMap<*const (), Vec<AnyRc>>,
}

impl Awaiters {
    pub(crate) fn of(event_loop: &EventLoop) -> Self {
        let mut tasks: HashMap<_, Vec<AnyRc>> = HashMap::new();
        for task in event_loop.0.tasks.borrow().tasks() {
            let Some(head) = task.task() else { continue };
            for future in head.waiters() {
                tasks.entry(id(&future)).or_default().push(task.clone());
            }
        }
        let event_loop = event_loop.clone();
        Self { event_loop, tasks }
    }

    /// The tasks that await `future`, and the futures that the program has named.
    ///
    /// A future of asyncio's own in between, as that of a `gather`, is left out.
    pub(crate) fn of_future(&self, future: &AnyRc) -> Vec<AnyRc> {
        let mut found = Vec::new();
        let mut seen = HashSet::from([id(future)]);
        let mut todo = vec![future.clone()];
        while let Some(future) = todo.pop() {
            let direct = self.tasks.get(&id(&future)).into_iter().flatten().cloned();
            let told = self.event_loop.0.told.of(&future);
            let (mut on_behalf, mut others) = (Vec::new(), Vec::new());
            future.each_callback(&mut |callback| {
                if let Callback::Notify(whom) = callback
                    && let Some(waiter) = whom.clone().waits_for()
                {
                    match waiter.task() {
                        Some(_) => on_behalf.push(waiter),
                        None => others.push(waiter),
                    }
                }
            });
            for waiter in on_behalf.into_iter().chain(direct).chain(told) {
                if seen.insert(id(&waiter)) {
                    found.push(waiter);
                }
            }
            others.retain(|other| seen.insert(id(other)));
            todo.append(&mut others);
        }
        found
    }
}

/// Says that `waiter` awaits `future`, in call graphs; for code that waits by callbacks.
///
/// asyncio's own functions need not be told of. It ends with
/// [`future_discard_from_awaited_by`], or when one of the two is gone.
///
/// Mirrors [`asyncio.future_add_to_awaited_by`](https://docs.python.org/3.14/library/asyncio-graph.html#asyncio.future_add_to_awaited_by).
pub fn future_add_to_awaited_by<F: Waitable, W: Waitable>(future: &F, waiter: &W) {
    let future = future.any_future();
    future
        .head()
        .event_loop
        .0
        .told
        .add(&future, &waiter.any_future());
}

/// Takes back what [`future_add_to_awaited_by`] has said.
///
/// Mirrors [`asyncio.future_discard_from_awaited_by`](https://docs.python.org/3.14/library/asyncio-graph.html#asyncio.future_discard_from_awaited_by).
pub fn future_discard_from_awaited_by<F: Waitable, W: Waitable>(future: &F, waiter: &W) {
    let future = future.any_future();
    let told = &future.head().event_loop.0.told;
    told.discard(&future, &waiter.any_future());
}
