//! Starting this program once more.

use std::ffi::{CStr, CString, c_char};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::ptr;

use nix::unistd::Pid;

use super::entry::MARK;

/// Starts `program` with this process's arguments and environment, marked as a child in `role`
/// whose descriptor is `fd`. Every other descriptor but 0, 1 and 2 is closed in it, unless it was
/// made to be inherited. Never copies this process's memory.
pub(crate) fn spawn(program: &CStr, role: char, fd: BorrowedFd<'_>) -> io::Result<Pid> {
    let mut mark = MARK.to_bytes().to_vec();
    mark.extend(format!("={role}{}", fd.as_raw_fd()).bytes());
    let variables =
        std::env::vars_os().map(|(name, value)| [name.into_vec(), value.into_vec()].join(&b'='));
    let environment = strings(variables.chain([mark]));
    let arguments = strings(std::env::args_os().map(OsStringExt::into_vec));
    let actions = Actions::keeping(fd)?;
    let mut pid = 0;
    // SAFETY: `program` and the elements of the two arrays end in NUL and outlive the call, as the
    // arrays do, which end in a null pointer; `actions` is initialised; `pid` is writable.
    let error = unsafe {
        libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            &raw const actions.0,
            ptr::null(),
            pointers(&arguments).as_ptr(),
            pointers(&environment).as_ptr(),
        )
    };
    match error {
        0 => Ok(Pid::from_raw(pid)),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Those that are C strings; the system would not have let in another.
fn strings(bytes: impl Iterator<Item = Vec<u8>>) -> Vec<CString> {
    bytes.filter_map(|bytes| CString::new(bytes).ok()).collect()
}

fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr().cast_mut())
        .chain([ptr::null_mut()])
        .collect()
}

/// What the child does with its descriptors before it becomes the new program.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    /// Copies `fd` onto itself, which lets the child alone inherit it.
    fn keeping(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let mut actions = std::mem::MaybeUninit::uninit();
        // SAFETY: the first call initialises what it is pointed to, unless it fails.
        let mut actions = unsafe {
            check(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
            Self(actions.assume_init())
        };
        let fd = fd.as_raw_fd();
        // SAFETY: `actions` is initialised; the descriptors are numbers that the child checks.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut actions.0, fd, fd) })?;
        Ok(actions)
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised in `keeping`, and destroyed only here.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

fn check(error: i32) -> io::Result<()> {
    if error == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(error))
    }
}

/// Makes `number`, one of the standard streams, another descriptor of what `stream` is.
pub(crate) fn duplicate_onto(stream: BorrowedFd<'_>, number: i32) {
    assert!(
        (0..=2).contains(&number),
        "a standard stream, which nothing owns"
    );
    // SAFETY: no owned descriptor has such a number, so that none is closed under its owner.
    unsafe { libc::dup2(stream.as_raw_fd(), number) };
}
