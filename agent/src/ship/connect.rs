//! One TLS connection to the server, and the words for each way in which it can fail.

use std::fs;
use std::future::ready;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tyr_proto::MESSAGE_BYTES_MAX;
use tyr_proto::v1::agent_service_client::AgentServiceClient;

use crate::config::{CaPin, ServerUrl};
use crate::identity::{Identity, certificates};

/// Longest that a TCP connection may take.
const TCP_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest that a TLS handshake may take. Generous: when thousands of agents come back at once, the last of them waits
/// for the server's processors, and giving up would put it at the end of the queue again.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(45);
/// A connection on which nothing moves is asked for life after this long, and given up after [`KEEP_ALIVE_TIMEOUT`].
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// No connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The authority's file can't be used.
    #[error("can't use the CA file `{}`: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Nobody listens there, or the name is unknown.
    #[error("the server {server} can't be reached")]
    Unreachable {
        /// Where.
        server: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It didn't answer in time.
    #[error("the server {server} did not answer within {} s", after.as_secs())]
    Silent {
        /// Where.
        server: String,
        /// How long it had.
        after: Duration,
    },
    /// Its certificate is not one to trust. Nothing was sent.
    #[error("the certificate of the server {server} is not trusted")]
    Untrusted {
        /// Where.
        server: String,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
    /// The server ended the handshake: it does not take this agent's certificate, or speaks something else.
    #[error("the TLS handshake with the server {server} failed")]
    Handshake {
        /// Where.
        server: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The key or certificate of this agent can't be used.
    #[error("this agent's identity can't be used for TLS")]
    Identity(#[source] rustls::Error),
    /// HTTP/2 did not come up over the connection.
    #[error("the server {server} does not speak HTTP/2")]
    Http {
        /// Where.
        server: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
}

/// What the server's certificate is checked against.
#[derive(Debug)]
pub(super) enum Trust {
    /// It comes from one of these authorities.
    Authorities(Vec<CertificateDer<'static>>),
    /// It comes with the certificate of the authority that has this digest, and from it.
    Pin(CaPin),
}

impl Trust {
    /// The authorities of a PEM file.
    pub(super) fn from_file(path: &Path) -> Result<Self, ConnectError> {
        let fail = |reason| ConnectError::CaFile { path: path.to_owned(), reason };
        let pem = fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        certificates(&pem).map(Self::Authorities).map_err(fail)
    }
}

/// Connects, checks the server's certificate, and shows our own if there is one.
pub(super) async fn connect(
    server: &ServerUrl,
    trust: Trust,
    identity: Option<&Identity>,
) -> Result<AgentServiceClient<Channel>, ConnectError> {
    let tls = client_config(trust, identity)?;
    let name = || server.to_string();
    let silent = |after| move |_| ConnectError::Silent { server: server.to_string(), after };
    let unreachable = |source| ConnectError::Unreachable { server: name(), source };
    let tcp = timeout(TCP_TIMEOUT, TcpStream::connect((server.host(), server.port())))
        .await
        .map_err(silent(TCP_TIMEOUT))?
        .map_err(unreachable)?;
    tcp.set_nodelay(true).map_err(unreachable)?;
    let stream = timeout(HANDSHAKE_TIMEOUT, TlsConnector::from(Arc::new(tls)).connect(server.tls_name(), tcp))
        .await
        .map_err(silent(HANDSHAKE_TIMEOUT))?
        .map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(source @ rustls::Error::InvalidCertificate(_)) => {
                ConnectError::Untrusted { server: name(), source: source.clone() }
            }
            _ => ConnectError::Handshake { server: name(), source: error },
        })?;
    // The channel asks for a connection once and gets the one that stands; when that is gone it is given up as a whole,
    // since reconnecting is the business of `run`, which rewinds the spool.
    let stream = Mutex::new(Some(TokioIo::new(stream)));
    let connector = tower::service_fn(move |_| {
        let stream = stream.lock().ok().and_then(|mut stream| stream.take());
        ready(stream.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)))
    });
    let channel = Endpoint::from_static("http://tyr-server")
        .user_agent(concat!("tyrd/", env!("CARGO_PKG_VERSION")))
        .map_err(|source| ConnectError::Http { server: name(), source })?
        .origin(server.to_string().parse().expect("checked when the configuration was read"))
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_with_connector(connector)
        .await
        .map_err(|source| ConnectError::Http { server: name(), source })?;
    Ok(AgentServiceClient::new(channel)
        .max_decoding_message_size(POLICY_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX))
}

/// Largest message taken from the server, in bytes: a policy push may hold several documents of 256 KiB.
const POLICY_BYTES_MAX: usize = 4 * 1024 * 1024;

fn client_config(trust: Trust, identity: Option<&Identity>) -> Result<ClientConfig, ConnectError> {
    let builder = ClientConfig::builder();
    let builder = match trust {
        Trust::Authorities(authorities) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(authorities);
            builder.with_root_certificates(roots)
        }
        Trust::Pin(pin) => {
            let provider = Arc::clone(builder.crypto_provider());
            builder.dangerous().with_custom_certificate_verifier(Arc::new(PinnedAuthority { pin, provider }))
        }
    };
    let mut config = match identity {
        Some(identity) => {
            let (chain, key) = identity.credentials();
            builder.with_client_auth_cert(chain, key).map_err(ConnectError::Identity)?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Trusts the one authority that has a known digest, and checks the server's certificate against it in full (chain,
/// name, time). The server has to send that authority's certificate along.
#[derive(Debug)]
struct PinnedAuthority {
    pin: CaPin,
    provider: Arc<CryptoProvider>,
}

impl PinnedAuthority {
    fn verifier(&self, authority: &CertificateDer<'_>) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))
    }
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let pinned = intermediates.iter().find(|cert| Sha256::digest(cert).as_slice() == self.pin.0);
        let Some(authority) = pinned else {
            return Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer));
        };
        self.verifier(authority)?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
