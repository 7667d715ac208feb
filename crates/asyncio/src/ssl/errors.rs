//! What encryption fails with, under Python's names.

use std::fmt;
use std::io;
use std::path::Path;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, Error};

use crate::exception::Exception;

/// `error` as an exception: `SSLCertVerificationError` if the other side is not who it should be,
/// `SSLError` otherwise.
pub(super) fn ssl_error(error: Error) -> Exception {
    let reason = match &error {
        Error::InvalidCertificate(certificate) => why_refused(certificate),
        Error::AlertReceived(alert) => {
            return named("SSLError", format!("the other side refuses: {alert:?}"));
        }
        Error::NoCertificatesPresented => {
            return named("SSLError", "peer did not return a certificate".to_owned());
        }
        Error::InvalidMessage(what) => {
            return named(
                "SSLError",
                format!("the other side does not speak TLS: {what:?}"),
            );
        }
        other => return named("SSLError", other.to_string()),
    };
    let text = format!("certificate verify failed: {reason}");
    named("SSLCertVerificationError", text)
}

/// An exception of Python's `ssl`, all of which are kinds of `OSError`.
pub(super) fn named(type_name: &'static str, text: String) -> Exception {
    let code = match type_name {
        "SSLCertVerificationError" => "SSL: CERTIFICATE_VERIFY_FAILED",
        _ => "SSL",
    };
    Exception::new(type_name, io::Error::other(format!("[{code}] {text}")))
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

/// A certificate or key that cannot be used.
pub(super) fn unusable(what: &str, path: &Path, why: impl fmt::Display) -> Exception {
    let text = format!(
        "[SSL] the {what} in '{}' cannot be used: {why}",
        path.display()
    );
    Exception::new("SSLError", text)
}
