//! Processor time of several processes, which neither sleep nor other programs of the machine lengthen.

use std::time::Duration;

use hilos::multiprocessing::Process;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// On a loaded machine few turns fit in a sample, and the first after a pause takes ten times as long.
pub(crate) const AT_LEAST: u64 = 300;

/// The clocks of processes that work together.
pub(crate) struct Clocks(Vec<ClockId>);

impl Clocks {
    /// Those of this process and another.
    pub(crate) fn with(other: &Process) -> Self {
        let pid = other.pid().expect("a process that runs");
        let other = clock_getcpuclockid(Pid::from_raw(pid as i32)).unwrap();
        Self(vec![ClockId::CLOCK_PROCESS_CPUTIME_ID, other])
    }

    /// What all of them use for so many turns of `work`.
    pub(crate) fn measure(&self, turns: u64, mut work: impl FnMut()) -> Duration {
        let done = turns.max(AT_LEAST);
        let begin = self.now();
        for _ in 0..done {
            work();
        }
        (self.now() - begin).mul_f64(turns as f64 / done as f64)
    }

    fn now(&self) -> Duration {
        let times = self.0.iter().map(|&clock| clock_gettime(clock).unwrap());
        times.map(|time: TimeSpec| Duration::from(time)).sum()
    }
}
