//! `/api/v1/enrollment-tokens…`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use tyr_api::auth::{CreatedEnrollmentToken, EnrollmentToken, NewEnrollmentToken};
use tyr_api::page::{Page, PageQuery};

use super::error::ApiError;
use super::json::Json;
use super::params::{CURSOR, NoParams, Params, invalid, page};
use super::path::missing;
use super::who::Admin;
use crate::app::App;
use crate::app::tokens::{self, CreateError};

/// Tokens without their secrets, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/enrollment-tokens",
    tag = "tokens",
    params(PageQuery),
    responses(
        (status = 200, description = "Tokens without their secrets, newest first", body = Page<EnrollmentToken>),
    ),
    security(("session" = ["admin"])),
)]
pub async fn list(
    _: Admin,
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<Page<EnrollmentToken>>, ApiError> {
    let (params, limit) = page(params)?;
    let cursor = params.text("cursor");
    // PostgreSQL refuses a NUL in a text.
    let known =
        if cursor.is_some_and(|text| text.contains('\0')) { None } else { tokens::list(&app, cursor, limit).await? };
    known.map(Json).ok_or_else(|| invalid("cursor", cursor.unwrap_or_default(), &CURSOR))
}

/// Makes a token and shows it this once.
#[utoipa::path(
    post,
    path = "/api/v1/enrollment-tokens",
    tag = "tokens",
    request_body = NewEnrollmentToken,
    responses(
        (status = 201, description = "The token, shown this once", body = CreatedEnrollmentToken),
    ),
    security(("session" = ["admin"])),
)]
pub async fn create(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    _: NoParams,
    Json(new): Json<NewEnrollmentToken>,
) -> Result<(StatusCode, Json<CreatedEnrollmentToken>), ApiError> {
    Ok((StatusCode::CREATED, Json(tokens::create(&app, &new, &user.actor()).await?)))
}

/// Revokes a token.
#[utoipa::path(
    delete,
    path = "/api/v1/enrollment-tokens/{token_id}",
    tag = "tokens",
    params(("token_id" = String, Path, description = "Public part of the token")),
    responses(
        (status = 200, description = "The token, revoked", body = EnrollmentToken),
    ),
    security(("session" = ["admin"])),
)]
pub async fn revoke(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Path(token_id): Path<String>,
    _: NoParams,
) -> Result<Json<EnrollmentToken>, ApiError> {
    let shown: String = token_id.chars().take(64).collect();
    // PostgreSQL refuses a NUL in a text.
    let known = if token_id.contains('\0') { None } else { tokens::revoke(&app, &token_id, &user.actor()).await? };
    known.map(Json).ok_or_else(|| missing("enrollment token", shown))
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        let message = error.to_string();
        match error {
            CreateError::BadLabel => Self::bad_request("invalid_label", message),
            CreateError::BadUses => Self::bad_request("invalid_max_uses", message),
            CreateError::BadHours => Self::bad_request("invalid_expires_hours", message),
            CreateError::BadForm => Self::bad_request("invalid_token", message),
            CreateError::OtherSecret => Self::conflict("token_exists", message),
            CreateError::Hash(error) => error.into(),
            CreateError::Db(error) => error.into(),
        }
    }
}
