//! Who believes whom.

use std::path::{Path, PathBuf};

use hilos::multiprocessing::Error;
use hilos::ssl::{CERT_REQUIRED, SslContext, SslError};

fn file(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("asyncio_ssl/certificates").join(name)
}

/// A context for a server that shows the certificate of this name: `server`, which is of the tests'
/// authority and for this machine, `expired`, or `alone`, which is of nobody.
pub(crate) fn showing(name: &str) -> SslContext {
    let (certificate, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
    SslContext::server(certificate, key).unwrap()
}

/// A context for a client that believes the tests' authority.
pub(crate) fn believing() -> SslContext {
    let context = SslContext::new().with_cafile(file("authority.pem"));
    context.unwrap()
}

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
