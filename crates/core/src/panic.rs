//! Panics caught with their message, place and backtrace.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Once};

/// A panic that was caught: what was said, where, and how the thread came there.
///
/// A cheap clone. `Display` is the message alone; [`place`](Self::place) is where it was raised.
#[derive(Clone)]
pub struct Panic(Arc<Caught>);

struct Caught {
    message: String,
    place: Option<Place>,
    backtrace: Option<Backtrace>,
}

/// Where in the source a panic was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The source file, as the compiler was given it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
}

impl Panic {
    /// What the panic said; a payload that is not text has a fixed description.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it was raised; `None` if the program has replaced the panic hook meanwhile.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The backtrace, if `RUST_BACKTRACE` asks for one.
    pub fn backtrace(&self) -> Option<&Backtrace> {
        self.0.backtrace.as_ref()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panic")
            .field("message", &self.message())
            .field("place", &self.place())
            .finish()
    }
}

impl Error for Panic {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How a call that was watched by [`catch`] ended, other than by returning.
#[derive(Debug)]
pub enum Unwound {
    /// It panicked.
    Panic(Panic),
    /// It left by [`exit_thread`]: nothing went wrong.
    Exit,
}

/// What [`exit_thread`] unwinds with.
struct Exit;

/// Ends the current thread by unwinding to the nearest [`catch`], which reports [`Unwound::Exit`].
pub fn exit_thread() -> ! {
    std::panic::resume_unwind(Box::new(Exit))
}

/// Calls `f` and then `end`, also if `f` panics: Python's `try` and `finally`.
pub fn finally<R, F: FnOnce() -> R, E: FnOnce()>(f: F, end: E) -> R {
    struct End<E: FnOnce()>(Option<E>);

    impl<E: FnOnce()> Drop for End<E> {
        fn drop(&mut self) {
            if let Some(end) = self.0.take() {
                end();
            }
        }
    }

    let _end = End(Some(end));
    f()
}

/// Calls `f`, and catches a panic with its message, place and backtrace.
///
/// The panic is not printed: telling somebody is up to the caller. `f` is taken to be unwind safe,
/// because hilos' own locks are not poisoned and the thread that ran `f` ends or reports.
///
/// # Errors
/// [`Unwound`] if `f` panicked or called [`exit_thread`].
#[inline]
pub fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Unwound> {
    install_hook();
    let outer = WATCHED.replace(true);
    let result = std::panic::catch_unwind(AssertUnwindSafe(f));
    WATCHED.set(outer);
    result.map_err(|payload| match payload.is::<Exit>() {
        true => Unwound::Exit,
        false => Unwound::Panic(describe(&*payload)),
    })
}

thread_local! {
    /// Whether the current thread is inside [`catch`].
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    /// What the hook saw of the panic that is on its way to [`catch`].
    static SEEN: RefCell<Option<(Place, Backtrace)>> = const { RefCell::new(None) };
}

static INSTALLED: Once = Once::new();

/// Puts our hook before the one that is there: only a hook is told where a panic was raised.
#[inline]
fn install_hook() {
    if !INSTALLED.is_completed() {
        install_hook_once();
    }
}

#[cold]
fn install_hook_once() {
    // The standard library refuses to change the hook while the thread panics; next time, then.
    // Where a panic aborts, nobody reports it later than the hook that is there.
    if std::thread::panicking() || cfg!(panic = "abort") {
        return;
    }
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !(WATCHED.try_with(Cell::get) == Ok(true) && see(info)) {
                previous(info);
            }
        }));
    });
}

/// Keeps what `catch` will report, and says whether that is enough.
fn see(info: &PanicHookInfo<'_>) -> bool {
    let Some(location) = info.location() else {
        return false;
    };
    let (line, column) = (location.line(), location.column());
    let place = Place {
        file: location.file().to_owned(),
        line,
        column,
    };
    let earlier = SEEN.try_with(|seen| seen.replace(Some((place, Backtrace::capture()))));
    // A second panic on the way out of the first aborts the process: it must be printed now.
    matches!(earlier, Ok(None))
}

fn describe(payload: &(dyn Any + Send)) -> Panic {
    let message = match payload.downcast_ref::<&'static str>() {
        Some(text) => (*text).to_owned(),
        None => match payload.downcast_ref::<String>() {
            Some(text) => text.clone(),
            None => "the panic's payload is not text".to_owned(),
        },
    };
    let (place, backtrace) = SEEN.try_with(RefCell::take).ok().flatten().unzip();
    let backtrace = backtrace.filter(|trace| trace.status() == BacktraceStatus::Captured);
    Panic(Arc::new(Caught {
        message,
        place,
        backtrace,
    }))
}
