//! `contextvars.Context` and `copy_context`.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::vec;

use parking_lot::Mutex;

use super::current::Entry;
use super::vars::Vars;
use super::{ContextVar, Key, RuntimeError, current};

/// A variable's value in a context, for those who do not know its type.
///
/// `downcast_ref::<T>()` looks at the value of a `ContextVar<T>`.
pub type Value = Arc<dyn Any + Send + Sync>;

/// The values that variables have in a thread, a task or a call.
///
/// [`run`](Self::run) calls a function in a context, which keeps what the function sets. Use
/// [`copy_context`] to let another thread or a later call see the variables as they are now.
///
/// A `Context` is a handle: its clones are the same context, as Python's references are.
/// [`copy`](Self::copy) makes another context. It costs the same for any number of variables;
/// the first change of either copy then costs a step per variable.
///
/// ```
/// use hilos_core::contextvars::{Context, ContextVar};
///
/// static DEPTH: ContextVar<u32> = ContextVar::new("depth").with_default(0);
///
/// let context = Context::new();
/// context.run(|| DEPTH.set(1))?;
/// assert_eq!(context.get(&DEPTH), Some(1));
/// assert_eq!(DEPTH.get().unwrap(), 0);
/// # Ok::<(), hilos_core::contextvars::RuntimeError>(())
/// ```
///
/// # Differences from Python
/// - [`get`](Self::get) returns an `Option`, and stands for `ctx[var]` too.
/// - Contexts are equal if they have the same variables with the same objects as values, as copies
///   have until one of them changes. Python compares the values.
/// - [`enter`](Self::enter) is Python's C function `PyContext_Enter`.
///
/// Mirrors [`contextvars.Context`](https://docs.python.org/3.14/library/contextvars.html#contextvars.Context).
#[derive(Clone, Default)]
pub struct Context(Arc<Inner>);

#[derive(Default)]
struct Inner {
    vars: Mutex<Vars>,
    /// Whether any thread is in the context.
    entered: AtomicBool,
}

impl Context {
    /// Creates an empty context.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `f` in this context, and returns what it returned.
    ///
    /// What `f` sets stays in the context, also if it panics.
    ///
    /// # Errors
    /// [`RuntimeError::AlreadyEntered`] if any thread is in the context; `f` is not called.
    pub fn run<R, F: FnOnce() -> R>(&self, f: F) -> Result<R, RuntimeError> {
        let _entered = self.enter()?;
        Ok(f())
    }

    /// Makes this the current thread's context until the guard is dropped.
    ///
    /// It is for code that cannot hand over a closure; do not hold the guard across an `await`.
    /// Guards that are not dropped in reverse order leave the innermost remaining context current.
    ///
    /// # Errors
    /// [`RuntimeError::AlreadyEntered`] if any thread is in the context.
    pub fn enter(&self) -> Result<Entered<'_>, RuntimeError> {
        if self.begin() {
            return Err(RuntimeError::already_entered(self));
        }
        current::push(Entry::Context(self.clone()));
        Ok(Entered {
            context: self,
            of_this_thread: PhantomData,
        })
    }

    /// Creates a context with the same values, which from now on changes for itself.
    #[must_use = "the copy is another context; this one is as it was"]
    pub fn copy(&self) -> Self {
        Self::with(self.vars(), false)
    }

    pub(super) fn with(vars: Vars, entered: bool) -> Self {
        let (vars, entered) = (Mutex::new(vars), AtomicBool::new(entered));
        Self(Arc::new(Inner { vars, entered }))
    }

    /// Marks the context as entered, and says whether it was before.
    pub(super) fn begin(&self) -> bool {
        self.0.entered.swap(true, Ordering::Acquire)
    }

    /// Marks the context as left.
    pub(super) fn end(&self) {
        self.0.entered.store(false, Ordering::Release);
    }

    /// The variable's value in this context; its default is none.
    pub fn get<T: Clone + Send + Sync + 'static>(&self, var: &ContextVar<T>) -> Option<T> {
        self.value(var.key()).as_ref().map(ContextVar::typed)
    }

    /// Whether the variable has a value in this context.
    pub fn contains<T>(&self, var: &ContextVar<T>) -> bool {
        self.value(var.key()).is_some()
    }

    /// How many variables have a value in this context.
    pub fn len(&self) -> usize {
        self.0.vars.lock().len()
    }

    /// Whether no variable has a value in this context.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The variables that have a value now, in no particular order.
    pub fn keys(&self) -> Vec<Key> {
        self.vars().iter().map(|(key, _)| key.clone()).collect()
    }

    /// The values, in the order of [`keys`](Self::keys).
    pub fn values(&self) -> Vec<Value> {
        self.vars().iter().map(|(_, value)| value.clone()).collect()
    }

    /// The variables with their values, in the order of [`keys`](Self::keys).
    pub fn items(&self) -> Vec<(Key, Value)> {
        self.vars().iter().cloned().collect()
    }

    /// Whether both are handles of one context.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn value(&self, key: &Key) -> Option<Value> {
        self.0.vars.lock().value(key)
    }

    /// Sets or removes a variable, and returns the value that it had.
    ///
    /// The caller drops that value, because here the map is locked.
    pub(super) fn replace(&self, key: &Key, value: Option<Value>) -> Option<Value> {
        self.0.vars.lock().replace(key, value)
    }

    pub(super) fn vars(&self) -> Vars {
        self.0.vars.lock().clone()
    }
}

/// Copies the current context.
///
/// Hand the copy to another thread or keep it for later: [`Context::run`] then shows a function
/// the variables as they were at the time of the copy.
///
/// ```
/// use hilos_core::contextvars::{ContextVar, copy_context};
///
/// static USER: ContextVar<&str> = ContextVar::new("user");
///
/// USER.set("ana");
/// let context = copy_context();
/// let thread = std::thread::spawn(move || context.run(|| USER.get()));
/// assert_eq!(thread.join().unwrap()??, "ana");
/// # Ok::<(), hilos_core::contextvars::Error>(())
/// ```
///
/// Mirrors [`contextvars.copy_context`](https://docs.python.org/3.14/library/contextvars.html#contextvars.copy_context).
#[must_use = "the copy is another context; the current one is as it was"]
pub fn copy_context() -> Context {
    Context::with(current::vars(), false)
}

/// Keeps a context the current one of its thread until it is dropped.
///
/// Made by [`Context::enter`]. It cannot be sent to another thread, which could not leave the
/// context for this one:
///
/// ```compile_fail,E0277
/// use hilos_core::contextvars::Context;
///
/// let context = Context::new();
/// let entered = context.enter().unwrap();
/// std::thread::scope(|scope| scope.spawn(|| drop(entered)).join());
/// ```
#[must_use = "the context is left at once if the guard is not kept"]
#[derive(Debug)]
pub struct Entered<'c> {
    context: &'c Context,
    /// A pointer, which cannot be sent.
    of_this_thread: PhantomData<*const ()>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        current::remove(
            |entry| matches!(entry, Entry::Context(context) if context.is(self.context)),
        );
        self.context.end();
    }
}

// A context is whole whenever a panic can happen: no code of the program runs in between.
impl UnwindSafe for Context {}
impl RefUnwindSafe for Context {}

impl IntoIterator for &Context {
    type Item = Key;
    type IntoIter = vec::IntoIter<Key>;

    /// The [`keys`](Context::keys) as they are now.
    fn into_iter(self) -> Self::IntoIter {
        self.keys().into_iter()
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        self.vars() == other.vars()
    }
}

impl Eq for Context {}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<_contextvars.Context object at {:p}>", self.0)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
