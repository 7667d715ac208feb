//! What travels beside names and numbers.

use std::sync::Arc;

use hilos_multiprocessing::Failure;
use hilos_multiprocessing::pool::elsewhere::{encode, failure, open};
use hilos_multiprocessing::pool::{JobError, WorkerLost};
use serde::{Deserialize, Serialize};

/// The most bytes that the arguments or the results of one task may have.
pub(crate) const LARGEST: usize = 64 << 20;

/// A call that waits to be sent: a function's name and the encoded list of arguments.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) function: &'static str,
    pub(crate) args: Arc<Vec<u8>>,
}

/// Why a task has no results.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Setback {
    Failed(Failure),
    Lost(WorkerLost),
    TimedOut,
    Encoding(String),
}

/// What became of a task: the encoded list of results, or why there is none.
pub(crate) type Outcome = Result<Vec<u8>, Setback>;

impl Order {
    pub(crate) fn new(function: &'static str, args: Vec<u8>) -> Result<Self, JobError> {
        check_size("arguments", function, args.len()).map_err(JobError::Encoding)?;
        let args = Arc::new(args);
        Ok(Self { function, args })
    }
}

/// Refuses what the server should not have to hold.
pub(crate) fn check_size(what: &str, function: &str, size: usize) -> Result<(), String> {
    if size <= LARGEST {
        return Ok(());
    }
    let (size, largest) = (size.div_ceil(1 << 20), LARGEST >> 20);
    Err(format!(
        "the {what} of {function} have {size} MiB, and a cluster carries {largest} MiB: make \
         chunksize smaller, or put the data where every worker can read it and send its name"
    ))
}

/// The last byte says which of the two it is, so that results need not be copied.
const DONE: u8 = 0;
const NOT_DONE: u8 = 1;

/// An outcome as it travels.
pub(crate) fn pack(outcome: Outcome) -> Vec<u8> {
    let (mut bytes, kind) = match outcome {
        Ok(results) => (results, DONE),
        Err(setback) => (encode(&setback).unwrap_or_default(), NOT_DONE),
    };
    bytes.push(kind);
    bytes
}

/// Undoes [`pack`].
pub(crate) fn unpack(mut bytes: Vec<u8>) -> Result<Vec<u8>, JobError> {
    match bytes.pop() {
        Some(DONE) => Ok(bytes),
        Some(NOT_DONE) => Err(open::<Setback>(&bytes)?.into()),
        _ => Err(JobError::Encoding(
            "the worker belongs to another version of this program".into(),
        )),
    }
}

impl From<Setback> for JobError {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::Failed(failure) => Self::Failed(failure),
            Setback::Lost(lost) => Self::WorkerLost(lost),
            Setback::TimedOut => Self::TimedOut,
            Setback::Encoding(text) => Self::Encoding(text),
        }
    }
}

impl Setback {
    /// A function that this worker does not know.
    pub(crate) fn unknown(function: &str) -> Self {
        let text = format!("no function is registered as {function} in the worker's program");
        Self::Failed(failure("LookupError", &text))
    }
}
