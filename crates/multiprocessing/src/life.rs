//! Which process or thread holds something, in a number that no later one has.

use std::cell::Cell;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hilos_core::process::{AtFork, at_fork};
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::{Pid, getpid, gettid};

/// One life of a process or thread: its number, and when it began.
///
/// The system gives a number to another process later; the moment tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life(u64);

/// This process's life, or 0 while it is not known.
static PROCESS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// This thread's life, and the process's when it was looked up.
    static THREAD: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

impl Life {
    /// This process's.
    #[inline]
    pub(crate) fn process() -> Self {
        match PROCESS.load(Ordering::Relaxed) {
            0 => look_up_process(),
            known => Self(known),
        }
    }

    /// This thread's.
    #[inline]
    pub(crate) fn thread() -> Self {
        let (process, thread) = (Self::process(), THREAD.get());
        if thread.0 == process.0 {
            return Self(thread.1);
        }
        let thread = Self::of(gettid());
        THREAD.set((process.0, thread.0));
        thread
    }

    /// The life that another process has written down.
    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        (bits != 0).then_some(Self(bits))
    }

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    /// The number of the process or thread.
    #[inline]
    pub(crate) const fn id(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Whether it is over; a killed process whose parent has not waited for it counts.
    pub(crate) fn ended(self) -> bool {
        let id = Pid::from_raw(self.id() as i32);
        if kill(id, None) == Err(Errno::ESRCH) {
            return true;
        }
        let begun = self.0 as u32;
        Stat::of(id).is_some_and(|stat| stat.ended || begun != 0 && stat.begun != begun)
    }

    /// That of a process or thread of which only the number is known.
    pub(crate) const fn unknown(id: u32) -> Self {
        Self((id as u64) << 32)
    }

    /// One that is over, for tests.
    #[cfg(test)]
    pub(crate) fn over() -> Self {
        let thread = std::thread::spawn(Self::thread);
        let life = thread.join().expect("it does not panic");
        while !life.ended() {
            std::thread::yield_now();
        }
        life
    }

    fn of(id: Pid) -> Self {
        let begun = Stat::of(id).map_or(0, |stat| stat.begun);
        Self((id.as_raw() as u64) << 32 | u64::from(begun))
    }
}

/// Forgets who this process is: it has just become a copy of another.
pub(crate) fn forget() {
    PROCESS.store(0, Ordering::Relaxed);
}

#[cold]
fn look_up_process() -> Life {
    struct Fork;
    impl AtFork for Fork {
        fn prepare() {}
        fn parent() {}
        fn child() {
            forget();
        }
    }
    // Two threads may do it twice, which is as good; a `Once` might be forked half done.
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if !WATCHED.load(Ordering::Acquire) {
        at_fork::<Fork>();
        WATCHED.store(true, Ordering::Release);
    }
    let life = Life::of(getpid());
    PROCESS.store(life.0, Ordering::Relaxed);
    life
}

/// What the system tells of a process or thread.
struct Stat {
    ended: bool,
    /// In ticks since the system was started; never 0.
    begun: u32,
}

impl Stat {
    /// `None` if the system does not tell.
    fn of(id: Pid) -> Option<Self> {
        let text = fs::read(format!("/proc/{id}/stat")).ok()?;
        // The second field is the program's name, in parentheses, and may hold anything.
        let end = text.iter().rposition(|&byte| byte == b')')?;
        let rest = std::str::from_utf8(&text[end + 1..]).ok()?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?;
        let threads: u32 = fields.nth(16)?.parse().ok()?;
        let begun: u64 = fields.nth(1)?.parse().ok()?;
        Some(Self {
            // The first thread of a process may end before the others.
            ended: matches!(state, "Z" | "X") && threads <= 1,
            begun: (begun as u32).max(1),
        })
    }
}
