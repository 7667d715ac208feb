//! Iterators over results, of which some come while the rest is at work.

use std::fmt;

use hilos_core::time::{Deadline, Timeout};

use super::call::Call;
use super::error::JobError;
use super::stream::{AsTheyCome, InTurn, Stream};

/// The results of [`Pool::imap`](super::Pool::imap), in the order of the items.
///
/// It keeps its pool: results come also when the program has dropped the pool itself or has closed
/// it. A pool that is closed ends when this iterator is exhausted or dropped.
///
/// Mirrors `multiprocessing.pool.IMapIterator`.
pub struct IMapIterator<I: Iterator, R>(Stream<I, R, InTurn>);

/// The results of [`Pool::imap_unordered`](super::Pool::imap_unordered), as they come.
///
/// It keeps its pool, as an [`IMapIterator`] does.
///
/// Mirrors `multiprocessing.pool.IMapUnorderedIterator`.
pub struct IMapUnorderedIterator<I: Iterator, R>(Stream<I, R, AsTheyCome>);

macro_rules! iterator {
    ($($name:ident)*) => {$(
        impl<I: Iterator, R> $name<I, R> {
            pub(super) fn new<T>(call: Result<Call<I::Item, R>, JobError>, items: T) -> Self
            where
                T: IntoIterator<IntoIter = I>,
            {
                Self(Stream::new(call.unwrap_or_else(Call::refused), items))
            }

            /// The next result, or [`JobError::NotReady`] if it is not there when `timeout` has
            /// passed.
            pub fn next_timeout<T>(&mut self, timeout: T) -> Option<Result<R, JobError>>
            where
                T: Into<Timeout>,
            {
                self.0.next(timeout.into().deadline())
            }
        }

        impl<I: Iterator, R> Iterator for $name<I, R> {
            type Item = Result<R, JobError>;

            fn next(&mut self) -> Option<Self::Item> {
                self.0.next(Deadline::NEVER)
            }
        }

        impl<I: Iterator, R> fmt::Debug for $name<I, R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("taken", &self.0.taken())
                    .finish()
            }
        }
    )*};
}
iterator!(IMapIterator IMapUnorderedIterator);
