//! `set_forkserver_preload`.

use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::reduction::dumps;
use crate::sys;
use crate::sys::image::Descriptor;
use crate::target::{Call, Plan, Target};

/// What a server does before it serves.
#[derive(Clone, Copy)]
pub(super) struct Preload {
    function: &'static Descriptor,
    on_error: OnError,
}

static PRELOAD: Mutex<Option<Preload>> = Mutex::new(None);

/// What becomes of an error of [`set_forkserver_preload`]'s function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// Nothing: processes start as if there were no function.
    Ignore,
    /// It is printed to the standard error output.
    Warn,
    /// It is printed, and no process can be started by the fork server.
    Fail,
}

/// Has fork servers call a function before they serve: what it prepares in global variables, all
/// processes that the server makes find there.
///
/// Use it for tables and settings that take long to make and that many processes need. It counts for
/// a server that is not started yet, so call it before the first process starts. The function
/// must not leave a thread behind: a process with threads cannot be copied safely, and such a server
/// refuses to serve.
///
/// # Differences from Python
/// Python names modules to import. The default there is to ignore errors.
///
/// Mirrors [`multiprocessing.set_forkserver_preload`](https://docs.python.org/3.15/library/multiprocessing.html#multiprocessing.set_forkserver_preload).
///
/// # Errors
/// None at present.
pub fn set_forkserver_preload<F: Target<()>>(function: F, on_error: OnError) -> Result<(), Error> {
    let call = Call {
        target: function,
        args: (),
    };
    let (function, _) = call.encode()?;
    let preload = Preload { function, on_error };
    *PRELOAD.lock().unwrap_or_else(PoisonError::into_inner) = Some(preload);
    Ok(())
}

impl Preload {
    /// What the server is sent first: the function's place, if there is one, and what to do.
    pub(super) fn encode() -> [u8; 9] {
        let mut bytes = [0; 9];
        let preload = *PRELOAD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Self { function, on_error }) = preload {
            bytes[..8].copy_from_slice(&(function.offset() as u64).to_le_bytes());
            bytes[8] = 1 + on_error as u8;
        }
        bytes
    }

    /// Does, in the server, what the parent has sent; says whether to serve.
    pub(super) fn run(bytes: [u8; 9]) -> bool {
        let (offset, on_error) = bytes.split_at(8);
        let on_error = match on_error[0] {
            0 => return true,
            1 => OnError::Ignore,
            2 => OnError::Warn,
            _ => OnError::Fail,
        };
        let offset = u64::from_le_bytes(offset.try_into().expect("eight bytes"));
        let function = Descriptor::at_offset(offset as usize);
        let args = dumps(&()).unwrap_or_default();
        let result = function.map(|function| (function.call)(args));
        if let Some(Err(failure)) = result {
            if on_error != OnError::Ignore {
                eprintln!("the fork server's preload failed: {failure}");
            }
            return on_error != OnError::Fail;
        }
        let alone = sys::fork::threads() == Some(1);
        if !alone {
            eprintln!("the fork server's preload has left a thread behind");
        }
        alone
    }
}
