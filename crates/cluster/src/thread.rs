//! The threads of clients and workers.

use hilos_threading::Thread;

use crate::error::Error;

/// Starts a thread that does not keep the program from ending.
pub(crate) fn start<F>(name: &str, run: F) -> Result<Thread, Error>
where
    F: FnOnce() + Send + 'static,
{
    let thread = Thread::new(run)
        .with_name(format!("hilos-cluster-{name}"))
        .with_daemon(true);
    thread
        .start()
        .map_err(|error| Error::Worker(error.to_string()))?;
    Ok(thread)
}
