//! Contexts: running functions in them, copying and comparing them.

use std::collections::HashSet;
use std::panic::catch_unwind;
use std::thread;

use hilos::contextvars::{Context, ContextVar, RuntimeError, copy_context};

use super::isolated_context;

// cpython: test_context.py::ContextTest::test_context_new_1
#[test]
fn a_new_context_is_empty() {
    let ctx = Context::new();
    assert!(ctx.is_empty());
    assert_eq!(ctx.len(), 0);
    assert_eq!(ctx, Context::default());
    assert!(
        ctx.to_string()
            .starts_with("<_contextvars.Context object at 0x")
    );
}

// cpython: test_context.py::ContextTest::test_context_get_context_1
#[test]
fn copy_context_returns_a_context_of_its_own() {
    let c = ContextVar::new("c");
    isolated_context(|| {
        assert_eq!(copy_context(), Context::new());
        c.set(1);
        let copy: Context = copy_context();
        c.set(2);
        assert_eq!(copy.get(&c), Some(1));
    });
}

// cpython: test_context.py::ContextTest::test_context_run_1
#[test]
fn run_calls_its_function_once() {
    let mut calls = 0;
    Context::new().run(|| calls += 1).unwrap();
    assert_eq!(calls, 1);
}

// cpython: test_context.py::ContextTest::test_context_run_2
#[test]
fn run_returns_what_the_function_returns() {
    fn func(mut args: Vec<&str>, spam: &str) -> (Vec<String>, String) {
        args.push("bar");
        (
            args.into_iter().map(String::from).collect(),
            spam.to_owned(),
        )
    }
    let ctx = Context::new();
    for first in [vec![], vec!["1"], vec!["11", "a"]] {
        let expected = func(first.clone(), "foo");
        assert_eq!(ctx.run(|| func(first, "foo")), Ok(expected));
    }
    fn function() -> i32 {
        42
    }
    assert_eq!(ctx.run(function), Ok(42));
}

// cpython: test_context.py::ContextTest::test_context_run_3
#[test]
fn run_hands_on_errors_and_panics_and_can_run_again() {
    let ctx = Context::new();
    let parsed = ctx.run(|| "x".parse::<i32>()).unwrap();
    assert!(parsed.is_err());
    for _ in 0..2 {
        let panic = catch_unwind(|| ctx.run(|| panic!("division by zero"))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"division by zero"));
    }
    assert_eq!(ctx.run(|| 1), Ok(1));
}

// cpython: test_context.py::ContextTest::test_context_run_4
#[test]
fn contexts_do_not_see_each_other() {
    let (ctx1, ctx2) = (Context::new(), Context::new());
    let var = ContextVar::<&str>::new("var");

    let returned = ctx1
        .run(|| {
            assert!(var.get().is_err());
            var.set("spam");
            ctx2.run(|| assert!(var.get().is_err())).unwrap();
            assert_eq!(var.get(), Ok("spam"));

            let cur = copy_context();
            assert_eq!(cur.len(), 1);
            assert_eq!(cur.get(&var), Some("spam"));
            cur
        })
        .unwrap();
    assert_eq!(ctx1, returned);
    assert_ne!(ctx2, returned);
    assert_eq!(returned.get(&var), Some("spam"));
    assert!(returned.contains(&var));
}

#[test]
fn contexts_are_equal_while_their_values_are_the_same_objects() {
    let (a, b) = (ContextVar::new("a"), ContextVar::new("b"));
    let ctx = Context::new();
    ctx.run(|| a.set(1).old_value()).unwrap();
    let copy = ctx.copy();
    assert_eq!(ctx, copy);
    let token_of_b = copy.run(|| b.set(2)).unwrap();
    assert_ne!(ctx, copy);
    copy.run(|| b.reset(&token_of_b)).unwrap().unwrap();
    assert_eq!(ctx, copy);
    copy.run(|| a.set(1).old_value()).unwrap();
    assert_ne!(ctx, copy);
    ctx.run(|| b.set(1).old_value()).unwrap();
    assert_ne!(ctx, copy);
}

