//! `BaseLockTests`, for `Lock` and `RLock` alike.

/// The tests that both kinds of locks pass, in a module named `base`.
macro_rules! base_lock_tests {
    ($lock:ident) => {
        mod base {
            use std::sync::Arc;
            use std::time::Duration;

            use hilos::threading::{self, Timeout, $lock};

            use crate::support::{Count, LONG, in_threads, start, wait_blocked};

            // cpython: lock_tests.py::BaseLockTests::test_constructor
            #[test]
            fn a_new_lock_is_free() {
                static STATIC: $lock = $lock::new();
                assert!(!STATIC.locked() && !$lock::default().locked());
            }

            // cpython: lock_tests.py::BaseLockTests::test_repr
            // cpython: lock_tests.py::BaseLockTests::test_locked_repr
            #[test]
            fn it_prints_as_in_python() {
                let lock = $lock::new();
                let shows = |start: &str| {
                    let text = lock.to_string();
                    assert!(text.starts_with(start), "{text}");
                    assert!(text.ends_with(&format!(" at {:p}>", &lock)), "{text}");
                    assert_eq!(text, format!("{lock:?}"));
                };
                shows("<unlocked _thread.");
                lock.acquire();
                shows("<locked _thread.");
            }

            // cpython: lock_tests.py::BaseLockTests::test_acquire_destroy
            #[test]
            fn a_held_lock_may_be_dropped() {
                let lock = Box::new($lock::new());
                lock.acquire();
                drop(lock);
            }

            // cpython: lock_tests.py::BaseLockTests::test_acquire_release
            #[test]
            fn acquire_and_release() {
                let lock = $lock::new();
                lock.acquire();
                assert!(lock.locked());
                lock.release().unwrap();
                assert!(!lock.locked());
            }

            // cpython: lock_tests.py::BaseLockTests::test_try_acquire
            #[test]
            fn try_acquire_takes_a_free_lock() {
                let lock = $lock::new();
                assert!(lock.try_acquire());
                assert!(lock.locked());
                lock.release().unwrap();
            }

            // cpython: lock_tests.py::BaseLockTests::test_try_acquire_contended
            #[test]
            fn try_acquire_fails_while_another_thread_holds_it() {
                let lock = $lock::new();
                lock.acquire();
                in_threads(1, |_| assert!(!lock.try_acquire()));
                lock.release().unwrap();
                in_threads(1, |_| assert!(lock.try_acquire()));
            }

            // cpython: lock_tests.py::BaseLockTests::test_acquire_contended
            #[test]
            fn threads_wait_until_it_is_free() {
                const N: usize = 5;
                let shared = Arc::new(($lock::new(), Count::default()));
                shared.0.acquire();
                let threads: Vec<_> = (0..N)
                    .map(|_| {
                        let shared = shared.clone();
                        start(move || {
                            shared.0.acquire();
                            shared.1.up();
                            shared.0.release().unwrap();
                        })
                    })
                    .collect();
                threads.iter().for_each(wait_blocked);
                assert_eq!(shared.1.get(), 0);
                shared.0.release().unwrap();
                threads.iter().for_each(|thread| thread.join(LONG).unwrap());
                assert_eq!(shared.1.get(), N);
            }

            #[test]
            fn one_thread_at_a_time() {
                let (lock, inside, total) = ($lock::new(), Count::default(), Count::default());
                let inside = &inside;
                in_threads(4, |_| {
                    for _ in 0..1000 {
                        let _held = lock.lock();
                        // Two threads inside would both find the count changed under them.
                        let before = inside.get();
                        std::thread::yield_now();
                        assert_eq!(inside.up(), before + 1);
                        total.up();
                    }
                });
                assert_eq!(total.get(), 4000);
            }

            // cpython: lock_tests.py::BaseLockTests::test_with
            #[test]
            fn a_guard_and_a_closure_release_it_even_on_a_panic() {
                let lock = $lock::new();
                {
                    let _held = lock.lock();
                    assert!(lock.locked());
                }
                assert!(!lock.locked());
                assert_eq!(lock.with(|| lock.locked()), true);
                assert!(!lock.locked());
                for panics in [
                    &(|| lock.with::<(), _>(|| panic!("in the closure"))) as &dyn Fn(),
                    &|| {
                        let _held = lock.lock();
                        panic!("under the guard");
                    },
                ] {
                    let call = std::panic::AssertUnwindSafe(panics);
                    assert!(std::panic::catch_unwind(call).is_err());
                    in_threads(1, |_| lock.with(|| ()));
                }
            }

            // cpython: lock_tests.py::BaseLockTests::test_thread_leak
            #[test]
            fn a_thread_that_hilos_did_not_start_is_not_listed_for_a_lock() {
                let lock = $lock::new();
                in_threads(15, |_| {
                    lock.with(|| ());
                    let me = threading::get_ident();
                    let threads = threading::enumerate();
                    let dummy = |thread: &threading::Thread| {
                        thread.ident() == Some(me) && thread.to_string().starts_with("<_Dummy")
                    };
                    assert!(!threads.iter().any(dummy));
                });
            }

            // cpython: lock_tests.py::BaseLockTests::test_timeout
            #[test]
            fn a_timeout_limits_the_wait() {
                let lock = $lock::new();
                for fine in [threading::TIMEOUT_MAX, -1.0, 5.0, 0.0] {
                    assert!(lock.acquire_timeout(fine).unwrap(), "{fine}");
                    lock.release().unwrap();
                }
                assert!(lock.acquire_timeout(None).unwrap());
                in_threads(1, |_| {
                    let start = std::time::Instant::now();
                    assert!(!lock.acquire_timeout(0.05).unwrap());
                    assert!(start.elapsed().as_secs_f64() >= 0.05);
                    assert!(!lock.acquire_timeout(0).unwrap());
                });
                lock.release().unwrap();
                in_threads(1, |_| assert!(lock.acquire_timeout(0.05).unwrap()));
            }

            // cpython: lock_tests.py::BaseLockTests::test_timeout
            #[test]
            fn a_wrong_timeout_is_refused_and_changes_nothing() {
                let negative = "ValueError: timeout value must be a non-negative number";
                let nan = "ValueError: Invalid value NaN (not a number)";
                let too_long = "OverflowError: timestamp out of range for platform time_t";
                let lock = $lock::new();
                let refuses = || {
                    let locked = lock.locked();
                    for (wrong, expected) in [
                        (-100.0, negative),
                        (-1.5, negative),
                        (-0.001, negative),
                        (f64::NEG_INFINITY, negative),
                        (f64::NAN, nan),
                        (threading::TIMEOUT_MAX + 1.0, too_long),
                        (1e100, too_long),
                        (f64::INFINITY, too_long),
                    ] {
                        let refused = lock.acquire_timeout(wrong).unwrap_err();
                        assert_eq!(format!("{refused:?}"), expected, "{wrong}");
                        assert_eq!(lock.locked(), locked, "{wrong}");
                    }
                };
                refuses();
                lock.acquire();
                refuses();
                in_threads(1, |_| refuses());
                lock.release().unwrap();
                assert!(!lock.locked(), "one release is enough");
            }

            #[test]
            fn minus_one_and_none_wait_for_ever() {
                for forever in [(-1).into(), Timeout::NEVER, Duration::MAX.into()] {
                    let lock = Arc::new($lock::new());
                    lock.acquire();
                    let theirs = lock.clone();
                    let thread = start(move || {
                        let acquired = theirs.acquire_timeout(forever).unwrap();
                        theirs.release().unwrap();
                        acquired
                    });
                    wait_blocked(&thread);
                    lock.release().unwrap();
                    assert!(thread.join(LONG).unwrap(), "{forever:?}");
                    assert!(!lock.locked());
                }
            }

            #[test]
            fn a_lock_released_by_hand_under_a_guard_stays_free() {
                let lock = $lock::new();
                let held = lock.lock();
                lock.release().unwrap();
                drop(held);
                assert!(!lock.locked());
                assert!(lock.release().is_err());
                assert!(lock.try_acquire());
            }

            #[test]
            fn a_name_changes_nothing_else() {
                static NAMED: $lock = $lock::new().with_name("named");
                NAMED.acquire();
                in_threads(1, |_| assert!(!NAMED.try_acquire()));
                NAMED.release().unwrap();
            }
        }
    };
}
pub(crate) use base_lock_tests;
