//! Why a job has no result.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::failure::{Failure, signal_name};

/// Why a job of a pool has no result.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobError {
    /// Its function panicked.
    Failed(Failure),
    /// The worker that ran it died. The pool has started another.
    WorkerLost(WorkerLost),
    /// It took longer than it was given; the worker that ran it was killed and replaced.
    TimedOut,
    /// Its result, or the request for it, could not be encoded or decoded.
    Encoding(String),
    /// There was no result yet when the caller's timeout passed: Python's `TimeoutError`.
    NotReady,
    /// The pool was terminated before the job was done.
    Terminated,
    /// The pool takes no jobs: Python's `ValueError`.
    NotRunning,
    /// The initializer failed, or a cluster's server refuses, so that no worker can work.
    Broken(Failure),
    /// The result was taken before.
    Taken,
    /// It was cancelled.
    Cancelled,
}

/// The death of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerLost {
    pub(super) pid: u32,
    pub(super) exitcode: i32,
    pub(super) peak_kib: i64,
    pub(super) function: String,
}

impl WorkerLost {
    #[doc(hidden)]
    pub fn new(pid: u32, exitcode: i32, peak_kib: i64, function: String) -> Self {
        Self {
            pid,
            exitcode,
            peak_kib,
            function,
        }
    }

    fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pid, exitcode, function) = (self.pid, self.exitcode, &self.function);
        if pid == 0 {
            return write!(f, "workers were lost while running {function}");
        }
        write!(f, "worker {pid} ")?;
        match exitcode {
            0.. => write!(f, "exited with code {exitcode}")?,
            _ => write!(f, "was killed by {}", signal_name(-exitcode))?,
        }
        let peak = self.peak_kib / 1024;
        write!(f, " (peak memory {peak} MiB) while running {function}")?;
        f.write_str("; the pool started another")
    }

    /// Workers of which only their number is known.
    #[doc(hidden)]
    pub fn unseen(deaths: u32, function: &str) -> Self {
        Self::new(
            0,
            0,
            0,
            format!("{function} ({deaths} of them one after the other)"),
        )
    }

    /// The worker's process number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What the worker returned, or the negative number of the signal that killed it.
    pub fn exitcode(&self) -> i32 {
        self.exitcode
    }

    /// The most memory that the worker had, in KiB.
    pub fn peak_kib(&self) -> i64 {
        self.peak_kib
    }
}

impl JobError {
    /// Whether the worker that ran the job died.
    pub fn is_worker_lost(&self) -> bool {
        matches!(self, Self::WorkerLost(_))
    }

    /// Whether the job took longer than it was given.
    pub fn is_timed_out(&self) -> bool {
        matches!(self, Self::TimedOut)
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        Self::Encoding(error.to_string())
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::WorkerLost(lost) => lost.tell(f),
            Self::TimedOut => f.write_str("the job took longer than it was given"),
            Self::Encoding(reason) => f.write_str(reason),
            Self::NotReady => f.write_str("the result is not ready"),
            Self::Terminated => f.write_str("the pool was terminated"),
            Self::NotRunning => f.write_str("Pool not running"),
            Self::Broken(failure) if failure.type_name() == "ConnectionError" => failure.fmt(f),
            Self::Broken(failure) => write!(f, "the pool's initializer failed: {failure}"),
            Self::Taken => f.write_str("the result was taken before"),
            Self::Cancelled => f.write_str("the job was cancelled"),
        }
    }
}

impl fmt::Debug for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Failed(_) => "JobFailed",
            Self::WorkerLost(_) => "WorkerLost",
            Self::TimedOut | Self::NotReady => "TimeoutError",
            Self::Encoding(_) => "MaybeEncodingError",
            Self::Terminated => "Terminated",
            Self::NotRunning => "ValueError",
            Self::Broken(_) => "BrokenPool",
            Self::Taken => "ValueError",
            Self::Cancelled => "CancelledError",
        };
        write!(f, "{name}: {self}")
    }
}

impl std::error::Error for JobError {}
