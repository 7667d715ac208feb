//! `multiprocessing.get_context`.

use std::path::PathBuf;

use bytemuck::Pod;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connection::{self, Connection};
use crate::error::Error;
#[cfg(feature = "pickle")]
use crate::managers::SyncManager;
use crate::pool::{Pool, PoolBuilder};
use crate::process::Process;
use crate::queues::{JoinableQueue, Queue, SimpleQueue};
use crate::sharedctypes::{Array, RawArray, RawValue, Value};
use crate::start_method::{self, StartMethod};
use crate::synchronize::{Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore};
use crate::target::Target;
use crate::{CurrentProcess, ParentProcess};

/// This module, with one way to start processes.
///
/// Use it in a library, which must not [`set_start_method`](crate::set_start_method) for the whole
/// program. Locks, queues and shared values are the same in all contexts.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{StartMethod, get_context};
///
/// let ctx = get_context(StartMethod::Spawn);
/// let queue = ctx.queue(0)?;
/// let process = ctx.process(
///     |queue: multiprocessing::Queue<String>| queue.put(&"hello".to_string()),
///     (queue.clone(),),
/// );
/// process.start()?;
/// assert_eq!(queue.get()?, "hello");
/// process.join(None)?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `ctx.Process` is [`ctx.process`](Self::process), and so on: a method has a lower-case name.
/// - Objects of one context work in all others.
///
/// Mirrors [`multiprocessing.get_context`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.get_context).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// `None` is the program's own, whatever that is when a process starts.
    method: Option<StartMethod>,
}

/// The context of one start method, or with `None` that of the program's own.
pub fn get_context<M: Into<Option<StartMethod>>>(method: M) -> Context {
    Context {
        method: method.into(),
    }
}

/// Does nothing: a process takes over before `main`, whether the program is frozen or not.
///
/// It is here so that ported programs can go on calling it.
pub const fn freeze_support() {}

impl Context {
    /// As [`get_context`]: another context.
    pub fn get_context<M: Into<Option<StartMethod>>>(&self, method: M) -> Self {
        get_context(method)
    }

    /// How this context starts processes.
    pub fn get_start_method(&self) -> StartMethod {
        self.method.unwrap_or_else(start_method::get_start_method)
    }

    /// As [`set_start_method`](crate::set_start_method), for the program's own context.
    ///
    /// # Errors
    /// [`Error::Value`] if this is the context of one start method, and those of
    /// `set_start_method`.
    pub fn set_start_method(&self, method: StartMethod, force: bool) -> Result<(), Error> {
        if self.method.is_some() {
            let text = "cannot set start method of concrete context";
            return Err(Error::Value(text.into()));
        }
        start_method::set_start_method(method, force)
    }

    /// As [`Process::new`], started in this context's way.
    pub fn process<F, A>(&self, target: F, args: A) -> Process
    where
        F: Target<A>,
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        let process = Process::new(target, args);
        match self.method {
            Some(method) => process.with_start_method(method),
            None => process,
        }
    }

    /// As [`manager`](crate::manager), whose server's process is started in this context's way.
    ///
    /// # Errors
    /// Those of `manager`.
    #[cfg(feature = "pickle")]
    pub fn manager(&self) -> Result<SyncManager, Error> {
        let manager = match self.method {
            Some(method) => SyncManager::new().with_start_method(method),
            None => SyncManager::new(),
        };
        manager.start()?;
        Ok(manager)
    }

    /// As [`Pool::builder`], of processes started in this context's way.
    pub fn pool(&self) -> PoolBuilder {
        Pool::builder().start_method(self.get_start_method())
    }

    /// As [`pipe`](crate::pipe).
    ///
    /// # Errors
    /// As `pipe`; those of all that follow are those of the types' `new`.
    pub fn pipe(&self, duplex: bool) -> Result<(Connection, Connection), Error> {
        connection::pipe(duplex)
    }

    /// As [`cpu_count`](crate::cpu_count).
    pub fn cpu_count(&self) -> usize {
        crate::cpu_count()
    }

    /// As [`active_children`](crate::active_children).
    pub fn active_children(&self) -> Vec<Process> {
        crate::active_children()
    }

    /// As [`current_process`](crate::current_process).
    pub fn current_process(&self) -> CurrentProcess {
        crate::current_process()
    }

    /// As [`parent_process`](crate::parent_process).
    pub fn parent_process(&self) -> Option<ParentProcess> {
        crate::parent_process()
    }

    /// As [`freeze_support`].
    pub const fn freeze_support(&self) {}

    /// As [`set_executable`](crate::set_executable).
    pub fn set_executable<P: Into<PathBuf>>(&self, executable: P) {
        crate::set_executable(executable);
    }

    /// As [`log_to_stderr`](crate::log_to_stderr).
    pub fn log_to_stderr(&self, level: tracing::Level) {
        crate::log_to_stderr(level);
    }
}

/// Makes what is the same in all contexts.
macro_rules! makes {
    ($($name:ident($($argument:ident: $type:ty),*) -> $made:ident;)*) => {
        impl Context {$(
            #[doc = concat!("As [`", stringify!($made), "::new`].")]
            ///
            /// # Errors
            /// As there.
            pub fn $name(&self, $($argument: $type),*) -> Result<$made, Error> {
                $made::new($($argument),*)
            }
        )*}
    };
}
makes! {
    lock() -> Lock;
    rlock() -> RLock;
    semaphore(value: usize) -> Semaphore;
    bounded_semaphore(value: usize) -> BoundedSemaphore;
    condition() -> Condition;
    event() -> Event;
    barrier(parties: usize) -> Barrier;
}

impl Context {
    /// As [`Queue::new`].
    ///
    /// # Errors
    /// As there; this holds for all that follow.
    pub fn queue<T>(&self, maxsize: usize) -> Result<Queue<T>, Error> {
        Queue::new(maxsize)
    }

    /// As [`JoinableQueue::new`].
    ///
    /// # Errors
    /// As there.
    pub fn joinable_queue<T>(&self, maxsize: usize) -> Result<JoinableQueue<T>, Error> {
        JoinableQueue::new(maxsize)
    }

    /// As [`SimpleQueue::new`].
    ///
    /// # Errors
    /// As there.
    pub fn simple_queue<T>(&self) -> Result<SimpleQueue<T>, Error> {
        SimpleQueue::new()
    }

    /// As [`Value::new`].
    ///
    /// # Errors
    /// As there.
    pub fn value<T: Pod>(&self, value: T) -> Result<Value<T>, Error> {
        Value::new(value)
    }

    /// As [`Array::new`].
    ///
    /// # Errors
    /// As there.
    pub fn array<T: Pod, I: IntoIterator<Item = T>>(&self, items: I) -> Result<Array<T>, Error> {
        Array::new(items)
    }

    /// As [`RawValue::new`].
    ///
    /// # Errors
    /// As there.
    pub fn raw_value<T: Pod>(&self, value: T) -> Result<RawValue<T>, Error> {
        RawValue::new(value)
    }

    /// As [`RawArray::new`].
    ///
    /// # Errors
    /// As there.
    pub fn raw_array<T: Pod, I: IntoIterator<Item = T>>(
        &self,
        items: I,
    ) -> Result<RawArray<T>, Error> {
        RawArray::new(items)
    }
}