// cpython: test_context.py::ContextTest::test_context_run_5
#[test]
fn after_a_panic_the_outer_context_is_current_again() {
    isolated_context(|| {
        let ctx = Context::new();
        let var = ContextVar::new("var");
        let result = catch_unwind(|| {
            ctx.run(|| {
                assert!(var.get().is_err());
                var.set("spam");
                panic!("division by zero");
            })
        });
        assert!(result.is_err());
        assert!(var.get().is_err());
        assert_eq!(ctx.get(&var), Some("spam"));
    });
}

// cpython: test_context.py::ContextTest::test_context_run_6
#[test]
fn the_current_context_shows_what_was_set_but_no_default() {
    let ctx = Context::new();
    let c = ContextVar::new("a").with_default(0);
    ctx.run(|| {
        assert_eq!(c.get(), Ok(0));
        assert_eq!(ctx.get(&c), None);
        c.set(42);
        assert_eq!(c.get(), Ok(42));
        assert_eq!(ctx.get(&c), Some(42));
    })
    .unwrap();
}

// cpython: test_context.py::ContextTest::test_context_run_7
#[test]
fn a_context_is_not_entered_twice() {
    let ctx = Context::new();
    let expected = format!("cannot enter context: {ctx} is already entered");
    let refused = |error: RuntimeError| {
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error, RuntimeError::AlreadyEntered { .. }));
    };
    ctx.run(|| {
        refused(ctx.run(|| panic!("must not run")).unwrap_err());
        refused(ctx.clone().run(|| panic!("must not run")).unwrap_err());
        thread::scope(|scope| {
            let other = scope.spawn(|| ctx.run(|| panic!("must not run")));
            refused(other.join().unwrap().unwrap_err());
        });
        ctx.copy().run(|| ()).unwrap();
    })
    .unwrap();
    ctx.run(|| ()).unwrap();
}

// cpython: test_context.py::ContextTest::test_context_copy_1
#[test]
fn a_copy_and_its_original_change_apart() {
    let ctx1 = Context::new();
    let c = ContextVar::new("c").with_default(42);
    ctx1.run(|| {
        c.set(10);
        let ctx2 = ctx1.copy();
        assert_eq!(ctx2.get(&c), Some(10));

        c.set(20);
        assert_eq!(ctx1.get(&c), Some(20));
        assert_eq!(ctx2.get(&c), Some(10));

        ctx2.run(|| {
            assert_eq!(c.get(), Ok(10));
            c.set(30);
            assert_eq!(c.get(), Ok(30));
        })
        .unwrap();
        assert_eq!(ctx1.get(&c), Some(20));
        assert_eq!(ctx2.get(&c), Some(30));
    })
    .unwrap();
}

#[test]
fn a_clone_is_the_same_context() {
    let c = ContextVar::new("c");
    let ctx = Context::new();
    let clone = ctx.clone();
    clone.run(|| c.set(1).old_value()).unwrap();
    assert_eq!(ctx.get(&c), Some(1));
}

#[test]
fn a_context_keeps_many_variables_apart() {
    let vars: Vec<ContextVar<usize>> = (0..100)
        .map(|i| ContextVar::from(format!("v{i}")))
        .collect();
    let ctx = Context::new();
    ctx.run(|| {
        for (i, var) in vars.iter().enumerate() {
            var.set(i);
        }
    })
    .unwrap();
    assert_eq!(ctx.len(), 100);
    for (key, value) in ctx.items() {
        let i = vars.iter().position(|var| key == *var).unwrap();
        assert_eq!(value.downcast_ref(), Some(&i));
    }
    drop(vars);
    let names: HashSet<String> = ctx.keys().iter().map(|key| key.name().to_owned()).collect();
    assert_eq!(names, (0..100).map(|i| format!("v{i}")).collect());
}
