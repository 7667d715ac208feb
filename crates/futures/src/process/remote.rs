//! How a call failed in another process.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use hilos_multiprocessing::Failure;
use hilos_threading::Exception;

/// What a call in another process raised: the error's or the panic's text.
///
/// Its [`source`](Error::source) is a [`RemoteTraceback`].
#[derive(Clone, Debug)]
pub struct RemoteError {
    failure: Failure,
    traceback: RemoteTraceback,
}

/// Where an error of another process comes from: Python's `_RemoteTraceback`.
#[derive(Clone, Debug)]
pub struct RemoteTraceback(String);

impl RemoteError {
    /// What is known of the failure.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    pub(super) fn exception(failure: Failure) -> Exception {
        let type_name = intern(failure.type_name());
        let place = failure.place().map(|place| format!("at {place}\n"));
        let trace = failure.backtrace().unwrap_or_default();
        let traceback = RemoteTraceback(format!(
            "\n\"\"\"\n{}{trace}\n{failure}\n\"\"\"",
            place.unwrap_or_default()
        ));
        Exception::new(type_name, Self { failure, traceback })
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.failure.message())
    }
}

impl Error for RemoteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.traceback)
    }
}

impl fmt::Display for RemoteTraceback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for RemoteTraceback {}

/// The name of a type of this program, which there is only a limited number of.
fn intern(name: &str) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    match names.get(name) {
        Some(known) => known,
        None => {
            let name: &'static str = Box::leak(name.into());
            names.insert(name);
            name
        }
    }
}
