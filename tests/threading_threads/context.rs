//! `Thread(context=)`.

use hilos::contextvars::{Context, ContextVar, copy_context};
use hilos::threading::Thread;

use crate::support::LONG;

static USER: ContextVar<&str> = ContextVar::new("user").with_default("nobody");

/// What a thread sees of the variable.
fn seen_by_thread(context: Option<Context>) -> &'static str {
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut thread = Thread::new(move || sender.send(USER.get().unwrap()).unwrap());
    if let Some(context) = context {
        thread = thread.with_context(context);
    }
    thread.start().unwrap();
    thread.join(LONG).unwrap();
    receiver.recv().unwrap()
}

#[test]
fn a_thread_starts_with_an_empty_context() {
    USER.set("Ana");
    assert_eq!(seen_by_thread(None), "nobody");
}

#[test]
fn a_thread_runs_in_the_context_that_it_is_given() {
    USER.set("Luis");
    let context = copy_context();
    assert_eq!(seen_by_thread(Some(context.clone())), "Luis");
    let its_own = context.copy();
    let thread = Thread::new(|| {
        USER.set("Eva");
    });
    let thread = thread.with_context(its_own.clone());
    thread.start().unwrap();
    thread.join(LONG).unwrap();
    assert_eq!((its_own.get(&USER), USER.get()), (Some("Eva"), Ok("Luis")));
}
