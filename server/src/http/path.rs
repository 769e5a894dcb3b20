//! Ids in paths.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::error::ApiError;

/// The one id in a path.
pub struct Id<T>(pub T);

/// What an id looks like.
pub trait Form {
    /// For messages.
    const EXPECTED: &'static str;
}

impl Form for Uuid {
    const EXPECTED: &'static str = "a UUID";
}

impl Form for u32 {
    const EXPECTED: &'static str = "a whole number below 2^32";
}

impl<S: Send + Sync, T: FromStr + Form> FromRequestParts<S> for Id<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        text.parse().map(Self).map_err(|_| {
            let shown: String = text.chars().take(64).collect();
            let message = format!("`{shown}` in the path is not {}", T::EXPECTED);
            ApiError::bad_request("invalid_id", message).into_response()
        })
    }
}

/// 404 for something that was asked for by id.
pub fn missing(what: &str, id: impl Display) -> ApiError {
    ApiError::not_found("not_found", format!("there is no {what} `{id}`"))
}
