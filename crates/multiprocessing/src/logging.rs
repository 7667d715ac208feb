//! `multiprocessing.log_to_stderr`: what this module does, as events of `tracing`.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::field::{Field, Visit};
use tracing::{Event, Id, Level, Metadata, Subscriber, span};

use crate::current::current_process;

/// The target of this module's events: what `get_logger` names in Python.
///
/// Use it in the filter of a subscriber, or for events of your own:
/// `tracing::info!(target: multiprocessing::LOGGER, "doing good work")`.
pub const LOGGER: &str = "multiprocessing";

/// The level that [`log_to_stderr`] has set, 0 if none.
static LEVEL: AtomicU8 = AtomicU8::new(0);

const LEVELS: [Level; 5] = [
    Level::ERROR,
    Level::WARN,
    Level::INFO,
    Level::DEBUG,
    Level::TRACE,
];

/// Prints this module's events from `level` on to the standard error output, in this process and
/// those that it starts from now on.
///
/// A line reads `[INFO/Process-1] child process calling self.run()`, as in Python. If the program
/// has a subscriber of its own, that gets the events in its process, and this has no effect there.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
///
/// multiprocessing::log_to_stderr(tracing::Level::INFO);
/// tracing::info!(target: multiprocessing::LOGGER, "doing good work");
/// ```
///
/// Mirrors [`multiprocessing.log_to_stderr`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.log_to_stderr).
pub fn log_to_stderr(level: Level) {
    let number = LEVELS.iter().position(|known| *known == level);
    let number = number.map_or(0, |index| index as u8 + 1);
    LEVEL.store(number, Ordering::Relaxed);
    // Fails if there is one, which may be this one.
    let _ = tracing::subscriber::set_global_default(ToStderr);
    tracing::callsite::rebuild_interest_cache();
}

/// What a process is told, for [`inherit`].
pub(crate) fn level() -> u8 {
    LEVEL.load(Ordering::Relaxed)
}

/// Logs as the parent does.
pub(crate) fn inherit(level: u8) {
    if let Some(level) = usize::from(level)
        .checked_sub(1)
        .and_then(|i| LEVELS.get(i))
    {
        log_to_stderr(*level);
    }
}

/// Prints events of this module.
struct ToStderr;

impl Subscriber for ToStderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let level = usize::from(level()).checked_sub(1).map(|i| LEVELS[i]);
        metadata.target() == LOGGER && level.is_some_and(|level| *metadata.level() <= level)
    }

    fn event(&self, event: &Event<'_>) {
        let level = match *event.metadata().level() {
            Level::WARN => "WARNING".to_string(),
            level => level.to_string(),
        };
        let mut line = format!("[{level}/{}] ", current_process().name());
        event.record(&mut Text(&mut line));
        line.push('\n');
        // One write, so that lines of several processes do not mix.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Writes an event's message, and its fields after that.
struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
