//! `_TestProcess` and `_TestSubclassingProcess`.

mod children;
mod endings;
mod handles;

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::Connection;

use crate::support::LONG;

fn nothing() {}

fn sleep_long() {
    std::thread::sleep(std::time::Duration::from_secs_f64(2.0 * LONG));
}

/// Says that it runs, and then waits to be killed.
fn ready_and_sleep(connection: Connection) -> Result<(), Error> {
    connection.send(&())?;
    sleep_long();
    Ok(())
}
