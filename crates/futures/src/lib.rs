//! Python's `concurrent.futures` module in Rust.
//!
//! | Python | here |
//! |---|---|
//! | `ThreadPoolExecutor(max_workers=5)` | [`ThreadPoolExecutor::new(5)?`](ThreadPoolExecutor::new) |
//! | `thread_name_prefix="w"`, `initializer=f` | [`.with_thread_name_prefix("w")`](ThreadPoolExecutor::with_thread_name_prefix), [`.with_initializer(f)`](ThreadPoolExecutor::with_initializer) |
//! | `with ThreadPoolExecutor(5) as executor:` | [`ThreadPoolExecutor::new(5)?.with(\|executor\| …)`](ThreadPoolExecutor::with) |
//! | `executor.submit(f, 1)` | [`executor.submit(\|\| f(1))?`](ThreadPoolExecutor::submit), [`try_submit`](ThreadPoolExecutor::try_submit) if `f` returns a `Result` |
//! | `executor.map(f, items)` | [`executor.map(f, items)?`](ThreadPoolExecutor::map), [`try_map`](ThreadPoolExecutor::try_map) if `f` returns a `Result` |
//! | `executor.map(f, items, timeout=5)` | `executor.map(f, items)?`[`.with_timeout(5)`](Map::with_timeout) |
//! | `executor.map(f, items, buffersize=8)` | [`executor.map_buffersize(f, items, 8)?`](ThreadPoolExecutor::map_buffersize) |
//! | `executor.shutdown(wait=False)` | [`executor.shutdown(false)`](ThreadPoolExecutor::shutdown) |
//! | `future.result()`, `future.result(timeout=2)` | [`future.result(None)?`](Future::result), `future.result(2)?` |
//! | `wait(fs, return_when=FIRST_COMPLETED)` | [`wait(&fs, None, FIRST_COMPLETED)`](wait()) |
//! | `for future in as_completed(fs, 60):` | [`for future in as_completed(&fs, 60)`](as_completed()) |
//! | `except TimeoutError:` | `Err(FutureError::Timeout(_))` |
//! | `except CancelledError:` | `Err(FutureError::Cancelled(_))` |
//!
//! ```
//! # use hilos_futures as futures;
//! use futures::{ThreadPoolExecutor, as_completed};
//!
//! let executor = ThreadPoolExecutor::new(5)?;
//! let mut fs = Vec::new();
//! for n in 1..=3 {
//!     fs.push(executor.submit(move || n * n)?);
//! }
//! let mut sum = 0;
//! for future in as_completed(&fs, None) {
//!     sum += future?.result(None)?;
//! }
//! assert_eq!(sum, 14);
//! # Ok::<(), futures::FutureError>(())
//! ```
//!
//! Beyond Python, a [`Future`] can be awaited in any async runtime.
//!
//! Mirrors [`concurrent.futures`](https://docs.python.org/3.14/library/concurrent.futures.html).

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod as_completed;
mod awaiting;
mod error;
mod executor;
mod exit;
mod future;
mod map;
mod pool;
#[cfg(all(feature = "process", target_os = "linux"))]
mod process;
mod repr;
mod state;
mod thread;
mod wait;
mod waiter;
mod work;

pub use as_completed::{AsCompleted, as_completed};
pub use awaiting::Awaiting;
pub use error::{
    BrokenExecutor, BrokenProcessPool, BrokenThreadPool, CancelledError, FutureError,
    InvalidStateError, RuntimeError, TimeoutError, ValueError,
};
pub use executor::Executor;
pub use future::Future;
pub use hilos_core::time::Timeout;
pub use hilos_threading::Exception;
pub use map::Map;
#[cfg(all(feature = "process", target_os = "linux"))]
pub use process::{ChunkedMap, ProcessPoolExecutor, RemoteError, RemoteTraceback};
pub use thread::ThreadPoolExecutor;
pub use wait::{
    ALL_COMPLETED, DoneAndNotDoneFutures, FIRST_COMPLETED, FIRST_EXCEPTION, ReturnWhen, wait,
};
