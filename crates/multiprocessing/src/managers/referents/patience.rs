//! How long a method may wait, as Python's arguments say it.

use std::time::Duration;

use hilos_core::time::{Deadline, InvalidTimeout, Timeout};
use hilos_pickle::Object;

use crate::managers::args::Args;
use crate::managers::exception::Exception;

/// How long the server waits before it looks whether the client is still there.
pub(super) const SLICE: Duration = Duration::from_secs(1);

/// Waits in slices, until one succeeds, the time is over, or the client is gone, who would get what others
/// need. For what loses nothing if it begins to wait anew.
pub(super) fn in_slices<R>(
    args: &Args<'_>,
    deadline: Deadline,
    mut attempt: impl FnMut(Deadline) -> Option<R>,
) -> Result<Option<R>, Exception> {
    loop {
        let slice = deadline.at_most(SLICE);
        match attempt(slice) {
            None if slice == deadline => return Ok(None),
            // Nobody reads this.
            None if args.is_abandoned() => return Err(Exception::new("ConnectionResetError", ())),
            None => {}
            some => return Ok(some),
        }
    }
}

/// A timeout of seconds or `None`, which Python compares with 0.
pub(super) fn timeout(argument: Option<Object>) -> Result<Timeout, Exception> {
    compared(argument, '>')
}

fn compared(argument: Option<Object>, operator: char) -> Result<Timeout, Exception> {
    match argument {
        None | Some(Object::None) => Ok(Timeout::NEVER),
        Some(number) => match f64::try_from(&number) {
            Ok(seconds) => Ok(seconds.into()),
            Err(hilos_pickle::Error::TypeError(_)) => Err(Exception::type_error(format!(
                "'{operator}' not supported between instances of '{}' and 'int'",
                number.type_name()
            ))),
            Err(error) => Err(error.into()),
        },
    }
}

fn seconds(number: &Object) -> Result<f64, Exception> {
    f64::try_from(number).map_err(|error| match error {
        hilos_pickle::Error::TypeError(_) => Exception::type_error(format!(
            "'{}' object cannot be interpreted as an integer",
            number.type_name()
        )),
        error => error.into(),
    })
}

/// The arguments of a lock's `acquire(blocking=True, timeout=-1)`.
pub(super) fn of_lock(args: &Args<'_>) -> Result<Deadline, Exception> {
    let given = args.positional().len() + args.keywords().len();
    if given > 2 {
        let text = format!("acquire() takes at most 2 arguments ({given} given)");
        return Err(Exception::type_error(text));
    }
    let [blocking, limit] = args.bind("acquire", ["blocking", "timeout"], 0)?;
    let blocking = blocking.is_none_or(|blocking| blocking.is_true());
    let limit = limit.map_or(Ok(-1.0), |limit| seconds(&limit))?;
    match (blocking, limit) {
        (false, -1.0) => Ok(Deadline::PAST),
        (false, _) => {
            let text = "can't specify a timeout for a non-blocking call";
            Err(Exception::value_error(text))
        }
        _ => Ok(Timeout::from(limit).checked_for_lock()?),
    }
}

/// The arguments of a semaphore's `acquire(blocking=True, timeout=None)`.
pub(super) fn of_semaphore(args: &Args<'_>) -> Result<Timeout, Exception> {
    let names = ["blocking", "timeout"];
    let [blocking, limit] = args.bind("Semaphore.acquire", names, 0)?;
    let limit = timeout(limit)?;
    match blocking.is_none_or(|blocking| blocking.is_true()) {
        true => Ok(limit),
        false if limit == Timeout::NEVER => Ok(Timeout::ZERO),
        false => {
            let text = "can't specify timeout for non-blocking acquire";
            Err(Exception::value_error(text))
        }
    }
}

/// The last arguments of a queue's methods, `block=True, timeout=None`.
pub(super) fn of_queue(block: Option<Object>, limit: Option<Object>) -> Result<Timeout, Exception> {
    if block.is_some_and(|block| !block.is_true()) {
        return Ok(Timeout::ZERO);
    }
    let limit = compared(limit, '<')?;
    match limit.checked() {
        Err(InvalidTimeout::Negative | InvalidTimeout::NotANumber) => Err(Exception::value_error(
            "'timeout' must be a non-negative number",
        )),
        _ => Ok(limit),
    }
}
