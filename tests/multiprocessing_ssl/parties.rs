//! Sides that both have certificates, and what they refuse each other with.

use hilos::multiprocessing::Error;
use hilos::ssl::{CERT_REQUIRED, SslContext, SslError};

use crate::certificates::{believing, file, showing};

/// A context for a server that wants to see its clients' certificates.
pub(crate) fn demanding() -> SslContext {
    let context = showing("server")
        .with_cafile(file("authority.pem"))
        .unwrap();
    context.with_verify_mode(CERT_REQUIRED)
}

/// A context for a client that has a certificate.
pub(crate) fn known(name: &str) -> SslContext {
    let (certificate, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
    believing().with_cert_chain(certificate, key).unwrap()
}

/// What encryption says of this.
pub(crate) fn ssl_error(error: &Error) -> SslError {
    let Error::Os(error) = error else {
        panic!("not of encryption: {error:?}")
    };
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    SslError::clone(inner.unwrap())
}
