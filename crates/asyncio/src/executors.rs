//! `loop.run_in_executor` and the default executor.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::Future as StdFuture;

use hilos_futures::ThreadPoolExecutor;

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

impl EventLoop {
    /// Has `function` run in a thread; `None` stands for the loop's default executor.
    ///
    /// # Errors
    /// [`RuntimeError`] if the loop is closed or the executor is shut down.
    pub fn run_in_executor<'e, X, F, T>(&self, executor: X, function: F) -> Result<Future<T>>
    where
        X: Into<Option<&'e ThreadPoolExecutor>>,
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let call = self.executor(executor.into())?.submit(function)?;
        Ok(self.wrap_future(&call))
    }

    /// Like [`run_in_executor`](Self::run_in_executor), for a function that returns a `Result`.
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
        let call = self.executor(executor.into())?.try_submit(function)?;
        Ok(self.wrap_future(&call))
    }

    fn executor(&self, executor: Option<&ThreadPoolExecutor>) -> Result<ThreadPoolExecutor> {
        self.check_open()?;
        match executor {
            Some(executor) => Ok(executor.clone()),
            None => self.0.default_executor.get(),
        }
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
    /// Later calls of [`run_in_executor`](Self::run_in_executor) with `None` are refused.
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
        match timeout(limit, async |_| future.await).await {
            Err(error) if error.is_timeout() => {
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
