//! What goes through the socket between a pool and a worker.

use std::sync::Arc;

use super::context::Context;
use crate::reduction::Message;
use crate::sys::image::Descriptor;

/// A function with the arguments for one go of a worker.
pub(super) struct Request {
    pub(super) function: &'static Descriptor,
    /// The encoded list of arguments.
    pub(super) args: Message,
    /// What the function shares with its other calls.
    pub(super) context: Option<Arc<Context>>,
}

/// In place of a task's number, which begins at 1: a context and its number to remember.
pub(super) const REMEMBER: u64 = 0;
/// In place of a task's number: the number of a context to forget.
pub(super) const FORGET: u64 = u64::MAX;

/// In place of the number of a task that is done: whether the worker is ready for tasks.
pub(super) const READY: u64 = 0;
/// After the number, before the results or a failure.
pub(super) const OK: u64 = 0;
pub(super) const FAILED: u64 = 1;

/// A message: the number of a task, or what stands in its place; a number of another kind; the rest.
pub(super) fn frame(number: u64, other: u64, rest: &[u8]) -> Vec<u8> {
    [&number.to_le_bytes()[..], &other.to_le_bytes(), rest].concat()
}

/// Undoes [`frame`].
pub(super) fn unframe(mut bytes: Vec<u8>) -> Option<(u64, u64, Vec<u8>)> {
    let first = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    let second = u64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?);
    bytes.drain(..16);
    Some((first, second, bytes))
}
