//! `RepeatingTimer`, which Python does not have.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hilos::threading::{Mutex, RepeatingTimer, current_thread};

use crate::support::{LONG, wait_until};

#[test]
fn it_is_stopped_from_inside() {
    let calls = Arc::new(AtomicU32::new(0));
    let shown = Arc::new(Mutex::new(String::new()));
    let (counter, theirs) = (calls.clone(), shown.clone());
    let timer = RepeatingTimer::new(0, 0.001, move |timer| {
        *theirs.lock() = current_thread().to_string();
        if counter.fetch_add(1, Ordering::SeqCst) + 1 == 10 {
            timer.cancel();
        }
    });
    let timer = timer.with_name("Tick");
    timer.start().unwrap();
    timer.join(LONG).unwrap();
    assert!(!timer.is_alive());
    assert!(shown.lock().starts_with("<RepeatingTimer(Tick, started "));
    assert_eq!(calls.load(Ordering::SeqCst), 10);
}

#[test]
fn it_is_stopped_from_outside_also_while_it_waits() {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = calls.clone();
    let timer = RepeatingTimer::new(0, 600, move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    timer.start().unwrap();
    wait_until("the first call", || calls.load(Ordering::SeqCst) == 1);
    timer.cancel();
    timer.join(LONG).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    let counter = calls.clone();
    let never = RepeatingTimer::new(600, 0, move |timer| {
        counter.fetch_add(1, Ordering::SeqCst);
        timer.cancel();
    });
    never.start().unwrap();
    never.cancel();
    never.join(LONG).unwrap();
    assert!(!never.is_alive());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn an_error_ends_it() {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = calls.clone();
    let timer = RepeatingTimer::new(0, 0, move |_| {
        match counter.fetch_add(1, Ordering::SeqCst) {
            0..3 => Ok(()),
            _ => Err("the fourth call"),
        }
    });
    timer.start().unwrap();
    timer.join(LONG).unwrap();
    assert!(!timer.is_alive());
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}
