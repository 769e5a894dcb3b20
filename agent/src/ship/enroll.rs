//! Enrollment: the token and a signing request for a certificate, once in the life of an identity.

use std::time::Duration;

use tokio::time::timeout;
use tonic::{Code, Status};
use tracing::{info, warn};
use tyr_proto::v1::RegisterRequest;

use super::connect::{ConnectError, connect};
use super::{Shipper, session};
use crate::config::{EnrollmentToken, erase};
use crate::identity::{Identity, IdentityError, Request};

/// Longest that the server may take: it hashes the token on purpose slowly, and one after the other.
const REGISTER_TIMEOUT: Duration = Duration::from_mins(1);

/// Enrollment did not happen; there is no identity, and the token is still in the file.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// No connection; the token was not sent.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The token is unknown, used up, expired or revoked.
    #[error("the server does not take the enrollment token: {}", .0.message())]
    Token(Status),
    /// Something else in the request is not accepted.
    #[error("the server does not take this agent: {}", .0.message())]
    Request(Status),
    /// The server could not do it now.
    #[error("the server failed: {}", session::describe(.0))]
    Server(Status),
    /// The server did not answer.
    #[error("the server did not answer within {} s", REGISTER_TIMEOUT.as_secs())]
    Silent,
    /// The answer makes no identity.
    #[error("the server's answer can't be used: {0}")]
    Answer(String),
    /// The identity could not be made or kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl EnrollError {
    /// Whether waiting may help. The others need a person.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Connect(error) => matches!(
                error,
                ConnectError::Unreachable { .. }
                    | ConnectError::Silent { .. }
                    | ConnectError::Handshake { .. }
                    | ConnectError::Http { .. }
            ),
            Self::Server(_) | Self::Silent => true,
            Self::Token(_) | Self::Request(_) | Self::Answer(_) | Self::Identity(_) => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Connect(ConnectError::Untrusted { .. }) => {
                "`ca_file` or `ca_sha256` must be the authority of this very server (GET /api/v1/ca.pem), and the \
                 server's certificate must carry the name in `server` (see TYR_SERVER_NAMES)"
            }
            Self::Connect(ConnectError::CaFile { .. }) => {
                "it must hold the server's authority in PEM: GET /api/v1/ca.pem"
            }
            Self::Connect(_) | Self::Server(_) | Self::Silent => {
                "see `server` in the configuration, and the server's log"
            }
            Self::Token(_) => "make a new one with `tyrctl token create`, and write it into the configuration",
            Self::Request(_) => "see `name` in the configuration",
            Self::Answer(_) => "is this a tyr-server of the same version?",
            Self::Identity(_) => "see the data folder, `data_dir`",
        }
    }
}

/// Gets an identity and keeps it; then takes the token out of the configuration file.
pub(super) async fn enroll(shipper: &Shipper, token: &EnrollmentToken) -> Result<Identity, EnrollError> {
    let request = Request::new()?;
    let mut client = connect(&shipper.config.server, shipper.first_trust()?, None).await?;
    let host = rustix::system::uname();
    let register = client.register(RegisterRequest {
        agent_name: shipper.config.agent_name(),
        enrollment_token: token.reveal().to_owned(),
        csr_pem: request.csr_pem.clone().into_bytes(),
        kernel_version: host.release().to_string_lossy().into_owned(),
        arch: host.machine().to_string_lossy().into_owned(),
    });
    let answer = timeout(REGISTER_TIMEOUT, register).await.map_err(|_| EnrollError::Silent)?;
    let answer = answer
        .map_err(|status| match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => EnrollError::Token(status),
            Code::InvalidArgument | Code::AlreadyExists | Code::FailedPrecondition => EnrollError::Request(status),
            _ => EnrollError::Server(status),
        })?
        .into_inner();
    let identity = request
        .into_identity(&answer.agent_id, &answer.client_cert_pem, &answer.ca_cert_pem)
        .map_err(EnrollError::Answer)?;
    identity.store(&shipper.data)?;
    info!(agent.id = %identity.agent_id, server = %shipper.config.server, "enrollment succeeded");
    if let Err(error) = erase(&shipper.config_file) {
        warn!(
            file = %shipper.config_file.display(),
            reason = %error,
            "the enrollment token could not be taken out of the configuration: remove it by hand"
        );
    }
    Ok(identity)
}
