//! `/api/v1/agent-types…`: which types of AI processes are registered.

use std::sync::Arc;

use axum::extract::{Path, State};
use tyr_api::agents::{AgentType, List};

use super::error::ApiError;
use super::json::Json;
use super::params::NoParams;
use super::who::{Admin, Viewer};
use crate::app::agent_types::ApprovalError;
use crate::app::{App, agent_types};

/// Agent types that are registered, or of which AI processes live now, by name.
#[utoipa::path(
    get,
    path = "/api/v1/agent-types",
    tag = "agents",
    responses((status = 200, description = "Agent types, by name", body = List<AgentType>)),
    security(("session" = ["viewer"])),
)]
pub async fn list(_: Viewer, State(app): State<Arc<App>>, _: NoParams) -> Result<Json<List<AgentType>>, ApiError> {
    Ok(Json(List { items: agent_types::list(&app).await? }))
}

/// Approves an agent type: its AI processes are registered from now on, on every agent.
#[utoipa::path(
    put,
    path = "/api/v1/agent-types/{agent_type}",
    tag = "agents",
    params(("agent_type" = String, Path, description = "The agent type, e.g. claude-code")),
    responses((status = 200, description = "The agent type as it is now", body = AgentType)),
    security(("session" = ["admin"])),
)]
pub async fn approve(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Path(agent_type): Path<String>,
    _: NoParams,
) -> Result<Json<AgentType>, ApiError> {
    Ok(Json(agent_types::approve(&app, &agent_type, &user.actor()).await?))
}

/// Takes the approval back. Agents that quarantine or deny what is not registered do so from now on. A type with an overlay stays
/// registered by it: 409.
#[utoipa::path(
    delete,
    path = "/api/v1/agent-types/{agent_type}",
    tag = "agents",
    params(("agent_type" = String, Path, description = "The agent type, e.g. claude-code")),
    responses((status = 200, description = "The agent type as it is now", body = AgentType)),
    security(("session" = ["admin"])),
)]
pub async fn quarantine(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Path(agent_type): Path<String>,
    _: NoParams,
) -> Result<Json<AgentType>, ApiError> {
    Ok(Json(agent_types::quarantine(&app, &agent_type, &user.actor()).await?))
}

impl From<ApprovalError> for ApiError {
    fn from(error: ApprovalError) -> Self {
        let message = error.to_string();
        match error {
            ApprovalError::BadType => Self::bad_request("invalid_agent_type", message)
                .hint("`GET /api/v1/agent-types` lists those that are known"),
            ApprovalError::TooMany => {
                Self::conflict("too_many_agent_types", message).hint("take back the approval of one that is not used")
            }
            ApprovalError::Overlay { .. } => Self::conflict("has_overlay", message)
                .hint("end its assignment first: `DELETE /api/v1/policy-assignments/{id}`"),
            ApprovalError::Db(error) => error.into(),
        }
    }
}
