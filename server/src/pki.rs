//! The internal CA: `ca.key` and `ca.pem` in the data directory, the server's certificate, agents' certificates.
//!
//! The private key of the CA never leaves the process and its file (0600). Agents keep their own private keys; of a CSR only the
//! public key is used, everything else in a certificate is decided here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Life of the CA certificate.
const CA_LIFE: Duration = Duration::from_hours(24 * 3650);
/// Life of the server's certificate, which is made anew at each start.
const SERVER_LIFE: Duration = Duration::from_hours(24 * 365);
/// Certificates begin this much in the past, for hosts whose clocks are behind.
const BACKDATE: Duration = Duration::from_hours(1);
/// Largest CSR that is looked at, in bytes of PEM.
pub const CSR_BYTES_MAX: usize = 8 * 1024;
/// What an agent's identity looks like in its certificate: `tyr://agent/<uuid>`.
const IDENTITY_PREFIX: &str = "tyr://agent/";
/// An uncompressed point of P-256: one byte of form, twice 32 of coordinates.
const P256_POINT_BYTES: usize = 65;

/// What can go wrong with keys and certificates.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file of the data directory can't be used.
    #[error("{action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A key or certificate in the data directory is damaged.
    #[error("{path} can't be used")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rcgen::Error,
    },
    /// `ca.pem` is not the certificate of `ca.key`; one of them comes from elsewhere.
    #[error("{cert} is not the certificate of {key}")]
    KeyMismatch {
        /// The key.
        key: PathBuf,
        /// The certificate.
        cert: PathBuf,
    },
    /// A certificate can't be made.
    #[error("making a certificate")]
    Sign(#[source] rcgen::Error),
    /// `TYR_SERVER_NAMES` has a word that is neither a DNS name nor an address.
    #[error("`{0}` is neither a DNS name nor an IP address")]
    BadName(String),
    /// A CSR that no certificate is made for. The text is for the agent's operator.
    #[error("the CSR is refused: {0}")]
    BadCsr(&'static str),
}

/// The internal CA and this server's certificate.
pub struct Pki {
    issuer: Issuer<'static, KeyPair>,
    ca_der: CertificateDer<'static>,
    ca_pem: String,
    server_chain: Vec<CertificateDer<'static>>,
    server_key: PrivatePkcs8KeyDer<'static>,
}

impl std::fmt::Debug for Pki {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pki").field("ca_sha256", &self.ca_sha256()).finish_non_exhaustive()
    }
}

/// A certificate for an agent.
#[derive(Debug)]
pub struct ClientCertificate {
    /// PEM.
    pub pem: String,
    /// Serial number, lower-case hex.
    pub serial: String,
    /// End of its life.
    pub not_after: Timestamp,
}

/// Whom a client certificate belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The agent.
    pub agent_id: Uuid,
    /// Serial number, lower-case hex.
    pub serial: String,
    /// End of its life.
    pub not_after: Timestamp,
}

