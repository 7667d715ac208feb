//! `asyncio.staggered`: attempts that start one after another, of which the first to succeed wins.

use std::cell::{Cell, RefCell};
use std::future::Future as StdFuture;
use std::rc::Rc;

use hilos_core::time::Timeout;

use crate::any_future::{AnyRc, Notify, cancel, same};
use crate::any_task::{AnyTask, current_task};
use crate::awaiting::notify_when_done;
use crate::base_events::EventLoop;
use crate::create_task::TaskOptions;
use crate::exception::{Exception, Result};
use crate::exceptions::{CancelledError, ExceptionGroup};
use crate::futures::Future;
use crate::locks::Event;
use crate::running;
use crate::site::{self, WaitsIn};
use crate::wait::release;
use crate::wait_for::wait_for;

/// Starts coroutines one after another, and takes the result of the first that succeeds.
///
/// The next one starts when the one before has failed, or after `delay` seconds; with `None` only
/// when it has failed. When one succeeds, the others are cancelled. It is how one connects to the
/// fastest of several addresses without asking all of them at once.
///
/// Returns the result and the index of the winner, if there is one, and for each coroutine that was
/// started the exception that it failed with. `coro_fns` are functions that return a coroutine;
/// those whose turn does not come are not called.
///
/// ```
/// use hilos_asyncio as asyncio;
/// use asyncio::staggered::staggered_race;
///
/// async fn connect(port: u16) -> asyncio::Result<u16> {
///     match port {
///         80 => Err(asyncio::Exception::new("ConnectionError", "refused")),
///         port => Ok(port),
///     }
/// }
///
/// asyncio::run(async {
///     let attempts = [80, 8080, 8000].map(|port| move || connect(port));
///     let (winner, index, exceptions) = staggered_race(attempts, 0.25).await?;
///     assert_eq!((winner, index), (Some(8080), Some(1)));
///     assert_eq!(exceptions.len(), 2);
///     assert_eq!(exceptions[0].as_ref().unwrap().type_name(), "ConnectionError");
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// The `CancelledError` of a task that is cancelled meanwhile, when the coroutines have ended; an
/// [`ExceptionGroup`] of requests to exit; [`RuntimeError`](crate::RuntimeError) outside a loop.
///
/// Mirrors [`asyncio.staggered.staggered_race`](https://github.com/python/cpython/blob/3.14/Lib/asyncio/staggered.py).
#[track_caller]
pub fn staggered_race<I, F, C, T, D>(
    coro_fns: I,
    delay: D,
) -> impl StdFuture<Output = Result<Outcome<T>>> + use<I, F, C, T, D>
where
    I: IntoIterator<Item = F>,
    I::IntoIter: 'static,
    F: FnOnce() -> C + 'static,
    C: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
    D: Into<Timeout>,
{
    site::mark(WaitsIn::StaggeredRace);
    let (coro_fns, delay) = (coro_fns.into_iter(), delay.into());
    async move {
        let race = Rc::new(Race {
            event_loop: running::get_running_loop()?,
            parent: current_task(),
            delay,
            coro_fns: RefCell::new(coro_fns),
            started: Cell::new(0),
            winner: RefCell::new(None),
            exceptions: RefCell::default(),
            unhandled: RefCell::default(),
            running: RefCell::default(),
            on_completed: RefCell::default(),
        });
        let leaving = Leaving(&*race);
        race.start_next(None)?;
        let result = race.wait().await;
        std::mem::forget(leaving);
        result
    }
}

/// What [`staggered_race`] returns: Python's tuple `(winner_result, winner_index, exceptions)`.
pub type Outcome<T> = (Option<T>, Option<usize>, Vec<Option<Exception>>);

struct Race<I, T> {
    event_loop: EventLoop,
    /// The task that runs the race, if a task does.
    parent: Option<AnyTask>,
    delay: Timeout,
    coro_fns: RefCell<I>,
    /// How many coroutines were started.
    started: Cell<usize>,
    winner: RefCell<Option<(usize, T)>>,
    /// What the coroutines that were started have failed with.
    exceptions: RefCell<Vec<Option<Exception>>>,
    /// What the tasks themselves have failed with.
    unhandled: RefCell<Vec<Exception>>,
    running: RefCell<Vec<AnyRc>>,
    /// What the end of the race waits for.
    on_completed: RefCell<Option<Future<()>>>,
}

