//! Python's `pickle` module in Rust: pickles as data.
//!
//! | Python | here |
//! |---|---|
//! | `pickle.loads(data)` | [`loads::<T>(data)?`](loads), where `T` may be [`Object`] |
//! | `pickle.dumps(obj)`, `pickle.dumps(obj, protocol=2)` | [`dumps(&value)?`](dumps), [`dumps_with_protocol(&value, 2)?`](dumps_with_protocol) |
//! | `pickle.load(file)`, `pickle.dump(obj, file)` | [`load(reader)?`](load), [`dump(&value, writer)?`](dump) |
//! | `Pickler(file)`, `Unpickler(file)` | [`Pickler::new(writer)`](Pickler), [`Unpickler::new(reader)`](Unpickler) |
//! | `except pickle.UnpicklingError:` | `Err(UnpicklingError)`, also for Python's `EOFError` and the like |
//! | `None`, `1`, `"a"`, `[1]`, `{"a": 1}` | [`Object`], with Python's equality, hash, order and repr |
//!
//! Python's unpickler runs what a pickle tells it to; this one never imports nor calls anything. An
//! object of a class is an [`Instance`]: what would make it, which a pickler writes again unchanged.
//! So pickles from anyone can be read, in memory and time that grow with their length alone.
//!
//! ```
//! use hilos_pickle as pickle;
//!
//! let data = pickle::dumps(&("spam", [1, 2, 3]))?;
//! let (name, numbers): (String, Vec<i64>) = pickle::loads(&data)?;
//! assert_eq!((&*name, &*numbers), ("spam", [1, 2, 3].as_slice()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Values
//!
//! What serde knows becomes this, and is read from it:
//!
//! | Rust | Python | also read from |
//! |---|---|---|
//! | `None`, `()` | `None` | |
//! | `Some(x)` | `x` | |
//! | `bool`, integers up to 128 bits, floats | bool, int, float | a float also from an int |
//! | `char`, `str`, `String` | str | |
//! | bytes, such as those of serde_bytes | bytes | bytearray |
//! | sequences | list | tuple, set, frozenset |
//! | tuples, tuple structs | tuple | list, set, frozenset |
//! | maps | dict | |
//! | structs | dict of str | an object whose state is such a dict |
//! | a variant without a value | `'Variant'` | `('Variant',)`, `('Variant', None)` |
//! | a variant with a value | `('Variant', value)` | `['Variant', value]`, `{'Variant': value}` |
//! | a variant with several | `('Variant', (a, b))`, `('Variant', {'a': 1})` | as above |
//! | [`Object`] | itself, with all that it shares | |
//!
//! A struct whose serde name has a dot stands for a Python class: with `#[serde(rename =
//! "shapes.Point")]` a struct becomes an object of the class `Point` in the module `shapes` whose
//! attributes are the fields, a tuple struct becomes the call `Point(a, b)`, and a struct without
//! fields the class itself; only that is read, too.
//!
//! ```
//! use hilos_pickle::{Object, from_object, loads, dumps};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! #[serde(rename = "fractions.Fraction")]
//! struct Fraction(i64, i64);
//!
//! let data = dumps(&Fraction(1, 3))?;
//! assert_eq!(loads::<Object>(&data)?.to_string(), "Fraction(1, 3)");
//! let Fraction(numerator, denominator) = loads(&data)?;
//! assert_eq!((numerator, denominator), (1, 3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! CPython: [`pickle`](https://docs.python.org/3.14/library/pickle.html)

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod by_name;
mod de;
mod direct;
mod encoder;
mod error;
mod frames;
mod functions;
mod handover;
mod identity;
mod known;
mod literal;
mod machine;
mod memo;
mod names;
mod object;
mod opcode;
mod pickler;
mod room;
mod ser;
mod source;
mod unpickler;

pub use de::from_object;
pub use error::{Error, PicklingError, UnpicklingError};
pub use functions::{dump, dumps, dumps_with_protocol, load, loads};
pub use literal::Encoding;
pub use object::{
    BigInt, ByteArray, Bytes, Construction, Dict, FrozenSet, Global, Instance, IntoIter, List,
    Object, Set, Slice, Step, Str, Tuple,
};
pub use pickler::Pickler;
pub use ser::to_object;
pub use unpickler::Unpickler;

/// The newest protocol, which is read and written.
///
/// CPython: [`pickle.HIGHEST_PROTOCOL`](https://docs.python.org/3.14/library/pickle.html#pickle.HIGHEST_PROTOCOL)
pub const HIGHEST_PROTOCOL: u8 = 5;

/// The protocol that is written unless another is asked for; Python 3.8 and later read it.
///
/// CPython: [`pickle.DEFAULT_PROTOCOL`](https://docs.python.org/3.14/library/pickle.html#pickle.DEFAULT_PROTOCOL)
pub const DEFAULT_PROTOCOL: u8 = 5;
