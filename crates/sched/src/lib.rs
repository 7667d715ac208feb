//! Python's `sched` module in Rust: a [`Scheduler`] runs functions at their times, in one thread.
//!
//! | Python | here |
//! |---|---|
//! | `sched.scheduler()` | [`Scheduler::new`] |
//! | `sched.scheduler(timefunc, delayfunc)` | [`Scheduler::with_clock`] |
//! | `s.enter(5, 1, f, argument=("a",))` | [`s.enter(5.0, 1, \|\| f("a"))?`](Scheduler::enter) |
//! | `s.enterabs(t, 1, f)`, `s.cancel(event)` | [`Scheduler::enterabs`], [`Scheduler::cancel`] |
//! | `s.run()`, `s.run(blocking=False)` | [`Scheduler::run`] |
//! | `s.queue`, `s.empty()` | [`Scheduler::queue`], [`Scheduler::empty`] |

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
mod event;
mod scheduler;

pub use error::ValueError;
pub use event::Event;
pub use scheduler::Scheduler;
