//! How Python prints its locks.

use hilos_threading::{current_thread, main_thread};

use super::word::OwnedWord;
use crate::current::current_process;
use crate::life::Life;

/// Who holds a lock, as far as CPython's `repr` tells.
pub(super) fn owner_name(word: &OwnedWord) -> String {
    let thread = word.thread();
    if thread == 0 {
        return "None".into();
    }
    if thread == Life::thread().id() {
        return my_name();
    }
    let here = word.owner() == Some(Life::process()) || is_mine(thread);
    let other = if here {
        "SomeOtherThread"
    } else {
        "SomeOtherProcess"
    };
    other.into()
}

/// The current thread's name, after that of its process.
fn my_name() -> String {
    let (process, thread) = (current_process(), current_thread());
    if thread == main_thread() {
        return process.name().to_string();
    }
    format!("{}|{}", process.name(), thread.name())
}

/// Whether a thread with this number runs in this process.
fn is_mine(thread: u32) -> bool {
    std::path::Path::new(&format!("/proc/self/task/{thread}")).exists()
}

/// Python prints one text for `str` and `repr` of these objects; so do `Display` and `Debug`.
macro_rules! debug_like_display {
    ($type:ty) => {
        debug_like_display!($type,);
    };
    ($type:ty, $($generics:tt)*) => {
        impl<$($generics)*> std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}
pub(crate) use debug_like_display;
