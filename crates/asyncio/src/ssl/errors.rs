//! What encryption fails with, as an exception.

use std::io;

use hilos_ssl::SslError;

use crate::exception::Exception;

/// `error` as an exception: `SSLCertVerificationError` if the other side is not who it should be,
/// `SSLError` otherwise; both are kinds of `OSError`.
pub(super) fn ssl_error(error: rustls::Error) -> Exception {
    let error = SslError::from(error);
    Exception::new(error.name(), io::Error::other(error))
}
