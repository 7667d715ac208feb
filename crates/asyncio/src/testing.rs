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
//!
//! Tasks run in CPython's order, here too. A program should not depend on it:
//! [`run_with_shuffle`] runs the tasks that are ready in another order, which a seed decides, so
//! that a test can look for mistakes, and find a mistake again.
//!
//! ```
//! use std::cell::Cell;
//! use std::rc::Rc;
//!
//! use hilos_asyncio as asyncio;
//!
//! /// Fills a cup and drinks it, and takes for granted that tasks run in the order of creation.
//! async fn tea() -> asyncio::Result<bool> {
//!     let cup = Rc::new(Cell::new(false));
//!     let (filled, drunk) = (cup.clone(), cup);
//!     let _fill = asyncio::create_task(async move { Ok(filled.set(true)) });
//!     let drink = asyncio::create_task(async move { Ok(drunk.get()) });
//!     drink.await
//! }
//!
//! assert_eq!(asyncio::testing::run(tea())?, true);
//! let wrong = (0..100).find(|&seed| !asyncio::testing::run_with_shuffle(seed, tea()).unwrap());
//! let seed = wrong.expect("in one of a hundred orders the cup is empty");
//! assert_eq!(asyncio::testing::run_with_shuffle(seed, tea())?, false);
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
    run_in(Runner::new().with_loop_factory(new_event_loop), main)
}

/// Like [`run`](run()), with the tasks that are ready at the same time in another order.
///
/// The same seed gives the same order in each run. Callbacks keep theirs, which `call_soon`
/// promises.
///
/// # Blocking
/// As [`run`](run()).
///
/// # Errors
/// As [`run`](run()).
#[track_caller]
pub fn run_with_shuffle<F, T>(seed: u64, main: F) -> Result<T>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    let mut runner = Runner::new().with_loop_factory(new_event_loop);
    shuffle(&runner.get_loop()?, seed);
    run_in(runner, main)
}

/// Has a loop run the tasks that are ready at the same time in an order that `seed` decides.
///
/// For a loop of one's own; [`run_with_shuffle`] does it for its loop. It lasts as long as the loop.
pub fn shuffle(event_loop: &EventLoop, seed: u64) {
    event_loop.0.shuffle.set_seed(seed);
}

#[track_caller]
fn run_in<F, T>(mut runner: Runner, main: F) -> Result<T>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    let result = runner.run(main);
    runner.close()?;
    result
}
