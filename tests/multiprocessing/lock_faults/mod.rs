//! What is left when a process is killed while it holds something.

mod locks;
mod queues;
mod waits;

use hilos::multiprocessing::{Error, Event, Process};

use crate::support::LONG;

/// Says that it holds what it shall hold, and waits to be killed.
fn hold_on(holding: &Event) -> ! {
    holding.set();
    loop {
        std::thread::park();
    }
}

/// Starts a process, kills it when it holds what it shall hold, and returns its number.
fn kill_when_holding(process: &Process, holding: &Event) -> u32 {
    process.start().unwrap();
    assert!(holding.wait(LONG));
    let pid = process.pid().unwrap();
    process.kill().unwrap();
    pid
}

fn died(result: Result<impl std::fmt::Debug, Error>) -> u32 {
    match result {
        Err(Error::OwnerDied(pid)) => pid,
        other => panic!("nobody has died: {other:?}"),
    }
}
