//! `Register`: the only call without a client certificate.

use std::sync::Arc;

use tonic::Status;
use tyr_proto::v1::{RegisterRequest, RegisterResponse};

use super::accept::Peer;
use crate::app::App;
use crate::app::enroll::{self, EnrollError};
use crate::app::tokens::TokenError;
use crate::pki::PkiError;

/// How heavily a wrong token is held against its source. A check costs tens of milliseconds of a processor, and a host that means well
/// gives up at the first answer.
const WRONG_TOKEN_STRIKES: u32 = 3;

pub(super) async fn register(
    app: &Arc<App>,
    peer: &Peer,
    request: &RegisterRequest,
) -> Result<RegisterResponse, Status> {
    let _busy = peer.place.busy();
    let turn = peer.place.turn().await;
    let _turn = turn.map_err(|_| {
        Status::resource_exhausted("too many hosts of this address are enrolling at the moment; try again")
    })?;
    match enroll::enroll(app, request).await {
        Ok(response) => {
            peer.place.proved();
            Ok(response)
        }
        Err(error) => Err(match &error {
            EnrollError::BadName | EnrollError::Csr(PkiError::BadCsr(_)) => {
                peer.place.strike(1);
                Status::invalid_argument(error.to_string())
            }
            EnrollError::Token(
                TokenError::Unknown | TokenError::UsedUp | TokenError::Expired | TokenError::Revoked,
            ) => {
                peer.place.strike(WRONG_TOKEN_STRIKES);
                tracing::warn!(
                    agent.name = %request.agent_name.escape_default(),
                    peer.address = %peer.address.ip(),
                    %error,
                    "enrollment refused"
                );
                Status::unauthenticated(error.to_string())
            }
            EnrollError::Csr(_) | EnrollError::Token(_) | EnrollError::Db(_) => super::unavailable(&error),
        }),
    }
}
