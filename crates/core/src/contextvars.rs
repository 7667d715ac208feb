//! Python's context variables.

/// A context.
#[derive(Clone, Debug)]
pub struct Context;

impl Context {
    /// Runs.
    #[allow(missing_docs)]
    pub fn run<R, F: FnOnce() -> R>(&self, f: F) -> Result<R, std::fmt::Error> {
        Ok(f())
    }
}
