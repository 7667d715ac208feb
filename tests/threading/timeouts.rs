//! What the timeouts of all calls have in common.

use std::time::Duration;

use hilos::threading::{Error, Lock, OverflowError, TIMEOUT_MAX, Timeout, ValueError};

#[test]
fn what_may_be_a_timeout() {
    let lock = Lock::new();
    let acquires = |result: Result<bool, Error>| {
        assert!(result.unwrap());
        lock.release().unwrap();
    };
    acquires(lock.acquire_timeout(2));
    acquires(lock.acquire_timeout(0.5));
    acquires(lock.acquire_timeout(None));
    acquires(lock.acquire_timeout(Some(Duration::from_millis(5))));
    acquires(lock.acquire_timeout(Duration::from_secs(1)));
    acquires(lock.acquire_timeout(Duration::MAX));
    acquires(lock.acquire_timeout(2_u64));
    acquires(lock.acquire_timeout(Timeout::ZERO));
}

#[test]
fn which_error_a_wrong_one_is() {
    let lock = Lock::new();
    let error = |seconds: f64| lock.acquire_timeout(seconds).unwrap_err();
    assert!(matches!(error(-2.0), Error::Value(ValueError::Timeout(_))));
    assert_eq!(
        format!("{:?}", error(-0.001)),
        "ValueError: timeout value must be a non-negative number"
    );
    assert_eq!(
        format!("{:?}", error(f64::NAN)),
        "ValueError: Invalid value NaN (not a number)"
    );
    assert!(matches!(
        error(f64::INFINITY),
        Error::Overflow(OverflowError)
    ));
    assert_eq!(
        format!("{:?}", error(1e10)),
        "OverflowError: timestamp out of range for platform time_t"
    );
    assert_eq!(TIMEOUT_MAX, 9_223_372_036.0);
}
