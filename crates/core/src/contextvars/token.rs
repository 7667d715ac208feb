//! `contextvars.Token`.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Context, ContextVar, Error, RuntimeError, Value, ValueError, current};

/// What a variable was before [`ContextVar::set`]; the way back to it.
///
/// Dropping a token leaves the variable as it is. To go back, give the token to
/// [`ContextVar::reset`], or let [`with`](Self::with) or [`enter`](Self::enter) do that at the end
/// of a block, as `with VAR.set(1):` does in Python.
///
/// ```
/// use hilos_core::contextvars::ContextVar;
///
/// static INDENT: ContextVar<usize> = ContextVar::new("indent").with_default(0);
///
/// INDENT.set(4).with(|| assert_eq!(INDENT.get(), Ok(4)))?;
/// assert_eq!(INDENT.get(), Ok(0));
/// {
///     let _restored = INDENT.set(8).enter();
///     assert_eq!(INDENT.get(), Ok(8));
/// }
/// assert_eq!(INDENT.get(), Ok(0));
/// # Ok::<(), hilos_core::contextvars::Error>(())
/// ```
///
/// # Differences from Python
/// - [`old_value`](Self::old_value) is an `Option`, and [`MISSING`](Self::MISSING) its `None`.
///
/// Mirrors [`contextvars.Token`](https://docs.python.org/3.14/library/contextvars.html#contextvars.Token).
pub struct Token<'v, T> {
    var: &'v ContextVar<T>,
    /// Where the variable was set.
    context: Context,
    old: Option<Value>,
    /// Whether the variable was reset with this token.
    used: AtomicBool,
}

impl<'v, T> Token<'v, T> {
    /// What [`old_value`](Self::old_value) is if the variable had no value.
    pub const MISSING: Option<T> = None;

    pub(super) fn new(var: &'v ContextVar<T>, context: Context, old: Option<Value>) -> Self {
        Self {
            var,
            context,
            old,
            used: AtomicBool::new(false),
        }
    }

    /// The variable that was set.
    pub fn var(&self) -> &'v ContextVar<T> {
        self.var
    }

    /// The value that the variable had in the context before it was set.
    pub fn old_value(&self) -> Option<T>
    where
        T: Clone + Send + Sync + 'static,
    {
        self.old.as_ref().map(ContextVar::typed)
    }

    /// Calls `f` and then resets the variable, also if `f` panics.
    ///
    /// # Errors
    /// Those of [`ContextVar::reset`] after `f` has returned: its result is dropped.
    pub fn with<R, F: FnOnce() -> R>(&self, f: F) -> Result<R, Error> {
        let on_panic = Reset(self);
        let result = f();
        std::mem::forget(on_panic);
        self.var.reset(self)?;
        Ok(result)
    }

    /// Has the variable reset when the guard is dropped.
    pub fn enter(self) -> TokenGuard<'v, T> {
        TokenGuard(self)
    }

    /// Gives `var` back the old value, if the token is good for that.
    pub(super) fn redeem(&self, var: &ContextVar<T>) -> Result<(), Error> {
        self.check(var)?;
        self.used.store(true, Ordering::Relaxed);
        let replaced = self.context.replace(var.key(), self.old.clone());
        drop(replaced);
        Ok(())
    }

    /// Nothing can happen between this and its use: only one thread is in the token's context.
    fn check(&self, var: &ContextVar<T>) -> Result<(), Error> {
        let token = || fmt::from_fn(|f| self.repr(self.var.key(), f)).to_string();
        if self.used.load(Ordering::Relaxed) {
            return Err(RuntimeError::TokenUsed { token: token() }.into());
        }
        if self.var != var {
            return Err(ValueError::DifferentVar { token: token() }.into());
        }
        if !current::is(&self.context) {
            return Err(ValueError::DifferentContext { token: token() }.into());
        }
        Ok(())
    }

    fn repr<V: fmt::Display>(&self, var: V, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = match self.used.load(Ordering::Relaxed) {
            true => " used",
            false => "",
        };
        write!(f, "<Token{used} var={var} at {self:p}>")
    }
}

/// Resets a token's variable when it is dropped.
struct Reset<'t, 'v, T>(&'t Token<'v, T>);

impl<T> Drop for Reset<'_, '_, T> {
    fn drop(&mut self) {
        // Python's `with` raises here; the panic on its way tells more.
        let _ = self.0.var.reset(self.0);
    }
}

/// Resets a variable when it is dropped; the [`Token`] all the while.
///
/// If the token is used by hand meanwhile, or the guard is dropped in another context, it does
/// nothing.
///
/// Made by [`Token::enter`].
#[must_use = "the variable is reset at once if the guard is not kept"]
pub struct TokenGuard<'v, T>(Token<'v, T>);

impl<'v, T> Deref for TokenGuard<'v, T> {
    type Target = Token<'v, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> Drop for TokenGuard<'_, T> {
    fn drop(&mut self) {
        drop(Reset(&self.0));
    }
}

impl<T: fmt::Debug> fmt::Display for Token<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repr(self.var, f)
    }
}

impl<T: fmt::Debug> fmt::Debug for Token<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: fmt::Debug> fmt::Debug for TokenGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
