//! `/api/v1/agents…` and, under their documented name, `/api/v1/daemons…`.

use std::sync::Arc;

use axum::extract::State;
use tyr_api::agents::{Agent, AgentChange, AgentsQuery, List};
use tyr_api::page::Page;
use tyr_api::policies::EffectivePolicy;
use uuid::Uuid;

use super::error::ApiError;
use super::json::Json;
use super::params::{NoParams, Params};
use super::path::{Id, missing};
use super::who::{Admin, Viewer};
use crate::app::agents::{self, ChangeError};
use crate::app::{App, query};

/// All agents, by name; archived ones with `?include_archived=true`.
#[utoipa::path(
    get,
    path = "/api/v1/agents",
    tag = "agents",
    params(AgentsQuery),
    responses(
        (status = 200, description = "Agents by name", body = Page<Agent>),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn list(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Json<List<Agent>>, ApiError> {
    let params = params.only(&["include_archived"])?;
    let archived = params.parse("include_archived", "true or false")?.unwrap_or(false);
    Ok(Json(List { items: query::agents(&app, archived).await? }))
}

/// One agent, archived or not.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent's id")),
    responses(
        (status = 200, description = "The agent", body = Agent),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn show(
    _: Viewer,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<Json<Agent>, ApiError> {
    Ok(Json(query::agent(&app, id).await?.ok_or_else(|| missing("agent", id))?))
}

/// What an agent should run, and what it says it does.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/effective-policy",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent's id")),
    responses(
        (status = 200, description = "Its layers", body = EffectivePolicy),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn effective_policy(
    _: Viewer,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<Json<EffectivePolicy>, ApiError> {
    Ok(Json(query::effective_policy(&app, id).await?.ok_or_else(|| missing("agent", id))?))
}

/// Archives an agent, or takes it back.
#[utoipa::path(
    patch,
    path = "/api/v1/agents/{id}",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent's id")),
    request_body = AgentChange,
    responses((status = 200, description = "The agent as it is now", body = Agent)),
    security(("session" = ["admin"])),
)]
pub async fn change(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
    Json(change): Json<AgentChange>,
) -> Result<Json<Agent>, ApiError> {
    Ok(Json(agents::archive(&app, id, change.archived, &user.actor()).await?))
}

/// Revokes an agent: its certificate is refused from now on. Its events stay.
#[utoipa::path(
    delete,
    path = "/api/v1/agents/{id}",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent's id")),
    responses((status = 200, description = "The agent as it is now", body = Agent)),
    security(("session" = ["admin"])),
)]
pub async fn revoke(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<Json<Agent>, ApiError> {
    Ok(Json(agents::revoke(&app, id, &user.actor()).await?))
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        let message = error.to_string();
        match error {
            ChangeError::Unknown { what, id } => missing(what, id),
            ChangeError::Revoked(_) => Self::conflict("agent_revoked", message)
                .hint("enroll the host again with a fresh enrollment token; it will be a new agent"),
            ChangeError::BadDisplayName => Self::bad_request("invalid_display_name", message),
            ChangeError::Db(error) => error.into(),
        }
    }
}
