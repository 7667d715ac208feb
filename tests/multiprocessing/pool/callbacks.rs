//! Callbacks of jobs.

use std::sync::{Arc, Mutex};

use hilos::multiprocessing::pool::{JobError, Pool, ThreadPool};

use crate::support::LONG;

/// What callbacks were told.
type Told = Arc<Mutex<Vec<Result<Vec<i32>, JobError>>>>;

fn tell(
    told: &Told,
) -> (
    impl FnOnce(&Vec<i32>) + use<>,
    impl FnOnce(&JobError) + use<>,
) {
    let (results, errors) = (told.clone(), told.clone());
    (
        move |list: &Vec<i32>| results.lock().unwrap().push(Ok(list.clone())),
        move |error: &JobError| errors.lock().unwrap().push(Err(error.clone())),
    )
}

// cpython: _test_multiprocessing.py::_TestPool::test_map_async_callbacks
#[test]
fn a_map_tells_its_callbacks() {
    let pool = Pool::new(2).unwrap();
    let parse = |text: String| text.parse::<i32>().expect("a number");
    let told = Told::default();
    for (text, count) in [("1", 1), ("a", 2)] {
        let (callback, error_callback) = tell(&told);
        let result = pool.map_async(parse, [text.to_string()]).unwrap();
        let result = result
            .with_callback(callback)
            .with_error_callback(error_callback);
        assert!(result.wait(LONG));
        // As soon as the result is ready they have been called.
        assert_eq!(told.lock().unwrap().len(), count);
    }
    let told = told.lock().unwrap();
    assert_eq!(told[0], Ok(vec![1]));
    assert!(
        matches!(&told[1], Err(JobError::Failed(_))),
        "{:?}",
        told[1]
    );
}

// cpython: _test_multiprocessing.py::_TestPoolWorkerErrors::test_async_error_callback
#[test]
fn a_failed_job_tells_its_error_callback_and_its_owner() {
    let pool = Pool::new(2).unwrap();
    let seen = Arc::new(Mutex::new(None));
    let theirs = seen.clone();
    let result = pool
        .apply_async(|| -> i32 { panic!("no such key") }, ())
        .unwrap();
    let result = result
        .with_callback(|_| panic!("there is no result"))
        .with_error_callback(move |error| *theirs.lock().unwrap() = Some(error.clone()));
    let error = result.get(LONG).unwrap_err();
    assert_eq!(seen.lock().unwrap().take(), Some(error));
    assert!(!result.successful().unwrap());
}

#[test]
fn the_result_is_there_for_its_owner_too() {
    let pool = Pool::new(1).unwrap();
    let sum = Arc::new(Mutex::new(0));
    let theirs = sum.clone();
    let result = pool.apply_async(|| 42, ()).unwrap();
    let result = result.with_callback(move |n| *theirs.lock().unwrap() += n);
    assert_eq!(result.get(LONG), Ok(42));
    assert_eq!(*sum.lock().unwrap(), 42);
    assert_eq!(result.get(LONG), Err(JobError::Taken));
}

#[test]
fn a_callback_that_comes_late_is_called_at_once() {
    let pool = Pool::new(1).unwrap();
    let result = pool.map_async(|n: i32| n + 1, [1, 2]).unwrap();
    assert!(result.wait(LONG));
    let told = Told::default();
    let result = result
        .with_callback(tell(&told).0)
        .with_callback(tell(&told).0);
    assert_eq!(*told.lock().unwrap(), [Ok(vec![2, 3]), Ok(vec![2, 3])]);
    assert_eq!(result.get(LONG), Ok(vec![2, 3]));
}

#[test]
fn a_callback_that_panics_harms_nobody() {
    let pool = Pool::new(1).unwrap();
    let result = pool
        .apply_async(|| 1, ())
        .unwrap()
        .with_callback(|_| panic!("in a callback"));
    assert_eq!(result.get(LONG), Ok(1));
    assert_eq!(pool.apply(|| 2, ()), Ok(2));
}

#[test]
fn callbacks_of_threads() {
    let pool = ThreadPool::new(2).unwrap();
    let told = Told::default();
    let result = pool
        .map_async(|n: i32| n * 2, 0..3)
        .unwrap()
        .with_callback(tell(&told).0);
    assert_eq!(result.get(LONG).unwrap(), [0, 2, 4]);
    assert_eq!(*told.lock().unwrap(), [Ok(vec![0, 2, 4])]);
}

#[test]
fn a_callback_can_use_the_pool() {
    let pool = Arc::new(Pool::new(1).unwrap());
    let (theirs, next) = (pool.clone(), Arc::new(Mutex::new(None)));
    let place = next.clone();
    let first = pool.apply_async(|| 1, ()).unwrap().with_callback(move |n| {
        let job = theirs.apply_async(|n: i32| n + 1, (*n,)).unwrap();
        *place.lock().unwrap() = Some(job);
    });
    assert_eq!(first.get(LONG), Ok(1));
    let second = next.lock().unwrap().take().unwrap();
    assert_eq!(second.get(LONG), Ok(2));
}
