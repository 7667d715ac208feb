//! The results of a map whose calls take several items each.

use std::fmt;
use std::iter::FusedIterator;

use hilos_core::time::Timeout;

use crate::error::FutureError;
use crate::map::Map;

/// The results of a map, in the order of its items; made by
/// [`ProcessPoolExecutor::map_chunksize`](super::ProcessPoolExecutor::map_chunksize).
///
/// The items of one chunk succeed or fail together. Otherwise as [`Map`].
pub struct ChunkedMap<'a, T> {
    chunks: Map<'a, Vec<T>>,
    /// Of the chunk that came last.
    results: std::vec::IntoIter<T>,
}

impl<'a, T> ChunkedMap<'a, T> {
    pub(super) fn new(chunks: Map<'a, Vec<T>>) -> Self {
        Self {
            chunks,
            results: Vec::new().into_iter(),
        }
    }

    /// As [`Map::with_timeout`].
    #[must_use = "it is the same iterator, with a timeout"]
    pub fn with_timeout<D: Into<Timeout>>(self, timeout: D) -> Self {
        Self {
            chunks: self.chunks.with_timeout(timeout),
            results: self.results,
        }
    }

    /// As [`Map::close`].
    pub fn close(&mut self) {
        self.chunks.close();
        self.results = Vec::new().into_iter();
    }
}

impl<T> Iterator for ChunkedMap<'_, T> {
    type Item = Result<T, FutureError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(result) = self.results.next() {
                return Some(Ok(result));
            }
            match self.chunks.next()? {
                Ok(results) => self.results = results.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<T> FusedIterator for ChunkedMap<'_, T> {}

impl<T> fmt::Debug for ChunkedMap<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chunks.fmt(f)
    }
}
