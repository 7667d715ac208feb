//! The event loop: what is ready, what is due, and the iterations that run both.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hilos_core::lazy_context::{Asking, asking};

use crate::awaited_by::Told;
use crate::clock::Clock;
use crate::create_task::TaskFactory;
use crate::events::Scheduled;
use crate::exception::{Exception, Result};
use crate::exceptions::RuntimeError;
use crate::executors::DefaultExecutor;
use crate::futures::Future;
use crate::guest::Guest;
use crate::handler::ExceptionHandler;
#[cfg(target_os = "linux")]
use crate::interrupt::Interrupted;
use crate::ready::{Ready, ReadyQueue};
use crate::registry::Registry;
use crate::repr::{address, debug_like_display};
#[cfg(target_os = "linux")]
use crate::resolver::Resolver;
use crate::returns::Returns;
use crate::running;
#[cfg(target_os = "linux")]
use crate::selector::Selector;
use crate::shuffle::Shuffle;
use crate::step::ask_for_context;
use crate::threadsafe::{Shared, TaskKey};
use crate::timers::Timers;
#[cfg(target_os = "linux")]
use crate::transports::Open;
#[cfg(target_os = "linux")]
use crate::unix_events::Signals;

/// The loop that runs tasks and callbacks, in the order in which CPython's does.
///
/// Programs call [`run`](crate::run()) and seldom see the loop itself; [`get_running_loop`] is for
/// callbacks, timers and futures of one's own. A handle: clones are the same loop. It stays in its
/// thread; [`handle`](Self::handle) is for the others.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// let event_loop = asyncio::new_event_loop();
/// let stop = event_loop.clone();
/// event_loop.call_later(0.01, move || stop.stop())?;
/// event_loop.run_forever()?;
/// event_loop.close()?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Differences from Python
/// - A closed loop is told by an error in each call's `Result`.
/// - There is one kind of loop, CPython's `SelectorEventLoop`.
///
/// Mirrors [`asyncio.EventLoop`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.EventLoop).
///
/// [`get_running_loop`]: crate::get_running_loop
#[derive(Clone)]
pub struct EventLoop(pub(crate) Rc<Inner>);

pub(crate) struct Inner {
    pub(crate) ready: ReadyQueue,
    pub(crate) timers: RefCell<Timers>,
    pub(crate) tasks: RefCell<Registry>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: Clock,
    pub(crate) stopping: Cell<bool>,
    running: Cell<bool>,
    closed: Cell<bool>,
    /// What ends [`EventLoop::run_forever`] with an error: a request to exit.
    raised: Cell<Option<Exception>>,
    /// Whether there is one.
    pub(crate) raising: Cell<bool>,
    pub(crate) exception_handler: RefCell<Option<ExceptionHandler>>,
    debug: Cell<bool>,
    slow_callback_duration: Cell<f64>,
    /// There from when a descriptor or a signal is watched first.
    #[cfg(target_os = "linux")]
    pub(crate) selector: RefCell<Option<Selector>>,
    #[cfg(target_os = "linux")]
    pub(crate) signals: RefCell<Signals>,
    /// How many calls of this iteration did nothing but feed a stream's reader.
    pub(crate) fed: Cell<usize>,
    /// Whether all calls of the last iteration were such.
    pub(crate) only_fed: Cell<bool>,
    /// What transports read into.
    #[cfg(target_os = "linux")]
    pub(crate) read_buffer: RefCell<Vec<u8>>,
    #[cfg(target_os = "linux")]
    pub(crate) transports: RefCell<Open>,
    #[cfg(target_os = "linux")]
    pub(crate) resolver: RefCell<Option<Resolver>>,
    /// What Ctrl-C does to the run.
    #[cfg(target_os = "linux")]
    pub(crate) on_interrupt: RefCell<Option<Rc<Interrupted>>>,
    pub(crate) guest: Guest,
    pub(crate) task_factory: RefCell<Option<TaskFactory>>,
    pub(crate) returns: Returns,
    pub(crate) default_executor: DefaultExecutor,
    /// Who awaits whom, where only the program knows.
    pub(crate) told: Told,
    pub(crate) shuffle: Shuffle,
    /// How many callbacks futures were given.
    callbacks: Cell<u64>,
}

