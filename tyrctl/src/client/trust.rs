//! TLS: whom the client trusts, and what a failed connection means in words.

use std::error::Error;
use std::io;
use std::path::Path;

use rustls::CertificateError;

use super::Endpoint;
use crate::error::{Failure, Kind};

/// The certificates of that PEM file.
///
/// # Errors
/// When the file can't be read or holds no certificate.
pub fn authorities(file: &Path) -> Result<Vec<reqwest::Certificate>, Failure> {
    const HINT: &str = "the server writes it to `ca.pem` in its data folder ($TYR_DATA_DIR)";
    let failure = || Failure::failed(format!("CA file `{}` could not be used", file.display())).hint(HINT);
    let text = std::fs::read(file).map_err(|error| failure().because(&error))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&text).map_err(|error| failure().because(&error))?;
    if certificates.is_empty() {
        return Err(failure().cause("it holds no PEM certificate"));
    }
    Ok(certificates)
}

/// A connection that did not come about, or broke.
pub fn explain(error: &(dyn Error + 'static), endpoint: &Endpoint) -> Failure {
    let server = endpoint.name();
    let unreachable = |message: String| Failure::new(Kind::Unreachable, message);
    if let Some(tls) = find::<rustls::Error>(error) {
        let failure = unreachable(format!("the certificate of `{server}` is not trusted")).cause(tls.to_string());
        return match (tls, &endpoint.ca_file) {
            (
                rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                ),
                _,
            ) => failure
                .hint("use a name that the certificate has, or add this one at the server: `TYR_SERVER_NAMES=name`"),
            (
                rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }),
                _,
            ) => failure
                .hint("is the clock of this machine right? else restart the server, which renews its certificate"),
            (rustls::Error::InvalidCertificate(_), None) => {
                failure.hint("a tyr-server has its own authority: `--ca-file ca.pem`, from `ca.pem` in its data folder")
            }
            (rustls::Error::InvalidCertificate(_), Some(file)) => {
                failure.hint(format!("`{}` is not this server's; take `ca.pem` from its data folder", file.display()))
            }
            _ => unreachable(format!("no TLS connection to `{server}`"))
                .cause(tls.to_string())
                .hint("is this the REST port (7701)?"),
        };
    }
    let failure = unreachable(format!("`{server}` is not reachable"));
    match find::<io::Error>(error) {
        Some(io) if io.kind() == io::ErrorKind::ConnectionRefused => {
            failure.cause("connection refused").hint("is tyr-server running, and is this its REST port (7701)?")
        }
        _ => {
            // The outermost layers only say that a request failed; the innermost says why.
            let mut last = error;
            while let Some(source) = last.source() {
                last = source;
            }
            let failure = failure.cause(last.to_string());
            if endpoint.server.scheme() == "http" {
                return failure.hint("a tyr-server speaks TLS unless told otherwise: try `https://`");
            }
            failure.hint("check the address (`--server`, TYR_SERVER, `tyrctl context show`)")
        }
    }
}

/// An answer that ended before its end.
pub fn cut_off(error: &(dyn Error + 'static), path: &str) -> Failure {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    Failure::new(Kind::Unreachable, format!("the answer to `{path}` was cut off"))
        .cause(last.to_string())
        .hint("try again; does a proxy in between end long answers?")
}

/// The first error of that type in the chain. `io::Error` hides what it wraps from `source`, so it is opened.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}
