//! `Register`: the only call without a client certificate.

use std::sync::Arc;

use tonic::Status;
use tyr_proto::v1::{RegisterRequest, RegisterResponse};

use crate::app::App;
use crate::app::enroll::{self, EnrollError};
use crate::app::tokens::TokenError;
use crate::pki::PkiError;

pub(super) async fn register(app: &Arc<App>, request: &RegisterRequest) -> Result<RegisterResponse, Status> {
    enroll::enroll(app, request).await.map_err(|error| match &error {
        EnrollError::BadName | EnrollError::Csr(PkiError::BadCsr(_)) => Status::invalid_argument(error.to_string()),
        EnrollError::Token(TokenError::Unknown | TokenError::UsedUp | TokenError::Expired | TokenError::Revoked) => {
            tracing::warn!(agent.name = %request.agent_name.escape_default(), %error, "enrollment refused");
            Status::unauthenticated(error.to_string())
        }
        EnrollError::Csr(_) | EnrollError::Token(_) | EnrollError::Db(_) => super::unavailable(&error),
    })
}
