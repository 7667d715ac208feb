//! `SemaphoreTests` and `BoundedSemaphoreTests`.

use hilos::threading::{BoundedSemaphore, Semaphore, ValueError};

use crate::support::{Count, in_threads, meet};

/// The tests that both kinds pass: `BaseSemaphoreTests`.
macro_rules! base_semaphore_tests {
    ($semaphore:ident) => {
        mod base {
            use std::sync::Arc;
            use std::sync::atomic::{AtomicUsize, Ordering};
            use std::time::Instant;

            use hilos::threading::{TIMEOUT_MAX, ValueError, $semaphore};

            use crate::support::{Count, LONG, in_threads, start, wait_blocked};

            // cpython: lock_tests.py::BaseSemaphoreTests::test_constructor
            // cpython: lock_tests.py::BaseSemaphoreTests::test_default_value
            #[test]
            fn it_starts_with_its_value() {
                static NONE: $semaphore = $semaphore::new(0);
                assert!(!NONE.try_acquire());
                let one = $semaphore::default();
                assert!(one.try_acquire() && !one.try_acquire());
                let huge = $semaphore::new(usize::MAX);
                assert!(huge.try_acquire());
            }

            // cpython: lock_tests.py::BaseSemaphoreTests::test_acquire
            #[test]
            fn acquire_and_release() {
                let semaphore = $semaphore::new(2);
                semaphore.acquire();
                semaphore.acquire();
                assert!(!semaphore.try_acquire());
                semaphore.release().unwrap();
                semaphore.acquire();
                assert!(!semaphore.try_acquire());
            }

            // cpython: lock_tests.py::BaseSemaphoreTests::test_acquire_destroy
            #[test]
            fn a_taken_one_may_be_dropped() {
                let semaphore = Box::new($semaphore::new(1));
                semaphore.acquire();
                drop(semaphore);
            }

            /// Five threads acquire it, of which three get through at once, and then so many as
            /// are released.
            fn check_contended(release_some: fn(&$semaphore, usize)) {
                let shared = Arc::new(($semaphore::new(7), Count::default()));
                let (semaphore, through) = &*shared;
                (0..4).for_each(|_| semaphore.acquire());
                let thread = || {
                    let shared = shared.clone();
                    start(move || {
                        shared.0.acquire();
                        shared.1.up();
                    })
                };
                let threads: Vec<_> = (0..7).map(|_| thread()).collect();
                through.wait_for(3);
                let blocked = || threads.iter().filter(|thread| thread.is_alive());
                crate::support::wait_until("three to end", || blocked().count() == 4);
                blocked().for_each(wait_blocked);
                assert_eq!(through.get(), 3);
                release_some(semaphore, 3);
                through.wait_for(6);
                crate::support::wait_until("three more to end", || blocked().count() == 1);
                blocked().for_each(wait_blocked);
                assert_eq!(through.get(), 6);
                release_some(semaphore, 1);
                threads.iter().for_each(|thread| thread.join(LONG).unwrap());
                assert!(!semaphore.try_acquire(), "all were taken");
            }

            // cpython: lock_tests.py::BaseSemaphoreTests::test_acquire_contended
            #[test]
            fn threads_wait_for_a_release_each() {
                check_contended(|semaphore, count| {
                    (0..count).for_each(|_| semaphore.release().unwrap());
                });
            }

            // cpython: lock_tests.py::BaseSemaphoreTests::test_multirelease
            #[test]
            fn one_release_for_several() {
                check_contended(|semaphore, count| semaphore.release_n(count).unwrap());
            }

            // cpython: lock_tests.py::BaseSemaphoreTests::test_try_acquire
            // cpython: lock_tests.py::BaseSemaphoreTests::test_try_acquire_contended
            #[test]
            fn try_acquire_does_not_wait() {
                let semaphore = $semaphore::new(4);
                semaphore.acquire();
                let got = Count::default();
                in_threads(10, |_| {
                    if semaphore.try_acquire() {
                        got.up();
                    }
                });
                assert_eq!(got.get(), 3);
            }

            // cpython: lock_tests.py::BaseSemaphoreTests::test_acquire_timeout
            #[test]
            fn a_timeout_limits_the_wait() {
                let semaphore = $semaphore::new(2);
                assert!(semaphore.acquire_timeout(0.005));
                assert!(semaphore.acquire_timeout(None));
                let start = Instant::now();
                assert!(!semaphore.acquire_timeout(0.05));
                assert!(start.elapsed().as_secs_f64() >= 0.05);
                for at_once in [0.0, -1.0, f64::NAN] {
                    assert!(!semaphore.acquire_timeout(at_once), "{at_once}");
                }
                semaphore.release().unwrap();
                assert!(semaphore.acquire_timeout(-1), "there is one to take");
            }

            // cpython: lock_tests.py::BaseSemaphoreTests::test_with
            #[test]
            fn a_guard_and_a_closure_release_it_even_on_a_panic() {
                let semaphore = $semaphore::new(2);
                let free = || {
                    let both = semaphore.try_acquire() && semaphore.try_acquire();
                    both && semaphore.release_n(2).is_ok()
                };
                {
                    let _first = semaphore.lock();
                    let _second = semaphore.lock();
                    assert!(!semaphore.try_acquire());
                }
                assert!(free());
                semaphore.with(|| assert!(!free() && semaphore.release().is_ok()));
                assert!(free());
                for panics in [
                    &(|| semaphore.with::<(), _>(|| panic!("in the closure"))) as &dyn Fn(),
                    &|| {
                        let _held = semaphore.lock();
                        panic!("under the guard");
                    },
                ] {
                    let call = std::panic::AssertUnwindSafe(panics);
                    assert!(std::panic::catch_unwind(call).is_err());
                    assert!(free());
                }
            }

            #[test]
            fn releasing_nothing_is_refused() {
                for value in [0, 1, 3] {
                    let semaphore = $semaphore::new(value);
                    let before = semaphore.to_string();
                    let refused = semaphore.release_n(0).unwrap_err();
                    assert!(refused == ValueError::ReleaseNone);
                    assert_eq!(refused.to_string(), "n must be one or more");
                    assert_eq!(semaphore.to_string(), before);
                }
            }

            #[test]
            fn a_release_that_meets_a_timeout_is_not_lost() {
                for round in 0..200 {
                    let semaphore = Arc::new($semaphore::new(2));
                    (0..2).for_each(|_| semaphore.acquire());
                    let taker = |timeout: f64| {
                        let semaphore = semaphore.clone();
                        start(move || semaphore.acquire_timeout(timeout))
                    };
                    let hasty = taker(f64::from(round) * 1e-5);
                    let patient = taker(LONG);
                    semaphore.release().unwrap();
                    if hasty.join(LONG).unwrap() {
                        semaphore.release().unwrap();
                    }
                    assert!(patient.join(LONG).unwrap());
                    assert!(!semaphore.try_acquire());
                }
            }

            #[test]
            fn a_timeout_beyond_the_clock_waits_for_ever() {
                for endless in [f64::INFINITY, 1e300, TIMEOUT_MAX + 1.0, TIMEOUT_MAX] {
                    let semaphore = Arc::new($semaphore::new(1));
                    semaphore.acquire();
                    let theirs = semaphore.clone();
                    let thread = start(move || theirs.acquire_timeout(endless));
                    wait_blocked(&thread);
                    semaphore.release().unwrap();
                    assert!(thread.join(LONG).unwrap(), "{endless}");
                }
            }

            #[test]
            fn no_more_than_its_value_at_once() {
                let (semaphore, inside) = ($semaphore::new(3), AtomicUsize::new(0));
                in_threads(6, |_| {
                    for _ in 0..500 {
                        let _held = semaphore.lock();
                        assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
                assert!(semaphore.to_string().contains("value=3"));
            }
        }
    };
}

mod unbounded {
    use super::*;

    base_semaphore_tests!(Semaphore);

    // cpython: lock_tests.py::SemaphoreTests::test_release_unacquired
    #[test]
    fn it_may_be_released_beyond_its_first_value() {
        let semaphore = Semaphore::new(1);
        semaphore.release().unwrap();
        assert!(semaphore.try_acquire() && semaphore.try_acquire() && !semaphore.try_acquire());
        semaphore.release_n(3).unwrap();
        assert!((0..3).all(|_| semaphore.try_acquire()));
    }

    #[test]
    fn a_release_beyond_the_largest_value_is_refused() {
        let semaphore = Semaphore::new(usize::MAX);
        let before = semaphore.to_string();
        for n in [1, usize::MAX] {
            assert!(semaphore.release_n(n) == Err(ValueError::ReleasedTooManyTimes));
            assert_eq!(semaphore.to_string(), before);
        }
    }

    // cpython: lock_tests.py::SemaphoreTests::test_repr
    #[test]
    fn it_prints_as_in_python() {
        let semaphore = Semaphore::new(4);
        let shows = |value: usize| {
            let expected = format!("<threading.Semaphore at {:p}: value={value}>", &semaphore);
            assert_eq!(
                (semaphore.to_string(), format!("{semaphore:?}")),
                (expected.clone(), expected)
            );
        };
        shows(4);
        semaphore.release().unwrap();
        shows(5);
    }
}

mod bounded {
    use super::*;

    base_semaphore_tests!(BoundedSemaphore);

    // cpython: test_threading.py::ThreadTests::test_BoundedSemaphore_limit
    #[test]
    fn threads_may_release_it_as_often_as_they_acquired_it() {
        for limit in 1..10 {
            let semaphore = BoundedSemaphore::new(limit);
            in_threads(limit, |_| semaphore.acquire());
            assert!(!semaphore.try_acquire());
            in_threads(limit, |_| semaphore.release().unwrap());
            assert!(semaphore.release() == Err(ValueError::ReleasedTooManyTimes));
        }
    }

    #[test]
    fn of_two_releases_at_once_one_is_too_many() {
        const ROUNDS: usize = 10_000;
        let (semaphore, done) = (BoundedSemaphore::new(2), Count::default());
        let (begun, ended, seen) = (Count::default(), Count::default(), Count::default());
        in_threads(2, |number| {
            for round in 1..=ROUNDS {
                if number == 0 {
                    semaphore.acquire();
                }
                meet(&begun, 2, round);
                if semaphore.release().is_ok() {
                    done.up();
                }
                meet(&ended, 2, round);
                assert_eq!(done.get(), round);
                meet(&seen, 2, round);
            }
        });
        assert!(semaphore.to_string().ends_with(": value=2/2>"));
    }

    // cpython: lock_tests.py::BoundedSemaphoreTests::test_release_unacquired
    #[test]
    fn a_release_too_many_is_refused_and_changes_nothing() {
        let semaphore = BoundedSemaphore::new(2);
        let refuses = |n| {
            let before = semaphore.to_string();
            let refused = semaphore.release_n(n).unwrap_err();
            assert_eq!(semaphore.to_string(), before);
            assert!(refused == ValueError::ReleasedTooManyTimes);
            assert_eq!(
                format!("{refused:?}"),
                "ValueError: Semaphore released too many times"
            );
        };
        refuses(1);
        semaphore.acquire();
        refuses(2);
        semaphore.release().unwrap();
        refuses(1);
        assert!(semaphore.try_acquire() && semaphore.try_acquire() && !semaphore.try_acquire());
        refuses(usize::MAX);
        semaphore.release_n(2).unwrap();
    }

    // cpython: lock_tests.py::BoundedSemaphoreTests::test_repr
    #[test]
    fn it_prints_as_in_python() {
        let semaphore = BoundedSemaphore::new(4);
        semaphore.acquire();
        let expected = format!(
            "<threading.BoundedSemaphore at {:p}: value=3/4>",
            &semaphore
        );
        assert_eq!(semaphore.to_string(), expected);
    }
}
