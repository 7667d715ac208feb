//! How a started program knows that it is a child, before `main` and without a line in it.

use std::ffi::{CStr, c_char, c_int};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// The environment variable that tells a program that it is a child: its role and a descriptor.
pub(crate) const MARK: &CStr = c"HILOS_CHILD";

/// Has the loader call [`enter`] before `main`, with `main`'s arguments.
#[used]
#[unsafe(link_section = ".init_array")]
static ENTER: Entry = enter;

type Entry = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

extern "C" fn enter(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) {
    let Some((role, fd)) = take_mark() else {
        return;
    };
    // SAFETY: a program that starts has SIGPIPE's default action, and no other thread that could
    // change it; Rust's own start, which ignores the signal, comes later than this.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    run_later_entries(argc, argv, envp);
    // SAFETY: the parent has opened this descriptor for the child, as the mark says; nothing else
    // in this new program knows of it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    crate::spawn::enter(role, fd);
}

/// Reads the mark and removes it, so that no program that this one starts takes itself for a child.
fn take_mark() -> Option<(char, RawFd)> {
    // SAFETY: the program has one thread yet, so that nobody changes the environment meanwhile.
    let value = unsafe { libc::getenv(MARK.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: `getenv` returns a string that ends in NUL and lives until the variable is removed.
    let value = unsafe { CStr::from_ptr(value) }
        .to_str()
        .ok()
        .map(str::to_owned);
    // SAFETY: as above, one thread.
    unsafe { libc::unsetenv(MARK.as_ptr()) };
    let value = value?;
    let role = value.chars().next()?;
    let fd: RawFd = value.get(role.len_utf8()..)?.parse().ok()?;
    // SAFETY: asks about a number; a wrong one gives an error.
    let flags = unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    (flags == 0).then_some((role, fd))
}

/// Runs what the program has to run before `main` after this entry: the child never comes back for
/// it, but functions of the program may rely on it.
fn run_later_entries(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) {
    unsafe extern "C" {
        #[link_name = "__init_array_start"]
        static START: Entry;
        #[link_name = "__init_array_end"]
        static END: Entry;
    }
    let (mut entry, end) = (&raw const START, &raw const END);
    let mut later = false;
    while entry < end {
        // SAFETY: the linker defines the bounds of the image's array of entries, which is never
        // written after loading; each element is a function of this type or, where none is, 0 or
        // -1, so that it is read as a number first.
        let address = unsafe { entry.cast::<usize>().read() };
        if later && address != 0 && address != usize::MAX {
            // SAFETY: as above: it is a function with the loader's signature.
            let run = unsafe { entry.read() };
            run(argc, argv, envp);
        }
        later |= address == enter as *const () as usize;
        // SAFETY: stays within the array or one past its end.
        entry = unsafe { entry.add(1) };
    }
}
