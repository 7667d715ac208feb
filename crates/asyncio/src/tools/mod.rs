//! Looking into a running program from outside: which tasks it has, and who awaits whom.
//!
//! The program calls [`serve()`] once; from then on the command `hilos ps PID` prints a table of its
//! tasks and `hilos pstree PID` a tree, as `python -m asyncio ps PID` and `pstree PID` do. Programs
//! get the same texts by [`ps`] and [`pstree`].
//!
//! ```
//! use hilos_asyncio as asyncio;
//!
//! asyncio::tools::serve()?;
//! asyncio::run(async {
//!     let task = asyncio::create_task(asyncio::sleep(60)).with_name("nap");
//!     asyncio::sleep(0).await?;
//!     // Elsewhere one would say `hilos pstree PID`.
//!     let tree = asyncio::to_thread(|| asyncio::tools::pstree(std::process::id())).await??;
//!     assert!(tree.text.contains("(T) nap"));
//!     task.cancel();
//!     Ok(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Differences from Python
//! - The program has to allow it; Python reads the memory of any process that it may debug.
//! - A loop answers itself, between two steps. One that is too busy to answer within a second is
//!   shown as such, with the task that keeps it busy instead of all its tasks.
//! - Call stacks are those of [`FrameCallGraphEntry`](crate::FrameCallGraphEntry).
//!
//! On Linux. Mirrors [`python -m asyncio ps`](https://docs.python.org/3.14/whatsnew/3.14.html#asyncio-introspection-capabilities).

mod client;
mod error;
pub(crate) mod loops;
mod place;
mod server;
mod snapshot;
mod table;
mod tree;

pub use client::{Report, ps, pstree};
pub use error::ToolsError;
pub use server::serve;
