//! The operations, and how often they come.

/// What older Pythons lack, or do in an order of their own: the minor version that has it.
const SINCE: &[(&str, u32)] = &[
    ("shutdown", 13),
    ("uncancel", 13),
    ("group", 13),
    ("cond_wait", 13),
    ("cond_wait_for", 13),
    ("spawn_eager", 12),
    ("wait_for", 12),
    ("gather", 12),
    ("start_gather", 12),
];

/// How deep CPython is willing to nest a `try` with all that belongs to it.
pub(crate) const DEEPEST: usize = 5;

/// The operations that callbacks do too, and how often they come.
pub(crate) const ACTS: &[(&str, usize)] = &[
    ("spawn", 8),
    ("spawn_eager", 2),
    ("group_spawn", 8),
    ("start_gather", 3),
    ("start_shield", 2),
    ("cancel", 12),
    ("state", 3),
    ("result", 1),
    ("exception", 1),
    ("set_result", 4),
    ("set_exception", 2),
    ("add_callback", 4),
    ("remove_callback", 1),
    ("call_soon", 4),
    ("call_later", 3),
    ("call_at", 2),
    ("cancel_handle", 2),
    ("timers", 1),
    ("reschedule", 3),
    ("release", 2),
    ("event_set", 5),
    ("event_clear", 1),
    ("notify", 2),
    ("notify_all", 1),
    ("sem_release", 3),
    ("put_nowait", 6),
    ("get_nowait", 2),
    ("task_done", 2),
    ("shutdown", 1),
    ("bump", 2),
    ("tasks", 1),
    ("set_var", 1),
    ("get_var", 1),
    ("cancelling", 2),
    ("raise", 4),
];

/// Those that only coroutines do.
pub(crate) const WAITS: &[(&str, usize)] = &[
    ("sleep", 30),
    ("await", 10),
    ("acquire", 2),
    ("lock", 6),
    ("event_wait", 4),
    ("condition", 7),
    ("cond_wait", 2),
    ("cond_wait_for", 2),
    ("semaphore", 6),
    ("sem_acquire", 2),
    ("barrier_wait", 8),
    ("barrier_reset", 1),
    ("barrier_abort", 1),
    ("put", 6),
    ("get", 6),
    ("join", 2),
    ("gather", 6),
    ("shield", 5),
    ("wait", 6),
    ("wait_for", 7),
    ("as_completed", 5),
    ("timeout", 10),
    ("group", 10),
    ("try", 26),
    ("repeat", 3),
    ("uncancel", 3),
    ("return", 2),
];

/// Those that mostly fail without the lock of a condition.
pub(crate) const CONDITIONED: &[&str] = &["cond_wait", "cond_wait_for", "notify", "notify_all"];

/// Those that often fail, which would end most tasks early.
pub(crate) const RISKY: &[&str] = &[
    "put_nowait",
    "get_nowait",
    "task_done",
    "result",
    "exception",
    "release",
    "sem_release",
    "set_result",
    "set_exception",
    "wait",
    "barrier_wait",
    "get",
    "put",
];

/// What wakes others.
pub(crate) const HELPFUL: &[&str] = &[
    "event_set",
    "put_nowait",
    "get_nowait",
    "notify",
    "notify_all",
    "sem_release",
    "release",
    "barrier_wait",
    "bump",
    "task_done",
    "event_clear",
];

/// What several tasks may want, and what lets one of them have it.
pub(crate) const CONTESTS: &[(&str, &str)] = &[
    ("lock", "release"),
    ("acquire", "release"),
    ("semaphore", "sem_release"),
    ("sem_acquire", "sem_release"),
    ("get", "put_nowait"),
    ("put", "get_nowait"),
    ("event_wait", "event_set"),
    ("cond_wait", "notify"),
    ("join", "task_done"),
    ("barrier_wait", "barrier_reset"),
];

/// The minor version of Python that first has an operation.
pub(crate) fn since(name: &str) -> u32 {
    let found = SINCE.iter().find(|(other, _)| *other == name);
    found.map_or(0, |(_, minor)| *minor)
}
