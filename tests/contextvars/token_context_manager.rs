//! Tokens as Python 3.14's context managers: `Token::with` and the guard of `Token::enter`.

use std::panic::catch_unwind;

use hilos::contextvars::{Context, ContextVar, Error, RuntimeError};

use super::isolated_context;

// cpython: test_context.py::ContextTest::test_token_contextmanager_with_default
#[test]
fn with_goes_back_to_the_default() {
    isolated_context(|| {
        let c = ContextVar::new("c").with_default(42);
        let seen = c.set(36).with(|| c.get().unwrap());
        assert_eq!(seen, Ok(36));
        assert_eq!(c.get(), Ok(42));
        {
            let guard = c.set(36).enter();
            assert_eq!(c.get(), Ok(36));
            assert_eq!(guard.old_value(), None);
        }
        assert_eq!(c.get(), Ok(42));
    });
}

// cpython: test_context.py::ContextTest::test_token_contextmanager_without_default
#[test]
fn with_goes_back_to_no_value() {
    isolated_context(|| {
        let c = ContextVar::new("c");
        c.set(36).with(|| assert_eq!(c.get(), Ok(36))).unwrap();
        let error = c.get().unwrap_err();
        assert!(error.to_string().starts_with("<ContextVar name='c'"));
    });
}

// cpython: test_context.py::ContextTest::test_token_contextmanager_on_exception
#[test]
fn with_goes_back_when_its_function_panics() {
    let c = ContextVar::new("c").with_default(42);
    let ctx = Context::new();
    let result = catch_unwind(|| {
        ctx.run(|| {
            c.set(36).with(|| {
                assert_eq!(c.get(), Ok(36));
                panic!("custom exception");
            })
        })
    });
    assert_eq!(
        result.unwrap_err().downcast_ref(),
        Some(&"custom exception")
    );
    assert_eq!(ctx.get(&c), None);

    let result = catch_unwind(|| {
        ctx.run(|| {
            let _restored = c.set(36).enter();
            assert_eq!(c.get(), Ok(36));
            panic!("custom exception");
        })
    });
    assert_eq!(
        result.unwrap_err().downcast_ref(),
        Some(&"custom exception")
    );
    assert_eq!(ctx.get(&c), None);
}

// cpython: test_context.py::ContextTest::test_token_contextmanager_reentrant
#[test]
fn a_token_is_not_used_by_two_withs() {
    isolated_context(|| {
        let c = ContextVar::new("c").with_default(42);
        let token = c.set(36);
        let outer = token.with(|| {
            let inner = token.with(|| assert_eq!(c.get(), Ok(36)));
            assert_eq!(inner, Ok(()));
            assert_eq!(c.get(), Ok(42));
        });
        assert!(matches!(
            outer,
            Err(Error::Runtime(RuntimeError::TokenUsed { .. }))
        ));
        assert_eq!(c.get(), Ok(42));
    });
}

// cpython: test_context.py::ContextTest::test_token_contextmanager_multiple_c_set
#[test]
fn with_goes_back_over_everything_set_inside() {
    isolated_context(|| {
        let c = ContextVar::new("c").with_default(42);
        c.set(36)
            .with(|| {
                assert_eq!(c.get(), Ok(36));
                c.set(24);
                assert_eq!(c.get(), Ok(24));
                c.set(12);
                assert_eq!(c.get(), Ok(12));
            })
            .unwrap();
        assert_eq!(c.get(), Ok(42));
    });
}

// cpython: test_context.py::ContextTest::test_token_contextmanager_with_explicit_reset_the_same_token
#[test]
fn resetting_inside_uses_the_token_up() {
    isolated_context(|| {
        let c = ContextVar::new("c").with_default(42);
        let token = c.set(36);
        let result = token.with(|| {
            assert_eq!(c.get(), Ok(36));
            c.reset(&token).unwrap();
            assert_eq!(c.get(), Ok(42));
        });
        let error = result.unwrap_err();
        assert!(error.to_string().starts_with("<Token used var="));
        assert!(error.to_string().ends_with(" has already been used once"));
        assert_eq!(c.get(), Ok(42));

        // A guard cannot raise; it leaves alone what was set after the reset.
        let guard = c.set(36).enter();
        c.reset(&guard).unwrap();
        c.set(7);
        drop(guard);
        assert_eq!(c.get(), Ok(7));
    });
}

// cpython: test_context.py::ContextTest::test_token_contextmanager_with_explicit_reset_another_token
#[test]
fn resetting_another_token_inside_leaves_the_outer_to_with() {
    isolated_context(|| {
        let c = ContextVar::new("c").with_default(42);
        c.set(36)
            .with(|| {
                assert_eq!(c.get(), Ok(36));
                let token = c.set(24);
                assert_eq!(c.get(), Ok(24));
                c.reset(&token).unwrap();
                assert_eq!(c.get(), Ok(36));
            })
            .unwrap();
        assert_eq!(c.get(), Ok(42));
    });
}