impl<I, F, C, T> Race<I, T>
where
    I: Iterator<Item = F> + 'static,
    F: FnOnce() -> C + 'static,
    C: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    /// Creates the task that starts the next coroutine, when `previous` has failed.
    fn start_next(self: &Rc<Self>, previous: Option<Event>) -> Result<()> {
        // Until it is among those that run, a task that is eager must wait.
        let ok_to_start = Event::new();
        let coroutine = run_one(self.clone(), ok_to_start.clone(), previous);
        let task = TaskOptions::new()
            .create_task_in(&self.event_loop, coroutine)?
            .erased();
        self.running.borrow_mut().push(task.clone());
        notify_when_done(&task, self.clone());
        ok_to_start.set();
        Ok(())
    }

    /// The number of the next coroutine, and what makes it.
    fn next(&self) -> Option<(usize, F)> {
        let coro_fn = self.coro_fns.borrow_mut().next()?;
        let index = self.started.get();
        self.started.set(index + 1);
        Some((index, coro_fn))
    }

    fn win(&self, index: usize, result: T) {
        *self.winner.borrow_mut() = Some((index, result));
        let current = current_task().map(|task| task.0);
        let is_current = |task: &AnyRc| current.as_ref().is_some_and(|own| same(own, task));
        let mut others = self.running.borrow().clone();
        others.retain(|task| !is_current(task));
        for task in others {
            cancel(task, None);
        }
    }

    async fn wait(&self) -> Result<Outcome<T>> {
        let mut cancellation = None;
        while !self.running.borrow().is_empty() {
            let completed = self.event_loop.create_future();
            self.on_completed.replace(Some(completed.clone()));
            if let Err(exception) = completed.waiting().await {
                self.cancel_all(&exception);
                cancellation = Some(exception);
            }
            self.on_completed.take();
        }
        let unhandled = self.unhandled.take();
        if !unhandled.is_empty() {
            return Err(ExceptionGroup::new("staggered race failed", unhandled).into());
        }
        match cancellation {
            Some(cancellation) => Err(cancellation),
            None => {
                let (index, result) = self.winner.take().unzip();
                Ok((result, index, self.exceptions.take()))
            }
        }
    }
}

impl<I, T> Race<I, T> {
    /// Cancels the tasks as the race itself was cancelled.
    fn cancel_all(&self, cancellation: &Exception) {
        let message = cancellation.downcast_ref::<CancelledError>();
        let message = message.and_then(CancelledError::message);
        let running = self.running.borrow().clone();
        for task in running {
            cancel(task, message.map(Into::into));
        }
    }
}

/// Waits for its turn, starts a coroutine, and has the next one wait for its turn.
async fn run_one<I, F, C, T>(
    race: Rc<Race<I, T>>,
    ok_to_start: Event,
    previous: Option<Event>,
) -> Result<()>
where
    I: Iterator<Item = F> + 'static,
    F: FnOnce() -> C + 'static,
    C: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    ok_to_start.wait().await?;
    if let Some(previous) = previous {
        match wait_for(previous.wait(), race.delay).await {
            Err(exception) if !exception.is_timeout() => return Err(exception),
            _ => {}
        }
    }
    let Some((index, coro_fn)) = race.next() else {
        return Ok(());
    };
    let failed = Event::new();
    race.start_next(Some(failed.clone()))?;
    race.exceptions.borrow_mut().push(None);
    match coro_fn().await {
        Err(exception) if exception.is_exit() => return Err(exception),
        Err(exception) => {
            race.exceptions.borrow_mut()[index] = Some(exception);
            failed.set();
        }
        Ok(result) => race.win(index, result),
    }
    Ok(())
}

impl<I: 'static, T: 'static> Notify for Race<I, T> {
    fn notify(self: Rc<Self>, task: AnyRc) {
        self.running
            .borrow_mut()
            .retain(|other| !same(other, &task));
        if self.running.borrow().is_empty()
            && let Some(completed) = &*self.on_completed.borrow()
        {
            release(completed);
        }
        if task.head().cancelled() {
            return;
        }
        task.head().unseen.set(false);
        self.unhandled.borrow_mut().extend(task.failure());
    }

    fn waits_for(self: Rc<Self>) -> Option<AnyRc> {
        self.parent.as_ref().map(|parent| parent.0.clone())
    }
}

/// Cancels the tasks of a race that is dropped.
struct Leaving<'r, I, T>(&'r Race<I, T>);

impl<I, T> Drop for Leaving<'_, I, T> {
    fn drop(&mut self) {
        self.0.cancel_all(&CancelledError::default().into());
    }
}
