//! `threading.excepthook`: where a thread's uncaught error goes.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use hilos_core::panic::{Panic, Unwound, catch};

use crate::Thread;
use crate::registry::{current_thread, get_ident};

/// An error or a panic that nobody caught: Python's exception object.
///
/// A cheap clone. `Display` is its message.
#[derive(Clone)]
pub struct Exception(Arc<Kind>);

enum Kind {
    Error {
        type_name: &'static str,
        error: Box<dyn Error + Send + Sync>,
    },
    Panic(Panic),
}

impl Exception {
    /// An exception from an error, shown under the name `type_name`.
    pub fn new<E: Into<Box<dyn Error + Send + Sync>>>(type_name: &'static str, error: E) -> Self {
        // An error in a box or a text says nothing about itself by its type.
        let type_name = match type_name {
            "Box" | "String" | "&str" | "str" => "Error",
            name => name,
        };
        Self(Arc::new(Kind::Error {
            type_name,
            error: error.into(),
        }))
    }

    /// The name of the error's type, `panic` for a panic.
    pub fn type_name(&self) -> &'static str {
        match &*self.0 {
            Kind::Error { type_name, .. } => type_name,
            Kind::Panic(_) => "panic",
        }
    }

    /// The error that the thread's function returned; `None` if it panicked.
    pub fn error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match &*self.0 {
            Kind::Error { error, .. } => Some(&**error),
            Kind::Panic(_) => None,
        }
    }

    /// The panic; `None` if the thread's function returned an error.
    pub fn panic(&self) -> Option<&Panic> {
        match &*self.0 {
            Kind::Error { .. } => None,
            Kind::Panic(panic) => Some(panic),
        }
    }
}

impl From<Panic> for Exception {
    fn from(panic: Panic) -> Self {
        Self(Arc::new(Kind::Panic(panic)))
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Error { error, .. } => error.fmt(f),
            Kind::Panic(panic) => panic.fmt(f),
        }
    }
}

impl fmt::Debug for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.type_name())
    }
}

/// What [`excepthook`](fn@excepthook) is told: Python's `ExceptHookArgs`.
#[derive(Clone, Debug)]
pub struct ExceptHookArgs {
    exc_value: Exception,
    thread: Option<Thread>,
}

impl ExceptHookArgs {
    /// Describes `exc_value`, which nobody caught in `thread`.
    pub fn new(exc_value: Exception, thread: Option<Thread>) -> Self {
        Self { exc_value, thread }
    }

    /// The name of the exception's type.
    pub fn exc_type(&self) -> &'static str {
        self.exc_value.type_name()
    }

    /// The exception.
    pub fn exc_value(&self) -> &Exception {
        &self.exc_value
    }

    /// Where it was raised and the backtrace if there is one, as text; `None` for a returned error.
    pub fn exc_traceback(&self) -> Option<String> {
        let panic = self.exc_value.panic()?;
        let place = panic.place()?;
        Some(match panic.backtrace() {
            Some(backtrace) => format!("  at {place}\n{backtrace}"),
            None => format!("  at {place}"),
        })
    }

    /// The thread, if it is known.
    pub fn thread(&self) -> Option<&Thread> {
        self.thread.as_ref()
    }
}

type Hook = Arc<dyn Fn(&ExceptHookArgs) + Send + Sync>;

/// The hook that the program has set, if it has set one.
static HOOK: RwLock<Option<Hook>> = RwLock::new(None);

/// Handles an error that a thread's function returned, or a panic in it.
///
/// It calls the function that [`set_excepthook`] was given, or [`default_excepthook`]. hilos calls
/// it in the thread concerned; a thread that ends by [`exit`](crate::exit) is not reported.
///
/// # Differences from Python
/// - The module attribute is replaced with [`set_excepthook`]; the original is
///   [`default_excepthook`], Python's `__excepthook__`.
///
/// Mirrors [`threading.excepthook`](https://docs.python.org/3.14/library/threading.html#threading.excepthook).
pub fn excepthook(args: &ExceptHookArgs) {
    let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
    match hook {
        Some(hook) => hook(args),
        None => default_excepthook(args),
    }
}

/// Has every later uncaught error handled by `hook`; Python's `threading.excepthook = hook`.
///
/// A panic in the hook is reported on the standard error output, and nothing else suffers.
///
/// ```
/// use hilos_threading as threading;
/// use threading::{Event, Thread};
///
/// static TOLD: Event = Event::new();
///
/// threading::set_excepthook(|args| {
///     assert_eq!(args.exc_value().to_string(), "no beans");
///     TOLD.set();
/// });
/// let thread = Thread::new(|| Err::<(), _>("no beans"));
/// thread.start()?;
/// thread.join(None)?;
/// assert!(TOLD.is_set());
/// # threading::set_excepthook(threading::default_excepthook);
/// # Ok::<(), threading::Error>(())
/// ```
pub fn set_excepthook<F: Fn(&ExceptHookArgs) + Send + Sync + 'static>(hook: F) {
    *HOOK.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
}

/// Prints the exception with its thread's name on the standard error output; Python's
/// `__excepthook__`.
pub fn default_excepthook(args: &ExceptHookArgs) {
    let name = match args.thread() {
        Some(thread) => thread.name(),
        None => get_ident().to_string(),
    };
    print(format!("Exception in thread {name}:\n"), args);
}

/// Tells the hook that an exception ended the current thread's function.
pub(crate) fn report(exception: Exception, thread: &Thread) {
    let args = ExceptHookArgs::new(exception, Some(thread.clone()));
    if let Err(Unwound::Panic(panic)) = catch(|| excepthook(&args)) {
        let failure = ExceptHookArgs::new(panic.into(), None);
        print("Exception in threading.excepthook:\n".to_owned(), &failure);
    }
}

/// Calls `f` outside any thread's function, and tells the hook if it panics.
pub(crate) fn watch(f: impl FnOnce()) {
    if let Err(Unwound::Panic(panic)) = catch(f) {
        report(panic.into(), &current_thread());
    }
}

/// Prints in one piece, so that threads that fail together do not mix their lines.
fn print(mut text: String, args: &ExceptHookArgs) {
    if let Some(traceback) = args.exc_traceback() {
        let _ = writeln!(text, "{traceback}");
    }
    let _ = writeln!(text, "{}: {}", args.exc_type(), args.exc_value());
    let mut cause = args.exc_value().error().and_then(|error| error.source());
    while let Some(error) = cause {
        let _ = writeln!(text, "  caused by: {error}");
        cause = error.source();
    }
    // A closed standard error output is no reason to fail.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
