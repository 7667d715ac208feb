//! Python's `Pool` and `Executor`, with workers on many machines.
//!
//! | one machine | a cluster |
//! |---|---|
//! | `Pool::new(4)` | [`Pool::cluster(url, queue)`](Cluster::cluster), [`ClusterPool::new(url, queue)`](ClusterPool::new) |
//! | `ProcessPoolExecutor::new(4)` | [`ClusterExecutor::new(url, queue)`](ClusterExecutor::new) |
//! | any function | functions named by [`register!`] |
//! | processes that the pool starts | `program worker --queue NAME`, by [`worker_main`] |
//! | – | `hilos cluster status`, [`status()`] |
//!
//! The engine is a server of Redis 7 or later, or Valkey, as it is in Debian's package
//! `redis-server`; tasks are entries of a stream, workers are a group of its consumers. Workers are
//! the same program on each machine, started by whatever starts programs there, and come and go at
//! any time.
//!
//! ```no_run
//! # use hilos_cluster as cluster;
//! # use hilos_multiprocessing as multiprocessing;
//! use cluster::Cluster as _;
//! use multiprocessing::Pool;
//!
//! fn square(x: i64) -> i64 { x * x }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     cluster::register!(square);
//!     cluster::worker_main();
//!     let pool = Pool::cluster("redis://host/0", "squares")?;
//!     println!("{:?}", pool.map(square, 0..10)?);
//!     Ok(())
//! }
//! ```
//!
//! What is guaranteed, and what is not, is said at [`ClusterPool`].
//!
//! # Security
//! Who can write to the queue can have any *registered* function called, with any arguments, and
//! nothing else: names and values travel, no code and no pointers. Have the server ask for a
//! password and encrypt, which is up to you:
//!
//! ```text
//! ACL SETUSER hilos on >PASSWORD resetkeys ~hilos:* resetchannels -@all +@stream +@hash
//!     +@connection +@scripting +del +exists +pexpire +time
//! ```
//!
//! and connect to `rediss://hilos:PASSWORD@host:6380/0`, with the feature `tls`, which is
//! `cluster_tls` of `hilos`; in a URL `@`, `/` and the like are `%40`, `%2F`. The server's
//! certificate must be of an authority that the system believes, or one in the file that the
//! variable `SSL_CERT_FILE` names. Passwords are never printed, neither by `Debug` nor in errors or
//! logs.
//!
//! # The server
//! Set `maxmemory-policy noeviction`, so that a full server refuses instead of dropping tasks, and
//! `appendonly yes` for tasks to survive its restart. With `appendfsync everysec` a second's worth
//! may be lost with the power, and also with the process when the disk is busy: a living client
//! sends those tasks again, and takes those back that it has the results of. A queue is on one node
//! of a Redis Cluster.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg(target_os = "linux")]

mod client;
mod engine;
mod error;
mod executor;
mod message;
mod pool;
#[doc(hidden)]
pub mod registry;
mod status;
mod thread;
mod worker;

pub use error::Error;
pub use executor::ClusterExecutor;
pub use pool::{Cluster, ClusterPool, ClusterPoolBuilder, Tuples};
pub use status::{Status, WorkerStatus, status};
pub use worker::{Worker, worker_main, worker_main_with};
