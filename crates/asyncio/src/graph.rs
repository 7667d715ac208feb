//! Call graphs: where a task is, and who awaits it.

use std::fmt;
use std::panic::Location;

use crate::any_future::{AnyRc, same};
use crate::any_task::current_task;
use crate::any_waitable::AnyWaitable;
use crate::awaited_by::Awaiters;
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::running;

/// Where a task or future is, and what awaits it.
///
/// [`capture_call_graph`] makes one. `Display` prints it as [`format_call_graph`] does.
///
/// Mirrors [`asyncio.FutureCallGraph`](https://docs.python.org/3.14/library/asyncio-graph.html#asyncio.FutureCallGraph).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FutureCallGraph {
    /// The task or future itself.
    pub future: AnyWaitable,
    /// Where it is, the innermost first; empty for a future that is no task, and a task that is
    /// done.
    pub call_stack: Vec<FrameCallGraphEntry>,
    /// What awaits it.
    pub awaited_by: Vec<FutureCallGraph>,
}

/// One level of a call stack.
///
/// # Differences from Python
/// - A running Rust program has no frames of its coroutines, so that a stack has two levels at
///   most, the ones that asyncio knows of: the function of asyncio in which the task waits, with
///   the place where the program called it (for streams and processes: the place inside asyncio),
///   and the task's coroutine, with the place where the task was created. While a task waits for a
///   future of another library, only the latter.
/// - It is `frame` itself: the name and the place.
///
/// Mirrors [`asyncio.FrameCallGraphEntry`](https://docs.python.org/3.14/library/asyncio-graph.html#asyncio.FrameCallGraphEntry).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameCallGraphEntry {
    /// The function, as Python names it: `sleep`, `Event.wait`, or the name of the coroutine.
    pub name: String,
    /// The place in the program.
    pub location: &'static Location<'static>,
    /// Whether the function is asynchronous.
    pub is_async: bool,
}

impl fmt::Display for FrameCallGraphEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.location.file(), self.location.line());
        let kind = if self.is_async { "async " } else { "" };
        write!(f, "File '{file}', line {line}, in {kind}{}()", self.name)
    }
}

