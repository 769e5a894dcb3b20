//! `/api/v1/policies…`: policy versions.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use tyr_api::page::{Page, PageQuery};
use tyr_api::policies::{NewPolicy, PolicyDocument, PolicyVersion};
use tyr_policy::{Diagnostic, PolicyError};

use super::error::ApiError;
use super::json::Json;
use super::params::{CURSOR, NoParams, Params, page};
use super::path::{Id, missing};
use super::who::{Admin, Viewer};
use crate::app::App;
use crate::app::policies::{self, ApplyError};

/// Versions without their text, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/policies",
    tag = "policies",
    params(PageQuery),
    responses(
        (status = 200, description = "Versions, newest first", body = Page<PolicyVersion>),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn list(
    _: Viewer,
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<Page<PolicyVersion>>, ApiError> {
    let (params, limit) = page(params)?;
    let cursor = params.parse("cursor", CURSOR)?;
    Ok(Json(policies::list(&app, cursor, limit).await?))
}

/// One version with its text.
#[utoipa::path(
    get,
    path = "/api/v1/policies/{version}",
    tag = "policies",
    params(("version" = u32, Path, description = "Version, from 1")),
    responses(
        (status = 200, description = "The version with its text", body = PolicyDocument),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn show(
    _: Viewer,
    State(app): State<Arc<App>>,
    Id(version): Id<u32>,
    _: NoParams,
) -> Result<Json<PolicyDocument>, ApiError> {
    Ok(Json(policies::show(&app, version).await?.ok_or_else(|| missing("policy version", version))?))
}

/// Checks a policy and stores it as a new version.
#[utoipa::path(
    post,
    path = "/api/v1/policies",
    tag = "policies",
    request_body = NewPolicy,
    responses(
        (status = 201, description = "The new version", body = PolicyDocument),
    ),
    security(("session" = ["admin"])),
)]
pub async fn apply(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    _: NoParams,
    Json(new): Json<NewPolicy>,
) -> Result<(StatusCode, Json<PolicyDocument>), ApiError> {
    Ok((StatusCode::CREATED, Json(policies::apply(&app, new.yaml, &user.actor()).await?)))
}

/// Makes a new version with the text of an earlier one; like every new version it is in force nowhere.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{version}/rollback",
    tag = "policies",
    params(("version" = u32, Path, description = "Version whose text to take")),
    responses((status = 201, description = "The new version", body = PolicyDocument)),
    security(("session" = ["admin"])),
)]
pub async fn roll_back(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Id(version): Id<u32>,
    _: NoParams,
) -> Result<(StatusCode, Json<PolicyDocument>), ApiError> {
    let rolled_back = policies::roll_back(&app, version, &user.actor()).await?;
    Ok((StatusCode::CREATED, Json(rolled_back.ok_or_else(|| missing("policy version", version))?)))
}

impl From<ApplyError> for ApiError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Invalid(error) => {
                let hint = hints(&error.diagnostics);
                ApiError::bad_request("invalid_policy", in_lines(&error)).maybe_hint(hint)
            }
            ApplyError::Check(error) => ApiError::internal(&error),
            ApplyError::Db(error) => error.into(),
        }
    }
}

/// All diagnostics, one per line.
fn in_lines(error: &PolicyError) -> String {
    match error.diagnostics.as_slice() {
        [only] => format!("the policy is not valid: {only}"),
        several => format!("the policy has {} errors:\n{error}", several.len()),
    }
}

/// All hints, each with the place that it is for, unless there is one error alone.
fn hints(diagnostics: &[Diagnostic]) -> Option<String> {
    if let [only] = diagnostics {
        return only.hint.clone();
    }
    let hints: Vec<String> = diagnostics
        .iter()
        .filter_map(|diagnostic| Some(format!("line {}: {}", diagnostic.line, diagnostic.hint.as_ref()?)))
        .collect();
    (!hints.is_empty()).then(|| hints.join("\n"))
}
