//! Signals, noted by a handler that does next to nothing.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// How often each signal has come and was not taken.
static PENDING: [AtomicU32; 65] = [const { AtomicU32::new(0) }; 65];

/// Whether any signal has come since the last look.
static ANY: AtomicBool = AtomicBool::new(false);

/// The descriptor that the handler rings, -1 while there is none.
static RINGING: AtomicI32 = AtomicI32::new(-1);

/// What ends a loop's sleep when a signal comes. It is never closed.
pub(crate) fn bell() -> nix::Result<&'static EventFd> {
    static BELL: OnceLock<EventFd> = OnceLock::new();
    if BELL.get().is_none() {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let _ = BELL.set(EventFd::from_flags(flags)?);
    }
    let bell = BELL.get().expect("it was set above");
    RINGING.store(bell.as_raw_fd(), Ordering::Release);
    Ok(bell)
}

/// Has `signal` noted from now on, and returns what it did before.
pub(crate) fn catch(signal: Signal) -> nix::Result<SigAction> {
    bell()?;
    PENDING[signal as usize].store(0, Ordering::Relaxed);
    let handler = SigHandler::Handler(note);
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: `note` is async-signal-safe: it touches atomics that are there for ever, and calls
    // only `write`, `signal` and `raise`, which POSIX allows in a handler. It keeps `errno`.
    unsafe { sigaction(signal, &action) }
}

/// Has `signal` do what it did before [`catch`].
pub(crate) fn restore(signal: Signal, previous: &SigAction) {
    // SAFETY: `previous` was in force before, and what holds for its handler has not changed. The
    // handler it replaces is `note`, which may run to its end at any time.
    let _ = unsafe { sigaction(signal, previous) };
}

/// What `signal` does now.
pub(crate) fn current(signal: Signal) -> Option<SigHandler> {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null pointer for the new action asks only, and `action` has room for the answer.
    let asked = unsafe { libc::sigaction(signal as i32, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: the system has filled it in where it returns 0.
    let action = (asked == 0).then(|| unsafe { action.assume_init() })?;
    match action.sa_sigaction {
        libc::SIG_DFL => Some(SigHandler::SigDfl),
        libc::SIG_IGN => Some(SigHandler::SigIgn),
        _ => None,
    }
}

/// How often `signal` has come since the last call.
pub(crate) fn take(signal: Signal) -> u32 {
    PENDING[signal as usize].swap(0, Ordering::Acquire)
}

/// Whether any signal has come since the last call; then the bell is silenced.
pub(crate) fn any() -> bool {
    let any = ANY.load(Ordering::Relaxed) && ANY.swap(false, Ordering::Acquire);
    if any && let Ok(bell) = bell() {
        let _ = bell.read();
    }
    any
}

extern "C" fn note(signal: i32) {
    let errno = Errno::last_raw();
    let Some(pending) = PENDING.get(signal as usize) else {
        return;
    };
    let earlier = pending.fetch_add(1, Ordering::Release);
    if signal == libc::SIGINT && earlier >= 2 {
        // Nobody has taken the first two: the program hangs, and the user wants it to end.
        // SAFETY: both are async-signal-safe and have no preconditions.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::raise(libc::SIGINT);
        }
    }
    ANY.store(true, Ordering::Release);
    ring();
    Errno::set_raw(errno);
}

fn ring() {
    let number = RINGING.load(Ordering::Acquire);
    if number >= 0 {
        // SAFETY: the number is that of `bell`, which is never closed.
        let bell = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = nix::unistd::write(bell, &1_u64.to_ne_bytes());
    }
}
