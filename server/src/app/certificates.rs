//! Certificates of agents: who gets in with which, and their renewal over the stream.
//!
//! They live shortly (a week unless the operator says otherwise) and are renewed from two thirds of their life on, at the
//! server's wish: it alone checks them, so its clock is the only one that counts. An expired one opens a stream all the same,
//! for a grace of three months, and that stream is good for renewing it and for nothing else: a laptop that comes back after
//! weeks goes on without a new enrollment. What bounds a stolen key is not time but revocation, which is asked at each
//! connect; and an expired certificate is not renewed once a younger one of the same agent was used.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tyr_proto::v1;
use uuid::Uuid;

use crate::app::App;
use crate::db::DbError;
use crate::db::agent_certificates::{self, NewCertificate};
use crate::db::agents::{self, Admission, Refusal};
use crate::pki::{Identity, PkiError};

/// The part of its life after which a certificate is renewed, in thousandths, and how far that is spread to either side, so that
/// a fleet that enrolled at once doesn't renew at once.
const RENEWAL_PERMILLE: i32 = 667;
const RENEWAL_SPREAD_PERMILLE: i32 = 67;
/// An agent that doesn't take a new one is asked again after this part of the life.
const ASK_AGAIN_DIVISOR: u32 = 20;
/// No certificate is asked for more often.
const ASK_AGAIN_MIN: Duration = Duration::from_secs(1);
/// A timer that is not to fire.
const NEVER: Duration = Duration::from_hours(24 * 365);

