//! `with_progress`.

use std::sync::{Arc, Mutex};

use hilos::multiprocessing::pool::{Pool, ThreadPool};

use super::square;
use crate::support::LONG;

/// What was told, and the function to tell it to.
type Told = Arc<Mutex<Vec<(usize, usize)>>>;

fn recorder() -> (Told, impl Fn(usize, usize) + Send + Sync + 'static) {
    let told = Told::default();
    let record = told.clone();
    (told, move |done, total| {
        record.lock().unwrap().push((done, total))
    })
}

#[test]
fn a_map_counts_its_items_to_the_last() {
    let (told, record) = recorder();
    let pool = Pool::new(2)
        .unwrap()
        .with_progress(record)
        .with_chunksize(3);
    assert_eq!(pool.map(square, 0..10).unwrap().len(), 10);
    // All of it was told before the map returned.
    assert_eq!(told.lock().unwrap().last(), Some(&(10, 10)));
    let mut done: Vec<usize> = told.lock().unwrap().iter().map(|told| told.0).collect();
    assert_eq!(done.len(), 4, "once for each chunk");
    done.dedup();
    assert!(done.is_sorted() && done.len() == 4);
}

#[test]
fn each_call_is_counted_on_its_own() {
    let (told, record) = recorder();
    let pool = Pool::new(1).unwrap().with_progress(record);
    assert_eq!(pool.apply(square, (3,)), Ok(9));
    let failed = pool
        .with_chunksize(5)
        .map(|_: u8| -> u8 { panic!("it counts as done") }, 0..5);
    assert!(failed.is_err());
    assert_eq!(*told.lock().unwrap(), [(1, 1), (5, 5)]);
    assert_eq!(pool.map(square, []), Ok(vec![]));
    assert_eq!(told.lock().unwrap().len(), 2, "nothing is no step");
}

#[test]
fn an_imap_counts_what_is_taken() {
    let (told, record) = recorder();
    let pool = ThreadPool::new(2)
        .unwrap()
        .with_progress(record)
        .with_chunksize(2);
    let mut results = pool.imap(square, 0..5);
    assert_eq!(results.next(), Some(Ok(0)));
    assert_eq!(*told.lock().unwrap(), [(2, 5)]);
    assert_eq!(results.count(), 4);
    assert_eq!(*told.lock().unwrap(), [(2, 5), (4, 5), (5, 5)]);
}

#[test]
fn a_panic_in_it_is_not_the_pools() {
    let quiet = |_: usize, _: usize| std::panic::resume_unwind(Box::new("no bar"));
    let pool = Pool::new(1).unwrap().with_progress(quiet);
    let map = pool.map_async(square, 0..10).unwrap();
    assert_eq!(map.get(LONG).unwrap().len(), 10);
    assert_eq!(pool.apply(square, (3,)), Ok(9));
}
