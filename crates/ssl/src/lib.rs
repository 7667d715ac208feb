//! Whom encrypted connections believe, and how they show who they are: what asyncio uses of Python's
//! `ssl`, by rustls.
//!
//! The connections themselves are asyncio's, and those of multiprocessing's listeners and managers.
//!
//! Mirrors parts of [`ssl`](https://docs.python.org/3.14/library/ssl.html).

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod context;
mod error;
mod sni;
mod verify;

pub use context::{CERT_NONE, CERT_REQUIRED, SslContext, VerifyMode, create_default_context};
pub use error::SslError;
