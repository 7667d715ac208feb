//! The functions of Python's module.

use std::io::{BufRead, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{DEFAULT_PROTOCOL, PicklingError, Unpickler, UnpicklingError};
use crate::{direct, from_object, unpickler};

/// The value of a pickle; what follows it is ignored.
///
/// For a pickle whose content is not known beforehand, `T` is [`Object`](crate::Object).
///
/// # Errors
///
/// If the data is no pickle, or not one of such a value.
///
/// ```
/// let numbers: Vec<f64> = hilos_pickle::loads(b"(lp0\nF1.5\naI2\na.")?;
/// assert_eq!(numbers, [1.5, 2.0]);
/// # Ok::<(), hilos_pickle::UnpicklingError>(())
/// ```
///
/// CPython: [`pickle.loads`](https://docs.python.org/3.14/library/pickle.html#pickle.loads)
pub fn loads<T: DeserializeOwned>(data: &[u8]) -> Result<T, UnpicklingError> {
    from_object(&unpickler::load_slice(data)?)
}

/// The pickle of a value, in protocol [`DEFAULT_PROTOCOL`].
///
/// # Errors
///
/// If the value's `Serialize` fails.
///
/// ```
/// assert_eq!(hilos_pickle::dumps(&true)?, b"\x80\x05\x88.");
/// # Ok::<(), hilos_pickle::PicklingError>(())
/// ```
///
/// CPython: [`pickle.dumps`](https://docs.python.org/3.14/library/pickle.html#pickle.dumps)
pub fn dumps<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, PicklingError> {
    dumps_with_protocol(value, DEFAULT_PROTOCOL)
}

/// The pickle of a value in a protocol from 2 to [`HIGHEST_PROTOCOL`](crate::HIGHEST_PROTOCOL).
///
/// # Errors
///
/// If the protocol is another one or cannot write the value, or the value's `Serialize` fails.
///
/// ```
/// assert_eq!(hilos_pickle::dumps_with_protocol(&true, 2)?, b"\x80\x02\x88.");
/// # Ok::<(), hilos_pickle::PicklingError>(())
/// ```
///
/// CPython: [`pickle.dumps`](https://docs.python.org/3.14/library/pickle.html#pickle.dumps)
pub fn dumps_with_protocol<T: Serialize + ?Sized>(
    value: &T,
    protocol: u8,
) -> Result<Vec<u8>, PicklingError> {
    direct::dump(value, protocol)
}

/// Reads a pickle, and nothing after it, from a reader.
///
/// # Errors
///
/// As [`loads`], or if the reader fails.
///
/// # Blocking
///
/// As long as the reader does.
///
/// CPython: [`pickle.load`](https://docs.python.org/3.14/library/pickle.html#pickle.load)
pub fn load<T: DeserializeOwned, R: BufRead>(reader: R) -> Result<T, UnpicklingError> {
    from_object(&Unpickler::new(reader).load()?)
}

/// Writes the pickle of a value, in protocol [`DEFAULT_PROTOCOL`].
///
/// # Errors
///
/// As [`dumps`], or if the writer fails.
///
/// # Blocking
///
/// As long as the writer does.
///
/// CPython: [`pickle.dump`](https://docs.python.org/3.14/library/pickle.html#pickle.dump)
pub fn dump<T: Serialize + ?Sized, W: Write>(
    value: &T,
    mut writer: W,
) -> Result<(), PicklingError> {
    Ok(writer.write_all(&dumps(value)?)?)
}
