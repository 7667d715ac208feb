//! A call that goes to another process of this program.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::failure::Failure;
use crate::reduction::{Message, TravellingFd};
use crate::sys::image::Descriptor;
use crate::target::{Call, Plan, Target};

/// A function and its arguments, on the way to the process that is to call it.
#[derive(Serialize, Deserialize)]
pub(super) struct Errand {
    function: usize,
    args: Vec<u8>,
    fds: Vec<TravellingFd>,
}

impl Errand {
    pub(super) fn new<F, A>(target: F, args: A) -> Result<Self, Error>
    where
        F: Target<A>,
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        let (descriptor, message) = Call { target, args }.encode()?;
        Ok(Self {
            function: descriptor.offset(),
            args: message.bytes,
            fds: message.fds.into_iter().map(TravellingFd).collect(),
        })
    }

    /// Makes the call.
    pub(super) fn run(self) -> Result<(), Failure> {
        let descriptor = Descriptor::at_offset(self.function);
        let missing = || Failure::new("RuntimeError", "the function belongs to another build");
        let fds = self.fds.into_iter().map(|fd| fd.0).collect();
        let bytes = self.args;
        (descriptor.ok_or_else(missing)?.call)(Message { bytes, fds }).map(drop)
    }
}
