//! `/api/v1/auth/…`: setup and login.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use tyr_api::auth::{AuthStatus, Credentials, Session};
use tyr_api::error::ErrorBody;

use super::error::ApiError;
use super::json::Json;
use super::params::NoParams;
use super::serve::Peer;
use crate::app::{App, auth};

/// Whether the first admin exists.
#[utoipa::path(
    get,
    path = "/api/v1/auth/status",
    tag = "auth",
    responses(
        (status = 200, description = "Whether there is an admin", body = AuthStatus),
    ),
)]
pub async fn status(State(app): State<Arc<App>>, _: NoParams) -> Result<Json<AuthStatus>, ApiError> {
    Ok(Json(auth::status(&app).await?))
}

/// Makes the first admin, once.
#[utoipa::path(
    post,
    path = "/api/v1/auth/setup",
    tag = "auth",
    request_body = Credentials,
    responses(
        (status = 201, description = "The first admin, logged in", body = Session),
        (status = 409, description = "There is an admin already", body = ErrorBody),
    ),
)]
pub async fn set_up(
    State(app): State<Arc<App>>,
    _: NoParams,
    Json(credentials): Json<Credentials>,
) -> Result<(StatusCode, Json<Session>), ApiError> {
    Ok((StatusCode::CREATED, Json(auth::set_up(&app, &credentials).await?)))
}

/// Name and password for a token.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "auth",
    request_body = Credentials,
    responses(
        (status = 200, description = "Logged in", body = Session),
        (status = 401, description = "Wrong name or password", body = ErrorBody),
        (status = 429, description = "Too many attempts; `Retry-After` says when to try again", body = ErrorBody),
    ),
)]
pub async fn log_in(
    State(app): State<Arc<App>>,
    peer: Option<Extension<Peer>>,
    _: NoParams,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Session>, ApiError> {
    let source = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.0);
    Ok(Json(auth::log_in(&app, &credentials, source).await?))
}
