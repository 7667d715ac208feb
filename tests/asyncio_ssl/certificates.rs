//! Who believes whom: contexts with the tests' certificates.

use std::path::{Path, PathBuf};

use hilos::ssl::SslContext;

/// The file of a certificate or key.
pub(crate) fn file(name: &str) -> PathBuf {
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
