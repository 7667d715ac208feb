//! Contexts that are made when somebody asks for them.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use super::vars::Vars;
use super::{Context, RuntimeError, current};

/// A copy of a context that costs nothing until somebody sets a variable in it or wants a handle.
///
/// For the tasks of an event loop, each of which has a context that hardly any uses.
pub struct LazyContext {
    made: OnceCell<Context>,
    /// What the context will have, until it is made.
    vars: Cell<Vars>,
    /// Whether the thread is in the context.
    entered: Cell<bool>,
}

/// What owns a [`LazyContext`]: it has to be there while the context is entered.
pub trait HasContext {
    /// The context, always the same.
    fn lazy_context(&self) -> &LazyContext;
}

impl LazyContext {
    /// A copy of the current context.
    pub fn copy_current() -> Self {
        Self {
            made: OnceCell::new(),
            vars: Cell::new(current::peek(current::Entry::vars).unwrap_or_default()),
            entered: Cell::new(false),
        }
    }

    /// The context itself.
    pub fn context(&self) -> &Context {
        self.made
            .get_or_init(|| Context::with(self.vars.take(), self.entered.get()))
    }

    pub(super) fn made(&self) -> Option<&Context> {
        self.made.get()
    }

    pub(super) fn vars(&self) -> Vars {
        if let Some(context) = self.made.get() {
            return context.vars();
        }
        let vars = self.vars.take();
        self.vars.set(vars.clone());
        vars
    }

    fn enter(&self) -> Result<(), RuntimeError> {
        let entered_before = match self.made.get() {
            Some(context) => context.begin(),
            None => self.entered.get(),
        };
        if entered_before {
            return Err(RuntimeError::already_entered(self.context()));
        }
        self.entered.set(true);
        Ok(())
    }

    fn leave(&self) {
        self.entered.set(false);
        if let Some(context) = self.made.get() {
            context.end();
        }
    }
}

impl From<Context> for LazyContext {
    fn from(context: Context) -> Self {
        Self {
            made: OnceCell::from(context),
            vars: Cell::default(),
            entered: Cell::new(false),
        }
    }
}

/// Calls `f` in the context of `owner`.
///
/// # Errors
/// As [`Context::run`].
#[inline]
pub fn run_in<O, R, F>(owner: &Rc<O>, f: F) -> Result<R, RuntimeError>
where
    O: HasContext + 'static,
    F: FnOnce() -> R,
{
    let entered = Entered::new(owner.clone())?;
    let result = f();
    drop(entered);
    Ok(result)
}

/// Keeps a lazy context the current one until it is dropped.
struct Entered(Rc<dyn HasContext>);

impl Entered {
    fn new(owner: Rc<dyn HasContext>) -> Result<Self, RuntimeError> {
        owner.lazy_context().enter()?;
        current::push(current::Entry::Lazy(owner.clone()));
        Ok(Self(owner))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        current::remove(|entry| entry.is_of(&self.0));
        self.0.lazy_context().leave();
    }
}
