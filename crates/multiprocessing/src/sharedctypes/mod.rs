//! Numbers and plain structures in shared memory: Python's `multiprocessing.sharedctypes`.
//!
//! A type that is shared is plain data: [`Pod`](bytemuck::Pod), which the numbers and arrays of
//! them are. A structure of your own becomes one by a derive:
//!
//! ```
//! use hilos_multiprocessing as multiprocessing;
//! use multiprocessing::{Array, sharedctypes::bytemuck};
//!
//! #[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
//! #[bytemuck(crate = "bytemuck")]
//! #[repr(C)]
//! struct Point {
//!     x: f64,
//!     y: f64,
//! }
//!
//! let points = Array::new([Point { x: 1.875, y: -6.25 }, Point { x: 0.5, y: 1.5 }])?;
//! points.update(0, |point| point.x = point.x.powi(2))?;
//! assert_eq!(points.get(0)?.x, 3.515625);
//! # Ok::<(), multiprocessing::Error>(())
//! ```
//!
//! Python's typecodes are these types: `c`, `B` [`u8`], `b` [`i8`], `h` [`i16`], `H` [`u16`],
//! `i`, `l` [`i32`](std::ffi::c_int), [`i64`](std::ffi::c_long), `I`, `L` [`u32`], [`u64`],
//! `q` [`i64`], `Q` [`u64`], `f` [`f32`], `d` [`f64`], `u` [`u32`], a character's code.

mod array;
mod locked;
mod raw;
mod value;

pub use array::Array;
pub use bytemuck;
pub use raw::{RawArray, RawValue};
pub use value::Value;
