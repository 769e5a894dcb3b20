//! `/api/v1/policy-assignments…`: which policy is for whom.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use tyr_api::page::{Page, PageQuery};
use tyr_api::policies::{Assignment, NewAssignment};
use uuid::Uuid;

use super::error::ApiError;
use super::json::Json;
use super::params::{CURSOR, NoParams, Params, invalid, page};
use super::path::{Id, missing};
use super::who::{Admin, Viewer};
use crate::app::App;
use crate::app::assignments::{self, AssignError};

/// The assignments in force, by target.
#[utoipa::path(
    get,
    path = "/api/v1/policy-assignments",
    tag = "policies",
    params(PageQuery),
    responses(
        (status = 200, description = "Assignments in force, by target", body = Page<Assignment>),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn list(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Json<Page<Assignment>>, ApiError> {
    let (params, limit) = page(params)?;
    let cursor = params.parse("cursor", CURSOR)?;
    let known = assignments::list(&app, cursor, limit).await?;
    known.map(Json).ok_or_else(|| invalid("cursor", params.text("cursor").unwrap_or_default(), &CURSOR))
}

/// One assignment in force.
#[utoipa::path(
    get,
    path = "/api/v1/policy-assignments/{id}",
    tag = "policies",
    params(("id" = Uuid, Path, description = "The assignment's id")),
    responses(
        (status = 200, description = "The assignment", body = Assignment),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn show(
    _: Viewer,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<Json<Assignment>, ApiError> {
    Ok(Json(assignments::show(&app, id).await?.ok_or_else(|| missing("assignment in force", id))?))
}

/// Assigns a policy in place of the one that the target had.
#[utoipa::path(
    post,
    path = "/api/v1/policy-assignments",
    tag = "policies",
    request_body = NewAssignment,
    responses(
        (status = 201, description = "The new assignment", body = Assignment),
    ),
    security(("session" = ["admin"])),
)]
pub async fn create(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    _: NoParams,
    Json(new): Json<NewAssignment>,
) -> Result<(StatusCode, Json<Assignment>), ApiError> {
    Ok((StatusCode::CREATED, Json(assignments::create(&app, new, &user.actor()).await?)))
}

/// Ends an assignment.
#[utoipa::path(
    delete,
    path = "/api/v1/policy-assignments/{id}",
    tag = "policies",
    params(("id" = Uuid, Path, description = "The assignment's id")),
    responses(
        (status = 204, description = "Ended"),
    ),
    security(("session" = ["admin"])),
)]
pub async fn end(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<StatusCode, ApiError> {
    if assignments::end(&app, id, &user.actor()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(missing("assignment in force", id))
    }
}

impl From<AssignError> for ApiError {
    fn from(error: AssignError) -> Self {
        let message = error.to_string();
        match error {
            AssignError::UnknownVersion(_) => {
                Self::bad_request("unknown_policy_version", message).hint("`GET /api/v1/policies` lists all versions")
            }
            AssignError::UnknownAgent(_) => {
                Self::bad_request("unknown_agent", message).hint("`GET /api/v1/agents` lists all agents")
            }
            AssignError::BadTarget(_) => Self::bad_request("invalid_target", message),
            AssignError::Db(error) => error.into(),
        }
    }
}
