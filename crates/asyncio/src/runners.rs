//! `asyncio.run` and `asyncio.Runner`.

use std::fmt;
use std::time::Duration;

use hilos_core::contextvars::{Context, copy_context};

use crate::base_events::{EventLoop, new_event_loop};
use crate::create_task::TaskOptions;
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::gather::gather_erased;
use crate::handler::ExceptionContext;
use crate::interrupt::Interrupts;
use crate::running;
use crate::thread_loop::set_event_loop;

/// Runs a coroutine in a new loop, and returns what it returns.
///
/// A program's entrance to asyncio. In the end, tasks that are still there are cancelled and
/// awaited, and the loop is closed.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// let answer = asyncio::run(async {
///     asyncio::sleep(0.001).await?;
///     Ok(42)
/// })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Blocking
/// Until the coroutine and its tasks have ended.
///
/// # Errors
/// What the coroutine fails with; [`RuntimeError`] if a loop is running in this thread. A Ctrl-C
/// cancels the coroutine, and the error then is a [`KeyboardInterrupt`](crate::KeyboardInterrupt);
/// on Linux, in the main thread, unless the program handles the signal itself.
///
/// Mirrors [`asyncio.run`](https://docs.python.org/3.14/library/asyncio-runner.html#asyncio.run).
#[track_caller]
pub fn run<F, T>(main: F) -> Result<T>
where
    F: IntoFuture<Output = Result<T>, IntoFuture: 'static>,
    T: 'static,
{
    if running::get().is_some() {
        let message = "asyncio.run() cannot be called from a running event loop";
        return Err(RuntimeError::new(message).into());
    }
    let mut runner = Runner::new();
    let result = runner.run(main);
    runner.close()?;
    result
}

/// A loop that runs several coroutines, one after the other, in one context.
///
/// Dropping a runner closes it.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// let mut runner = asyncio::Runner::new();
/// let one = runner.run(async { Ok(1) })?;
/// let two = runner.run(async move { Ok(one + 1) })?;
/// assert_eq!(two, 2);
/// runner.close()?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// Mirrors [`asyncio.Runner`](https://docs.python.org/3.14/library/asyncio-runner.html#asyncio.Runner).
pub struct Runner {
    debug: Option<bool>,
    state: State,
}

enum State {
    /// How the loop will be made.
    Created(Option<LoopFactory>),
    Initialized(Initialized),
    Closed,
}

type LoopFactory = Box<dyn FnOnce() -> EventLoop>;

#[derive(Clone)]
struct Initialized {
    event_loop: EventLoop,
    context: Context,
    /// Whether the runner made the loop the thread's current one.
    is_current: bool,
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}

impl Runner {
    /// A runner, whose loop will be made when it is needed.
    pub fn new() -> Self {
        Self {
            debug: None,
            state: State::Created(None),
        }
    }

    /// Turns the loop's debug mode on or off.
    #[must_use = "it returns the runner"]
    pub fn with_debug(mut self, debug: bool) -> Self {
        self.debug = Some(debug);
        self
    }

