//! The certificates that a server shows, and whether they are trusted: one handshake, nothing sent.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Finding;
use crate::client::{Endpoint, trust};
use crate::error::Failure;
use crate::when;

/// From this time before the end of the certificate on it is worth a word.
const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Judges as another verifier does, and remembers what it was shown.
#[derive(Debug)]
struct Witness {
    judge: Arc<dyn ServerCertVerifier>,
    shown: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).map(|der| der.clone().into_owned()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        self.judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

/// Looks at the certificates over that connection.
pub(super) async fn look(endpoint: &Endpoint, host: &str, connection: TcpStream) -> Finding {
    match handshake(endpoint, host, connection).await {
        Err(failure) => Finding::fail("tls", &failure),
        Ok((result, shown)) => {
            let facts = shown.first().map(|leaf| Facts::of(leaf, shown.len())).unwrap_or_default();
            match result {
                Err(error) => {
                    let failure = trust::explain(&error, endpoint);
                    let failure = if facts.text.is_empty() { failure } else { failure.cause(facts.text) };
                    Finding::fail("tls", &failure)
                }
                Ok(()) => match facts.left.filter(|left| *left < EXPIRES_SOON) {
                    Some(left) => Finding::warn(
                        "tls",
                        facts.text,
                        format!(
                            "it ends in {}: a tyr-server renews its own certificate when it starts",
                            when::short(left)
                        ),
                    ),
                    None => Finding::ok("tls", facts.text),
                },
            }
        }
    }
}

type Handshake = (Result<(), std::io::Error>, Vec<CertificateDer<'static>>);

async fn handshake(endpoint: &Endpoint, host: &str, connection: TcpStream) -> Result<Handshake, Failure> {
    let failure = |error: &(dyn std::error::Error + 'static)| Failure::failed("TLS could not be set up").because(error);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let judge: Arc<dyn ServerCertVerifier> = match &endpoint.ca_file {
        Some(file) => {
            let mut roots = RootCertStore::empty();
            let certificates = CertificateDer::pem_file_iter(file).map_err(|error| failure(&error))?;
            for certificate in certificates {
                roots.add(certificate.map_err(|error| failure(&error))?).map_err(|error| failure(&error))?;
            }
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| failure(&error))?
        }
        None => {
            Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(&provider)).map_err(|error| failure(&error))?)
        }
    };
    let witness = Arc::new(Witness { judge, shown: Mutex::new(Vec::new()) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failure(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<Witness>::clone(&witness))
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failure(&error))?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, connection).await.map(|_| ());
    let shown = witness.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((connected, shown))
}

/// What a certificate says, in words.
#[derive(Default)]
struct Facts {
    text: String,
    /// Time until its end.
    left: Option<SignedDuration>,
}

impl Facts {
    fn of(leaf: &[u8], chain: usize) -> Self {
        let Ok((_, certificate)) = X509Certificate::from_der(leaf) else {
            return Self { text: "a certificate that can't be read".to_owned(), left: None };
        };
        let names: Vec<String> = certificate
            .subject_alternative_name()
            .ok()
            .flatten()
            .into_iter()
            .flat_map(|names| &names.value.general_names)
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                GeneralName::IPAddress(bytes) => address(bytes),
                _ => None,
            })
            .collect();
        let end = Timestamp::from_second(certificate.validity().not_after.timestamp()).ok();
        let until = end.map_or_else(|| "an unknown day".to_owned(), |end| end.to_string());
        Self {
            text: format!(
                "for {}, issued by {}, valid until {until}, {chain} in the chain",
                if names.is_empty() { "no name".to_owned() } else { names.join(" ") },
                certificate.issuer(),
            ),
            left: end.map(|end| end.duration_since(Timestamp::now())),
        }
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|octets| std::net::Ipv4Addr::from(octets).to_string()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|octets| std::net::Ipv6Addr::from(octets).to_string()),
        _ => None,
    }
}
