//! rustls configurations of both ports: TLS 1.2 and 1.3 with aws-lc-rs, certificates of the internal CA.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::pki::Pki;

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
    /// Makes both configurations from the PKI.
    pub fn new(pki: &Pki, rest_tls: bool) -> Result<Self, TlsError> {
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
            .with_client_cert_verifier(verifier)
            .with_single_cert(pki.server_chain(), pki.server_key())
            .map_err(TlsError::Certificate)?;
        grpc.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { rest, grpc: Arc::new(grpc) })
    }
}