impl FutureCallGraph {
    /// Shortens each call stack to `limit` entries: the outermost if it is positive, the innermost
    /// if it is negative, none if it is 0.
    ///
    /// Python's keyword argument `limit`.
    pub fn with_limit(mut self, limit: isize) -> Self {
        let surplus = self.call_stack.len().saturating_sub(limit.unsigned_abs());
        match limit < 0 {
            true => self.call_stack.truncate(limit.unsigned_abs()),
            false => drop(self.call_stack.drain(..surplus)),
        }
        let awaited_by = self.awaited_by.into_iter();
        self.awaited_by = awaited_by.map(|graph| graph.with_limit(limit)).collect();
        self
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, level: usize) -> fmt::Result {
        let indent = "    ".repeat(level);
        let id = self.future.id();
        match self.future.task() {
            Some(task) => write!(f, "{indent}* Task(name='{}', id={id:#x})", task.get_name())?,
            None => write!(f, "{indent}* Future(id={id:#x})")?,
        }
        if !self.call_stack.is_empty() {
            write!(f, "\n{indent}  + Call stack:")?;
        }
        for entry in &self.call_stack {
            write!(f, "\n{indent}  |   {entry}")?;
        }
        if !self.awaited_by.is_empty() {
            write!(f, "\n{indent}  + Awaited by:")?;
        }
        for waiter in &self.awaited_by {
            f.write_str("\n")?;
            waiter.write(f, level + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for FutureCallGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// Finds out where a task is and what awaits it; `None` stands for the task that is running.
///
/// For programs that hang: every coroutine that waits for a result is on the way from the task
/// that should bring it to `main`. There is no graph in a callback, where no task is running. It
/// takes a time that grows with the number of tasks; nothing is recorded beforehand.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// async fn work() -> asyncio::Result<()> {
///     let graph = asyncio::capture_call_graph(None)?.expect("a task is running");
///     assert_eq!(graph.call_stack.last().unwrap().name, "work");
///     assert_eq!(graph.awaited_by[0].future.task().unwrap().get_name(), "boss");
///     Ok(())
/// }
///
/// asyncio::run(async {
///     let boss = async { asyncio::create_task(work()).await };
///     asyncio::create_task(boss).with_name("boss").await
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// [`RuntimeError`] for `None` where no loop runs.
///
/// # Differences from Python
/// - [`FutureCallGraph::with_limit`] is the argument `limit`; there is no `depth`, since the caller
///   has no frames to skip.
/// - The children of a `gather`, `shield` or `wait` are awaited by whoever awaits that, from then on.
/// - A chain of tasks that await each other ends after 500, and where it comes back to itself.
///
/// Mirrors [`asyncio.capture_call_graph`](https://docs.python.org/3.14/library/asyncio-graph.html#asyncio.capture_call_graph).
#[track_caller]
pub fn capture_call_graph<F>(future: F) -> Result<Option<FutureCallGraph>>
where
    F: Into<Option<AnyWaitable>>,
{
    capture(future.into(), "capture_call_graph")
}

/// The text of a call graph; empty where [`capture_call_graph`] finds none.
///
/// # Errors
/// As there.
///
/// Mirrors [`asyncio.format_call_graph`](https://docs.python.org/3.14/library/asyncio-graph.html#asyncio.format_call_graph).
#[track_caller]
pub fn format_call_graph<F: Into<Option<AnyWaitable>>>(future: F) -> Result<String> {
    let graph = capture(future.into(), "format_call_graph")?;
    Ok(graph.map_or_else(String::new, |graph| graph.to_string()))
}

/// Prints the text of a call graph on the standard output.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// async fn test() -> asyncio::Result<()> {
///     asyncio::print_call_graph(None)
/// }
///
/// async fn main_task() -> asyncio::Result<()> {
///     asyncio::task_group(async |group| {
///         let _test = group.create_task(test()).with_name("test");
///         Ok(())
///     })
///     .await
/// }
///
/// asyncio::run(main_task())?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// prints
///
/// ```text
/// * Task(name='test', id=0x563e9a3c2d10)
///   + Call stack:
///   |   File 'src/main.rs', line 4, in print_call_graph()
///   |   File 'src/main.rs', line 9, in async test()
///   + Awaited by:
///     * Task(name='Task-1', id=0x563e9a3c2b40)
///       + Call stack:
///       |   File 'src/main.rs', line 8, in async task_group()
///       |   File 'src/main.rs', line 15, in async main_task()
/// ```
///
/// # Errors
/// As [`capture_call_graph`].
///
/// Mirrors [`asyncio.print_call_graph`](https://docs.python.org/3.14/library/asyncio-graph.html#asyncio.print_call_graph).
#[track_caller]
pub fn print_call_graph<F: Into<Option<AnyWaitable>>>(future: F) -> Result<()> {
    let graph = capture(future.into(), "print_call_graph")?;
    println!(
        "{}",
        graph.map_or_else(String::new, |graph| graph.to_string())
    );
    Ok(())
}

#[track_caller]
fn capture(future: Option<AnyWaitable>, caller: &str) -> Result<Option<FutureCallGraph>> {
    let location = Location::caller();
    let current = current_task().map(|task| task.0);
    let future = match future {
        Some(future) => future.0,
        None if running::get().is_none() => return Err(no_loop(caller)),
        None => match &current {
            Some(task) => task.clone(),
            None => return Ok(None),
        },
    };
    let awaiters = Awaiters::of(&future.head().event_loop);
    let mut graph = build(&future, &awaiters, &mut Vec::new());
    if current.is_some_and(|current| same(&current, &future)) {
        let name = caller.to_owned();
        graph.call_stack.insert(
            0,
            FrameCallGraphEntry {
                name,
                location,
                is_async: false,
            },
        );
    }
    Ok(Some(graph))
}

fn no_loop(caller: &str) -> crate::exception::Exception {
    let message = format!(
        "{caller}() is called outside of a running event loop and no *future* to introspect was \
         provided"
    );
    RuntimeError::new(message).into()
}

/// How many levels of awaiters a graph has at most: the stack of a thread bears them.
const MAXIMUM_LEVEL: usize = 500;

fn build(future: &AnyRc, awaiters: &Awaiters, path: &mut Vec<AnyRc>) -> FutureCallGraph {
    path.push(future.clone());
    let mut awaited_by = Vec::new();
    if path.len() < MAXIMUM_LEVEL {
        for waiter in awaiters.of_future(future) {
            if !path.iter().any(|other| same(other, &waiter)) {
                awaited_by.push(build(&waiter, awaiters, path));
            }
        }
    }
    path.pop();
    FutureCallGraph {
        future: AnyWaitable(future.clone()),
        call_stack: call_stack(future),
        awaited_by,
    }
}

/// Where a task is, the innermost first, as far as it is known.
pub(crate) fn call_stack(future: &AnyRc) -> Vec<FrameCallGraphEntry> {
    let mut stack = Vec::new();
    let (Some(head), false) = (future.task(), future.head().done()) else {
        return stack;
    };
    if let Some(location) = head.waits_at() {
        let name = future.head().waits_in.get().name().to_owned();
        stack.push(FrameCallGraphEntry {
            name,
            location,
            is_async: true,
        });
    }
    if let Some(name) = future.coroutine() {
        let location = head.location();
        stack.push(FrameCallGraphEntry {
            name,
            location,
            is_async: true,
        });
    }
    stack
}