/// Why a certificate opens no stream.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// No such agent.
    #[error("this agent is not known here; enroll it again")]
    Unknown,
    /// The agent is known, its certificate is not.
    #[error("this certificate is not known here; enroll the host again with a fresh token")]
    UnknownCertificate,
    /// It has expired, longer ago than the grace. TLS refuses it before; this is for the second in between.
    #[error("the client certificate has expired; enroll the host again with a fresh token")]
    Expired,
    /// It has expired, and the agent has used a younger one.
    #[error("this certificate has expired, and a younger one of this agent is in use; enroll the host again")]
    Superseded,
    /// Archived or revoked.
    #[error("the agent is archived or revoked")]
    Refused(Refusal),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why a certificate was not renewed. The old one stays as good as it was.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The agent wanted one without having been asked.
    #[error("a certificate was requested that was not asked for")]
    NotAsked,
    /// Archived or revoked meanwhile.
    #[error("the agent is archived or revoked")]
    Refused(Refusal),
    /// The CSR is no good, or signing failed.
    #[error(transparent)]
    Csr(PkiError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// The certificate that opened a stream.
#[derive(Debug)]
pub struct Certificate {
    agent_id: Uuid,
    not_after: Timestamp,
    last_seen: Timestamp,
    ask_at: Instant,
    ask_again_after: Duration,
    asked: bool,
}

impl Certificate {
    fn new(identity: &Identity, issued_at: Timestamp, last_seen: Timestamp, now: Timestamp) -> Self {
        let life = identity.not_after.duration_since(issued_at);
        let renew_at = issued_at + life / 1000 * renewal_permille(&identity.serial);
        let ask_again_after = unsigned(life) / ASK_AGAIN_DIVISOR;
        Self {
            agent_id: identity.agent_id,
            not_after: identity.not_after,
            last_seen,
            ask_at: Instant::now() + unsigned(renew_at.duration_since(now)),
            ask_again_after: ask_again_after.max(ASK_AGAIN_MIN),
            asked: false,
        }
    }

    /// Whether it is good for nothing but being renewed.
    pub fn has_expired(&self) -> bool {
        self.not_after <= Timestamp::now()
    }

    /// How much longer a stream may use it.
    pub fn life_left(&self) -> Duration {
        unsigned(self.not_after.duration_since(Timestamp::now()))
    }

    /// When the agent was heard from before it opened this stream.
    pub fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// When the agent should be asked to take a new one.
    pub fn ask_at(&self) -> Instant {
        self.ask_at
    }

    /// The agent was asked.
    pub fn asked(&mut self) {
        self.asked = true;
        self.ask_at = Instant::now() + self.ask_again_after;
    }
}

/// Thousandths of its life after which a certificate is renewed: always the same for the same one.
fn renewal_permille(serial: &str) -> i32 {
    // Serial numbers are random.
    let random = serial.bytes().fold(0_i32, |sum, byte| (sum * 31 + i32::from(byte)) % 1_000_003);
    RENEWAL_PERMILLE - RENEWAL_SPREAD_PERMILLE + random % (2 * RENEWAL_SPREAD_PERMILLE + 1)
}

fn unsigned(duration: SignedDuration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}

/// Whether the holder of a certificate, which TLS has checked, may open a stream.
///
/// # Errors
/// See [`AdmitError`].
pub async fn admit(app: &Arc<App>, identity: &Identity) -> Result<Certificate, AdmitError> {
    let mut conn = app.pool.acquire().await.map_err(DbError::from)?;
    let now = Timestamp::now();
    match agents::admission(&mut conn, identity.agent_id, &identity.serial).await? {
        Admission::Unknown => Err(AdmitError::Unknown),
        Admission::UnknownCertificate => Err(AdmitError::UnknownCertificate),
        Admission::Refused(refusal) => Err(AdmitError::Refused(refusal)),
        Admission::Admitted { .. } if identity.not_after + app.config.certificates.grace <= now => {
            Err(AdmitError::Expired)
        }
        Admission::Admitted { superseded: true, .. } if identity.not_after <= now => Err(AdmitError::Superseded),
        Admission::Admitted { last_seen, issued_at, used, superseded: _ } => {
            if !used {
                let Identity { agent_id, serial, not_after } = identity;
                agent_certificates::used(&mut conn, *agent_id, serial, *not_after, issued_at).await?;
            }
            Ok(Certificate::new(identity, issued_at, last_seen, now))
        }
    }
}

/// Gives the agent at the other end of a stream a new certificate for a new key, and records it.
///
/// # Errors
/// See [`RenewError`].
pub async fn renew(
    app: &Arc<App>,
    certificate: &mut Certificate,
    csr_pem: &[u8],
) -> Result<v1::Certificate, RenewError> {
    if !std::mem::take(&mut certificate.asked) {
        return Err(RenewError::NotAsked);
    }
    let agent_id = certificate.agent_id;
    let settings = &app.config.certificates;
    let new = app.pki.sign_agent(csr_pem, agent_id, settings.life).map_err(RenewError::Csr)?;
    let row = NewCertificate { agent_id, pem: &new.pem, serial: &new.serial, not_after: new.not_after };
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    // A stream that is about to be closed gets no new certificate for its agent.
    if let Some((_, Some(refusal))) = agents::standing_for_update(&mut tx, agent_id).await? {
        return Err(RenewError::Refused(refusal));
    }
    agent_certificates::add(&mut tx, &row, Timestamp::now() - settings.grace).await?;
    tx.commit().await.map_err(DbError::from)?;
    certificate.ask_at = Instant::now() + NEVER;
    app.fleet.changed(agent_id);
    tracing::info!(agent.id = %agent_id, certificate.not_after = %new.not_after, "certificate renewed");
    Ok(v1::Certificate { client_cert_pem: new.pem.into_bytes(), ca_cert_pem: app.pki.ca_pem().as_bytes().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::{RENEWAL_PERMILLE, RENEWAL_SPREAD_PERMILLE, renewal_permille};

    #[test]
    fn renewals_are_spread_around_two_thirds() {
        let all: Vec<i32> =
            (0..1000_u32).map(|n| renewal_permille(&format!("{:032x}", u128::from(n) * 7919))).collect();
        let (least, most) = (all.iter().min().expect("some"), all.iter().max().expect("some"));
        assert!(*least >= RENEWAL_PERMILLE - RENEWAL_SPREAD_PERMILLE, "{least}");
        assert!(*most <= RENEWAL_PERMILLE + RENEWAL_SPREAD_PERMILLE, "{most}");
        assert!(most - least > RENEWAL_SPREAD_PERMILLE, "{least} to {most}");
        assert_eq!(renewal_permille("00ff"), renewal_permille("00ff"));
    }
}
