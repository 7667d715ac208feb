//! Beyond Python: loops whose time is virtual, for tests.
//!
//! When nothing is ready, the clock jumps to the next timer: hours of sleeps take no time, and
//! every run is the same. While another thread works for the loop, the clock stands still.
//!
//! ```
//! use hilos_asyncio as asyncio;
//!
//! let hours = asyncio::testing::run(async {
//!     let event_loop = asyncio::get_running_loop()?;
//!     let start = event_loop.time();
//!     asyncio::sleep(3 * 3600).await?;
//!     Ok((event_loop.time() - start) / 3600.0)
//! })?;
//! assert_eq!(hours, 3.0);
//! # Ok::<(), asyncio::Exception>(())
//! ```

use std::cell::Cell;
use std::future::Future as StdFuture;

use crate::base_events::EventLoop;
use crate::clock::Clock;
use crate::exception::Result;
use crate::runners::Runner;

/// Creates a loop whose time is virtual and begins at 0.
///
/// Runners take it by [`with_loop_factory`](Runner::with_loop_factory).
pub fn new_event_loop() -> EventLoop {
    EventLoop::with_clock(Clock::Virtual(Cell::new(0.0)))
}

/// Runs a coroutine in a new loop whose time is virtual; otherwise as [`run`](crate::run()).
///
/// # Blocking
/// Until the coroutine and its tasks have ended, which may be in no time.
///
/// # Errors
/// As [`run`](crate::run()).
#[track_caller]
pub fn run<F, T>(main: F) -> Result<T>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    let mut runner = Runner::new().with_loop_factory(new_event_loop);
    let result = runner.run(main);
    runner.close()?;
    result
}
