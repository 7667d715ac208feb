//! What encryption fails with, under Python's names.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, Error};

/// What a certificate, a key or an encrypted connection fails with.
///
/// Mirrors [`ssl.SSLError`](https://docs.python.org/3.14/library/ssl.html#ssl.SSLError) and
/// `ssl.SSLCertVerificationError`, which are kinds of `OSError`.
#[derive(Clone, Debug)]
pub struct SslError {
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Other,
    Verification,
    /// A context that does not do for what it is used for: Python's `ValueError`.
    Value,
}

impl SslError {
    pub(crate) fn new<T: fmt::Display>(reason: T) -> Self {
        Self {
            kind: Kind::Other,
            text: format!("[SSL] {reason}"),
        }
    }

    pub(crate) fn value(reason: &str) -> Self {
        Self {
            kind: Kind::Value,
            text: reason.to_owned(),
        }
    }

    /// A certificate or key that cannot be used.
    pub(crate) fn unusable(what: &str, path: &Path, why: impl fmt::Display) -> Self {
        Self::new(format_args!(
            "the {what} in '{}' cannot be used: {why}",
            path.display()
        ))
    }

    /// Whether the other side is not who it should be.
    pub fn is_verification(&self) -> bool {
        self.kind == Kind::Verification
    }

    /// The name of the exception in Python.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Other => "SSLError",
            Kind::Verification => "SSLCertVerificationError",
            Kind::Value => "ValueError",
        }
    }
}

impl fmt::Display for SslError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for SslError {}

impl From<Error> for SslError {
    fn from(error: Error) -> Self {
        let reason = match &error {
            Error::InvalidCertificate(certificate) => why_refused(certificate),
            Error::AlertReceived(alert) => {
                return Self::new(format_args!("the other side refuses: {alert:?}"));
            }
            Error::NoCertificatesPresented => {
                return Self::new("peer did not return a certificate");
            }
            Error::InvalidMessage(what) => {
                return Self::new(format_args!("the other side does not speak TLS: {what:?}"));
            }
            other => return Self::new(other),
        };
        Self {
            kind: Kind::Verification,
            text: format!("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {reason}"),
        }
    }
}

/// What is wrong with the certificate, and what may be done about it.
fn why_refused(error: &CertificateError) -> String {
    use CertificateError as E;
    let reason = match error {
        E::UnknownIssuer => {
            "unable to get local issuer certificate; give its authority by with_cafile"
        }
        E::Expired | E::ExpiredContext { .. } => "certificate has expired",
        E::NotValidYet | E::NotValidYetContext { .. } => "certificate is not yet valid",
        E::Revoked => "certificate revoked",
        E::BadSignature => "certificate signature failure",
        E::BadEncoding => "certificate cannot be read",
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => "unsuitable certificate purpose",
        E::NotValidForName => "Hostname mismatch, certificate is not valid for the server",
        E::NotValidForNameContext { expected, .. } => {
            let kind = match expected {
                ServerName::IpAddress(_) => "IP address",
                _ => "Hostname",
            };
            let name = expected.to_str();
            return format!("{kind} mismatch, certificate is not valid for '{name}'.");
        }
        E::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            "it is an authority's own; let it sign one for the server (basicConstraints=CA:FALSE)"
        }
        other => return other.to_string(),
    };
    reason.to_owned()
}
