//! `/api/v1/auth/…`: setup and login.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use tyr_api::auth::{AuthStatus, Credentials, Session};

use super::error::ApiError;
use super::json::Json;
use super::params::NoParams;
use super::serve::Peer;
use crate::app::{App, auth};

/// Whether the first admin exists.
pub async fn status(State(app): State<Arc<App>>, _: NoParams) -> Result<Json<AuthStatus>, ApiError> {
    Ok(Json(auth::status(&app).await?))
}

/// Makes the first admin, once.
pub async fn set_up(
    State(app): State<Arc<App>>,
    _: NoParams,
    Json(credentials): Json<Credentials>,
) -> Result<(StatusCode, Json<Session>), ApiError> {
    Ok((StatusCode::CREATED, Json(auth::set_up(&app, &credentials).await?)))
}

/// Name and password for a token.
pub async fn log_in(
    State(app): State<Arc<App>>,
    peer: Option<Extension<Peer>>,
    _: NoParams,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Session>, ApiError> {
    let source = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.0);
    Ok(Json(auth::log_in(&app, &credentials, source).await?))
}
