//! Signals, noted by handlers that do next to nothing.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, IntoRawFd};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use nix::errno::Errno;
use nix::fcntl::OFlag;

/// How often Ctrl-C was pressed since a run looked last.
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

/// A pipe through which the handlers tell the loop which signals have come, a byte each; -1 while
/// there is none. It is never closed.
static READ_END: AtomicI32 = AtomicI32::new(-1);
static WRITE_END: AtomicI32 = AtomicI32::new(-1);

/// What can be read from once a signal has come. Only the main thread asks.
pub(crate) fn arrivals() -> io::Result<BorrowedFd<'static>> {
    if READ_END.load(Ordering::Relaxed) < 0 {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        READ_END.store(reader.into_raw_fd(), Ordering::Relaxed);
        WRITE_END.store(writer.into_raw_fd(), Ordering::Relaxed);
    }
    // SAFETY: the pipe is there by now and never closed.
    Ok(unsafe { BorrowedFd::borrow_raw(READ_END.load(Ordering::Relaxed)) })
}

/// Leaves the pipe to the parent, in a forked child.
pub(crate) fn forget_arrivals() {
    READ_END.store(-1, Ordering::Relaxed);
    WRITE_END.store(-1, Ordering::Relaxed);
    INTERRUPTS.store(0, Ordering::Relaxed);
}

/// The signals that have come and were not taken, in their order.
pub(crate) fn take() -> Vec<i32> {
    let mut taken = Vec::new();
    let mut bytes = [0; 256];
    let Ok(arrivals) = arrivals() else {
        return taken;
    };
    while let Ok(count @ 1..) = nix::unistd::read(arrivals, &mut bytes) {
        taken.extend(bytes[..count].iter().map(|&signal| i32::from(signal)));
    }
    taken
}

/// Whether Ctrl-C was pressed: a look that costs next to nothing.
pub(crate) fn interrupted() -> bool {
    INTERRUPTS.load(Ordering::Relaxed) > 0
}

/// How often Ctrl-C was pressed since the last call.
pub(crate) fn take_interrupts() -> u32 {
    INTERRUPTS.swap(0, Ordering::Acquire)
}

/// What a signal does.
#[derive(Clone, Copy)]
pub(crate) struct Action(libc::sigaction);

impl Action {
    /// What the system does if nobody says otherwise.
    pub(crate) fn default_action() -> Self {
        Self::new(libc::SIG_DFL)
    }

    /// Tells the loop.
    pub(crate) fn note() -> Self {
        Self::new(note as *const () as usize)
    }

    /// Counts Ctrl-C, and wakes the loop.
    pub(crate) fn interrupt() -> Self {
        Self::new(interrupt as *const () as usize)
    }

    fn new(handler: libc::sighandler_t) -> Self {
        // SAFETY: all bytes zero are a valid `sigaction`: no flags, an empty mask, SIG_DFL.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_RESTART;
        Self(action)
    }

    /// What `signal` does now.
    pub(crate) fn of(signal: i32) -> io::Result<Self> {
        sigaction(signal, None)
    }

    pub(crate) fn is_default(&self) -> bool {
        self.0.sa_sigaction == libc::SIG_DFL
    }

    pub(crate) fn is_interrupt(&self) -> bool {
        self.0.sa_sigaction == interrupt as *const () as usize
    }

    /// Has `signal` do this from now on, and returns what it did before.
    pub(crate) fn install(&self, signal: i32) -> io::Result<Self> {
        sigaction(signal, Some(self))
    }
}

fn sigaction(signal: i32, new: Option<&Action>) -> io::Result<Action> {
    let mut old = MaybeUninit::uninit();
    let new = new.map_or(std::ptr::null(), |action| std::ptr::from_ref(&action.0));
    // SAFETY: `new` is null or points to an action, `old` has room for one. An `Action` is either
    // one that was in force before, so that what holds for its handler still does, or one of ours:
    // `note` and `interrupt` are async-signal-safe. They touch atomics that are there for ever,
    // call only `write`, `signal` and `raise`, which POSIX allows in a handler, and keep `errno`.
    Errno::result(unsafe { libc::sigaction(signal, new, old.as_mut_ptr()) })?;
    // SAFETY: the system has filled it in where it does not fail.
    Ok(Action(unsafe { old.assume_init() }))
}

extern "C" fn note(signal: i32) {
    let errno = Errno::last_raw();
    tell(signal);
    Errno::set_raw(errno);
}

extern "C" fn interrupt(signal: i32) {
    let errno = Errno::last_raw();
    let earlier = INTERRUPTS.fetch_add(1, Ordering::Release);
    // If nobody has taken the first two, the program hangs, and the user wants it to end. A forked
    // child has no loop that could take any.
    if earlier < 2 && WRITE_END.load(Ordering::Relaxed) >= 0 {
        tell(signal);
    } else {
        // SAFETY: both are async-signal-safe and have no preconditions.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
    Errno::set_raw(errno);
}

/// Writes to the pipe. If it is full, there is enough to wake up for.
fn tell(signal: i32) {
    let byte = signal as u8;
    let fd = WRITE_END.load(Ordering::Relaxed);
    // SAFETY: the descriptor is -1 or that of the pipe, which is never closed, and `byte` is alive.
    unsafe { libc::write(fd, std::ptr::from_ref(&byte).cast(), 1) };
}
