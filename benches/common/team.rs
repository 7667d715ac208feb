//! Threads that stay alive between the samples, so that no row measures their start.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Threads that do the same number of turns of some work at the same time.
pub(crate) struct Team {
    shared: Arc<Shared>,
    members: Vec<JoinHandle<()>>,
}

struct Shared {
    /// Where the members and the one who measures meet, before and after the turns.
    meeting: Barrier,
    /// How many turns come next; 0 sends the members home.
    turns: AtomicU64,
    /// From when to when each member worked.
    times: Mutex<Vec<(Instant, Instant)>>,
}

impl Team {
    /// Starts `size` threads that will call `work` with their number and a number of turns.
    pub(crate) fn new<F: Fn(usize, u64) + Send + Sync + 'static>(size: usize, work: F) -> Self {
        let shared = Arc::new(Shared {
            meeting: Barrier::new(size + 1),
            turns: AtomicU64::new(0),
            times: Mutex::default(),
        });
        let work = Arc::new(work);
        let member = |number| {
            let (shared, work) = (shared.clone(), work.clone());
            std::thread::spawn(move || shared.serve(|turns| work(number, turns)))
        };
        let members = (0..size).map(member).collect();
        Self { shared, members }
    }

    /// Has every member do `turns` turns; the time from the first one's begin to the last one's end.
    pub(crate) fn run(&self, turns: u64) -> Duration {
        self.shared.turns.store(turns, Ordering::Relaxed);
        self.shared.meeting.wait();
        self.shared.meeting.wait();
        let times = std::mem::take(&mut *self.shared.times.lock().unwrap());
        let begin = times.iter().map(|time| time.0).min().unwrap();
        let end = times.iter().map(|time| time.1).max().unwrap();
        end - begin
    }
}

impl Shared {
    fn serve(&self, work: impl Fn(u64)) {
        loop {
            self.meeting.wait();
            let turns = self.turns.load(Ordering::Relaxed);
            if turns == 0 {
                return;
            }
            let begin = Instant::now();
            work(turns);
            let end = Instant::now();
            self.times.lock().unwrap().push((begin, end));
            self.meeting.wait();
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.turns.store(0, Ordering::Relaxed);
        self.shared.meeting.wait();
        for member in self.members.drain(..) {
            member.join().unwrap();
        }
    }
}
