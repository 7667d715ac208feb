//! What can go wrong, by the name of Python's exception and in its words.

use std::error::Error as StdError;
use std::fmt;

use super::{Context, Key};

/// A variable has neither a value nor a default: Python's `LookupError`.
///
/// As in Python, its text is the variable.
#[derive(Clone, PartialEq, Eq)]
pub struct LookupError(pub(super) Key);

impl LookupError {
    /// The variable that has no value.
    pub fn var(&self) -> &Key {
        &self.0
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something was done a second time: Python's `RuntimeError`.
///
/// Nothing has changed when a call returns one.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeError {
    /// A context was entered that is entered already, here or in another thread.
    AlreadyEntered {
        /// What the context prints as.
        context: String,
    },
    /// A variable was reset with a token that has reset it before.
    TokenUsed {
        /// What the token prints as.
        token: String,
    },
}

impl RuntimeError {
    #[cold]
    pub(super) fn already_entered(context: &Context) -> Self {
        let context = context.to_string();
        Self::AlreadyEntered { context }
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyEntered { context } => {
                write!(f, "cannot enter context: {context} is already entered")
            }
            Self::TokenUsed { token } => write!(f, "{token} has already been used once"),
        }
    }
}

/// A variable was reset with a token that is not for it: Python's `ValueError`.
///
/// Nothing has changed when a call returns one.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// Another variable made the token.
    DifferentVar {
        /// What the token prints as.
        token: String,
    },
    /// The token was made in a context that is not the current one.
    DifferentContext {
        /// What the token prints as.
        token: String,
    },
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DifferentVar { token } => {
                write!(f, "{token} was created by a different ContextVar")
            }
            Self::DifferentContext { token } => {
                write!(f, "{token} was created in a different Context")
            }
        }
    }
}

/// Any error of this module, for calls that can fail in several ways and for callers' `?`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A variable without a value.
    Lookup(LookupError),
    /// Done a second time.
    Runtime(RuntimeError),
    /// A token that is not for this variable or context.
    Value(ValueError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup(error) => error.fmt(f),
            Self::Runtime(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup(error) => fmt::Debug::fmt(error, f),
            Self::Runtime(error) => fmt::Debug::fmt(error, f),
            Self::Value(error) => fmt::Debug::fmt(error, f),
        }
    }
}

impl StdError for Error {}

/// `Debug` as Python ends a traceback, so that `fn main() -> Result<…>` prints a sentence.
macro_rules! one_of_several {
    ($($error:ident => $variant:ident),*) => {$(
        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}: {self}", stringify!($error))
            }
        }

        impl StdError for $error {}

        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}
one_of_several!(LookupError => Lookup, RuntimeError => Runtime, ValueError => Value);
