//! Trading an enrollment token and a CSR for a client certificate.

use std::sync::Arc;

use jiff::Timestamp;
use tyr_proto::v1::{RegisterRequest, RegisterResponse};
use uuid::Uuid;

use crate::app::App;
use crate::app::audit::{self, Action, Actor};
use crate::app::ingest::clean::text;
use crate::app::tokens::{self, TokenError};
use crate::db::DbError;
use crate::db::agent_certificates;
use crate::db::agents::{self, NewAgent};
use crate::pki::PkiError;

/// Longest name of an agent, that of a DNS name.
const NAME_BYTES_MAX: usize = 253;
/// Longest kernel release or machine name kept.
const FACT_BYTES_MAX: usize = 128;

/// Why a host was not enrolled. Nothing was changed, the token was not used.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// The name is no good.
    #[error(
        "an agent's name has 1 to {NAME_BYTES_MAX} letters, digits, `.`, `_` and `-`, and begins with a letter or digit"
    )]
    BadName,
    /// The CSR is no good.
    #[error(transparent)]
    Csr(PkiError),
    /// The token is no good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Enrolls a host: checks the request, then the token, signs, and stores the agent together with the use of the token.
///
/// Of many requests at once with a token of one use, one succeeds: the use is counted in the transaction that adds the agent.
///
/// # Errors
/// See [`EnrollError`].
pub async fn enroll(app: &Arc<App>, request: &RegisterRequest) -> Result<RegisterResponse, EnrollError> {
    let name = request.agent_name.as_str();
    if !is_name(name) {
        return Err(EnrollError::BadName);
    }
    let token = tokens::verify(app, &request.enrollment_token).await?;
    let agent_id = Uuid::now_v7();
    let certificate =
        app.pki.sign_agent(&request.csr_pem, agent_id, app.config.certificates.life).map_err(EnrollError::Csr)?;
    let agent = NewAgent {
        agent_id,
        name,
        kernel: &text(&request.kernel_version, FACT_BYTES_MAX),
        arch: &text(&request.arch, FACT_BYTES_MAX),
        client_cert: &certificate.pem,
        cert_serial: &certificate.serial,
        cert_not_after: certificate.not_after,
    };
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    tokens::use_up(&mut tx, &token).await?;
    agents::insert(&mut tx, &agent).await?;
    agent_certificates::insert(&mut tx, agent_id, &certificate.serial, certificate.not_after).await?;
    let actor = Actor::token(token.token_id());
    audit::record(&mut tx, &actor, Action::AgentEnroll, name, &[("agent_id", &agent_id)]).await?;
    tx.commit().await.map_err(DbError::from)?;
    app.fleet.add(agent_id, Timestamp::now());
    tracing::info!(agent.id = %agent_id, agent.name = name, token.id = token.token_id(), "agent enrolled");
    Ok(RegisterResponse {
        agent_id: agent_id.to_string(),
        client_cert_pem: certificate.pem.into_bytes(),
        ca_cert_pem: app.pki.ca_pem().as_bytes().to_vec(),
    })
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_host_names() {
        for good in ["a", "web-1.example.com", "9", "build_7"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-a", ".a", "a b", "a\n", "ä", "a/b", &"a".repeat(254)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
