//! `/api/v1/auth/…`: setup, login, and one's own session.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use tyr_api::auth::{AuthStatus, Credentials, Session};
use tyr_api::error::ErrorBody;
use tyr_api::users::{KeyRotation, Me, PasswordChange};

use super::error::ApiError;
use super::json::Json;
use super::params::{NoParams, Params};
use super::who::{Admin, Viewer};
use crate::app::auth::{AuthError, Origin};
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
    origin: Origin,
    _: NoParams,
    Json(credentials): Json<Credentials>,
) -> Result<(StatusCode, Json<Session>), ApiError> {
    Ok((StatusCode::CREATED, Json(auth::set_up(&app, &credentials, origin).await?)))
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
    origin: Origin,
    _: NoParams,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Session>, ApiError> {
    let session = auth::log_in(&app, &credentials, origin).await;
    app.metrics.security.login(match &session {
        Ok(_) => "ok",
        Err(AuthError::WrongCredentials) => "wrong_credentials",
        Err(AuthError::TooManyAttempts(_)) => "too_many_attempts",
        Err(_) => "failed",
    });
    Ok(Json(session?))
}

/// Whose session asks.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "auth",
    responses((status = 200, description = "The user and its session", body = Me)),
    security(("session" = ["viewer"])),
)]
pub async fn me(Viewer(user): Viewer, _: NoParams) -> Json<Me> {
    Json(Me {
        user_id: user.user_id,
        username: user.username,
        role: user.role,
        session_id: user.session_id,
        expires_at: user.session_expires_at,
    })
}

/// Ends the session that asks, or all of its user.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "auth",
    params(("everywhere" = Option<bool>, Query, description = "End all sessions of the user")),
    responses((status = 204, description = "Ended")),
    security(("session" = ["viewer"])),
)]
pub async fn log_out(
    Viewer(user): Viewer,
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<StatusCode, ApiError> {
    let params = params.only(&["everywhere"])?;
    let everywhere = params.parse("everywhere", "true or false")?.unwrap_or(false);
    auth::log_out(&app, &user, everywhere).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes one's own password, which ends all sessions but the new one in the answer.
#[utoipa::path(
    post,
    path = "/api/v1/auth/password",
    tag = "auth",
    request_body = PasswordChange,
    responses(
        (status = 200, description = "Changed; a new session, as all others have ended", body = Session),
        (status = 403, description = "The current password is wrong", body = ErrorBody),
        (status = 429, description = "Too many attempts; `Retry-After` says when to try again", body = ErrorBody),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn change_password(
    Viewer(user): Viewer,
    State(app): State<Arc<App>>,
    _: NoParams,
    Json(change): Json<PasswordChange>,
) -> Result<Json<Session>, ApiError> {
    Ok(Json(auth::change_password(&app, &user, &change).await?))
}

/// Makes a new key for session tokens, without a restart.
#[utoipa::path(
    post,
    path = "/api/v1/auth/rotate-key",
    tag = "auth",
    params(("end_sessions" = Option<bool>, Query, description = "Take no token of the key before: all sessions end")),
    responses((status = 200, description = "The new key", body = KeyRotation)),
    security(("session" = ["admin"])),
)]
pub async fn rotate_key(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<KeyRotation>, ApiError> {
    let params = params.only(&["end_sessions"])?;
    let end_sessions = params.parse("end_sessions", "true or false")?.unwrap_or(false);
    Ok(Json(auth::rotate_key(&app, &user, end_sessions).await?))
}
