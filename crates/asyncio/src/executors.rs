//! `loop.run_in_executor` and the default executor.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::Future as StdFuture;
use std::io::Write as _;

use hilos_futures::{Executor, ThreadPoolExecutor};

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::futures::Future;
use crate::timeouts::timeout;
use hilos_core::time::Timeout;

/// A loop's own executor, which is made when it is needed first.
#[derive(Default)]
pub(crate) struct DefaultExecutor {
    executor: RefCell<Option<ThreadPoolExecutor>>,
    shut_down: Cell<bool>,
}

impl DefaultExecutor {
    /// `executor`, or this one in its place.
    fn unless(&self, executor: Option<&ThreadPoolExecutor>) -> Result<ThreadPoolExecutor> {
        executor.cloned().map_or_else(|| self.get(), Ok)
    }

    fn get(&self) -> Result<ThreadPoolExecutor> {
        if self.shut_down.get() {
            return Err(RuntimeError::new("Executor shutdown has been called").into());
        }
        let mut executor = self.executor.borrow_mut();
        if executor.is_none() {
            let made = ThreadPoolExecutor::new(None)?.with_thread_name_prefix("asyncio");
            *executor = Some(made);
        }
        Ok(executor.clone().expect("it was made above"))
    }

    /// Shuts it down without waiting, when the loop is closed.
    pub(crate) fn abandon(&self) {
        self.shut_down.set(true);
        let executor = self.executor.take();
        if let Some(executor) = executor {
            executor.shutdown(false);
        }
    }
}

/// An executor that makes calls of type `C` for a loop; `None` is the loop's own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not make calls like `{C}`",
    note = "an executor of threads takes a function, one of processes a function and its arguments, as in `(f, (x,))`"
)]
pub trait InExecutor<C> {
    /// What a call returns.
    type Output;

    /// Has `call` run.
    ///
    /// # Errors
    /// [`RuntimeError`] if the executor is shut down.
    fn submit_from(
        self,
        event_loop: &EventLoop,
        call: C,
    ) -> Result<hilos_futures::Future<Self::Output>>;
}

impl<C, E: Executor<C>> InExecutor<C> for &E {
    type Output = E::Output;

    fn submit_from(
        self,
        _event_loop: &EventLoop,
        call: C,
    ) -> Result<hilos_futures::Future<E::Output>> {
        Ok(self.submit(call)?)
    }
}

impl<F, T> InExecutor<F> for Option<&ThreadPoolExecutor>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;

    fn submit_from(self, event_loop: &EventLoop, call: F) -> Result<hilos_futures::Future<T>> {
        Ok(event_loop.0.default_executor.unless(self)?.submit(call)?)
    }
}

impl EventLoop {
    /// Has an executor make a call; `None` stands for the loop's default executor, of threads.
    ///
    /// For threads a call is any function; for processes it is a function and its arguments:
    /// `run_in_executor(&pool, (fibonacci, (30,)))`. So it is for every
    /// [`Executor`](hilos_futures::Executor).
    ///
    /// # Errors
    /// [`RuntimeError`] if the loop is closed or the executor is shut down.
    pub fn run_in_executor<X, C, T>(&self, executor: X, call: C) -> Result<Future<T>>
    where
        X: InExecutor<C, Output = T>,
        T: Send + 'static,
    {
        self.check_open()?;
        let call = executor.submit_from(self, call)?;
        Ok(self.wrap_future(&call))
    }

    /// Like [`run_in_executor`](Self::run_in_executor), for a function that returns a `Result`, in
    /// a thread.
    ///
    /// A process does so by [`wrap_future`](Self::wrap_future) of what its pool's `try_submit`
    /// returns.
    ///
    /// # Errors
    /// As there.
    pub fn try_run_in_executor<'e, X, F, T, E>(&self, executor: X, function: F) -> Result<Future<T>>
    where
        X: Into<Option<&'e ThreadPoolExecutor>>,
        F: FnOnce() -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.check_open()?;
        let executor = self.0.default_executor.unless(executor.into())?;
        Ok(self.wrap_future(&executor.try_submit(function)?))
    }

    /// Makes `executor` the one that is meant by `None`, and that [`to_thread`](crate::to_thread)
    /// uses.
    pub fn set_default_executor(&self, executor: &ThreadPoolExecutor) {
        let old = self
            .0
            .default_executor
            .executor
            .replace(Some(executor.clone()));
        drop(old);
    }

    /// Shuts the default executor down, and waits up to `limit` seconds for its threads.
    ///
    /// Later calls of [`run_in_executor`](Self::run_in_executor) with `None` are refused. A warning
    /// is printed if the threads are too late; they are left to themselves then.
    ///
    /// # Errors
    /// The `CancelledError` of a task that is cancelled meanwhile.
    pub fn shutdown_default_executor<D: Into<Timeout>>(
        &self,
        limit: D,
    ) -> impl StdFuture<Output = Result<()>> + use<D> {
        self.clone().shut_executor_down(limit.into())
    }

    async fn shut_executor_down(self, limit: Timeout) -> Result<()> {
        self.0.default_executor.shut_down.set(true);
        let executor = self.0.default_executor.executor.borrow().clone();
        let Some(executor) = executor else {
            return Ok(());
        };
        let future = self.create_future();
        let joined = self.on_return({
            let future = future.clone();
            move || crate::wait::release(&future)
        });
        let joining = executor.clone();
        let thread = std::thread::spawn(move || {
            joining.shutdown(true);
            joined.redeem();
        });
        match timeout(limit, async |_| future.waiting().await).await {
            Err(error) if error.is_timeout() => {
                let limit = limit.seconds().unwrap_or(f64::INFINITY);
                // A closed standard error output is no reason to fail.
                let _ = writeln!(
                    std::io::stderr(),
                    "RuntimeWarning: The executor did not finishing joining its threads within \
                     {limit} seconds."
                );
                executor.shutdown(false);
                Ok(())
            }
            result => {
                result?;
                // It has nothing left to do but to end.
                let _ = thread.join();
                Ok(())
            }
        }
    }
}
