//! How threads are named.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::outcome::function_name;

/// A thread's name, put into words only when somebody asks.
pub(crate) enum Name {
    Given(Box<str>),
    Numbered(u64),
    OfTarget(u64, &'static str),
    Dummy(u64),
}

impl Name {
    /// `Thread-1`, and so on.
    pub(crate) fn numbered() -> Self {
        Self::Numbered(next_number())
    }

    /// `Thread-1 (worker)`, and so on.
    pub(crate) fn of_target<F: ?Sized>() -> Self {
        Self::OfTarget(next_number(), function_name::<F>())
    }

    /// `Dummy-1`, and so on.
    pub(crate) fn dummy() -> Self {
        static DUMMIES: AtomicU64 = AtomicU64::new(1);
        Self::Dummy(DUMMIES.fetch_add(1, Ordering::Relaxed))
    }

    /// Lets the next thread have the number, so that a thread made with a name uses none up.
    pub(crate) fn give_back(&self) {
        if let Self::Numbered(number) | Self::OfTarget(number, _) = *self {
            let _ =
                THREADS.compare_exchange(number + 1, number, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Whether the system would refuse the name.
    pub(crate) fn has_nul(&self) -> bool {
        matches!(self, Self::Given(name) if name.contains('\0'))
    }
}

/// The number of the next thread without a name of its own.
static THREADS: AtomicU64 = AtomicU64::new(1);

fn next_number() -> u64 {
    THREADS.fetch_add(1, Ordering::Relaxed)
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(name) => f.write_str(name),
            Self::Numbered(number) => write!(f, "Thread-{number}"),
            Self::OfTarget(number, target) => write!(f, "Thread-{number} ({target})"),
            Self::Dummy(number) => write!(f, "Dummy-{number}"),
        }
    }
}

/// Has the system show the current thread under `name`, cut to what it has room for.
pub(crate) fn tell_system(name: &str) {
    hilos_core::ident::set_system_name(name);
}
