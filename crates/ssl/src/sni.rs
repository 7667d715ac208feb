//! Which certificate a server shows for the name that a client asks for.

use std::fmt;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::SslContext;

/// What a program answers to the name that a client asks for.
pub(crate) type SniCallback = Arc<dyn Fn(Option<&str>) -> Option<SslContext> + Send + Sync>;

/// The certificates of a server that has several names.
pub(crate) struct ByName {
    pub(crate) own: Arc<CertifiedKey>,
    pub(crate) sni_callback: SniCallback,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match (self.sni_callback)(hello.server_name()) {
            None => Some(self.own.clone()),
            Some(context) => context.own,
        }
    }
}

impl fmt::Debug for ByName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByName")
    }
}
