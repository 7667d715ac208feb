//! `hilos::contextvars`, as CPython's test_context.py tests it and beyond.

mod context;
mod get_set;
mod guards;
mod reentrance;
mod thread_end;
mod threads;
mod token_context_manager;
mod variable;

/// Runs a test in a new context, because the harness may give one thread several tests.
fn isolated_context(test: impl FnOnce()) {
    hilos::contextvars::Context::new().run(test).unwrap();
}
