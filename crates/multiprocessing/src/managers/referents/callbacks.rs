//! What a job of a pool calls when it is done.

use hilos_pickle::{Dict, Object};

use super::pool::Outcome;
use crate::LOGGER;
use crate::managers::args::Args;
use crate::managers::callable::Callable;
use crate::managers::exception::Exception;

/// Python's `callback` and `error_callback`: functions that the server knows, or methods of proxies.
#[derive(Clone, Default)]
pub(super) struct Callbacks {
    success: Option<Callable>,
    failure: Option<Callable>,
}

impl Callbacks {
    /// Those that a client names. CPython's pool is lost when one turns out to be no function.
    pub(super) fn find(
        args: &Args<'_>,
        callback: Option<Object>,
        error_callback: Option<Object>,
    ) -> Result<Self, Exception> {
        let find = |named: Option<Object>| {
            let named = named.filter(Object::is_true);
            named.map(|named| args.callable(&named)).transpose()
        };
        Ok(Self {
            success: find(callback)?,
            failure: find(error_callback)?,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.success.is_none() && self.failure.is_none()
    }

    /// Calls the one that fits. What it raises harms nobody.
    pub(super) fn call(&self, outcome: Outcome) {
        let (callback, argument) = match outcome {
            Ok(value) => (&self.success, value),
            Err(exception) => (&self.failure, exception.into()),
        };
        let called = callback
            .as_ref()
            .map(|callback| callback.call([argument], Dict::new()));
        if let Some(Err(exception)) = called {
            tracing::error!(target: LOGGER, "a pool's callback has failed: {exception:?}");
        }
    }
}
