//! A pool of CPython's, used from here.

use std::collections::BTreeMap;

use hilos::multiprocessing::managers::RemoteError;
use hilos::pickle::Global;

use super::server::with_all;
use crate::support::LONG;

#[test]
fn a_pool_calls_functions_by_name() {
    with_all(|manager| {
        let pool = manager.pool(2).unwrap();
        let factorial = Global::new("math", "factorial");
        assert_eq!(pool.apply::<u64, _>(&factorial, (5,)).unwrap(), 120);
        let all = [1_u64, 1, 2, 6, 24];
        assert_eq!(pool.map::<u64, _>(&factorial, 0..5).unwrap(), all);
        let power = Global::new("math", "pow");
        let powers: Vec<f64> = pool.starmap(&power, [(2, 3), (3, 2)]).unwrap();
        assert_eq!(powers, [8.0, 9.0]);
        let results = pool.imap::<u64, _>(&factorial, 0..5).unwrap();
        assert_eq!(results.collect::<Result<Vec<_>, _>>().unwrap(), all);
        let results = pool.imap_unordered::<u64, _>(&factorial, 0..5).unwrap();
        let mut results: Vec<_> = results.map(Result::unwrap).collect();
        results.sort_unstable();
        assert_eq!(results, all);
        let (round, digits) = (
            Global::new("builtins", "round"),
            BTreeMap::from([("ndigits", 1)]),
        );
        let rounded: f64 = pool.apply_with(&round, (1.25,), &digits).unwrap();
        assert_eq!(rounded, 1.2);
        let error = pool.apply::<u64, _>(&factorial, (-1,)).unwrap_err();
        assert!(matches!(error, RemoteError::Value(_)), "{error:?}");
        pool.close().unwrap();
        pool.join().unwrap();
    });
}

#[test]
fn a_result_comes_later() {
    with_all(|manager| {
        let pool = manager.pool(1).unwrap();
        let factorial = Global::new("math", "factorial");
        let later = pool.apply_async::<u64, _>(&factorial, (5,)).unwrap();
        assert_eq!(later.get(LONG).unwrap(), 120);
        assert!(later.ready().unwrap() && later.successful().unwrap());
        later.wait(None).unwrap();
        let many = pool.map_async::<u64, _>(&factorial, 0..3).unwrap();
        assert_eq!(many.get(None).unwrap(), [1, 1, 2]);
        let power = Global::new("math", "pow");
        let many = pool.starmap_async::<f64, _>(&power, [(2, 2)]).unwrap();
        assert_eq!(many.get(LONG).unwrap(), [4.0]);
        let sleep = Global::new("time", "sleep");
        let never = pool.apply_async::<(), _>(&sleep, (1,)).unwrap();
        assert!(matches!(never.get(0.01), Err(RemoteError::Timeout)));
        assert!(matches!(never.successful(), Err(RemoteError::Value(_))));
        pool.terminate().unwrap();
        pool.join().unwrap();
    });
}
