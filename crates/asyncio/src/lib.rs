//! Python's `asyncio` module in Rust: CPython's event loop, with its order and its cancellation.
//!
//! | Python | here |
//! |---|---|
//! | `async def f() -> int:` | `async fn f() -> asyncio::Result<i32>` |
//! | `raise ValueError("x")` | `Err(`[`ValueError::new("x")`](ValueError)`)?`, or any error type with `?` |
//! | `asyncio.run(main())` | [`asyncio::run(main())?`](run()) |
//! | `await asyncio.sleep(1)` | [`asyncio::sleep(1).await?`](sleep()) |
//! | `task = asyncio.create_task(f())` | [`let task = asyncio::create_task(f());`](create_task()) |
//! | `await task` | `task.await?`, or `(&task).await?` to keep the result there |
//! | `await asyncio.gather(f(), g())` | [`asyncio::gather!(f(), g()).await?`](gather!) |
//! | `await asyncio.gather(*fs, return_exceptions=True)` | [`asyncio::gather_results(fs).await?`](gather_results) |
//! | `async with asyncio.TaskGroup() as tg:` | [`asyncio::task_group(async \|tg\| { … }).await?`](task_group) |
//! | `async with asyncio.timeout(5):` | [`asyncio::timeout(5, async \|_\| { … }).await?`](timeout()) |
//! | `await asyncio.wait_for(f(), 5)` | [`asyncio::wait_for(f(), 5).await?`](wait_for()) |
//! | `except asyncio.CancelledError:` | `Err(e) if e.is_cancelled() =>` |
//! | `except Exception as e:` | `Err(e) if !e.is_base() =>` |
//! | `try: … finally: …` | `let result = async { … }.await;` …; `result?` |
//!
//! ```
//! use hilos_asyncio as asyncio;
//!
//! async fn say_after(delay: f64, what: &str) -> asyncio::Result<()> {
//!     asyncio::sleep(delay).await?;
//!     println!("{what}");
//!     Ok(())
//! }
//!
//! asyncio::run(async {
//!     let task = asyncio::create_task(say_after(0.002, "world"));
//!     say_after(0.001, "hello").await?;
//!     task.await
//! })?;
//! # Ok::<(), asyncio::Exception>(())
//! ```
//!
//! A coroutine is any Rust future that yields an asyncio [`Result`]; it need not be `Send`, because
//! the loop stays in its thread. Futures of other libraries work inside coroutines as they are;
//! [`cancellable`] makes them end when the task is cancelled.
//!
//! Mirrors [`asyncio`](https://docs.python.org/3.14/library/asyncio.html).

#![warn(missing_docs)]

mod any_future;
mod any_task;
mod as_completed;
mod awaitable;
mod awaiting;
mod base_events;
mod clock;
mod core;
mod create_task;
mod events;
mod exception;
mod exceptions;
mod executors;
mod few;
mod futures;
mod gather;
mod handler;
mod heapq;
mod locks;
mod loop_handle;
mod queues;
mod registry;
mod repr;
mod returns;
mod run_coroutine_threadsafe;
mod run_until_complete;
mod runners;
mod running;
mod shield;
mod sleep;
mod step;
#[allow(unsafe_code, reason = "a task in one allocation, and its waker")]
mod sys;
mod taskgroups;
#[allow(
    unsafe_code,
    reason = "it promises that the coroutine stays in its place"
)]
mod tasks;
pub mod testing;
mod threads;
mod threadsafe;
mod timeouts;
mod timers;
mod wait;
mod wait_for;
mod wrap_future;

pub use any_task::{AnyTask, all_tasks, current_task};
pub use as_completed::{AsCompleted, NextCompleted, as_completed};
pub use awaitable::{Awaitable, Ensure, ensure_future};
pub use awaiting::Await;
pub use base_events::{EventLoop, IntoExceptionHandler, new_event_loop};
pub use create_task::{TaskOptions, create_task, eager_task_factory};
pub use events::{CallbackResult, Handle, TimerHandle};
pub use exception::{Exception, Result};
pub use exceptions::{
    BrokenBarrierError, CancelledError, ExceptionGroup, InvalidStateError, KeyboardInterrupt,
    QueueEmpty, QueueFull, QueueShutDown, RuntimeError, SystemExit, TimeoutError, ValueError,
};
pub use futures::{CallbackId, Future};
pub use gather::{GatherTuple, gather, gather_results};
pub use handler::ExceptionContext;
pub use hilos_futures::{ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, ReturnWhen};
pub use locks::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, LockGuard, Semaphore, SemaphoreGuard,
};
pub use loop_handle::{LoopHandle, ThreadsafeHandle};
pub use queues::{LifoQueue, PriorityQueue, Queue};
pub use run_coroutine_threadsafe::run_coroutine_threadsafe;
pub use runners::{Runner, run};
pub use running::get_running_loop;
pub use shield::shield;
pub use sleep::{Sleep, sleep};
pub use step::cancellable;
pub use taskgroups::{TaskGroup, task_group};
pub use tasks::Task;
pub use threads::{to_thread, try_to_thread};
pub use timeouts::{Timeout, timeout, timeout_at};
pub use wait::{Waitable, wait};
pub use wait_for::wait_for;
pub use wrap_future::wrap_future;
