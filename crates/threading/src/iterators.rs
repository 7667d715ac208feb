//! Iterators that several threads share.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::iter::Fuse;
use std::sync::Arc;

use parking_lot::Mutex;

/// An iterator whose clones are one iterator, for several threads to take items from.
///
/// Made by [`serialize_iterator`]. Each item goes to one of the threads.
#[derive(Clone)]
pub struct SerializeIterator<I> {
    shared: Arc<Mutex<I>>,
}

/// Lets several threads take items from one iterator, one thread at a time.
///
/// ```
/// use hilos_threading as threading;
/// use threading::Thread;
///
/// let numbers = threading::serialize_iterator(1..=100);
/// let theirs = numbers.clone();
/// let other = Thread::returning(move || theirs.sum::<u32>());
/// other.start()?;
/// let mine: u32 = numbers.sum();
/// assert_eq!(mine + other.join(None).unwrap(), 5050);
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Blocking
/// Taking an item waits while another thread takes one.
///
/// # Differences from Python
/// A generator's `send`, `throw` and `close` have no counterpart in an iterator.
///
/// Mirrors [`threading.serialize_iterator`](https://docs.python.org/3.15/library/threading.html#threading.serialize_iterator).
pub fn serialize_iterator<I: IntoIterator>(iterable: I) -> SerializeIterator<I::IntoIter> {
    SerializeIterator {
        shared: Arc::new(Mutex::new(iterable.into_iter())),
    }
}

impl<I: Iterator> Iterator for SerializeIterator<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.shared.lock().next()
    }
}

impl<I> fmt::Debug for SerializeIterator<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SerializeIterator").finish_non_exhaustive()
    }
}

/// Makes a function that returns iterators return ones that several threads can share.
///
/// ```
/// use hilos_threading as threading;
///
/// let count_to = threading::synchronized_iterator(|last: u32| 1..=last);
/// let numbers = count_to(3);
/// assert_eq!(numbers.clone().next(), Some(1));
/// assert_eq!(numbers.collect::<Vec<_>>(), [2, 3]);
/// ```
///
/// # Differences from Python
/// Python's is a decorator; several arguments travel in a tuple.
///
/// Mirrors [`threading.synchronized_iterator`](https://docs.python.org/3.15/library/threading.html#threading.synchronized_iterator).
pub fn synchronized_iterator<A, I, F>(func: F) -> impl Fn(A) -> SerializeIterator<I::IntoIter>
where
    I: IntoIterator,
    F: Fn(A) -> I,
{
    move |argument| serialize_iterator(func(argument))
}

/// One of the iterators that [`concurrent_tee`] makes of one; a clone goes on from the same item.
pub struct ConcurrentTee<I: Iterator> {
    shared: Arc<Mutex<Tee<I>>>,
    /// Which of the branches this is.
    branch: usize,
}

struct Tee<I: Iterator> {
    source: Fuse<I>,
    /// What each branch has still to yield before it asks the source.
    ahead: BTreeMap<usize, VecDeque<I::Item>>,
}

/// Makes `n` iterators of one, for threads that each want every item; Python's `n` is 2.
///
/// Items that one of them has not taken yet are kept for it.
///
/// ```
/// use hilos_threading as threading;
///
/// let mut branches = threading::concurrent_tee("ab".chars(), 2).into_iter();
/// let (first, second) = (branches.next().unwrap(), branches.next().unwrap());
/// assert_eq!(first.collect::<String>(), "ab");
/// assert_eq!(second.collect::<String>(), "ab");
/// ```
///
/// # Blocking
/// Taking an item waits while another branch takes one.
///
/// Mirrors [`threading.concurrent_tee`](https://docs.python.org/3.15/library/threading.html#threading.concurrent_tee).
pub fn concurrent_tee<I>(iterable: I, n: usize) -> Vec<ConcurrentTee<I::IntoIter>>
where
    I: IntoIterator,
    I::Item: Clone,
{
    let ahead = (0..n).map(|branch| (branch, VecDeque::new())).collect();
    let shared = Arc::new(Mutex::new(Tee {
        source: iterable.into_iter().fuse(),
        ahead,
    }));
    (0..n)
        .map(|branch| ConcurrentTee {
            shared: shared.clone(),
            branch,
        })
        .collect()
}

impl<I: Iterator<Item: Clone>> Iterator for ConcurrentTee<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let mut tee = self.shared.lock();
        let mine = tee.ahead.get_mut(&self.branch);
        if let Some(item) = mine.and_then(VecDeque::pop_front) {
            return Some(item);
        }
        let item = tee.source.next()?;
        for (&branch, ahead) in &mut tee.ahead {
            if branch != self.branch {
                ahead.push_back(item.clone());
            }
        }
        Some(item)
    }
}

impl<I: Iterator<Item: Clone>> Clone for ConcurrentTee<I> {
    fn clone(&self) -> Self {
        let mut tee = self.shared.lock();
        let ahead = tee.ahead[&self.branch].clone();
        let branch = tee.ahead.last_key_value().map_or(0, |(last, _)| last + 1);
        tee.ahead.insert(branch, ahead);
        Self {
            shared: self.shared.clone(),
            branch,
        }
    }
}

impl<I: Iterator> Drop for ConcurrentTee<I> {
    fn drop(&mut self) {
        // Dropped after the lock is free: the items are the user's values.
        let ahead = self.shared.lock().ahead.remove(&self.branch);
        drop(ahead);
    }
}

impl<I: Iterator> fmt::Debug for ConcurrentTee<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrentTee")
            .field("branch", &self.branch)
            .finish_non_exhaustive()
    }
}
