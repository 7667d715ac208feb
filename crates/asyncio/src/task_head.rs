//! What a loop knows of a task, whatever its coroutine is.

use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use hilos_core::lazy_context::LazyContext;

use crate::any_future::AnyRc;
use crate::few::{self, Few};
use crate::threadsafe::{TaskKey, WakeCell};

/// What a task is called.
enum Name {
    /// `Task-1` and so on.
    Numbered(u64),
    /// What the program calls it.
    Given(Box<str>),
}

/// The last number that a task was called by. One for all loops, as in CPython.
static LAST: AtomicU64 = AtomicU64::new(0);

impl Name {
    fn next() -> Self {
        Self::Numbered(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn given(name: String) -> Self {
        Self::Given(name.into_boxed_str())
    }

    /// Has the next task called by this number, if none has a later one.
    fn give_back(number: u64) {
        let (order, before) = (Ordering::Relaxed, number.wrapping_sub(1));
        let _ = LAST.compare_exchange(number, before, order, order);
    }
}

/// The part of a task that does not depend on its coroutine's type.
pub(crate) struct TaskHead {
    pub(crate) key: TaskKey,
    name: Cell<Name>,
    pub(crate) context: LazyContext,
    /// How often `cancel` was called and not taken back.
    pub(crate) cancels: Cell<u32>,
    /// Whether the next step shall throw a `CancelledError`.
    pub(crate) must_cancel: Cell<bool>,
    pub(crate) started: Cell<bool>,
    pub(crate) running: Cell<bool>,
    /// Whether the next step is scheduled, or will be when the one that runs has ended.
    pub(crate) notified: Cell<bool>,
    /// What the coroutine waits for, and will be cancelled in its stead.
    pub(crate) waiters: Cell<Few<AnyRc>>,
    /// What clones of the waker share.
    pub(crate) wake_cell: OnceLock<Arc<WakeCell>>,
    location: &'static Location<'static>,
    /// Where it waits, as far as asyncio knows.
    pub(crate) waits_at: Cell<Option<&'static Location<'static>>>,
}

impl TaskHead {
    pub(crate) fn new(
        key: TaskKey,
        context: LazyContext,
        location: &'static Location<'static>,
        name: Option<String>,
    ) -> Self {
        Self {
            key,
            name: Cell::new(name.map_or_else(Name::next, Name::given)),
            context,
            cancels: Cell::new(0),
            must_cancel: Cell::new(false),
            started: Cell::new(false),
            running: Cell::new(false),
            notified: Cell::new(false),
            waiters: Cell::default(),
            wake_cell: OnceLock::new(),
            location,
            waits_at: Cell::new(None),
        }
    }

    pub(crate) fn name(&self) -> String {
        let name = self.name.replace(Name::Numbered(0));
        let shown = match &name {
            Name::Numbered(number) => format!("Task-{number}"),
            Name::Given(name) => name.to_string(),
        };
        self.name.set(name);
        shown
    }

    pub(crate) fn set_name(&self, name: String) {
        self.name.set(Name::given(name));
    }

    /// Names a task that was just created, as if it had never had another name.
    pub(crate) fn name_at_first(&self, name: String) {
        if let Name::Numbered(number) = self.name.replace(Name::given(name)) {
            Name::give_back(number);
        }
    }

    /// What the coroutine waits for.
    pub(crate) fn waiters(&self) -> Vec<AnyRc> {
        few::within(&self.waiters, |waiters| waiters.as_slice().to_vec())
    }

    pub(crate) fn uncancel(&self) -> u32 {
        let left = self.cancels.get().saturating_sub(1);
        self.cancels.set(left);
        if left == 0 {
            self.must_cancel.set(false);
        }
        left
    }

    /// Where it waits: unknown while it runs or waits for a stranger's future.
    pub(crate) fn waits_at(&self) -> Option<&'static Location<'static>> {
        self.waits_at.get().filter(|_| !self.running.get())
    }

    /// Where the program created the task.
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }
}
