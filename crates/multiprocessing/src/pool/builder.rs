//! How a pool is set up.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::processes::Pool;
use super::worker::{Encoded, Orders};
use crate::cpu_count;
use crate::error::Error;
use crate::reduction::{Message, TravellingFd};
use crate::start_method::StartMethod;
use crate::sys::image::Descriptor;
use crate::target::{Call, Plan, Target};

/// Sets up a [`Pool`]; made by [`Pool::builder`].
#[must_use = "a pool is made by `build`"]
#[derive(Debug)]
pub struct PoolBuilder {
    settings: Result<Settings, Error>,
}

/// What the supervisor has to know.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) processes: usize,
    pub(super) max_tasks_per_child: Option<usize>,
    pub(super) start_method: Option<StartMethod>,
    max_memory: Option<u64>,
    initializer: Option<(&'static Descriptor, Message)>,
}

impl Settings {
    /// What every new worker is told.
    pub(super) fn orders(&self, claims: OwnedFd) -> Result<Orders, Error> {
        let encode = |(function, message): &(&'static Descriptor, Message)| {
            let copies = message.fds.iter().map(OwnedFd::try_clone);
            let fds = copies
                .map(|fd| fd.map(TravellingFd))
                .collect::<Result<_, _>>()?;
            Ok::<_, Error>(Encoded {
                function: function.offset(),
                bytes: message.bytes.clone(),
                fds,
            })
        };
        let initializer = self.initializer.as_ref().map(encode).transpose()?;
        Ok(Orders {
            claims: TravellingFd(claims),
            initializer,
            max_memory: self.max_memory,
        })
    }
}

/// The number of the next worker of this process.
pub(super) fn next_worker() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl PoolBuilder {
    pub(super) fn new() -> Self {
        let settings = Settings {
            processes: cpu_count(),
            max_tasks_per_child: None,
            start_method: None,
            max_memory: None,
            initializer: None,
        };
        Self {
            settings: Ok(settings),
        }
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        if let Ok(settings) = &mut self.settings {
            set(settings);
        }
        self
    }

    /// How many workers there are; by default as many as processors.
    pub fn processes(self, processes: usize) -> Self {
        self.set(|settings| settings.processes = processes)
    }

    /// Has each worker call `function` with `args` before its first job.
    ///
    /// If that fails the pool is broken: every job fails and says why, where CPython would start
    /// workers for ever.
    pub fn initializer<F, A>(mut self, function: F, args: A) -> Self
    where
        F: Target<A>,
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        let encoded = Call {
            target: function,
            args,
        }
        .encode();
        match encoded {
            Ok(encoded) => self.set(|settings| settings.initializer = Some(encoded)),
            Err(error) => {
                self.settings = Err(error);
                self
            }
        }
    }

    /// Replaces a worker after so many tasks; Python's `maxtasksperchild`.
    pub fn max_tasks_per_child(self, tasks: usize) -> Self {
        self.set(|settings| settings.max_tasks_per_child = Some(tasks))
    }

    /// Replaces a worker that has more than so many KiB of memory after a task.
    pub fn max_memory_per_child(self, kib: u64) -> Self {
        self.set(|settings| settings.max_memory = Some(kib))
    }

    /// How the workers are started.
    pub fn start_method(self, method: StartMethod) -> Self {
        self.set(|settings| settings.start_method = Some(method))
    }

    /// Starts the workers.
    ///
    /// # Errors
    /// [`Error::Value`] for no processes or no tasks, [`Error::Encoding`] if the initializer's
    /// arguments cannot travel, [`Error::Os`] if the system refuses.
    pub fn build(self) -> Result<Pool, Error> {
        let settings = self.settings?;
        if settings.processes == 0 {
            return Err(Error::Value(
                "Number of processes must be at least 1".into(),
            ));
        }
        if settings.max_tasks_per_child == Some(0) {
            return Err(Error::Value(
                "maxtasksperchild must be a positive int or None".into(),
            ));
        }
        Pool::start(settings)
    }
}
