//! `multiprocessing.pool`: processes or threads that take one job after another.
//!
//! A [`Pool`]'s jobs are done by processes, a [`ThreadPool`]'s by threads; either way a call splits
//! its items into tasks, which lie on a desk until a worker takes them, and a sink collects what
//! becomes of them.
//!
//! One thread of this process, the supervisor, hands tasks to the processes and collects what they
//! return. It knows which worker has begun which task: a worker that dies costs that job and no
//! other, and a new one takes its place. Sockets never block it, in neither direction.

mod builder;
mod call;
mod context;
mod desk;
#[doc(hidden)]
pub mod elsewhere;
mod error;
#[allow(
    unsafe_code,
    reason = "it says which function a worker was asked to call"
)]
mod function;
mod hook;
mod imap;
mod job;
mod options;
mod parts;
mod processes;
mod progress;
mod request;
mod results;
mod stream;
mod supervisor;
mod task;
mod thread_worker;
mod threads;
mod worker;
mod workers;

pub use builder::PoolBuilder;
pub use error::{JobError, WorkerLost};
pub(crate) use function::Function;
pub use function::PoolFunction;
pub use imap::{IMapIterator, IMapUnorderedIterator};
pub use job::{AsyncResult, MapResult};
pub use processes::Pool;
pub use threads::{ThreadPool, ThreadPoolBuilder};
