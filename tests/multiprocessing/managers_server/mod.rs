//! hilos's managers, with clients of CPython's and of this process.

mod abuse;
mod changes;
mod functions;
mod functions_known;
mod own_process;
mod own_types;
mod queues;
mod references;
mod sets;

pub(crate) use crate::serving::{KEY, Serving};
