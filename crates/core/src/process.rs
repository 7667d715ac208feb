//! What happens to the whole process: its exit, its forks and its main thread.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ident::get_ident;

/// Something to do when the process exits.
pub trait AtExit {
    /// Runs once, after `main` has returned or a thread has called `std::process::exit`.
    ///
    /// Thread-local values with destructors may be gone. A panic ends here and is not reported.
    fn run();
}

/// Has the C library run `H` when the process exits, before what was registered earlier.
///
/// Nothing runs when the process ends by a signal, `abort` or [`exit_now`].
pub fn at_exit<H: AtExit>() {
    extern "C" fn run<H: AtExit>() {
        let _ = std::panic::catch_unwind(H::run);
    }
    // SAFETY: `run` is a function of the program, stays callable until the process ends, and
    // cannot unwind into C because it catches every panic.
    unsafe { libc::atexit(run::<H>) };
}

/// Ends the process at once: Python's `os._exit`.
///
/// No exit hook runs, no thread is waited for and nothing is flushed. Unlike
/// `std::process::exit` it may be called by any thread at any moment, also while the program is
/// already waiting for its last threads.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions; it does not return and runs no code of the process.
    unsafe { libc::_exit(code) }
}

/// What keeps a piece of global state whole when the process forks.
pub trait AtFork {
    /// Runs in the forking thread before the fork: takes the locks.
    fn prepare();
    /// Runs in the parent afterwards: releases them.
    fn parent();
    /// Runs in the child, whose only thread is the one that forked: releases them and forgets
    /// the other threads.
    fn child();
}

/// Has the C library call `H` around every later fork.
#[cfg(unix)]
pub fn at_fork<H: AtFork>() {
    extern "C" fn prepare<H: AtFork>() {
        H::prepare();
    }
    extern "C" fn parent<H: AtFork>() {
        H::parent();
    }
    extern "C" fn child<H: AtFork>() {
        H::child();
    }
    // SAFETY: the three are functions of the program and stay callable until the process ends; a
    // panic in one of them aborts the process, as `extern "C"` functions do.
    unsafe { libc::pthread_atfork(Some(prepare::<H>), Some(parent::<H>), Some(child::<H>)) };
}

/// A system without `fork` never calls `H`.
#[cfg(not(unix))]
pub fn at_fork<H: AtFork>() {}

/// The identifier of the thread that runs `main`, 0 while it is not known.
static MAIN: AtomicUsize = AtomicUsize::new(0);

/// The identifier of the main thread; `None` if this system does not tell.
pub fn main_ident() -> Option<NonZeroUsize> {
    NonZeroUsize::new(MAIN.load(Ordering::Relaxed))
}

/// Makes the current thread the main one, as it is in a forked child.
pub fn become_main() {
    MAIN.store(get_ident().get(), Ordering::Relaxed);
}

// A model has no threads yet when the loader runs.
#[cfg(all(target_os = "linux", not(loom)))]
mod constructor {
    /// Has the loader call [`record_main`], in the main thread and before `main`.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static RECORD_MAIN: extern "C" fn() = record_main;

    extern "C" fn record_main() {
        // A library may be loaded later and by any thread: only the main one has the process's id.
        if nix::unistd::gettid() == nix::unistd::getpid() {
            super::become_main();
        }
    }
}
