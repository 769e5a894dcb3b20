//! rustls configurations of both ports: TLS 1.2 and 1.3 with aws-lc-rs, certificates of the internal CA.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::pki::{self, Pki};

/// One configuration per port.
#[derive(Clone, Debug)]
pub struct TlsConfigs {
    /// REST and SSE; `None` behind a TLS proxy.
    pub rest: Option<Arc<ServerConfig>>,
    /// gRPC. A client certificate is asked for and checked if there is one, but may be missing: `Register` has none yet, so
    /// each method checks for itself.
    pub grpc: Arc<ServerConfig>,
}

/// What can go wrong with the configurations.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The server's certificate or key doesn't suit rustls.
    #[error("the server's certificate can't be used")]
    Certificate(#[source] rustls::Error),
    /// The CA's certificate doesn't suit rustls.
    #[error("the CA's certificate can't be used to check clients")]
    ClientVerifier(#[source] rustls::server::VerifierBuilderError),
}

impl TlsConfigs {
    /// Makes both configurations from the PKI. Agents' certificates pass for `grace` after their end: what they are good for then
    /// is decided when a stream is opened.
    pub fn new(pki: &Pki, rest_tls: bool, grace: Duration) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = || {
            ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(TlsError::Certificate)
        };
        let rest = if rest_tls {
            let mut rest = builder()?
                .with_no_client_auth()
                .with_single_cert(pki.server_chain(), pki.server_key())
                .map_err(TlsError::Certificate)?;
            rest.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            Some(Arc::new(rest))
        } else {
            None
        };
        let mut roots = RootCertStore::empty();
        roots.add(pki.ca_der().clone()).map_err(TlsError::Certificate)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(TlsError::ClientVerifier)?;
        let mut grpc = builder()?
            .with_client_cert_verifier(Arc::new(Graceful { inner: verifier, grace }))
            .with_single_cert(pki.server_chain(), pki.server_key())
            .map_err(TlsError::Certificate)?;
        grpc.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { rest, grpc: Arc::new(grpc) })
    }
}

/// Checks client certificates as webpki does, but takes one that has expired for a while yet.
#[derive(Debug)]
struct Graceful {
    inner: Arc<dyn ClientCertVerifier>,
    grace: Duration,
}

impl ClientCertVerifier for Graceful {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let result = self.inner.verify_client_cert(end_entity, intermediates, now);
        let Err(rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) =
            &result
        else {
            return result;
        };
        let Some(not_after) = pki::identity(end_entity).and_then(|it| u64::try_from(it.not_after.as_second()).ok())
        else {
            return result;
        };
        if now.as_secs().saturating_sub(not_after) > self.grace.as_secs() || self.grace.is_zero() {
            return result;
        }
        // All else is checked as it was at the certificate's last moment.
        let last = UnixTime::since_unix_epoch(Duration::from_secs(not_after));
        self.inner.verify_client_cert(end_entity, intermediates, last)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::TlsConfigs;
    use crate::pki::Pki;
    use std::time::Duration;

    #[test]
    fn only_aead_suites_of_tls_1_2_and_1_3() {
        let dir = tempfile::tempdir().expect("a folder");
        let pki = Pki::load_or_create(dir.path(), &[]).expect("a CA");
        let configs = TlsConfigs::new(&pki, true, Duration::ZERO).expect("TLS");
        for config in [configs.rest.expect("TLS"), configs.grpc] {
            let suites = &config.crypto_provider().cipher_suites;
            assert!(!suites.is_empty());
            for suite in suites {
                let name = format!("{:?}", suite.suite());
                assert!(["GCM", "CHACHA20_POLY1305"].iter().any(|aead| name.contains(aead)), "{name}");
                assert!(name.starts_with("TLS13_") || name.starts_with("TLS_ECDHE_"), "{name}");
            }
        }
    }
}
