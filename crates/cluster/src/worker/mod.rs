//! The worker's side: tasks are taken, run in processes of their own, and answered.
//!
//! ```text
//! taker ──▶ bench ──▶ slots, a thread and a process each ──▶ bench ──▶ clerk
//! ```
//!
//! The clerk alone answers, and renews the leases of what lies on the bench: so a task that is not
//! there, because a reply was lost, is claimed by somebody else.

mod bench;
mod builder;
mod clerk;
mod command;
mod signals;
mod slot;
mod taker;

pub use builder::Worker;
pub use command::{worker_main, worker_main_with};
