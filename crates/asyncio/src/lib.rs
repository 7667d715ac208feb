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
//! # tokio
//! With the feature `tokio`, what needs tokio's runtime works in coroutines and callbacks too: its
//! timers, its sockets, `tokio::spawn` and the libraries that build on them. Each loop has a runtime
//! of its own, which has its turns in the loop's thread and ends with the loop; a task of tokio's is
//! not one of the loop's, and finds no running loop. In a thread that is in a runtime already, such
//! as one of `tokio::task::spawn_blocking`, the loop uses that one, which somebody else has to drive.
//! In a loop of [`testing`], tokio's time is not virtual.
//!
//! Mirrors [`asyncio`](https://docs.python.org/3.14/library/asyncio.html).

#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(target_os = "linux")]
mod address;
mod any_future;
mod any_task;
mod any_waitable;
mod as_completed;
mod awaitable;
mod awaited_by;
mod awaiting;
mod base_events;
mod clock;
#[cfg(target_os = "linux")]
mod connect_accepted_socket;
#[cfg(target_os = "linux")]
mod connect_pipe;
#[cfg(target_os = "linux")]
mod connecting;
mod core;
#[cfg(target_os = "linux")]
mod create_connection;
#[cfg(target_os = "linux")]
mod create_datagram_endpoint;
#[cfg(target_os = "linux")]
mod create_server;
mod create_task;
mod events;
mod exception;
mod exceptions;
mod executors;
mod few;
mod futures;
mod gather;
#[cfg(target_os = "linux")]
mod getaddrinfo;
mod graph;
#[cfg_attr(not(feature = "tokio"), path = "no_guest.rs")]
mod guest;
mod handler;
mod heapq;
mod in_order;
mod inbox;
mod interrupt;
mod iteration;
#[cfg(target_os = "linux")]
mod listening;
mod locks;
mod loop_handle;
mod mixins;
mod os_error;
#[cfg(target_os = "linux")]
mod protocols;
mod queues;
mod ready;
mod registry;
mod repr;
#[cfg(target_os = "linux")]
mod resolver;
mod returns;
mod run_coroutine_threadsafe;
mod run_until_complete;
mod runners;
mod running;
mod scheduling;
#[cfg(target_os = "linux")]
mod security;
#[cfg(target_os = "linux")]
mod selector;
#[cfg(target_os = "linux")]
mod selector_events;
#[cfg(target_os = "linux")]
mod sendfile;
#[cfg(target_os = "linux")]
mod server;
mod shield;
mod shuffle;
mod site;
mod sleep;
#[cfg(target_os = "linux")]
mod sock;
#[cfg(target_os = "linux")]
mod socket_repr;
#[cfg(all(target_os = "linux", feature = "ssl"))]
pub mod ssl;
mod stack;
pub mod staggered;
mod step;
#[cfg(target_os = "linux")]
mod streams;
#[cfg(target_os = "linux")]
pub mod subprocess;
#[allow(unsafe_code, reason = "a task in one allocation, and its waker")]
mod sys;
#[allow(
    unsafe_code,
    reason = "it promises that the coroutine stays in its place"
)]
mod task_cell;
mod task_head;
mod taskgroups;
mod tasks;
pub mod testing;
mod thread_loop;
mod threads;
mod threadsafe;
mod timeouts;
mod timers;
#[cfg(target_os = "linux")]
pub mod tools;
#[cfg(target_os = "linux")]
mod transports;
#[cfg(target_os = "linux")]
mod trsock;
#[cfg(target_os = "linux")]
mod unix_events;
mod wait;
mod wait_for;
mod waiting;
mod watch;
mod wrap_future;

pub use any_task::{AnyTask, AwaitTask, all_tasks, current_task};
pub use any_waitable::AnyWaitable;
pub use as_completed::{AsCompleted, NextCompleted, as_completed};
pub use awaitable::{Awaitable, Ensure, ensure_future};
pub use awaited_by::{future_add_to_awaited_by, future_discard_from_awaited_by};
pub use awaiting::Await;
pub use base_events::{EventLoop, new_event_loop};
pub use create_task::{
    TaskFactory, TaskOptions, create_eager_task_factory, create_task, eager_task_factory,
};
pub use events::{CallbackResult, Handle, TimerHandle};
pub use exception::{Exception, Result};
pub use exceptions::{
    BrokenBarrierError, CancelledError, ExceptionGroup, InvalidStateError, KeyboardInterrupt,
    QueueEmpty, QueueFull, QueueShutDown, RuntimeError, SendfileNotAvailableError, SystemExit,
    TimeoutError, ValueError,
};
pub use executors::InExecutor;
pub use futures::{CallbackId, Future};
pub use gather::{GatherTuple, gather, gather_results};
pub use graph::{
    FrameCallGraphEntry, FutureCallGraph, capture_call_graph, format_call_graph, print_call_graph,
};
pub use handler::{ExceptionContext, ExceptionHandler};
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
pub use thread_loop::{get_event_loop, set_event_loop};
pub use threads::{to_thread, try_to_thread};
pub use timeouts::{Timeout, timeout, timeout_at};
pub use wait::{Waitable, wait};
pub use wait_for::wait_for;
pub use wrap_future::wrap_future;

#[cfg(target_os = "linux")]
pub use networking::*;

/// What is there on Linux only: descriptors, and all that is built on them.
#[cfg(target_os = "linux")]
mod networking {
    pub use crate::address::Address;
    pub use crate::connect_accepted_socket::ConnectAcceptedSocket;
    pub use crate::create_connection::CreateConnection;
    pub use crate::create_datagram_endpoint::CreateDatagramEndpoint;
    pub use crate::create_server::{CreateServer, Hosts};
    pub use crate::getaddrinfo::AddressFamily;
    pub use crate::protocols::{BufferedProtocol, DatagramProtocol, Protocol, SubprocessProtocol};
    pub use crate::sendfile::Sendfile;
    pub use crate::server::Server;
    pub use crate::streams::{
        IncompleteReadError, LimitOverrunError, OpenConnection, Separators, StartServer,
        StreamReader, StreamReaderProtocol, StreamWriter, open_connection, open_connection_over,
        open_unix_connection, start_server, start_server_on, start_unix_server,
        start_unix_server_on,
    };
    pub use crate::subprocess::{
        CreateSubprocess, SubprocessTransport, create_subprocess_exec, create_subprocess_shell,
    };
    pub use crate::transports::{DatagramTransport, ExtraInfo, Transport};
    pub use crate::trsock::TransportSocket;
}