    /// Has the loop made by `factory`. It is not the one that
    /// [`get_event_loop`](crate::get_event_loop) returns when it does not run.
    #[must_use = "it returns the runner"]
    pub fn with_loop_factory<F: FnOnce() -> EventLoop + 'static>(mut self, factory: F) -> Self {
        if let State::Created(made_by) = &mut self.state {
            *made_by = Some(Box::new(factory));
        }
        self
    }

    /// The loop.
    ///
    /// # Errors
    /// [`RuntimeError`] if the runner is closed.
    pub fn get_loop(&mut self) -> Result<EventLoop> {
        Ok(self.initialize()?.event_loop)
    }

    /// Runs a coroutine in the loop, and returns what it returns.
    ///
    /// # Blocking
    /// Until the coroutine has ended; other tasks stay where they are.
    ///
    /// # Errors
    /// What the coroutine fails with; [`KeyboardInterrupt`](crate::KeyboardInterrupt) after a
    /// Ctrl-C, which cancels the coroutine, and ends the run at once the second time;
    /// [`RuntimeError`] if the runner is closed or a loop is running in this thread.
    #[track_caller]
    pub fn run<F, T>(&mut self, coroutine: F) -> Result<T>
    where
        F: IntoFuture<Output = Result<T>, IntoFuture: 'static>,
        T: 'static,
    {
        self.run_in(None, coroutine)
    }

    /// Like [`run`](Self::run), in the given context instead of the runner's.
    ///
    /// # Blocking
    /// As [`run`](Self::run).
    ///
    /// # Errors
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn run_with_context<F, T>(&mut self, context: &Context, coroutine: F) -> Result<T>
    where
        F: IntoFuture<Output = Result<T>, IntoFuture: 'static>,
        T: 'static,
    {
        self.run_in(Some(context), coroutine)
    }

    #[track_caller]
    fn run_in<F, T>(&mut self, context: Option<&Context>, coroutine: F) -> Result<T>
    where
        F: IntoFuture<Output = Result<T>, IntoFuture: 'static>,
        T: 'static,
    {
        if running::get().is_some() {
            let message = "Runner.run() cannot be called from a running event loop";
            return Err(RuntimeError::new(message).into());
        }
        let Initialized {
            event_loop,
            context: own,
            ..
        } = self.initialize()?;
        let options = TaskOptions::new().with_context(context.unwrap_or(&own));
        let task = options.create_task_in(&event_loop, coroutine.into_future())?;
        let interrupts = Interrupts::new(&event_loop, task.erased());
        interrupts.result(event_loop.run_until_complete(task))
    }

    fn initialize(&mut self) -> Result<Initialized> {
        if let State::Created(factory) = &mut self.state {
            let factory = factory.take();
            let is_current = factory.is_none();
            let event_loop = factory.map_or_else(new_event_loop, |make| make());
            if is_current {
                set_event_loop(&event_loop);
            }
            if let Some(debug) = self.debug {
                event_loop.set_debug(debug);
            }
            self.state = State::Initialized(Initialized {
                event_loop,
                context: copy_context(),
                is_current,
            });
        }
        match &self.state {
            State::Initialized(initialized) => Ok(initialized.clone()),
            _ => Err(RuntimeError::new("Runner is closed").into()),
        }
    }

    /// Cancels the tasks that are still there, waits for them, and closes the loop.
    ///
    /// # Blocking
    /// Until they have ended.
    ///
    /// # Errors
    /// A request to exit that one of them raised.
    pub fn close(&mut self) -> Result<()> {
        let State::Initialized(initialized) = std::mem::replace(&mut self.state, State::Closed)
        else {
            return Ok(());
        };
        let event_loop = initialized.event_loop;
        let shutdown = shut_down(&event_loop);
        if initialized.is_current {
            set_event_loop(None);
        }
        event_loop.close()?;
        shutdown
    }
}

/// How long the end of a run waits for the threads of the default executor, in seconds.
const THREAD_JOIN_TIMEOUT: f64 = 300.0;

fn shut_down(event_loop: &EventLoop) -> Result<()> {
    cancel_all_tasks(event_loop)?;
    // CPython shuts down its asynchronous generators in a run of its own, in which what is ready
    // runs on.
    event_loop.run_until_complete(async { Ok(()) })?;
    let executor = event_loop.shutdown_default_executor(THREAD_JOIN_TIMEOUT);
    event_loop.run_until_complete(executor)?;
    let limit = Duration::from_secs_f64(THREAD_JOIN_TIMEOUT);
    event_loop.0.guest.shut_down(limit);
    Ok(())
}

fn cancel_all_tasks(event_loop: &EventLoop) -> Result<()> {
    let tasks = event_loop.all_tasks();
    if tasks.is_empty() {
        return Ok(());
    }
    for task in &tasks {
        task.cancel();
    }
    let gathered = gather_erased(
        event_loop,
        tasks.iter().map(|task| task.0.clone()).collect(),
    );
    event_loop.run_until_complete(gathered)?;
    for task in tasks {
        if let Ok(Some(exception)) = task.exception() {
            let message = "unhandled exception during asyncio.run() shutdown";
            let context = ExceptionContext::new(message).with_exception(exception);
            event_loop.tell_handler(context.with_task(task))?;
        }
    }
    Ok(())
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event_loop = match &self.state {
            State::Initialized(initialized) => Some(&initialized.event_loop),
            _ => None,
        };
        f.debug_struct("Runner")
            .field("debug", &self.debug)
            .field("loop", &event_loop)
            .finish()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // There is nobody to tell, and a run inside another is refused anyway.
        if running::get().is_none() {
            let _ = self.close();
        }
    }
}
