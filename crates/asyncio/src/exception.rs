//! What a coroutine fails with: Python's exception objects.

use std::any::type_name;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use hilos_core::panic::{Panic, Unwound};

use crate::exceptions::{
    CancelledError, ExceptionGroup, KeyboardInterrupt, SystemExit, TimeoutError,
};
use crate::os_error::{Numbered, python_name};

/// What a coroutine returns: a value, or the exception that `?` carries to whoever awaits it.
pub type Result<T, E = Exception> = std::result::Result<T, E>;

/// An error of any type that travels through coroutines, tasks and futures.
///
/// Every error type becomes one by `?` or `into()`; [`downcast_ref`](Self::downcast_ref) gives it
/// back. The system's errors have Python's names, as `ConnectionResetError`. A cheap clone: clones
/// are the same exception. `Display` is its message, `Debug` puts the
/// name of its type before it, [`repr`](Self::repr) is Python's.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// async fn parse(text: &str) -> asyncio::Result<i32> {
///     Ok(text.parse::<i32>()?)
/// }
///
/// asyncio::run(async {
///     let exception = parse("x").await.unwrap_err();
///     assert_eq!(exception.type_name(), "ParseIntError");
///     assert!(exception.is::<std::num::ParseIntError>());
///     assert!(!exception.is_cancelled());
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Differences from Python
/// - There is no `__context__`; [`std::error::Error::source`] is `__cause__`.
/// - An arm that handles "any exception" must not match [`is_base`](Self::is_base) ones, which
///   `except Exception` lets pass: `CancelledError` above all.
#[derive(Clone)]
pub struct Exception(Arc<Inner>);

struct Inner {
    type_name: &'static str,
    error: Held,
}

enum Held {
    Own(Box<dyn Error + Send + Sync>),
    /// What a call in another thread failed with.
    OfThread(hilos_futures::Exception),
}

impl Exception {
    /// An exception from an error or a text, shown under the name `type_name`.
    ///
    /// For exceptions that need no type of their own: `Exception::new("ValueError", "no beans")`.
    pub fn new<E: Into<Box<dyn Error + Send + Sync>>>(type_name: &'static str, error: E) -> Self {
        let error = Held::Own(error.into());
        Self(Arc::new(Inner { type_name, error }))
    }

    /// The exception of a call that ran in another thread.
    pub(crate) fn of_thread(exception: hilos_futures::Exception) -> Self {
        let travelled = exception
            .error()
            .and_then(|error| error.downcast_ref::<Opaque>());
        if let Some(Opaque(ours)) = travelled {
            return ours.clone();
        }
        let type_name = exception.type_name();
        let error = Held::OfThread(exception);
        Self(Arc::new(Inner { type_name, error }))
    }

    /// What a call ended with that did not return.
    pub(crate) fn of_unwound(unwound: Unwound) -> Self {
        match unwound {
            Unwound::Panic(panic) => panic.into(),
            Unwound::Exit => SystemExit(0).into(),
        }
    }

    /// The name of the error's type, `panic` for a panic.
    pub fn type_name(&self) -> &'static str {
        self.0.type_name
    }

    /// The error.
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        match &self.0.error {
            Held::Own(error) => &**error,
            Held::OfThread(exception) => match (exception.error(), exception.panic()) {
                (Some(error), _) => error,
                (None, Some(panic)) => panic,
                (None, None) => unreachable!("an exception is an error or a panic"),
            },
        }
    }

    /// The error as the type it had, if it is of that type.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.error().downcast_ref()
    }

    /// Whether the error is of this type: Python's `isinstance`.
    pub fn is<E: Error + 'static>(&self) -> bool {
        self.error().is::<E>()
    }

    /// Whether it is a [`CancelledError`].
    pub fn is_cancelled(&self) -> bool {
        self.is::<CancelledError>()
    }

    /// Whether it is a [`TimeoutError`].
    pub fn is_timeout(&self) -> bool {
        self.is::<TimeoutError>()
    }

    /// Whether it asks the program to end: [`KeyboardInterrupt`] or [`SystemExit`].
    pub fn is_exit(&self) -> bool {
        self.is::<KeyboardInterrupt>() || self.is::<SystemExit>()
    }

    /// Whether `except Exception` would let it pass: cancellations and requests to exit.
    pub fn is_base(&self) -> bool {
        self.is_cancelled() || self.is_exit()
    }

    /// The panic, if it is one.
    pub fn panic(&self) -> Option<&Panic> {
        self.downcast_ref()
    }

    /// The group, if it is one.
    pub fn group(&self) -> Option<&ExceptionGroup> {
        self.downcast_ref()
    }

    /// Whether both are the same exception object.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What Python prints of the exception: `ValueError('no beans')`.
    pub fn repr(&self) -> String {
        if let Some(group) = self.group() {
            return group.repr();
        }
        if let Some(Numbered { number, words }) = Numbered::of(self.error()) {
            return format!("{}({number}, {})", self.type_name(), quoted(&words));
        }
        let message = match self.downcast_ref::<CancelledError>() {
            Some(cancelled) => cancelled.message().unwrap_or_default().to_owned(),
            None => self.to_string(),
        };
        match message.is_empty() {
            true => format!("{}()", self.type_name()),
            false => format!("{}({})", self.type_name(), quoted(&message)),
        }
    }
}

/// A text as Python's `repr` shows it.
pub(crate) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push(quote);
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\\' => shown.push_str("\\\\"),
            c if c == quote => shown.extend(['\\', c]),
            c => shown.push(c),
        }
    }
    shown.push(quote);
    shown
}

impl<E: Error + Send + Sync + 'static> From<E> for Exception {
    fn from(error: E) -> Self {
        let error_ref = &error as &dyn Error;
        let type_name = match error_ref.downcast_ref::<std::io::Error>() {
            Some(error) => python_name(error),
            None if error_ref.is::<Panic>() => "panic",
            #[cfg(all(target_os = "linux", feature = "ssl"))]
            None if let Some(error) = error_ref.downcast_ref::<hilos_ssl::SslError>() => {
                error.name()
            }
            None => short_type_name::<E>(),
        };
        Self::new(type_name, error)
    }
}

impl From<Exception> for Box<dyn Error + Send + Sync> {
    fn from(exception: Exception) -> Self {
        Box::new(Opaque(exception))
    }
}

impl From<Exception> for Box<dyn Error> {
    fn from(exception: Exception) -> Self {
        Box::new(Opaque(exception))
    }
}

/// An exception in the box of somebody who takes any error. `Exception` itself cannot be an
/// `Error`: everything that is becomes an exception.
struct Opaque(Exception);

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Error for Opaque {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.error().source()
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Numbered::of(self.error()) {
            Some(numbered) => numbered.fmt(f),
            None => fmt::Display::fmt(self.error(), f),
        }
    }
}

impl fmt::Debug for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.to_string();
        match message.is_empty() {
            true => f.write_str(self.type_name()),
            false => write!(f, "{}: {message}", self.type_name()),
        }
    }
}

/// The last part of a type's path, without its parameters: `ParseIntError`.
pub(crate) fn short_type_name<T: ?Sized>() -> &'static str {
    let path = type_name::<T>();
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}
