//! Ctrl-C in processes to which it is not meant.

use std::io;
use std::mem::MaybeUninit;

/// Leaves Ctrl-C to the parent, with whom this process ends. Programs that this one starts get the
/// signal as ever, which they would not if it were ignored.
pub(crate) fn leave_to_parent() -> io::Result<()> {
    extern "C" fn nothing(_: libc::c_int) {}

    // SAFETY: zeros are a valid value of this plain struct: no flags, no blocked signals.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = nothing as *const () as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the handler has the type that these flags ask for and does nothing; `action` lives
    // until the call returns.
    match unsafe { libc::sigaction(libc::SIGINT, &raw const action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// What Ctrl-C did before it was ignored.
pub(crate) struct Before(libc::sigaction);

/// Ignores Ctrl-C.
pub(crate) fn ignore() -> Before {
    // SAFETY: zeros are a valid value of this plain struct: no flags, no blocked signals.
    let mut ignoring: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    ignoring.sa_sigaction = libc::SIG_IGN;
    let mut before = Before(ignoring);
    // SAFETY: both actions live until the call returns; it fails for wrong signals alone.
    unsafe { libc::sigaction(libc::SIGINT, &raw const ignoring, &raw mut before.0) };
    before
}

impl Before {
    /// Has Ctrl-C do that again.
    pub(crate) fn restore(&self) {
        // SAFETY: the action is one that the system has returned, of this process or of the one that
        // it is a copy of, so that its handler is code of this program.
        unsafe { libc::sigaction(libc::SIGINT, &raw const self.0, std::ptr::null_mut()) };
    }
}
