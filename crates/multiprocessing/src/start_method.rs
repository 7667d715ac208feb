//! How processes are started.

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::error::Error;

/// How a process comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum StartMethod {
    /// A copy made by a small server, which is started with the first such process. The default:
    /// cheap however much memory this process has, and safe whatever its threads do. When its function
    /// returns, it ends without the exit handlers of the C library, as in Python.
    ForkServer,
    /// This program, started once more. It ends as programs do, by `std::process::exit`.
    Spawn,
    /// A copy of this process, with all its memory and its one thread that forked. It ends as a process
    /// of the fork server does.
    Fork,
}

impl StartMethod {
    /// Python's name of the method.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForkServer => "forkserver",
            Self::Spawn => "spawn",
            Self::Fork => "fork",
        }
    }
}

impl fmt::Display for StartMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for StartMethod {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = get_all_start_methods()
            .into_iter()
            .find(|method| method.name() == name);
        known.ok_or_else(|| Error::Value(format!("cannot find context for '{name}'")))
    }
}

/// What [`set_start_method`] has set.
static METHOD: Mutex<Option<StartMethod>> = Mutex::new(None);

/// The ways to start a process on this system, the default first.
pub fn get_all_start_methods() -> Vec<StartMethod> {
    vec![
        StartMethod::ForkServer,
        StartMethod::Spawn,
        StartMethod::Fork,
    ]
}

/// How processes are started unless they say otherwise.
pub fn get_start_method() -> StartMethod {
    METHOD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .unwrap_or(StartMethod::ForkServer)
}

/// Says how processes are started unless they say otherwise; once, or again by `force`.
///
/// # Errors
/// [`Error::Runtime`] if it was said before and not forced.
pub fn set_start_method(method: StartMethod, force: bool) -> Result<(), Error> {
    let mut current = METHOD.lock().unwrap_or_else(PoisonError::into_inner);
    if current.is_some() && !force {
        return Err(Error::Runtime("context has already been set".into()));
    }
    *current = Some(method);
    Ok(())
}
