//! `/api/v1/discovered-agents…`: AI processes.

use std::sync::Arc;

use axum::extract::State;
use tyr_api::agents::{DiscoveredAgent, DiscoveredAgentChange, DiscoveredAgentsQuery};
use tyr_api::page::Page;
use uuid::Uuid;

use super::error::ApiError;
use super::events::agent_type;
use super::json::Json;
use super::params::{CURSOR, NoParams, Params};
use super::path::{Id, missing};
use super::who::{Admin, Viewer};
use crate::app::query::{self, AI_PROCESSES_MAX};
use crate::app::{App, agents};

/// AI processes, newest first: `?agent_id=…`, `?agent_type=…`, `?alive=true`, `?limit=…` (1,000 unless told).
#[utoipa::path(
    get,
    path = "/api/v1/discovered-agents",
    tag = "agents",
    params(DiscoveredAgentsQuery),
    responses(
        (status = 200, description = "AI processes, newest first", body = Page<DiscoveredAgent>),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn list(
    _: Viewer,
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<Page<DiscoveredAgent>>, ApiError> {
    let params = params.only(&["agent_id", "agent_type", "alive", "cursor", "limit"])?;
    let agent_id = params.parse("agent_id", "an agent's id, a UUID")?;
    let agent_type = agent_type(&params)?;
    let alive = params.parse("alive", "true or false")?.unwrap_or(false);
    let limit = params.number("limit", 1, AI_PROCESSES_MAX)?.unwrap_or(1000);
    let cursor = params.parse("cursor", CURSOR)?;
    Ok(Json(query::ai_processes(&app, agent_id, agent_type, alive, cursor, limit).await?))
}

/// One AI process.
#[utoipa::path(
    get,
    path = "/api/v1/discovered-agents/{id}",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The AI process's id")),
    responses(
        (status = 200, description = "The AI process", body = DiscoveredAgent),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn show(
    _: Viewer,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<Json<DiscoveredAgent>, ApiError> {
    Ok(Json(query::ai_process(&app, id).await?.ok_or_else(|| missing("AI process", id))?))
}

/// Names an AI process.
#[utoipa::path(
    patch,
    path = "/api/v1/discovered-agents/{id}",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The AI process's id")),
    request_body = DiscoveredAgentChange,
    responses((status = 200, description = "The AI process as it is now", body = DiscoveredAgent)),
    security(("session" = ["admin"])),
)]
pub async fn change(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
    Json(change): Json<DiscoveredAgentChange>,
) -> Result<Json<DiscoveredAgent>, ApiError> {
    Ok(Json(agents::rename_ai_process(&app, id, &change.display_name, &user.actor()).await?))
}