/// Creates a loop; nothing runs in it yet.
///
/// It is in debug mode if the environment variable `HILOS_ASYNCIO_DEBUG` is there and not empty.
///
/// Mirrors [`asyncio.new_event_loop`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.new_event_loop).
pub fn new_event_loop() -> EventLoop {
    EventLoop::with_clock(Clock::real())
}

/// Whether the user wants debug mode.
fn debug_by_default() -> bool {
    std::env::var_os("HILOS_ASYNCIO_DEBUG").is_some_and(|value| !value.is_empty())
}

impl EventLoop {
    pub(crate) fn with_clock(clock: Clock) -> Self {
        Self(Rc::new(Inner {
            ready: ReadyQueue::default(),
            timers: RefCell::default(),
            tasks: RefCell::default(),
            shared: Shared::new(),
            clock,
            stopping: Cell::new(false),
            running: Cell::new(false),
            closed: Cell::new(false),
            raised: Cell::default(),
            raising: Cell::new(false),
            exception_handler: RefCell::default(),
            debug: Cell::new(debug_by_default()),
            slow_callback_duration: Cell::new(0.1),
            #[cfg(target_os = "linux")]
            selector: RefCell::default(),
            #[cfg(target_os = "linux")]
            signals: RefCell::default(),
            fed: Cell::new(0),
            only_fed: Cell::new(false),
            #[cfg(target_os = "linux")]
            read_buffer: RefCell::default(),
            #[cfg(target_os = "linux")]
            transports: RefCell::default(),
            #[cfg(target_os = "linux")]
            resolver: RefCell::default(),
            #[cfg(target_os = "linux")]
            on_interrupt: RefCell::default(),
            guest: Guest::default(),
            task_factory: RefCell::default(),
            returns: Returns::default(),
            default_executor: DefaultExecutor::default(),
            told: Told::default(),
            shuffle: Shuffle::default(),
            callbacks: Cell::new(0),
        }))
    }

