//! Python's `time.strftime('%X')`, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time of day, such as `19:35:54`.
pub(crate) fn strftime_x() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |now| now.as_secs());
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}
