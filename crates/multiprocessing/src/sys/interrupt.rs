//! Ctrl-C in a worker.

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
