//! `asyncio.staggered`: a race in which the next starts when those before it are late.

use std::cell::RefCell;
use std::future::Future as StdFuture;
use std::iter::Enumerate;
use std::pin::Pin;
use std::rc::Rc;

use hilos_core::time::Timeout;

use crate::any_future::{AnyRc, Notify, cancel, same};
use crate::any_task::{AnyTask, current_task};
use crate::awaiting::notify_when_done;
use crate::base_events::EventLoop;
use crate::create_task::TaskOptions;
use crate::exception::{Exception, Result};
use crate::exceptions::{CancelledError, ExceptionGroup, Message};
use crate::futures::Future;
use crate::in_order::InOrder;
use crate::locks::Event;
use crate::running;
use crate::site::{self, WaitsIn};
use crate::step::catch_cancel;
use crate::wait::release;
use crate::wait_for::wait_for;

/// How a race went.
///
/// Returned by [`staggered_race`].
#[derive(Clone, Debug)]
pub struct Race<T> {
    /// What the winner returned; `None` if nobody won.
    pub winner: Option<T>,
    /// Which coroutine won, from 0.
    pub index: Option<usize>,
    /// For each coroutine that was started what it failed with: the losers a `CancelledError`.
    pub exceptions: Vec<Option<Exception>>,
}

/// Runs coroutines until one succeeds, and cancels the others.
///
/// The next one is started when the last has failed, or `delay` after it was started: addresses of
/// a host are tried so. With a `delay` of `None`, only a failure starts the next one. `coro_fns`
/// are functions that return the coroutines; those that are not needed are not called.
///
/// ```
/// use hilos_asyncio as asyncio;
/// use asyncio::staggered::staggered_race;
///
/// asyncio::testing::run(async {
///     let after = |delay| move || asyncio::sleep(delay).with_result(delay);
///     let race = staggered_race([after(10), after(2), after(5)], 0.5).await?;
///     assert_eq!((race.winner, race.index), (Some(2), Some(1)));
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// The `CancelledError` of a task that is cancelled meanwhile; a `RuntimeError` if no loop runs. What
/// the coroutines fail with is in [`Race::exceptions`].
///
/// Mirrors `asyncio.staggered.staggered_race`, which CPython does not document.
#[track_caller]
pub fn staggered_race<I, C, F, T, D>(
    coro_fns: I,
    delay: D,
) -> impl StdFuture<Output = Result<Race<T>>>
where
    I: IntoIterator<Item = C, IntoIter: 'static>,
    C: FnOnce() -> F + 'static,
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
    D: Into<Timeout>,
{
    site::mark(WaitsIn::StaggeredRace);
    async move {
        let racing = Rc::new(Racing {
            event_loop: running::get_running_loop()?,
            parent: current_task(),
            coro_fns: RefCell::new(coro_fns.into_iter().enumerate()),
            delay: delay.into(),
            winner: RefCell::default(),
            exceptions: RefCell::default(),
            tasks: RefCell::default(),
            unhandled: RefCell::default(),
            on_completed: RefCell::default(),
        });
        let leaving = Leaving(&racing.tasks);
        racing.start(None)?;
        let waited = racing.wait_for_tasks().await;
        drop(leaving);
        let unhandled = racing.unhandled.take();
        if !unhandled.is_empty() {
            return Err(ExceptionGroup::new("staggered race failed", unhandled).into());
        }
        waited?;
        let (index, winner) = racing.winner.take().unzip();
        Ok(Race {
            winner,
            index,
            exceptions: racing.exceptions.take(),
        })
    }
}

struct Racing<I, T> {
    event_loop: EventLoop,
    /// The task that runs the race, if one does.
    parent: Option<AnyTask>,
    coro_fns: RefCell<Enumerate<I>>,
    delay: Timeout,
    winner: RefCell<Option<(usize, T)>>,
    exceptions: RefCell<Vec<Option<Exception>>>,
    /// Those that are not done; each runs one coroutine.
    tasks: RefCell<InOrder<AnyRc>>,
    /// What the tasks themselves failed with.
    unhandled: RefCell<Vec<Exception>>,
    /// What the race's end waits for.
    on_completed: RefCell<Option<Future<()>>>,
}

