//! Arguments that are not accepted, and what they leave as it was.

use hilos::threading::{
    Error, OverflowError, RepeatingTimer, Thread, Timer, ValueError, set_stack_size, stack_size,
};

use crate::support::{LONG, waiting_thread};

#[test]
fn a_name_with_a_nul_byte() {
    let thread = Thread::new(|| ()).with_name("na\0me");
    let Error::Value(refused) = thread.start().unwrap_err() else {
        panic!()
    };
    assert!(refused == ValueError::EmbeddedNul);
    assert_eq!(
        format!("{refused:?}"),
        "ValueError: embedded null character"
    );
    assert!(!thread.is_alive());
    thread.set_name("name");
    thread.start().unwrap();
    thread.join(LONG).unwrap();
    let timer = Timer::new(0, || ()).with_name("ti\0mer");
    assert!(timer.start().is_err() && !timer.is_alive());
}

#[test]
fn timeouts_of_a_join() {
    let (thread, event) = waiting_thread();
    thread.start().unwrap();
    assert!(matches!(
        Thread::join(&thread, f64::NAN),
        Err(Error::Value(ValueError::Timeout(_)))
    ));
    assert!(matches!(
        Thread::join(&thread, 1e100),
        Err(Error::Overflow(OverflowError))
    ));
    assert!(thread.is_alive());
    event.set();
    thread.join(None).unwrap();
}

#[test]
fn stack_sizes() {
    let before = stack_size();
    for size in [1, 100, 32 * 1024 - 1] {
        let refused = set_stack_size(size).unwrap_err();
        assert!(refused == ValueError::StackSize(size));
        assert_eq!(refused.to_string(), format!("size not valid: {size} bytes"));
    }
    assert_eq!(stack_size(), before);
}

#[test]
fn intervals_of_timers() {
    for at_once in [-1.0, 0.0, f64::NAN, f64::NEG_INFINITY] {
        let timer = Timer::new(at_once, || ());
        timer.start().unwrap();
        timer.join(LONG).unwrap();
        assert!(!timer.is_alive() && timer.finished(), "{at_once}");
    }
    let repeating = RepeatingTimer::new(-1, f64::NAN, |timer| timer.cancel());
    repeating.start().unwrap();
    repeating.join(LONG).unwrap();
    assert!(!repeating.is_alive());
}
