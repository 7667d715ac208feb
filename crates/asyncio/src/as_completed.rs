//! `asyncio.as_completed`.

use std::cell::{Cell, RefCell};
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;

use hilos_core::time::Timeout;

use crate::any_future::{AnyRc, Notify};
use crate::awaitable::{Awaitable, Ensure, Ensured, ensured};
use crate::awaiting::notify_when_done;
use crate::events::TimerHandle;
use crate::exception::Result;
use crate::exceptions::TimeoutError;
use crate::futures::Future;
use crate::in_order::InOrder;
use crate::queues::Queue;
use crate::running;
use crate::site::{self, WaitsIn};
use crate::wait::remove_notify;

/// Runs awaitables side by side, and gives them back in the order in which they are done.
///
/// Coroutines become tasks at once. [`next`](AsCompleted::next) is Python's `async for`; a plain
/// `for` yields coroutines, each for the result of whatever is done next.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let slow = asyncio::create_task(asyncio::sleep(0.01).with_result("slow"));
///     let fast = asyncio::create_task(asyncio::sleep(0).with_result("fast"));
///     let completed = asyncio::as_completed([&slow, &fast], None);
///     while let Some(task) = completed.next().await? {
///         println!("{}", task.result()?);
///     }
///
///     for result in asyncio::as_completed([&slow, &fast], None) {
///         println!("{}", result.await?);
///     }
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Panics
/// If no loop runs in this thread and [none is set](crate::set_event_loop).
///
/// Mirrors [`asyncio.as_completed`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.as_completed).
#[track_caller]
pub fn as_completed<I, D>(awaitables: I, timeout: D) -> AsCompleted<<I::Item as Awaitable>::Value>
where
    I: IntoIterator<Item: Ensure<Value: 'static>>,
    D: Into<Timeout>,
{
    let event_loop = running::expect();
    let mut todo = InOrder::default();
    for awaitable in awaitables {
        let one = ensured(awaitable, &event_loop);
        todo.insert(&one.future.erased(), one);
    }
    let completing = Rc::new(Completing {
        done: Queue::new(0),
        left: Cell::new(todo.len()),
        todo: RefCell::new(todo),
        timer: RefCell::default(),
    });
    completing.start(timeout.into().seconds());
    AsCompleted(completing)
}

/// What [`as_completed`] returns.
pub struct AsCompleted<T: 'static>(Rc<Completing<T>>);

impl<T> AsCompleted<T> {
    /// Waits for the next task or future that is done; `None` after the last.
    ///
    /// It is the one that [`as_completed`] was given, or the task that runs the coroutine.
    ///
    /// # Errors
    /// [`TimeoutError`] when the time is up; the `CancelledError` of a task that is cancelled
    /// meanwhile.
    #[track_caller]
    pub fn next(&self) -> impl StdFuture<Output = Result<Option<Future<T>>>> {
        site::mark(WaitsIn::AsCompleted);
        async {
            match self.0.take_turn() {
                true => Ok(Some(self.0.wait_for_one().await?.future)),
                false => Ok(None),
            }
        }
    }
}

/// A coroutine for the result of whatever is done next.
pub type NextCompleted<T> = Pin<Box<dyn StdFuture<Output = Result<T>>>>;

impl<T> Iterator for AsCompleted<T> {
    type Item = NextCompleted<T>;

    #[track_caller]
    fn next(&mut self) -> Option<NextCompleted<T>> {
        site::mark(WaitsIn::AsCompleted);
        self.0.take_turn().then(|| -> NextCompleted<T> {
            let this = self.0.clone();
            Box::pin(async move { this.wait_for_one().await?.result() })
        })
    }
}

struct Completing<T: 'static> {
    /// What is done; `None` for what was not in time.
    done: Queue<Option<Ensured<T>>>,
    todo: RefCell<InOrder<Ensured<T>>>,
    /// How many were not asked for yet.
    left: Cell<usize>,
    timer: RefCell<Option<TimerHandle>>,
}

impl<T> Completing<T> {
    fn start(self: &Rc<Self>, timeout: Option<f64>) {
        for future in self.erased() {
            notify_when_done(&future, self.clone());
        }
        if let Some(delay) = timeout
            && let Some(first) = self.erased().first()
        {
            let event_loop = &first.head().event_loop;
            let this = self.clone();
            let on_timeout = move || this.on_timeout();
            let timer = event_loop.call_at_in(None, event_loop.time() + delay, on_timeout);
            // The loop is running, and a delay that is not a number never ends.
            self.timer.replace(timer.ok());
        }
    }

    fn erased(&self) -> Vec<AnyRc> {
        self.todo
            .borrow()
            .iter()
            .map(|one| one.future.erased())
            .collect()
    }

    fn take_turn(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    async fn wait_for_one(&self) -> Result<Ensured<T>> {
        let one = site::quietly(|| self.done.get()).await?;
        one.ok_or_else(|| TimeoutError::default().into())
    }

    fn on_timeout(self: &Rc<Self>) {
        for one in self.todo.take().iter() {
            remove_notify(&one.future.erased(), &(self.clone() as Rc<dyn Notify>));
            // The queue has no limit.
            let _ = self.done.put_nowait(None);
        }
    }
}

impl<T> Notify for Completing<T> {
    fn notify(self: Rc<Self>, future: AnyRc) {
        let mut todo = self.todo.borrow_mut();
        let Some(one) = todo.remove(&future) else {
            return;
        };
        let last = todo.is_empty();
        drop(todo);
        let _ = self.done.put_nowait(Some(one));
        if last && let Some(timer) = self.timer.take() {
            timer.cancel();
        }
    }
}