impl<I, C, F, T> Racing<I, T>
where
    I: Iterator<Item = C> + 'static,
    C: FnOnce() -> F + 'static,
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    /// Starts a task for the next coroutine, which waits for the failure of the last.
    fn start(self: &Rc<Self>, previous_failed: Option<Event>) -> Result<()> {
        // An eager task must not begin before it is in the list.
        let ok_to_start = Event::new();
        let coroutine: Pin<Box<dyn StdFuture<Output = Result<()>>>> =
            Box::pin(self.clone().run_one(ok_to_start.clone(), previous_failed));
        let task = TaskOptions::new().create_task_in(&self.event_loop, coroutine)?;
        self.tasks.borrow_mut().push(task.erased());
        notify_when_done(&task.erased(), self.clone());
        ok_to_start.set();
        Ok(())
    }

    async fn run_one(
        self: Rc<Self>,
        ok_to_start: Event,
        previous_failed: Option<Event>,
    ) -> Result<()> {
        ok_to_start.wait().await?;
        if let Some(failed) = previous_failed
            && let Err(exception) = wait_for(failed.wait(), self.delay).await
            && !exception.is_timeout()
        {
            return Err(exception);
        }
        let next = self.coro_fns.borrow_mut().next();
        let Some((index, coro_fn)) = next else {
            return Ok(());
        };
        let failed = Event::new();
        self.start(Some(failed.clone()))?;
        self.exceptions.borrow_mut().push(None);
        match catch_cancel(coro_fn()).await {
            Ok(value) => self.win(index, value),
            Err(exception) if exception.is_exit() => return Err(exception),
            Err(exception) => {
                self.exceptions.borrow_mut()[index] = Some(exception);
                failed.set();
            }
        }
        Ok(())
    }

    fn win(&self, index: usize, value: T) {
        self.winner.replace(Some((index, value)));
        let this = current_task();
        let tasks = self.tasks.borrow().to_vec();
        for task in tasks {
            if this.as_ref().is_none_or(|this| !same(&this.0, &task)) {
                cancel(task, None);
            }
        }
    }

    async fn wait_for_tasks(&self) -> Result<()> {
        let mut waited = Ok(());
        while !self.tasks.borrow().is_empty() {
            let completed = self.event_loop.create_future();
            self.on_completed.replace(Some(completed.clone()));
            if let Err(exception) = completed.waiting().await {
                cancel_all(&self.tasks, &exception);
                waited = Err(exception);
            }
            self.on_completed.take();
        }
        waited
    }
}

impl<I: 'static, T: 'static> Notify for Racing<I, T> {
    fn notify(self: Rc<Self>, task: AnyRc) {
        self.tasks.borrow_mut().remove(&task);
        if self.tasks.borrow().is_empty()
            && let Some(completed) = &*self.on_completed.borrow()
        {
            release(completed);
        }
        if !task.head().cancelled() {
            task.head().unseen.set(false);
            self.unhandled.borrow_mut().extend(task.failure());
        }
    }

    fn waits_for(self: Rc<Self>) -> Option<AnyRc> {
        self.parent.as_ref().map(|parent| parent.0.clone())
    }
}

/// Cancels the tasks as the race itself was cancelled.
fn cancel_all(tasks: &RefCell<InOrder<AnyRc>>, exception: &Exception) {
    let cancelled = exception.downcast_ref::<CancelledError>();
    let message = cancelled.and_then(CancelledError::message);
    let tasks = tasks.borrow().to_vec();
    for task in tasks {
        cancel(task, message.map(Message::from));
    }
}

/// Cancels the tasks of a race that is dropped.
struct Leaving<'r>(&'r RefCell<InOrder<AnyRc>>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        cancel_all(self.0, &CancelledError::default().into());
    }
}
