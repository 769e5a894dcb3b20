//! Who this agent is: a key that never leaves the host, and the certificate that the server gave for it.

use std::fmt;
use std::io;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::data_dir::DataDir;

/// File in the data folder, mode 0600.
const FILE: &str = "identity.json";

/// An enrolled agent. Kept as one file, so that key and certificate can't be of different enrollments.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Given by the server.
    pub agent_id: Uuid,
    /// Certificate chain of this agent, PEM.
    pub client_cert_pem: String,
    /// The authority that the server's certificate must come from, PEM.
    pub ca_cert_pem: String,
    /// PKCS#8 in PEM.
    key_pem: String,
}

/// The stored identity can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file could not be read or written.
    #[error("can't access the identity file `{file}`")]
    Io {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not one that this program wrote.
    #[error("the identity file `{file}` is damaged")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No key could be made.
    #[error("can't make a key")]
    Key(#[source] rcgen::Error),
}

/// A new key, and the request for a certificate that goes with it.
pub struct Request {
    key_pem: String,
    /// PKCS#10 in PEM, signed with the key.
    pub csr_pem: String,
}

impl Request {
    /// Makes a P-256 key and a signing request for it.
    ///
    /// The server takes only the public key from the request; names in it would be ignored.
    pub fn new() -> Result<Self, IdentityError> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(IdentityError::Key)?;
        let request = rcgen::CertificateParams::default().serialize_request(&key).map_err(IdentityError::Key)?;
        Ok(Self { key_pem: key.serialize_pem(), csr_pem: request.pem().map_err(IdentityError::Key)? })
    }

    /// The identity that the server's answer makes of it.
    ///
    /// # Errors
    ///
    /// What is wrong with the answer, in words.
    pub fn into_identity(self, agent_id: &str, client_cert_pem: &[u8], ca_cert_pem: &[u8]) -> Result<Identity, String> {
        let text = |what: &str, pem: &[u8]| {
            String::from_utf8(pem.to_vec()).map_err(|_| format!("its {what} certificate is no PEM"))
        };
        let identity = Identity {
            agent_id: agent_id.parse().map_err(|_| "its agent id is no UUID".to_owned())?,
            client_cert_pem: text("client", client_cert_pem)?,
            ca_cert_pem: text("CA", ca_cert_pem)?,
            key_pem: self.key_pem,
        };
        identity.check()?;
        Ok(identity)
    }
}

impl Identity {
    /// The identity of this host, `None` before it is enrolled.
    pub fn load(data: &DataDir) -> Result<Option<Self>, IdentityError> {
        let file = || data.file(FILE).display().to_string();
        let bytes = data.read(FILE).map_err(|source| IdentityError::Io { file: file(), source })?;
        let Some(bytes) = bytes else { return Ok(None) };
        let damaged = |reason| IdentityError::Damaged { file: file(), reason };
        let identity: Self = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        identity.check().map_err(damaged)?;
        Ok(Some(identity))
    }

    /// Keeps it, in the place of one that may be there.
    pub fn store(&self, data: &DataDir) -> Result<(), IdentityError> {
        let bytes = serde_json::to_vec_pretty(self).expect("text and a UUID");
        let file = || data.file(FILE).display().to_string();
        data.write(FILE, &bytes).map_err(|source| IdentityError::Io { file: file(), source })
    }

    /// The certificate chain and the key, for TLS.
    pub fn credentials(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).expect("checked when it was read");
        (certificates(&self.client_cert_pem).expect("checked when it was read"), key)
    }

    /// Whether the certificate is for the key.
    pub fn is_consistent(&self) -> bool {
        let Ok(key) = rcgen::KeyPair::from_pem(&self.key_pem) else { return false };
        let chain = certificates(&self.client_cert_pem).unwrap_or_default();
        let certificate = chain.first().and_then(|der| X509Certificate::from_der(der).ok());
        certificate.is_some_and(|(_, certificate)| {
            certificate.public_key().subject_public_key.data.as_ref() == key.public_key_raw()
        })
    }

    /// The end of the certificate, microseconds since the Unix epoch.
    pub fn not_after_unix_us(&self) -> i64 {
        let der = certificates(&self.client_cert_pem).expect("checked when it was read").swap_remove(0);
        not_after_s(&der).expect("checked when it was read").saturating_mul(1_000_000)
    }

    /// The authority's certificates.
    pub fn authorities(&self) -> Vec<CertificateDer<'static>> {
        certificates(&self.ca_cert_pem).expect("checked when it was read")
    }

    fn check(&self) -> Result<(), String> {
        for (what, pem) in [("client", &self.client_cert_pem), ("CA", &self.ca_cert_pem)] {
            let all = certificates(pem).map_err(|error| format!("its {what} certificate is damaged: {error}"))?;
            not_after_s(&all[0]).ok_or_else(|| format!("its {what} certificate is damaged: it is no X.509"))?;
        }
        PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())
            .map_err(|error| format!("its key is damaged: {error}"))?;
        Ok(())
    }
}

/// The end of a certificate, in seconds since the Unix epoch.
fn not_after_s(der: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// The key stays out of logs.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("agent_id", &self.agent_id).finish_non_exhaustive()
    }
}

/// All certificates of a PEM text; at least one.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    match all {
        Ok(all) if all.is_empty() => Err("it holds no certificate".to_owned()),
        Ok(all) => Ok(all),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Identity, IdentityError, Request};
    use crate::data_dir::DataDir;

    fn enrolled() -> Identity {
        let request = Request::new().unwrap();
        let cert = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap().cert.pem();
        request.into_identity("0192f0c1-2345-7000-8000-000000000001", cert.as_bytes(), cert.as_bytes()).unwrap()
    }

    #[test]
    fn reads_back_what_it_stored() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        assert_eq!(Identity::load(&data).unwrap(), None);
        let identity = enrolled();
        identity.store(&data).unwrap();
        assert_eq!(Identity::load(&data).unwrap().unwrap(), identity);
    }

    #[test]
    fn says_when_the_file_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        data.write("identity.json", b"{").unwrap();
        assert!(matches!(Identity::load(&data), Err(IdentityError::Damaged { .. })));
    }

    #[test]
    fn the_key_is_not_shown_and_refuses_a_foolish_answer() {
        assert!(!format!("{:?}", enrolled()).contains("PRIVATE"));
        assert!(Request::new().unwrap().into_identity("me", b"x", b"x").unwrap_err().contains("UUID"));
        let id = "0192f0c1-2345-7000-8000-000000000001";
        assert!(Request::new().unwrap().into_identity(id, b"x", b"x").unwrap_err().contains("client certificate"));
    }
}
