//! `ssl.SSLContext`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, Error, RootCertStore, ServerConfig};

use crate::error::SslError;
use crate::sni::{ByName, SniCallback};
use crate::verify::Lenient;

type Result<T> = std::result::Result<T, SslError>;

/// Whether the other side has to show a certificate that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyMode {
    /// Whatever it shows, or nothing.
    CertNone,
    /// It has to.
    CertRequired,
}

/// The other side need not show who it is. Only for tests: anybody can be in between.
pub const CERT_NONE: VerifyMode = VerifyMode::CertNone;

/// The other side has to show who it is.
pub const CERT_REQUIRED: VerifyMode = VerifyMode::CertRequired;

/// Whom a program believes, and how it shows who it is: for encrypted connections.
///
/// A client starts from [`create_default_context`]; a server from [`SslContext::server`], or from
/// [`SslContext::new`] and [`with_cert_chain`](Self::with_cert_chain).
///
/// # Differences from Python
/// - The encryption is rustls': TLS 1.2 and 1.3, no weak algorithm can be chosen.
/// - It is not changed after it was made: each `with_…` returns another.
///
/// Mirrors [`ssl.SSLContext`](https://docs.python.org/3.14/library/ssl.html#ssl.SSLContext).
#[derive(Clone)]
#[must_use = "it does nothing by itself"]
pub struct SslContext {
    roots: Arc<RootCertStore>,
    /// How this side shows who it is.
    pub(crate) own: Option<Arc<CertifiedKey>>,
    sni_callback: Option<SniCallback>,
    alpn: Vec<Vec<u8>>,
    verify_mode: VerifyMode,
    check_hostname: bool,
}

/// A context for clients that believe whom this machine believes.
///
/// # Errors
/// `SSLError` if the machine has no certificates of authorities.
///
/// Mirrors [`ssl.create_default_context`](https://docs.python.org/3.14/library/ssl.html#ssl.create_default_context).
pub fn create_default_context() -> Result<SslContext> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Some machines have a few that nobody can read.
    let (added, _ignored) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = match found.errors.first() {
            Some(error) => error.to_string(),
            None => "install ca-certificates, or give them by with_cafile".to_owned(),
        };
        let text = format!("this machine has no certificates of authorities: {why}");
        return Err(SslError::new(text));
    }
    let roots = Arc::new(roots);
    Ok(SslContext {
        roots,
        ..SslContext::new()
    })
}

