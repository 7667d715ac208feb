//! `asyncio.wait`.

use std::cell::Cell;
use std::future::Future as StdFuture;
use std::rc::Rc;

use hilos_core::time::Timeout;
use hilos_futures::{ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, ReturnWhen};

use crate::any_future::{AnyRc, Callback, Notify};
use crate::any_task::AnyTask;
use crate::awaiting::notify_when_done;
use crate::events::TimerHandle;
use crate::exception::Result;
use crate::exceptions::{RuntimeError, ValueError};
use crate::futures::Future;
use crate::running;
use crate::tasks::Task;

/// A handle of a task or a future: what [`wait()`] waits for.
pub trait Waitable: Clone + 'static {
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "nobody outside implements or calls it")]
    fn any_future(&self) -> AnyRc;
}

impl<T: 'static> Waitable for Future<T> {
    #[expect(private_interfaces, reason = "as in the trait")]
    fn any_future(&self) -> AnyRc {
        self.erased()
    }
}

impl<T: 'static> Waitable for Task<T> {
    #[expect(private_interfaces, reason = "as in the trait")]
    fn any_future(&self) -> AnyRc {
        self.erased()
    }
}

impl Waitable for AnyTask {
    #[expect(private_interfaces, reason = "as in the trait")]
    fn any_future(&self) -> AnyRc {
        self.0.clone()
    }
}

/// Waits until tasks or futures are done: all, the first, or the first that fails.
///
/// Returns those that are done and those that are not, each in the order of `fs`. It neither
/// cancels them nor raises their exceptions, and a timeout is no error. Duplicates count once.
///
/// ```
/// use hilos_asyncio as asyncio;
/// use asyncio::{ALL_COMPLETED, FIRST_COMPLETED, create_task, sleep};
///
/// asyncio::run(async {
///     let tasks = [0.001, 60.0].map(|delay| create_task(sleep(delay)));
///     let (done, pending) = asyncio::wait(&tasks, None, FIRST_COMPLETED).await?;
///     assert_eq!((done, pending.len()), (vec![tasks[0].clone()], 1));
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// [`ValueError`] if `fs` is empty; the `CancelledError` of a task that is cancelled meanwhile.
///
/// # Differences from Python
/// - The sets are lists, in the order of the argument; coroutines are refused by their type.
///
/// Mirrors [`asyncio.wait`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.wait).
pub fn wait<F: Waitable, D: Into<Timeout>>(
    fs: &[F],
    timeout: D,
    return_when: ReturnWhen,
) -> impl StdFuture<Output = Result<(Vec<F>, Vec<F>)>> + use<F, D> {
    let mut different: Vec<F> = Vec::with_capacity(fs.len());
    let mut seen = std::collections::HashSet::new();
    for future in fs {
        if seen.insert(Rc::as_ptr(&future.any_future()).cast::<()>()) {
            different.push(future.clone());
        }
    }
    let timeout = timeout.into().seconds();
    async move {
        if different.is_empty() {
            return Err(ValueError::new("Set of Tasks/Futures is empty.").into());
        }
        let erased: Vec<AnyRc> = different.iter().map(Waitable::any_future).collect();
        wait_erased(&erased, timeout, return_when).await?;
        Ok(different
            .into_iter()
            .partition(|future| future.any_future().head().done()))
    }
}

async fn wait_erased(fs: &[AnyRc], timeout: Option<f64>, return_when: ReturnWhen) -> Result<()> {
    let event_loop = running::get().ok_or_else(|| RuntimeError::new("no running event loop"))?;
    let waiter = event_loop.create_future();
    let timer = match timeout {
        Some(delay) => {
            let waiter = waiter.clone();
            let release = move || release(&waiter);
            Some(event_loop.call_at_in(None, event_loop.time() + delay, release)?)
        }
        None => None,
    };
    let waiting = Rc::new(Waiting {
        left: Cell::new(fs.len()),
        waiter,
        timer,
        return_when,
    });
    for future in fs {
        notify_when_done(future, waiting.clone());
    }
    let _end = End {
        fs,
        waiting: &waiting,
    };
    waiting.waiter.clone().await
}

/// Completes a future that somebody else may have completed or cancelled.
pub(crate) fn release(waiter: &Future<()>) {
    let _ = waiter.set_result(());
}

struct Waiting {
    left: Cell<usize>,
    waiter: Future<()>,
    timer: Option<TimerHandle>,
    return_when: ReturnWhen,
}

impl Waiting {
    fn cancel_timer(&self) {
        if let Some(timer) = &self.timer {
            timer.cancel();
        }
    }

    fn ends_with(&self, future: &AnyRc) -> bool {
        if self.left.get() == 0 || self.return_when == FIRST_COMPLETED {
            return true;
        }
        debug_assert!(self.return_when == FIRST_EXCEPTION || self.return_when == ALL_COMPLETED);
        if self.return_when != FIRST_EXCEPTION || future.head().cancelled() {
            return false;
        }
        future.head().unseen.set(false);
        future.failure().is_some()
    }
}

impl Notify for Waiting {
    fn notify(self: Rc<Self>, future: AnyRc) {
        self.left.set(self.left.get() - 1);
        if self.ends_with(&future) {
            self.cancel_timer();
            release(&self.waiter);
        }
    }
}

/// Takes the callbacks back, however the wait ends.
struct End<'w> {
    fs: &'w [AnyRc],
    waiting: &'w Rc<Waiting>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.waiting.cancel_timer();
        for future in self.fs {
            remove_notify(future, &(self.waiting.clone() as Rc<dyn Notify>));
        }
    }
}

/// Takes back that `whom` is told when `future` is done.
pub(crate) fn remove_notify(future: &AnyRc, whom: &Rc<dyn Notify>) {
    future.remove_callbacks(&mut |callback| match callback {
        Callback::Notify(other) => std::ptr::addr_eq(Rc::as_ptr(other), Rc::as_ptr(whom)),
        _ => false,
    });
}

/// Cancels `future` and waits until it is done.
pub(crate) async fn cancel_and_wait(future: &AnyRc) -> Result<()> {
    let waiter = future.head().event_loop.create_future();
    let releaser: Rc<dyn Notify> = Rc::new(Releaser(waiter.clone()));
    notify_when_done(future, releaser.clone());
    crate::any_future::cancel(future.clone(), None);
    let result = waiter.await;
    remove_notify(future, &releaser);
    result
}

struct Releaser(Future<()>);

impl Notify for Releaser {
    fn notify(self: Rc<Self>, _future: AnyRc) {
        release(&self.0);
    }
}
