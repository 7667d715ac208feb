//! Whether loops begin in debug mode.

use std::ffi::OsStr;
use std::sync::LazyLock;

/// CPython has `PYTHONASYNCIODEBUG`: a variable of its own, so that one can be set without the other.
const VARIABLE: &str = "HILOS_ASYNCIODEBUG";

pub(crate) fn debug_by_default() -> bool {
    static DEBUG: LazyLock<bool> = LazyLock::new(|| {
        let value = std::env::var_os(VARIABLE);
        value.is_some_and(|value| value != OsStr::new(""))
    });
    *DEBUG
}