impl SslContext {
    /// A context that believes nobody yet.
    #[expect(
        clippy::new_without_default,
        reason = "as in Python, it is made on purpose"
    )]
    pub fn new() -> Self {
        Self {
            roots: Arc::new(RootCertStore::empty()),
            own: None,
            sni_callback: None,
            alpn: Vec::new(),
            verify_mode: CERT_REQUIRED,
            check_hostname: true,
        }
    }

    /// A context for servers that show the certificates in `certfile`, of the key in `keyfile`, and
    /// ask nobody for theirs.
    ///
    /// # Errors
    /// As [`with_cert_chain`](Self::with_cert_chain).
    pub fn server<C: AsRef<Path>, K: AsRef<Path>>(certfile: C, keyfile: K) -> Result<Self> {
        let context = Self::new().with_verify_mode(CERT_NONE);
        context.with_cert_chain(certfile, keyfile)
    }

    /// Shows the certificates in `certfile`, the own one first, of the key in `keyfile`; both in
    /// PEM.
    ///
    /// # Errors
    /// `SSLError` if a file cannot be read or holds something else, or the key is another's.
    ///
    /// Mirrors [`SSLContext.load_cert_chain`](https://docs.python.org/3.14/library/ssl.html#ssl.SSLContext.load_cert_chain).
    pub fn with_cert_chain<C, K>(self, certfile: C, keyfile: K) -> Result<Self>
    where
        C: AsRef<Path>,
        K: AsRef<Path>,
    {
        let chain = certificates(certfile.as_ref())?;
        let keyfile = keyfile.as_ref();
        let key = PrivateKeyDer::from_pem_file(keyfile);
        let key = key.map_err(|why| SslError::unusable("private key", keyfile, why))?;
        let own = CertifiedKey::from_der(chain, key, &provider());
        let own = own.map_err(|why| match why {
            Error::InconsistentKeys(_) => {
                SslError::unusable("private key", keyfile, "it is another's")
            }
            why => SslError::unusable("private key", keyfile, why),
        })?;
        let own = Some(Arc::new(own));
        Ok(Self { own, ..self })
    }

    /// Believes the authorities in `cafile` too, which is in PEM.
    ///
    /// # Errors
    /// `SSLError` if the file cannot be read or holds something else.
    ///
    /// Mirrors [`SSLContext.load_verify_locations`](https://docs.python.org/3.14/library/ssl.html#ssl.SSLContext.load_verify_locations).
    pub fn with_cafile<P: AsRef<Path>>(self, cafile: P) -> Result<Self> {
        let mut roots = (*self.roots).clone();
        for certificate in certificates(cafile.as_ref())? {
            let added = roots.add(certificate);
            added.map_err(|why| SslError::unusable("certificate", cafile.as_ref(), why))?;
        }
        let roots = Arc::new(roots);
        Ok(Self { roots, ..self })
    }

    /// Offers these protocols for what is inside, the best first: `["h2", "http/1.1"]`.
    ///
    /// A server of asyncio whose client knows none of them goes on without one, as with OpenSSL.
    ///
    /// Mirrors [`SSLContext.set_alpn_protocols`](https://docs.python.org/3.14/library/ssl.html#ssl.SSLContext.set_alpn_protocols).
    pub fn with_alpn_protocols<I>(self, alpn_protocols: I) -> Self
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        let alpn = alpn_protocols.into_iter();
        let alpn = alpn.map(|protocol| protocol.as_ref().to_vec()).collect();
        Self { alpn, ..self }
    }

    /// Has a server ask `sni_callback` whose certificate to show, by the name that a client asks
    /// for: that of the context it returns, its own for `None`.
    ///
    /// A client that names nobody, as one that connects to a number, asks for `None`. If the
    /// returned context has no certificate, the handshake fails.
    ///
    /// # Differences from Python
    /// - The callback returns the other context, and is not given the connection.
    /// - Only the certificate is taken of that context.
    ///
    /// Mirrors [`SSLContext.sni_callback`](https://docs.python.org/3.14/library/ssl.html#ssl.SSLContext.sni_callback).
    pub fn with_sni_callback<F>(self, sni_callback: F) -> Self
    where
        F: Fn(Option<&str>) -> Option<SslContext> + Send + Sync + 'static,
    {
        let sni_callback: Option<SniCallback> = Some(Arc::new(sni_callback));
        Self {
            sni_callback,
            ..self
        }
    }

    /// Whether the other side has to show who it is.
    pub fn with_verify_mode(self, verify_mode: VerifyMode) -> Self {
        Self {
            verify_mode,
            ..self
        }
    }

    /// Whether a server has to be the one that was asked for, as it has to unless given.
    pub fn with_check_hostname(self, check_hostname: bool) -> Self {
        Self {
            check_hostname,
            ..self
        }
    }

    /// Whether a server has to show a certificate of its name.
    #[doc(hidden)]
    pub fn checks_name(&self) -> bool {
        self.check_hostname && self.verify_mode == CERT_REQUIRED
    }

    /// rustls's form of it, for a client.
    ///
    /// # Errors
    /// [`SslError`] if it believes nobody and is to check whom it talks to.
    #[doc(hidden)]
    pub fn client_config(&self) -> Result<ClientConfig> {
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(SslError::from)?;
        let chain = match self.verify_mode {
            VerifyMode::CertNone => None,
            VerifyMode::CertRequired => Some(self.chain_verifier(&provider)?),
        };
        let builder = match (chain, self.check_hostname) {
            (Some(chain), true) => builder.with_webpki_verifier(chain),
            (chain, _) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Lenient { chain, provider })),
        };
        let mut config = match self.own.clone() {
            Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn.clone();
        // As in Python, a connection takes nothing over from an earlier one.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn chain_verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
        if self.roots.is_empty() {
            let message = "the context believes nobody: give it authorities by with_cafile";
            return Err(SslError::new(message));
        }
        WebPkiServerVerifier::builder_with_provider(self.roots.clone(), provider.clone())
            .build()
            .map_err(SslError::new)
    }

    /// rustls's form of it, for a server.
    ///
    /// # Errors
    /// [`SslError`] if it has no certificate, or believes nobody whose certificate it is to check.
    #[doc(hidden)]
    pub fn server_config(&self) -> Result<ServerConfig> {
        let Some(own) = self.own.clone() else {
            let message = "a server needs a certificate: give it one by with_cert_chain";
            return Err(SslError::value(message));
        };
        let provider = provider();
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(SslError::from)?;
        let builder = match self.verify_mode {
            VerifyMode::CertNone => builder.with_no_client_auth(),
            VerifyMode::CertRequired => {
                let roots = self.roots.clone();
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
                let verifier = verifier.map_err(SslError::new)?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = match self.sni_callback.clone() {
            Some(sni_callback) => {
                builder.with_cert_resolver(Arc::new(ByName { own, sni_callback }))
            }
            None => builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(own))),
        };
        config.alpn_protocols = self.alpn.clone();
        Ok(config)
    }
}

/// One for all, given by name: no other library's choice for the process is touched.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path);
    let read = read.map_err(|why| SslError::unusable("certificate", path, why))?;
    let all: std::result::Result<Vec<_>, _> = read.collect();
    let all = all.map_err(|why| SslError::unusable("certificate", path, why))?;
    match all.is_empty() {
        true => Err(SslError::unusable(
            "certificate",
            path,
            "it holds none in PEM",
        )),
        false => Ok(all),
    }
}

impl fmt::Debug for SslContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SslContext")
            .field("authorities", &self.roots.len())
            .field("has_certificate", &self.own.is_some())
            .field("verify_mode", &self.verify_mode)
            .field("check_hostname", &self.check_hostname)
            .finish_non_exhaustive()
    }
}
