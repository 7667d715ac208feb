//! `contextvars.ContextVar`.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::mem;
use std::sync::{Arc, OnceLock};

use super::{Error, Key, LookupError, Token, Value, current};

/// A variable that has a value of its own in every [`Context`](super::Context).
///
/// Use it for what a request, a task or a call carries along without passing it from function to
/// function: a user, a deadline, a depth. Declare it as a `static`; a `const` would be a new
/// variable at each use. `ContextVar::from(String)` creates one whose name is not known before.
///
/// Clones are the same variable, as Python's references are.
///
/// ```
/// use hilos_core::contextvars::ContextVar;
///
/// static PRECISION: ContextVar<u32> = ContextVar::new("precision").with_default(28);
///
/// let token = PRECISION.set(6);
/// assert_eq!(PRECISION.get()?, 6);
/// PRECISION.reset(&token)?;
/// assert_eq!(PRECISION.get()?, 28);
/// # Ok::<(), hilos_core::contextvars::Error>(())
/// ```
///
/// # Differences from Python
/// - [`get`](Self::get) returns a clone of the value: to share one, put it in an `Arc`.
/// - `Display` shows the default in Rust's notation, and the address of what contexts know the
///   variable by. Error messages leave the default out.
///
/// Mirrors [`contextvars.ContextVar`](https://docs.python.org/3.14/library/contextvars.html#contextvars.ContextVar).
pub struct ContextVar<T> {
    name: Cow<'static, str>,
    default: Option<T>,
    /// What contexts know the variable by; made on first use, because `new` is `const`.
    key: OnceLock<Key>,
    /// Forbids to use the variable as one of a subtype or supertype, whose values are of another
    /// type for `Any`.
    invariant: PhantomData<fn(T) -> T>,
}

impl<T> ContextVar<T> {
    /// Creates a variable without a value.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            default: None,
            key: OnceLock::new(),
            invariant: PhantomData,
        }
    }

    /// Gives the variable a value for the contexts where it was not set; Python's `default=`.
    #[must_use]
    pub const fn with_default(mut self, default: T) -> Self {
        // An earlier default is forgotten: nothing can be dropped when a constant is computed.
        mem::forget(self.default.replace(default));
        self
    }

    /// The variable's name, which is for people: two variables may have the same.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the variable back the value that it had before the [`set`](Self::set) that made
    /// `token`, in the same context.
    ///
    /// # Errors
    /// [`RuntimeError::TokenUsed`](super::RuntimeError::TokenUsed) if the token has done this
    /// before, [`ValueError`](super::ValueError) if it is another variable's or was made in
    /// another context; nothing has changed.
    pub fn reset(&self, token: &Token<'_, T>) -> Result<(), Error> {
        token.redeem(self)
    }

    pub(super) fn key(&self) -> &Key {
        self.key.get_or_init(|| Key::new(self.name.clone()))
    }
}

impl<T: Clone + Send + Sync + 'static> ContextVar<T> {
    /// The variable's value in the current context, or its default.
    ///
    /// # Errors
    /// [`LookupError`] if it has neither.
    pub fn get(&self) -> Result<T, LookupError> {
        self.value()
            .or_else(|| self.default.clone())
            .ok_or_else(|| LookupError(self.key().clone()))
    }

    /// The variable's value in the current context, or `default`, whatever the variable's own.
    pub fn get_or(&self, default: T) -> T {
        self.value().unwrap_or(default)
    }

    /// Sets the variable in the current context; the token can undo it.
    pub fn set(&self, value: T) -> Token<'_, T> {
        let context = current::get();
        let old = context.replace(self.key(), Some(Arc::new(value)));
        Token::new(self, context, old)
    }

    fn value(&self) -> Option<T> {
        // Cloned when the context is let go: `clone` may use context variables itself.
        let value = current::value(self.key());
        value.as_ref().map(Self::typed)
    }

    /// A clone of one of this variable's values.
    pub(super) fn typed(value: &Value) -> T {
        let value: Option<&T> = value.downcast_ref();
        value.expect("a variable's values are of its type").clone()
    }
}

impl<T> From<String> for ContextVar<T> {
    /// Creates a variable without a value, with a name that the program has computed.
    fn from(name: String) -> Self {
        Self {
            name: Cow::Owned(name),
            ..Self::new("")
        }
    }
}

impl<T: Clone> Clone for ContextVar<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            default: self.default.clone(),
            key: OnceLock::from(self.key().clone()),
            invariant: PhantomData,
        }
    }
}

impl<T> PartialEq for ContextVar<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for ContextVar<T> {}

impl<T> Hash for ContextVar<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl<T: fmt::Debug> fmt::Display for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key().repr(self.default.as_ref(), f)
    }
}

impl<T: fmt::Debug> fmt::Debug for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A variable is of one type, not of those that Rust would take it for:
///
/// ```compile_fail
/// use hilos_core::contextvars::ContextVar;
///
/// static PRINT: ContextVar<fn(&str)> = ContextVar::new("print");
/// let narrower: &ContextVar<fn(&'static str)> = &PRINT;
/// ```
#[cfg(doctest)]
struct Invariant;
