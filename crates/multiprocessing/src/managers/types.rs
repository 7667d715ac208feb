//! The types of a manager, which its server knows in whichever process that runs.

use std::cell::RefCell;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errand::Errand;
use super::registry::Registry;
use crate::error::Error;
use crate::failure::Failure;

/// What a manager registers: here at once, and in the server's process when that begins.
#[derive(Clone, Default)]
pub(super) struct Types {
    here: Registry,
    elsewhere: Vec<Arc<Encode>>,
}

type Encode = dyn Fn() -> Result<Errand, Error> + Send + Sync;

thread_local! {
    /// Where types are registered that come from another process.
    static ARRIVING: RefCell<Registry> = RefCell::default();
}

impl Types {
    /// Registers something by a function, which captures nothing so that it can travel.
    pub(super) fn add<F, A>(&mut self, register: F, args: A)
    where
        F: Fn(&mut Registry, A) + Copy + Send + Sync + 'static,
        A: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        register(&mut self.here, args.clone());
        let arrive = move |args: A| ARRIVING.with_borrow_mut(|types| register(types, args));
        let encode = move || Errand::new(arrive, (args.clone(),));
        self.elsewhere.push(Arc::new(encode));
    }

    /// For a server in this process.
    pub(super) fn here(&self) -> Registry {
        self.here.clone()
    }

    /// For a server in another process.
    pub(super) fn encode(&self) -> Result<Vec<Errand>, Error> {
        self.elsewhere.iter().map(|encode| encode()).collect()
    }
}

/// The types that another process has [encoded](Types::encode).
pub(super) fn arrive(errands: Vec<Errand>) -> Result<Registry, Failure> {
    ARRIVING.take();
    errands.into_iter().try_for_each(Errand::run)?;
    Ok(ARRIVING.take())
}
