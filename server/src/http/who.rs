//! Who asks: extractors that a handler names first, so that nothing else of a request is looked at before.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use tyr_api::auth::Role;

use super::error::ApiError;
use super::layers::{Asker, RequestId};
use super::router::Door;
use super::serve::Peer;
use crate::app::App;
use crate::app::auth::sessions::TokenError;
use crate::app::auth::{AuthError, Origin, User, identify};

/// Any user.
pub struct Viewer(pub User);

/// An admin.
pub struct Admin(pub User);

impl FromRequestParts<Door> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, ApiError> {
        let Some(header) = parts.headers.get(AUTHORIZATION) else {
            let error = ApiError::unauthorized("not_logged_in", "this address is for users who are logged in");
            return Err(error.hint("send `Authorization: Bearer <token>`; `POST /api/v1/auth/login` gives one"));
        };
        let token = header.to_str().ok().and_then(bearer).ok_or_else(|| {
            ApiError::unauthorized("invalid_token", "the `Authorization` header is not `Bearer <token>`")
        })?;
        let user = identify(&Arc::<App>::from_ref(door), token, origin(parts)).await?;
        if let Some(asker) = parts.extensions.get::<Asker>() {
            asker.is(&user.username);
        }
        Ok(Self(user))
    }
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(origin(parts))
    }
}

impl FromRequestParts<Door> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, ApiError> {
        let Viewer(user) = Viewer::from_request_parts(parts, door).await?;
        match user.role {
            Role::Admin => Ok(Self(user)),
            Role::Viewer => {
                let error = ApiError::new(StatusCode::FORBIDDEN, "admin_only", "only an admin may do this");
                Err(error.hint(format!("`{}` is a viewer; log in as an admin", user.username)))
            }
        }
    }
}

/// From where a request comes.
fn origin(parts: &Parts) -> Origin {
    Origin {
        source: parts.extensions.get::<Peer>().map(|peer| peer.0),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0),
    }
}

/// The token of an `Authorization` header; the scheme's case does not matter (RFC 9110, 11.1).
pub(super) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        let message = error.to_string();
        match error {
            AuthError::AlreadySetUp => Self::conflict("already_set_up", message).hint("log in instead"),
            AuthError::BadUsername => Self::bad_request("invalid_username", message),
            AuthError::BadPassword => Self::bad_request("invalid_password", message),
            AuthError::WrongCredentials => Self::unauthorized("wrong_credentials", message),
            AuthError::WrongPassword => Self::new(StatusCode::FORBIDDEN, "wrong_password", message),
            AuthError::SamePassword => Self::bad_request("invalid_password", message).hint("choose another"),
            AuthError::SessionEnded => Self::unauthorized("session_ended", message).hint("log in again"),
            AuthError::TooManyAttempts(wait) => {
                let seconds = wait.as_secs().max(1);
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message)
                    .hint(format!("try again in {seconds} s"))
                    .retry_after(seconds)
            }
            AuthError::Token(TokenError::Expired) => Self::unauthorized("token_expired", message).hint("log in again"),
            AuthError::Token(TokenError::Invalid) => Self::unauthorized("invalid_token", message).hint("log in again"),
            AuthError::UserGone => Self::unauthorized("user_removed", message),
            AuthError::Key(error) => Self::internal(&error),
            AuthError::Task(error) => Self::internal(&error),
            AuthError::Hash(error) => error.into(),
            AuthError::Db(error) => error.into(),
        }
    }
}
