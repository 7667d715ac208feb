//! Calls of one function with many items.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use hilos_multiprocessing::remote::Job;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ProcessPoolExecutor;
use crate::error::{FutureError, RuntimeError, ValueError};
use crate::map::{Map, Refill};
use crate::process::chunks::ChunkedMap;

impl ProcessPoolExecutor {
    /// Has the processes call `function` with every item, and returns the results in order.
    ///
    /// All calls are submitted at once; to limit them, use [`map_buffersize`](Self::map_buffersize).
    /// For many quick calls, [`map_chunksize`](Self::map_chunksize) is faster.
    ///
    /// # Errors
    /// As [`submit`](Self::submit); the calls that were submitted before are run.
    pub fn map<A, T, I>(
        &self,
        function: fn(A) -> T,
        items: I,
    ) -> Result<Map<'static, T>, RuntimeError>
    where
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        I: IntoIterator<Item = A>,
    {
        let called = Instant::now();
        let submit = |item| self.submit_fn(function, item);
        let futures = items.into_iter().map(submit).collect::<Result<_, _>>()?;
        Ok(Map::new(futures, None, called))
    }

    /// Like [`map`](Self::map), for a function that may fail, as in [`try_submit`](Self::try_submit).
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn try_map<A, T, E, I>(
        &self,
        function: fn(A) -> Result<T, E>,
        items: I,
    ) -> Result<Map<'static, T>, RuntimeError>
    where
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
        I: IntoIterator<Item = A>,
    {
        let called = Instant::now();
        let submit = |item| self.try_submit_fn(function, item);
        let futures = items.into_iter().map(submit).collect::<Result<_, _>>()?;
        Ok(Map::new(futures, None, called))
    }

    /// Like [`map`](Self::map), and has each call take `chunksize` items: fewer ways to go.
    ///
    /// # Errors
    /// [`FutureError::Value`] if `chunksize` is 0, or as [`submit`](Self::submit).
    pub fn map_chunksize<A, T, I>(
        &self,
        function: fn(A) -> T,
        items: I,
        chunksize: usize,
    ) -> Result<ChunkedMap<'static, T>, FutureError>
    where
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        I: IntoIterator<Item = A>,
    {
        if chunksize == 0 {
            return Err(ValueError::ChunkSize.into());
        }
        let (called, mut items) = (Instant::now(), items.into_iter());
        let mut futures = VecDeque::new();
        loop {
            let chunk: Vec<A> = items.by_ref().take(chunksize).collect();
            if chunk.is_empty() {
                break;
            }
            futures.push_back(self.send(Job::each(function, &chunk), Some)?);
        }
        Ok(ChunkedMap::new(Map::new(futures, None, called)))
    }

    /// Like [`map`](Self::map), but takes items only as results are asked for.
    ///
    /// Up to `buffersize` calls are submitted before; each result that is asked for adds one.
    /// The items may thus be many, or without an end. If the executor is dropped or shut down
    /// before the items are used up, the iterator ends with an error.
    ///
    /// # Errors
    /// [`FutureError::Value`] if `buffersize` is 0, or as [`submit`](Self::submit).
    pub fn map_buffersize<'a, A, T, I>(
        &self,
        function: fn(A) -> T,
        items: I,
        buffersize: usize,
    ) -> Result<Map<'a, T>, FutureError>
    where
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        I: IntoIterator<Item = A, IntoIter: Send + 'a>,
    {
        if buffersize == 0 {
            return Err(ValueError::BufferSize.into());
        }
        let called = Instant::now();
        // The results' iterator keeps neither the executor nor its workers alive.
        let handle = Arc::downgrade(&self.handle);
        let mut submitted = items.into_iter().map(move |item| {
            let handle = handle.upgrade().ok_or(RuntimeError::AfterShutdown)?;
            Self { handle }.submit_fn(function, item)
        });
        let futures: Result<VecDeque<_>, _> = submitted.by_ref().take(buffersize).collect();
        let refill: Refill<'a, T> = Box::new(move || submitted.next());
        Ok(Map::new(futures?, Some(refill), called))
    }
}
