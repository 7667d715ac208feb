//! `test_queues.py`, but for what shuts a queue down.

mod cancellations;
mod kinds;
mod waiting;