impl Pki {
    /// Reads the CA from the data directory or makes it there, and makes a certificate for this server: for `localhost`, the
    /// loopback addresses, the host's name and `server_names`.
    ///
    /// A lost `ca.pem` is made anew from the key: agents go on trusting it, as key and subject are the same.
    ///
    /// # Errors
    /// When files can't be read or written, don't fit each other, or a name is none.
    pub fn load_or_create(data_dir: &Path, server_names: &[String]) -> Result<Self, PkiError> {
        let key_path = data_dir.join("ca.key");
        let cert_path = data_dir.join("ca.pem");
        let key_pem = match fs::read_to_string(&key_path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = KeyPair::generate().map_err(PkiError::Sign)?.serialize_pem();
                write_private(&key_path, pem.as_bytes()).map_err(|source| PkiError::File {
                    action: "creating",
                    path: key_path.clone(),
                    source,
                })?;
                // The certificate of a lost key is worth nothing.
                let _ = fs::remove_file(&cert_path);
                pem
            }
            Err(source) => return Err(PkiError::File { action: "reading", path: key_path, source }),
        };
        let key = KeyPair::from_pem(&key_pem).map_err(|source| PkiError::Damaged { path: key_path, source })?;
        let ca_pem = match fs::read_to_string(&cert_path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = ca_params().self_signed(&key).map_err(PkiError::Sign)?.pem();
                write_public(&cert_path, pem.as_bytes()).map_err(|source| PkiError::File {
                    action: "creating",
                    path: cert_path.clone(),
                    source,
                })?;
                pem
            }
            Err(source) => return Err(PkiError::File { action: "reading", path: cert_path, source }),
        };
        let damaged = |source| PkiError::Damaged { path: data_dir.join("ca.pem"), source };
        let ca_der = certificate_from_pem(&ca_pem).ok_or_else(|| damaged(rcgen::Error::CouldNotParseCertificate))?;
        let same_key = X509Certificate::from_der(&ca_der)
            .is_ok_and(|(_, cert)| cert.public_key().subject_public_key.data.as_ref() == key.public_key_raw());
        if !same_key {
            return Err(PkiError::KeyMismatch { key: data_dir.join("ca.key"), cert: cert_path });
        }
        let issuer = Issuer::from_ca_cert_der(&ca_der, key).map_err(damaged)?;
        let (server_cert, server_key) = server_certificate(&issuer, server_names)?;
        Ok(Self { server_chain: vec![server_cert, ca_der.clone()], server_key, issuer, ca_der, ca_pem })
    }

    /// The CA's certificate, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The CA's certificate.
    pub fn ca_der(&self) -> &CertificateDer<'static> {
        &self.ca_der
    }

    /// SHA-256 over the CA's certificate (DER), lower-case hex: what agents and clients can pin.
    pub fn ca_sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.ca_der))
    }

    /// This server's certificate, followed by the CA's, so that a client which knows only the pin can check it.
    pub fn server_chain(&self) -> Vec<CertificateDer<'static>> {
        self.server_chain.clone()
    }

    /// The key of this server's certificate.
    pub fn server_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.server_key.clone_key())
    }

    /// A certificate for an agent, good for `life` from now. Of the CSR only the public key is used, after its signature was checked.
    ///
    /// # Errors
    /// [`PkiError::BadCsr`] when the CSR is too large, no CSR, or has a key that is neither P-256 nor Ed25519.
    pub fn sign_agent(&self, csr_pem: &[u8], agent_id: Uuid, life: Duration) -> Result<ClientCertificate, PkiError> {
        if csr_pem.len() > CSR_BYTES_MAX {
            return Err(PkiError::BadCsr("it is larger than 8 KiB"));
        }
        let text = std::str::from_utf8(csr_pem).map_err(|_| PkiError::BadCsr("it is no PEM"))?;
        let csr = CertificateSigningRequestParams::from_pem(text)
            .map_err(|_| PkiError::BadCsr("it is no PKCS#10 request in PEM with a good signature"))?;
        let algorithm = csr.public_key.algorithm();
        let p256 = *algorithm == rcgen::PKCS_ECDSA_P256_SHA256 && csr.public_key.der_bytes().len() == P256_POINT_BYTES;
        if !p256 && *algorithm != rcgen::PKCS_ED25519 {
            return Err(PkiError::BadCsr("its key is neither P-256 nor Ed25519"));
        }

        let serial = random_serial();
        let not_after = Timestamp::now() + life;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(&agent_id.to_string());
        set_life(&mut params, Timestamp::now() - BACKDATE, not_after);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let uri = format!("{IDENTITY_PREFIX}{agent_id}").try_into().map_err(PkiError::Sign)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        let cert = params.signed_by(&csr.public_key, &self.issuer).map_err(PkiError::Sign)?;
        Ok(ClientCertificate { pem: cert.pem(), serial: hex::encode(serial), not_after })
    }
}

/// Whom a certificate, verified by rustls already, belongs to. `None` for one that is no agent's.
pub fn identity(cert: &CertificateDer<'_>) -> Option<Identity> {
    let (_, cert) = X509Certificate::from_der(cert).ok()?;
    let names = cert.subject_alternative_name().ok()??;
    let agent_id = names.value.general_names.iter().find_map(|name| match name {
        GeneralName::URI(uri) => Uuid::try_parse(uri.strip_prefix(IDENTITY_PREFIX)?).ok(),
        _ => None,
    })?;
    let not_after = Timestamp::from_second(cert.validity().not_after.timestamp()).ok()?;
    Some(Identity { agent_id, serial: hex::encode(cert.raw_serial()), not_after })
}

/// End of a certificate's life; `None` for what is no certificate.
pub fn not_after(cert: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, cert) = X509Certificate::from_der(cert).ok()?;
    Timestamp::from_second(cert.validity().not_after.timestamp()).ok()
}

/// Creates a file that only its owner can read, with that mode from the first moment on. Fails if it exists.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn write_public(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn certificate_from_pem(pem: &str) -> Option<CertificateDer<'static>> {
    use rustls_pki_types::pem::PemObject;
    CertificateDer::from_pem_slice(pem.as_bytes()).ok()
}

/// Sets the life of a certificate. rcgen speaks another time library; seconds since the epoch are common ground.
fn set_life(params: &mut CertificateParams, not_before: Timestamp, not_after: Timestamp) {
    let since_epoch = |at: Timestamp| Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(not_before);
    params.not_after = epoch + since_epoch(not_after);
}

fn common_name(name: &str) -> DistinguishedName {
    let mut dn = DistinguishedName::new();
    dn.push(DnType::OrganizationName, "Tyr");
    dn.push(DnType::CommonName, name);
    dn
}

/// 128 random bits, the first byte between 1 and 127: positive, and without leading zeros, so that DER carries it unchanged.
fn random_serial() -> [u8; 16] {
    let mut serial: [u8; 16] = rand::random();
    serial[0] = (serial[0] & 0x7f) | 0x01;
    serial
}

fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name("Tyr internal CA");
    set_life(&mut params, Timestamp::now() - BACKDATE, Timestamp::now() + CA_LIFE);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server_certificate(
    issuer: &Issuer<'static, KeyPair>,
    server_names: &[String],
) -> Result<(CertificateDer<'static>, PrivatePkcs8KeyDer<'static>), PkiError> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut names: Vec<SanType> = Vec::new();
    for name in own.iter().chain(server_names) {
        let san = san(name).ok_or_else(|| PkiError::BadName(name.clone()))?;
        if !names.contains(&san) {
            names.push(san);
        }
    }
    // A host name that is no DNS name is no reason to refuse to start.
    if let Some(san) = san(&host)
        && !names.contains(&san)
    {
        names.push(san);
    }
    let key = KeyPair::generate().map_err(PkiError::Sign)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name("tyr-server");
    set_life(&mut params, Timestamp::now() - BACKDATE, Timestamp::now() + SERVER_LIFE);
    params.serial_number = Some(SerialNumber::from_slice(&random_serial()));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = names;
    let cert = params.signed_by(&key, issuer).map_err(PkiError::Sign)?;
    Ok((cert.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der())))
}

fn san(name: &str) -> Option<SanType> {
    if let Ok(addr) = name.parse::<IpAddr>() {
        return Some(SanType::IpAddress(addr));
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let dns = name.len() <= 253 && name.strip_prefix("*.").unwrap_or(name).split('.').all(label);
    dns.then(|| name.to_owned().try_into().ok().map(SanType::DnsName)).flatten()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const LIFE: Duration = Duration::from_hours(24);

    fn csr(key: &KeyPair, params: &CertificateParams) -> String {
        params.serialize_request(key).expect("a CSR").pem().expect("PEM")
    }

    #[test]
    fn keeps_its_ca_over_restarts_and_a_lost_certificate() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = Pki::load_or_create(dir.path(), &[]).expect("made");
        let mode = fs::metadata(dir.path().join("ca.key")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Pki::load_or_create(dir.path(), &[]).expect("read");
        assert_eq!(first.ca_sha256(), second.ca_sha256());
        fs::remove_file(dir.path().join("ca.pem")).expect("removed");
        let third = Pki::load_or_create(dir.path(), &[]).expect("made anew");
        assert_eq!(first.issuer.key().public_key_raw(), third.issuer.key().public_key_raw());
    }

    #[test]
    fn refuses_a_certificate_of_another_key() {
        let one = tempfile::tempdir().expect("a folder");
        let two = tempfile::tempdir().expect("a folder");
        Pki::load_or_create(one.path(), &[]).expect("made");
        Pki::load_or_create(two.path(), &[]).expect("made");
        fs::copy(one.path().join("ca.pem"), two.path().join("ca.pem")).expect("copied");
        assert!(matches!(Pki::load_or_create(two.path(), &[]), Err(PkiError::KeyMismatch { .. })));
    }

    #[test]
    fn takes_nothing_but_the_key_from_a_csr() {
        let dir = tempfile::tempdir().expect("a folder");
        let pki = Pki::load_or_create(dir.path(), &[]).expect("made");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).expect("params");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = common_name("another");
        let id = Uuid::now_v7();
        let cert = pki.sign_agent(csr(&key, &params).as_bytes(), id, LIFE).expect("signed");
        let der = certificate_from_pem(&cert.pem).expect("PEM");
        let known = identity(&der).expect("an identity");
        assert_eq!((known.agent_id, &known.serial), (id, &cert.serial));
        let (_, parsed) = X509Certificate::from_der(&der).expect("DER");
        assert!(!parsed.is_ca());
        assert_eq!(parsed.subject_alternative_name().expect("one").expect("there").value.general_names.len(), 1);
        assert_eq!(parsed.public_key().subject_public_key.data.as_ref(), key.public_key_raw());
    }

    #[test]
    fn refuses_other_keys_and_noise() {
        let dir = tempfile::tempdir().expect("a folder");
        let pki = Pki::load_or_create(dir.path(), &[]).expect("made");
        let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key");
        let plain = CertificateParams::new(Vec::new()).expect("params");
        let refused = [
            csr(&p384, &plain).into_bytes(),
            b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n".to_vec(),
            vec![0xff; 100],
            vec![b'a'; CSR_BYTES_MAX + 1],
        ];
        for csr in refused {
            assert!(matches!(pki.sign_agent(&csr, Uuid::now_v7(), LIFE), Err(PkiError::BadCsr(_))));
        }
        let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        pki.sign_agent(csr(&ed25519, &plain).as_bytes(), Uuid::now_v7(), LIFE).expect("signed");
    }

    #[test]
    fn refuses_names_that_are_none() {
        let dir = tempfile::tempdir().expect("a folder");
        let names = ["tyr example".to_owned()];
        assert!(matches!(Pki::load_or_create(dir.path(), &names), Err(PkiError::BadName(_))));
        let names = ["tyr.example.com".to_owned(), "10.1.2.3".to_owned(), "localhost".to_owned()];
        Pki::load_or_create(dir.path(), &names).expect("made");
    }
}
