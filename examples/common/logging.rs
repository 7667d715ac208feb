//! Python's `logging.basicConfig(format=...)`, for what `tracing` is told.

use std::fmt;

use hilos::threading;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// `logging::debug!` and `logging::info!`.
pub(crate) use tracing::*;

/// Makes a line of its `levelname`, `threadName` and `message`.
pub(crate) type Format = fn(&str, &str, &str) -> String;

/// Has every line that is logged printed to the standard error as `format` makes it.
pub(crate) fn basic_config(format: Format) {
    tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_writer(std::io::stderr)
        .event_format(Formatter(format))
        .init();
}

struct Formatter(Format);

impl<S, N> FormatEvent<S, N> for Formatter
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut message = String::new();
        context.format_fields(Writer::new(&mut message), event)?;
        let level = event.metadata().level().as_str();
        let thread = threading::current_thread().name();
        writeln!(writer, "{}", (self.0)(level, &thread, &message))
    }
}
