//! Encrypted connections, as Python's `ssl` gives them to asyncio; with the feature `ssl`, on Linux.
//!
//! ```no_run
//! use hilos_asyncio as asyncio;
//! use asyncio::ssl;
//!
//! asyncio::run(async {
//!     let context = ssl::create_default_context()?;
//!     let open = asyncio::open_connection("www.python.org", 443).with_ssl(&context);
//!     let (reader, writer) = open.await?;
//!     writer.write(b"HEAD / HTTP/1.0\r\nHost: www.python.org\r\n\r\n")?;
//!     println!("{}", String::from_utf8_lossy(&reader.readline().await?));
//!     writer.close();
//!     writer.wait_closed().await
//! })?;
//! # Ok::<(), asyncio::Exception>(())
//! ```
//!
//! Mirrors what asyncio uses of [`ssl`](https://docs.python.org/3.14/library/ssl.html).

mod errors;
mod greeting;
mod incoming;
mod outgoing;
mod protocol;
mod shutdown;
mod start;
mod start_tls;
mod transport;

pub use hilos_ssl::{
    CERT_NONE, CERT_REQUIRED, SslContext, SslError, VerifyMode, create_default_context,
};
pub(crate) use protocol::{Below, Tls};
pub(crate) use start::{Side, Ssl};
pub use start_tls::{StartTls, StartWriterTls};
