//! `imap` and `imap_unordered`.

use hilos::multiprocessing::pool::{JobError, Pool};

use super::{pool, square};
use crate::support::LONG;

// cpython: _test_multiprocessing.py::_TestPool::test_imap
#[test]
fn imap_yields_in_order_and_takes_little_ahead() {
    let pool = Pool::new(2).unwrap();
    let taken = std::cell::Cell::new(0);
    let items = (0..1000).inspect(|_| taken.set(taken.get() + 1));
    let mut results = pool.imap(square, items);
    assert_eq!(results.next(), Some(Ok(0)));
    assert!(
        taken.get() < 100,
        "{} items were taken for one result",
        taken.get()
    );
    assert_eq!(results.next_timeout(LONG), Some(Ok(1)));
    let rest: Vec<i64> = results.map(Result::unwrap).collect();
    assert_eq!(rest, (2..1000).map(square).collect::<Vec<_>>());
}

// cpython: _test_multiprocessing.py::_TestPool::test_imap_unordered
#[test]
fn imap_unordered_yields_everything_once() {
    let pool = pool();
    let results = pool.imap_unordered(square, 0..500).map(Result::unwrap);
    let mut results: Vec<i64> = results.collect();
    results.sort_unstable();
    assert_eq!(results, (0..500).map(square).collect::<Vec<_>>());
}

#[test]
fn chunks_come_whole_and_in_order() {
    let pool = pool().with_chunksize(7);
    let results: Vec<i64> = pool.imap(square, 0..100).map(Result::unwrap).collect();
    assert_eq!(results, (0..100).map(square).collect::<Vec<_>>());
    let mut results: Vec<i64> = pool
        .imap_unordered(square, 0..100)
        .map(Result::unwrap)
        .collect();
    results.sort_unstable();
    assert_eq!(results, (0..100).map(square).collect::<Vec<_>>());
}

#[test]
fn the_buffer_bounds_what_is_taken_ahead() {
    for (chunksize, buffersize, most) in [(1, 3, 3), (4, 10, 8), (5, 2, 5), (1, 0, 1)] {
        let pool = pool().with_chunksize(chunksize).with_buffersize(buffersize);
        let taken = std::cell::Cell::new(0);
        let items = (0..40).inspect(|_| taken.set(taken.get() + 1));
        let mut given = 0;
        for result in pool.imap(square, items) {
            assert_eq!(result, Ok(square(given)));
            given += 1;
            // A chunk that has come makes room for another while its items are given.
            let begun = (given as usize).next_multiple_of(chunksize);
            assert!(taken.get() <= begun + most, "{} for {given}", taken.get());
        }
        assert_eq!(given, 40);
    }
}

#[test]
fn a_failing_chunk_is_one_error_and_the_others_come() {
    fn odd(number: u32) -> u32 {
        assert_eq!(number % 2, 1, "it is even");
        number
    }
    let pool = pool();
    let results: Vec<_> = pool.imap(odd, 0..6).collect();
    let good: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(good, [false, true, false, true, false, true]);
    let chunks = pool.with_chunksize(2);
    let results: Vec<_> = chunks.imap(odd, [1, 3, 5, 4, 7, 9]).collect();
    assert_eq!(results.len(), 5);
    assert!(matches!(&results[2], Err(JobError::Failed(failure))
        if failure.message().contains("it is even")));
    assert_eq!(results[3], Ok(7));
}

#[test]
fn an_iterator_keeps_its_pool() {
    let results = Pool::new(2).unwrap().imap(square, 0..100);
    assert!(results.map(Result::unwrap).eq((0..100).map(square)));
    let pool = pool();
    let results = pool.imap(square, 0..1000);
    pool.close();
    // What was sent is done by now, but there is more to come.
    assert!(matches!(
        pool.join(0.1),
        Err(hilos::multiprocessing::Error::Timeout)
    ));
    assert!(results.map(Result::unwrap).eq((0..1000).map(square)));
    pool.join(LONG).unwrap();
}

#[test]
fn an_iterator_that_is_dropped_lets_its_pool_end() {
    let pool = pool();
    let mut results = pool.imap_unordered(square, 0..);
    assert!(results.next().unwrap().is_ok());
    pool.close();
    drop(results);
    pool.join(LONG).unwrap();
}

#[test]
fn a_closed_or_terminated_pool_gives_one_error() {
    let pool = pool();
    let mut results = pool.imap(|_: u64| std::thread::park(), 0..);
    pool.terminate();
    assert_eq!(results.next(), Some(Err(JobError::Terminated)));
    assert!(results.all(|result| result == Err(JobError::Terminated)));
    let mut refused = pool.imap(square, 0..);
    assert_eq!(refused.next(), Some(Err(JobError::NotRunning)));
    assert_eq!(refused.next(), None);
}

#[test]
fn a_result_that_is_not_there_yet_is_not_lost() {
    let pool = Pool::new(1).unwrap();
    let directory = super::Directory::new("not-yet");
    let path = directory.path("go");
    let wait = |path: String| {
        while !std::path::Path::new(&path).exists() {
            std::thread::yield_now();
        }
    };
    let mut results = pool.imap(wait, [path.clone()]);
    assert_eq!(results.next_timeout(0.01), Some(Err(JobError::NotReady)));
    assert_eq!(results.next_timeout(-1), Some(Err(JobError::NotReady)));
    std::fs::write(path, "").unwrap();
    assert_eq!(results.next_timeout(LONG), Some(Ok(())));
    assert_eq!(results.next(), None);
}
