//! Who the current thread is.

use std::cell::Cell;
use std::num::NonZeroUsize;

/// The identifier of the current thread: `threading.get_ident()`.
///
/// On Unix it is the address that `pthread_self` returns, as in CPython; the system may give the
/// same number to a later thread. One load from thread-local memory after the first call.
#[inline]
pub fn get_ident() -> NonZeroUsize {
    thread_local! {
        // Without a destructor, so that it can be read while the process exits.
        static IDENT: Cell<Option<NonZeroUsize>> = const { Cell::new(None) };
    }
    if cfg!(loom) {
        return system_ident();
    }
    IDENT.get().unwrap_or_else(|| {
        let ident = system_ident();
        IDENT.set(Some(ident));
        ident
    })
}

#[cfg(all(unix, not(loom)))]
#[cold]
fn system_ident() -> NonZeroUsize {
    let thread = nix::sys::pthread::pthread_self() as usize;
    NonZeroUsize::new(thread).expect("a pthread_t is never 0 where it is an address")
}

#[cfg(any(not(unix), loom))]
#[cold]
fn system_ident() -> NonZeroUsize {
    counted::ident()
}

/// The kernel's number of the current thread: `threading.get_native_id()`.
///
/// Linux shows it in `/proc`, `top -H` and debuggers. Elsewhere it equals [`get_ident`].
pub fn get_native_id() -> u64 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return nix::unistd::gettid().as_raw() as u64;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return get_ident().get() as u64;
}

/// Has the system show the current thread under `name`, where it can.
///
/// Linux has room for 15 bytes; a longer name is cut between two characters, one with a NUL byte
/// before it.
pub fn set_system_name(name: &str) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let whole = name.split('\0').next().unwrap_or(name);
        let end = (0..=15.min(whole.len()))
            .rev()
            .find(|&end| whole.is_char_boundary(end));
        let name = std::ffi::CString::new(&whole[..end.unwrap_or(0)]).unwrap_or_default();
        // The system may only refuse an address outside the process.
        let _ = nix::sys::prctl::set_name(&name);
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = name;
}

#[cfg(any(not(unix), loom))]
mod counted {
    use std::num::NonZeroUsize;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static LAST: AtomicUsize = AtomicUsize::new(0);

    #[cfg(not(loom))]
    use std::thread_local;

    #[cfg(loom)]
    use loom::thread_local;

    thread_local! {
        static NUMBER: usize = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    }

    pub(super) fn ident() -> NonZeroUsize {
        NonZeroUsize::new(NUMBER.with(|number| *number)).expect("the count starts at 1")
    }
}
