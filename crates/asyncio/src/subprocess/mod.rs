//! Python's `asyncio.subprocess`: child processes for coroutines.
//!
//! ```
//! use hilos_asyncio as asyncio;
//! use asyncio::subprocess::PIPE;
//!
//! asyncio::run(async {
//!     let echo = asyncio::create_subprocess_exec("echo", ["hello"]).with_stdout(PIPE);
//!     let process = echo.await?;
//!     let (stdout, _) = process.communicate(None).await?;
//!     assert_eq!(stdout, b"hello\n");
//!     assert_eq!(process.returncode(), Some(0));
//!     Ok(())
//! })?;
//! # Ok::<(), asyncio::Exception>(())
//! ```
//!
//! Mirrors [`asyncio.subprocess`](https://docs.python.org/3.14/library/asyncio-subprocess.html).

mod child;
mod create;
mod pipes;
mod process;
mod spawn;
mod stdio;
mod streams;
mod transport;

pub use create::{CreateSubprocess, create_subprocess_exec, create_subprocess_shell};
pub use process::Process;
pub use spawn::SpawnSubprocess;
pub use stdio::{DEVNULL, PIPE, STDOUT, Stdio};
pub use transport::SubprocessTransport;
