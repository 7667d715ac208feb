//! `multiprocessing.pool`: processes that take one job after another.
//!
//! One thread of this process, the supervisor, hands jobs out and collects what they return. It
//! knows which worker has which job: a worker that dies costs that job and no other, and a new one
//! takes its place. Sockets never block it, in neither direction.

mod builder;
mod error;
mod function;
mod imap;
mod job;
mod processes;
mod supervisor;
mod task;
mod worker;
mod workers;

pub use builder::PoolBuilder;
pub use error::{JobError, WorkerLost};
pub use function::PoolFunction;
pub use imap::{IMapIterator, IMapUnorderedIterator};
pub use job::{AsyncResult, MapResult};
pub use processes::Pool;
