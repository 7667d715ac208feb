//! `Returning`, which Python does not have.

use hilos::threading::{self, Error, Event, JoinError, Thread};

use crate::support::LONG;

#[test]
fn the_value_is_handed_over_once() {
    let thread = Thread::returning(|| vec![1, 2, 3]).with_name("Worker");
    assert_eq!(thread.name(), "Worker");
    assert!(matches!(
        thread.join(None),
        Err(JoinError::NotJoined(Error::Runtime(_)))
    ));
    thread.start().unwrap();
    assert_eq!(thread.join(LONG).unwrap(), [1, 2, 3]);
    assert!(matches!(thread.join(LONG), Err(JoinError::Taken)));
}

#[test]
fn a_value_that_is_not_there_yet() {
    static GO_ON: Event = Event::new();
    let thread = Thread::returning(|| GO_ON.wait(LONG));
    thread.start().unwrap();
    assert!(matches!(thread.join(0.01), Err(JoinError::TimedOut)));
    assert!(matches!(thread.join(0), Err(JoinError::TimedOut)));
    GO_ON.set();
    assert!(thread.join(LONG).unwrap());
}

#[test]
fn a_panic_reaches_who_joins() {
    let thread = Thread::returning(|| -> i32 { panic!("no {}", "value") });
    thread.start().unwrap();
    for _ in 0..2 {
        let Err(JoinError::Panicked(panic)) = thread.join(LONG) else {
            panic!()
        };
        assert_eq!(panic.message(), "no value");
        assert!(panic.place().unwrap().file.ends_with("returning.rs"));
    }
}

#[test]
fn a_thread_that_exits_has_no_value() {
    let thread = Thread::returning(|| -> i32 { threading::exit() });
    thread.start().unwrap();
    assert!(matches!(thread.join(LONG), Err(JoinError::Exited)));
}
