//! What is reported to `threading.excepthook`.

use std::sync::{Arc, Mutex};

use hilos::threading::{ExceptHookArgs, default_excepthook, set_excepthook};

/// Runs `f`, and returns what was reported meanwhile: each the exception and its cause.
///
/// There is one hook: only one test at a time can look.
pub(crate) fn captured(f: impl FnOnce()) -> Vec<(String, Option<String>)> {
    static TURN: hilos::threading::Lock = hilos::threading::Lock::new();

    let _turn = TURN.lock();
    let reports = Arc::new(Mutex::new(Vec::new()));
    let log = reports.clone();
    set_excepthook(move |args: &ExceptHookArgs| {
        let exception = args.exc_value();
        let cause = exception.error().and_then(|error| error.source());
        let report = (format!("{exception:?}"), cause.map(ToString::to_string));
        log.lock().unwrap().push(report);
    });
    f();
    set_excepthook(default_excepthook);
    std::mem::take(&mut *reports.lock().unwrap())
}
