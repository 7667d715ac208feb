//! Setting variables, and resetting them with tokens.

use std::slice;
use std::sync::{Arc, Mutex};

use hilos::contextvars::{
    Context, ContextVar, Error, RuntimeError, Token, Value, ValueError, copy_context,
};

use super::isolated_context;

// cpython: test_context.py::ContextTest::test_context_getset_1
#[test]
fn set_get_and_reset() {
    isolated_context(|| {
        let c = ContextVar::<&str>::new("c");
        let error = c.get().unwrap_err();
        assert_eq!(error.to_string(), c.to_string());
        assert_eq!(error.var(), &c);
        assert_eq!(c.get_or("none"), "none");

        let t0 = c.set("42");
        assert_eq!(c.get(), Ok("42"));
        assert_eq!(c.get_or("none"), "42");
        assert_eq!(t0.old_value(), Token::MISSING);
        assert!(std::ptr::eq(t0.var(), &c));

        let t = c.set("spam");
        assert_eq!(c.get(), Ok("spam"));
        assert_eq!(c.get_or("none"), "spam");
        assert_eq!(t.old_value(), Some("42"));
        c.reset(&t).unwrap();
        assert_eq!(c.get(), Ok("42"));

        c.set("spam2");
        already_used(&c, &t);
        assert_eq!(c.get(), Ok("spam2"));

        let ctx1 = copy_context();
        assert!(ctx1.contains(&c));
        c.reset(&t0).unwrap();
        already_used(&c, &t0);
        assert!(c.get().is_err());

        has_only(&ctx1, &c, "spam2");
        has_nothing(&copy_context(), &c);
    });
}

/// The context has this value of this variable, whichever way it is asked.
fn has_only(context: &Context, c: &ContextVar<&'static str>, value: &'static str) {
    assert!(context.contains(c));
    assert_eq!(context.get(c), Some(value));
    assert_eq!(context.len(), 1);
    let [(key, found)] = &context.items()[..] else {
        panic!("one item is expected");
    };
    assert_eq!(key, c);
    assert_eq!(key.name(), "c");
    assert_eq!(key.to_string(), c.to_string());
    assert_eq!(found.downcast_ref(), Some(&value));
    assert!(Value::ptr_eq(found, &context.values()[0]));
    assert_eq!(context.values().len(), 1);
    assert_eq!(context.keys(), slice::from_ref(c));
    assert_eq!(context.into_iter().collect::<Vec<_>>(), slice::from_ref(c));
}

fn has_nothing(context: &Context, c: &ContextVar<&'static str>) {
    assert!(!context.contains(c));
    assert_eq!(context.get(c), None);
    assert_eq!(context.len(), 0);
    assert!(context.keys().is_empty());
}

/// Resetting must fail, and say in Python's words that the token did its work before.
fn already_used(c: &ContextVar<&'static str>, token: &Token<'_, &'static str>) {
    let error = c.reset(token).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{token} has already been used once")
    );
    assert!(matches!(
        error,
        Error::Runtime(RuntimeError::TokenUsed { .. })
    ));
}

#[test]
fn the_default_of_the_call_goes_before_that_of_the_variable() {
    isolated_context(|| {
        let c = ContextVar::new("c").with_default(42);
        assert_eq!(c.get_or(7), 7);
        c.set(1);
        assert_eq!(c.get_or(7), 1);
    });
}

// cpython: test_context.py::ContextTest::test_context_getset_2
#[test]
fn a_token_of_another_variable_is_refused() {
    isolated_context(|| {
        let (v1, v2) = (ContextVar::new("v1"), ContextVar::new("v1"));
        let t1 = v1.set(42);
        let error = v2.reset(&t1).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{t1} was created by a different ContextVar")
        );
        assert!(matches!(
            error,
            Error::Value(ValueError::DifferentVar { .. })
        ));
        assert_eq!(v1.get(), Ok(42));
        v1.reset(&t1).unwrap();
        // That it is used up comes first.
        let error = v2.reset(&t1).unwrap_err();
        assert!(matches!(error, Error::Runtime(_)), "{error}");
    });
}

// cpython: test_context.py::ContextTest::test_context_getset_3
#[test]
fn a_default_is_in_no_context() {
    let c = ContextVar::new("c").with_default(42);
    let ctx = Context::new();
    ctx.run(|| {
        assert_eq!(c.get(), Ok(42));
        assert_eq!(ctx.get(&c), None);
        assert!(!ctx.contains(&c));
        assert!(ctx.keys().is_empty());

        let t = c.set(1);
        assert_eq!(ctx.keys(), slice::from_ref(&c));
        assert_eq!(ctx.get(&c), Some(1));

        c.reset(&t).unwrap();
        assert!(ctx.keys().is_empty());
        assert_eq!(ctx.get(&c), None);
        assert_eq!(c.get(), Ok(42));
    })
    .unwrap();
}

// cpython: test_context.py::ContextTest::test_context_getset_4
#[test]
fn a_token_of_another_context_is_refused() {
    isolated_context(|| {
        let c = ContextVar::new("c");
        let ctx = Context::new();
        let token = ctx.run(|| c.set(1)).unwrap();
        let error = c.reset(&token).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{token} was created in a different Context")
        );
        assert!(matches!(
            error,
            Error::Value(ValueError::DifferentContext { .. })
        ));
        let copy = ctx.copy();
        copy.run(|| c.reset(&token)).unwrap().unwrap_err();
        assert_eq!(ctx.get(&c), Some(1));
        ctx.run(|| c.reset(&token)).unwrap().unwrap();
        assert_eq!(ctx.get(&c), None);
    });
}

// cpython: test_context.py::ContextTest::test_context_getset_5
#[test]
fn a_value_set_in_a_copy_stays_there() {
    type List = Arc<Mutex<Vec<i32>>>;
    isolated_context(|| {
        let c = ContextVar::<List>::new("c").with_default(List::default());
        c.set(List::default());
        copy_context()
            .run(|| {
                c.set(List::default());
                c.get().unwrap().lock().unwrap().push(42);
                assert_eq!(*c.get().unwrap().lock().unwrap(), [42]);
            })
            .unwrap();
        assert_eq!(*c.get().unwrap().lock().unwrap(), []);
    });
}
