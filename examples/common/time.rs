//! Python's `time.sleep`, for programs that take `--scale F`.

use std::sync::OnceLock;
use std::time::Duration;

#[path = "scale.rs"]
mod scale;

static SCALE: OnceLock<f64> = OnceLock::new();

/// Has every sleep take `--scale` times its time, or else `default` times.
pub(crate) fn scale_from_args(default: f64) {
    SCALE.get_or_init(|| scale::from_args(default));
}

/// The scale that was taken from the arguments.
pub(crate) fn scale() -> f64 {
    *SCALE.get().expect("scale_from_args was called")
}

/// Sleeps for `seconds` times the scale.
pub(crate) fn sleep(seconds: f64) {
    std::thread::sleep(Duration::from_secs_f64(seconds * scale()));
}
