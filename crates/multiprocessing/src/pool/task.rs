//! What waits for a worker, and who waits for what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use super::error::JobError;
use crate::reduction::Message;
use crate::sys::image::Descriptor;

/// A function with the arguments for one go of a worker.
pub(super) struct Task {
    pub(super) function: &'static Descriptor,
    /// The encoded list of arguments.
    pub(super) args: Message,
    /// Who is told the result, and as which part of the whole.
    pub(super) sink: Arc<dyn Sink>,
    pub(super) part: usize,
    /// How long a worker may take.
    pub(super) limit: Option<Duration>,
}

/// Who waits for results. Called by the supervisor, which must not be kept waiting.
pub(super) trait Sink: Send + Sync {
    /// Takes the encoded list of results of one task.
    fn deliver(&self, part: usize, result: Result<Message, JobError>);
}

impl Task {
    pub(super) fn fail(self, error: JobError) {
        self.sink.deliver(self.part, Err(error));
    }
}

/// A request as it travels: the task's number, the function's place, the arguments.
pub(super) fn request(number: u64, task: &Task) -> Vec<u8> {
    let function = task.function.offset() as u64;
    [
        &number.to_le_bytes()[..],
        &function.to_le_bytes(),
        &task.args.bytes,
    ]
    .concat()
}

/// Takes two numbers from the beginning of a message.
pub(super) fn split_numbers(mut bytes: Vec<u8>) -> Option<(u64, u64, Vec<u8>)> {
    let first = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    let second = u64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?);
    bytes.drain(..16);
    Some((first, second, bytes))
}
