//! Contexts that are made when somebody asks for them.

use std::cell::{Cell, OnceCell};

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

/// Calls a function with the lazy context that the thread is in, if it is in one.
pub type Ask = fn(&mut dyn FnMut(&LazyContext));

impl LazyContext {
    /// A copy of the current context.
    pub fn copy_current() -> Self {
        Self::with(current::vars())
    }

    /// The same, where a loop [that is asked](asking) would name `running`: it need not be asked.
    #[inline]
    pub fn copy_current_of(running: &Self) -> Self {
        match current::is_asking() {
            true => Self::with(running.vars()),
            false => Self::copy_current(),
        }
    }

    #[inline]
    fn with(vars: Vars) -> Self {
        Self {
            made: OnceCell::new(),
            vars: Cell::new(vars),
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

    /// Calls `f` in this context, of which `ask` shall know meanwhile.
    ///
    /// # Errors
    /// As [`Context::run`].
    #[inline]
    pub fn run<R, F: FnOnce() -> R>(&self, ask: Ask, f: F) -> Result<R, RuntimeError> {
        let entered = Entered::new(self)?;
        let asking = (!current::is_asking()).then(|| asking(ask));
        let result = f();
        drop((asking, entered));
        Ok(result)
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

/// Marks a lazy context as entered until it is dropped.
struct Entered<'c>(&'c LazyContext);

impl<'c> Entered<'c> {
    #[inline]
    fn new(lazy: &'c LazyContext) -> Result<Self, RuntimeError> {
        let entered_before = match lazy.made.get() {
            Some(context) => context.begin(),
            None => lazy.entered.get(),
        };
        if entered_before {
            return Err(RuntimeError::already_entered(lazy.context()));
        }
        lazy.entered.set(true);
        Ok(Self(lazy))
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.entered.set(false);
        if let Some(context) = self.0.made.get() {
            context.end();
        }
    }
}

/// Has `ask` asked for the current context until the guard is dropped.
///
/// A loop does so once for all its tasks: entering their contexts then costs next to nothing.
pub fn asking(ask: Ask) -> Asking {
    current::push(current::Entry::Ask(ask));
    Asking(ask)
}

/// Made by [`asking`].
#[must_use = "nothing is asked any more when it is dropped"]
pub struct Asking(Ask);

impl Drop for Asking {
    fn drop(&mut self) {
        current::remove(
            |entry| matches!(entry, current::Entry::Ask(ask) if std::ptr::fn_addr_eq(*ask, self.0)),
        );
    }
}
