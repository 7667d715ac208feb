//! A fork whose child is the sibling of the process that forks.

use std::io;

use nix::unistd::Pid;

/// Forks, so that the new process is a child of this process's parent, who can wait for it.
/// Returns `None` in the new process.
///
/// # Safety
/// The process must have one thread, since the C library is not told of the fork.
pub(crate) unsafe fn clone_parent() -> io::Result<Option<Pid>> {
    let (mut tid_address, mut robust_list, mut length) = (0_usize, 0_usize, 0_usize);
    // SAFETY: the kernel writes one word to each of the three places.
    unsafe {
        check(libc::prctl(libc::PR_GET_TID_ADDRESS, &raw mut tid_address).into())?;
        let (list, length) = (&raw mut robust_list, &raw mut length);
        check(libc::syscall(libc::SYS_get_robust_list, 0, list, length))?;
    }
    // The C library keeps the thread's number at this address; the kernel updates it in the child,
    // so that robust locks are owned by the right thread.
    let flags =
        libc::CLONE_PARENT | libc::SIGCHLD | libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID;
    let no_stack = 0_usize;
    // SAFETY: without CLONE_VM the child has its own copy of the memory and goes on upon its own
    // copy of this stack, as after `fork`; there is one thread, so that no lock is held by another.
    let pid = check(unsafe { clone(flags as usize, no_stack, tid_address) })?;
    if pid == 0 {
        // SAFETY: tells the kernel again where this thread's list is, which a fork forgets; the
        // list is the C library's own.
        unsafe { libc::syscall(libc::SYS_set_robust_list, robust_list, length) };
        return Ok(None);
    }
    Ok(Some(Pid::from_raw(pid as i32)))
}

/// # Safety
/// As the system call with these flags wants it.
unsafe fn clone(flags: usize, stack: usize, tid_address: usize) -> libc::c_long {
    // SAFETY: up to the caller. x86-64 takes the last two arguments in another order than the rest.
    unsafe {
        if cfg!(target_arch = "x86_64") {
            libc::syscall(libc::SYS_clone, flags, stack, 0_usize, tid_address, 0_usize)
        } else {
            libc::syscall(libc::SYS_clone, flags, stack, 0_usize, 0_usize, tid_address)
        }
    }
}

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