    /// Whether both are the same loop.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn is_of(&self, shared: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.0.shared, shared)
    }

    /// The loop's clock in seconds. It never goes back; its zero means nothing.
    pub fn time(&self) -> f64 {
        self.0.clock.time()
    }

    /// Whether the loop is running now, in whichever thread.
    pub fn is_running(&self) -> bool {
        self.0.running.get()
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.0.closed.get()
    }

    /// Whether the loop is in debug mode.
    pub fn get_debug(&self) -> bool {
        self.0.debug.get()
    }

    /// Turns debug mode on or off.
    pub fn set_debug(&self, enabled: bool) {
        self.0.debug.set(enabled);
    }

    /// Creates a future that somebody will have to complete.
    pub fn create_future<T: 'static>(&self) -> Future<T> {
        Future::new_in(self)
    }

    pub(crate) fn push_timer(&self, timer: Rc<dyn Scheduled>) {
        self.0.timers.borrow_mut().push(timer);
    }

    /// A number that no other callback of a future has.
    pub(crate) fn next_callback_id(&self) -> u64 {
        let id = self.0.callbacks.get() + 1;
        self.0.callbacks.set(id);
        id
    }

    pub(crate) fn timer_was_cancelled(&self) {
        self.0.timers.borrow_mut().count_cancelled();
    }

    #[inline]
    pub(crate) fn push(&self, ready: Rc<dyn Ready>) {
        self.0.ready.push(ready);
    }

    #[inline]
    pub(crate) fn has_ready(&self) -> bool {
        self.0.ready.len() > 0
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        match self.is_closed() {
            true => Err(RuntimeError::new("Event loop is closed").into()),
            false => Ok(()),
        }
    }

    /// Runs the loop until [`stop`](Self::stop) is called.
    ///
    /// # Blocking
    /// Until then.
    ///
    /// # Errors
    /// [`RuntimeError`] if the loop is closed or a loop is running in this thread; the request to
    /// exit that a task or callback raised, after which the loop can run again.
    pub fn run_forever(&self) -> Result<()> {
        self.check_runnable()?;
        let guest = self.0.guest.handle()?;
        let _entered = guest.as_ref().map(|guest| guest.enter());
        let _running = Running::new(self);
        loop {
            self.run_once();
            if self.0.raising.replace(false)
                && let Some(exception) = self.0.raised.take()
            {
                return Err(exception);
            }
            if self.0.stopping.get() {
                return Ok(());
            }
        }
    }

    pub(crate) fn check_runnable(&self) -> Result<()> {
        self.check_open()?;
        if self.is_running() {
            return Err(RuntimeError::new("This event loop is already running").into());
        }
        match running::get() {
            Some(_) => Err(RuntimeError::new(
                "Cannot run the event loop while another loop is running",
            )
            .into()),
            None => Ok(()),
        }
    }

    /// Ends [`run_forever`](Self::run_forever) after the current iteration.
    ///
    /// Called before it, one iteration is run.
    pub fn stop(&self) {
        self.0.stopping.set(true);
    }

    /// Ends the run with `exception`: a request to exit.
    pub(crate) fn raise(&self, exception: Exception) {
        self.0.raised.set(Some(exception));
        self.0.raising.set(true);
    }

    /// Drops what is scheduled, and makes the loop unusable. Closing it again does nothing.
    ///
    /// # Errors
    /// [`RuntimeError`] if the loop is running.
    pub fn close(&self) -> Result<()> {
        if self.is_running() {
            return Err(RuntimeError::new("Cannot close a running event loop").into());
        }
        if self.0.closed.replace(true) {
            return Ok(());
        }
        let ready = self.0.ready.take();
        let timers = self.0.timers.take();
        let sent = self.0.shared.inbox.close();
        drop((ready, timers, sent));
        self.close_selector();
        self.0.guest.shut_down(Duration::ZERO);
        self.0.returns.clear();
        self.0.default_executor.abandon();
        self.abandon_tasks();
        Ok(())
    }

    /// Drops the coroutines of tasks that will never run again: no collector of garbage will.
    fn abandon_tasks(&self) {
        let tasks = self.0.tasks.take().into_tasks();
        for task in tasks {
            if !task.head().silent.get() {
                self.report_destroyed(&task);
            }
            task.abandon();
        }
    }

    /// From how many seconds on debug mode calls a callback or a step slow: 0.1, unless set.
    pub fn slow_callback_duration(&self) -> f64 {
        self.0.slow_callback_duration.get()
    }

    /// Sets from how many seconds on debug mode calls a callback or a step slow.
    pub fn set_slow_callback_duration(&self, seconds: f64) {
        self.0.slow_callback_duration.set(seconds);
    }

    pub(crate) fn wake_task(&self, key: TaskKey) {
        let task = self.0.tasks.borrow().get(key);
        if let Some(task) = task {
            task.wake(self);
        }
    }
}

/// Marks a loop as running while it lives.
struct Running<'l> {
    event_loop: &'l EventLoop,
    _entered: running::Entered,
    _asking: Asking,
}

impl<'l> Running<'l> {
    fn new(event_loop: &'l EventLoop) -> Self {
        event_loop.0.running.set(true);
        #[cfg(target_os = "linux")]
        crate::tools::loops::enter(&event_loop.0.shared);
        let _entered = running::Entered::new(event_loop);
        Self {
            event_loop,
            _entered,
            _asking: asking(ask_for_context),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        crate::tools::loops::leave(&self.event_loop.0.shared);
        self.event_loop.0.stopping.set(false);
        self.event_loop.0.running.set(false);
    }
}

impl fmt::Display for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let python = |flag| if flag { "True" } else { "False" };
        write!(
            f,
            "<EventLoop at {} running={} closed={} debug={}>",
            address(&*self.0),
            python(self.is_running()),
            python(self.is_closed()),
            python(self.get_debug())
        )
    }
}

debug_like_display!(EventLoop);
