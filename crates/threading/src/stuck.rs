//! A thread that called `std::process::exit` too late.
//!
//! The standard library lets the first thread that ends the process go on and puts every other
//! one that calls `exit` to sleep for ever. If such a thread is one that the first has to wait
//! for, the process would never end.

/// Whether the thread sleeps in the system call that the standard library's `exit` sleeps in.
///
/// Linux only; elsewhere, and where `/proc` does not tell, no thread counts as stuck.
#[cfg(target_os = "linux")]
pub(crate) fn is_stuck_in_exit(native_id: u64) -> bool {
    /// `pause` where the kernel has it, else `ppoll` of nothing and without a timeout.
    #[cfg(target_arch = "x86_64")]
    const SLEEP: &str = "34 ";
    #[cfg(not(target_arch = "x86_64"))]
    const SLEEP: &str = "73 0x0 0x0 0x0 0x0 ";

    std::fs::read_to_string(format!("/proc/self/task/{native_id}/syscall"))
        .is_ok_and(|call| call.starts_with(SLEEP))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_stuck_in_exit(_native_id: u64) -> bool {
    false
}
