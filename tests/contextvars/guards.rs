//! The guard of `Context::enter`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use hilos::contextvars::{Context, ContextVar, Key, Token, TokenGuard};

use super::isolated_context;

static VAR: ContextVar<&str> = ContextVar::new("var").with_default("outside");

/// A context in which `VAR` has the value `name`.
fn context(name: &'static str) -> Context {
    let context = Context::new();
    context.run(|| VAR.set(name).old_value()).unwrap();
    context
}

#[test]
fn a_guard_makes_its_context_current_until_it_is_dropped() {
    isolated_context(|| {
        let a = context("a");
        for turn in ["first", "second"] {
            let entered = a.enter().unwrap();
            VAR.set(turn);
            a.enter().unwrap_err();
            drop(entered);
            assert_eq!(a.get(&VAR), Some(turn));
            assert_eq!(VAR.get(), Ok("outside"));
        }
    });
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let (a, b) = (context("a"), context("b"));
    isolated_context(|| {
        let in_a = a.enter().unwrap();
        let in_b = b.enter().unwrap();
        drop(in_a);
        assert_eq!(VAR.get(), Ok("b"));
        b.enter().unwrap_err();
        // The context that was left is free for others, and not what this thread falls back to.
        thread::scope(|scope| {
            let other = scope.spawn(|| a.run(|| VAR.get()));
            assert_eq!(other.join().unwrap(), Ok(Ok("a")));
        });
        drop(in_b);
        assert_eq!(VAR.get(), Ok("outside"));
    });
    // Also where the thread has no context of its own to fall back to.
    thread::spawn(move || {
        let in_a = a.enter().unwrap();
        let in_b = b.enter().unwrap();
        drop(in_a);
        drop(in_b);
        assert_eq!(VAR.get(), Ok("outside"));
        VAR.set("inside");
        assert_eq!((a.get(&VAR), b.get(&VAR)), (Some("a"), Some("b")));
    })
    .join()
    .unwrap();
}

#[test]
fn a_panic_leaves_every_context_that_was_entered() {
    isolated_context(|| {
        let (a, b) = (context("a"), context("b"));
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _in_a = a.enter().unwrap();
            b.run(|| {
                VAR.set("changed");
                panic!("on purpose");
            })
        }));
        assert!(result.is_err());
        assert_eq!(VAR.get(), Ok("outside"));
        assert_eq!(a.run(|| VAR.get()), Ok(Ok("a")));
        assert_eq!(b.run(|| VAR.get()), Ok(Ok("changed")));
    });
}

#[test]
fn others_can_read_and_copy_a_context_that_a_thread_is_in() {
    isolated_context(|| {
        let a = context("a");
        a.run(|| {
            thread::scope(|scope| {
                let other = scope.spawn(|| (a.get(&VAR), a.copy().run(|| VAR.get())));
                assert_eq!(other.join().unwrap(), (Some("a"), Ok(Ok("a"))));
            });
        })
        .unwrap();
    });
}

#[test]
fn everything_but_the_guard_of_a_context_can_go_to_another_thread() {
    fn sendable<T: Send + Sync>() {}
    sendable::<Context>();
    sendable::<ContextVar<String>>();
    sendable::<Key>();
    sendable::<Token<'_, String>>();
    sendable::<TokenGuard<'_, String>>();
}
