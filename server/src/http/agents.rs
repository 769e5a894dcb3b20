//! `/api/v1/agents…` and, under their documented name, `/api/v1/daemons…`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tyr_api::agents::{Agent, AgentChange, AgentsQuery, Liveness};
use tyr_api::page::Page;
use tyr_api::policies::EffectivePolicy;
use uuid::Uuid;

use super::error::ApiError;
use super::etag::Tag;
use super::json::Json;
use super::params::{CURSOR, Known, NoParams, Params, invalid};
use super::path::{Id, missing};
use super::who::{Admin, Viewer};
use crate::app::App;
use crate::app::agents::{self, ChangeError};
use crate::app::query::{self, AgentFilter};

/// Most agents of one answer.
const AGENTS_MAX: u32 = 10_000;
/// Longest silence that is asked for, in seconds: more than thirty years.
const SILENCE_S_MAX: u32 = 1_000_000_000;

/// Agents by name; archived ones with `?include_archived=true`.
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
pub async fn list(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Response, ApiError> {
    let params = params.only(&["include_archived", "liveness", "unheard_for_s", "silent_for_s", "cursor", "limit"])?;
    let filter = AgentFilter {
        archived: params.parse("include_archived", "true or false")?.unwrap_or(false),
        liveness: liveness(&params)?,
        unheard_for_s: params.number("unheard_for_s", 1, SILENCE_S_MAX)?,
        silent_for_s: params.number("silent_for_s", 1, SILENCE_S_MAX)?,
    };
    let cursor: Option<Uuid> = params.parse("cursor", CURSOR)?;
    let limit = params.number("limit", 1, AGENTS_MAX)?.unwrap_or(AGENTS_MAX);
    let page = query::agents(&app, &filter, cursor, limit).await?;
    let mut page = page.ok_or_else(|| invalid("cursor", params.text("cursor").unwrap_or_default(), &CURSOR))?;
    // How long an agent was silent follows from `last_seen`; it alone makes no other answer.
    let ages: Vec<u64> = page.items.iter_mut().map(|agent| std::mem::take(&mut agent.staleness_ms)).collect();
    let tag = Tag::of(&page)?;
    page.items.iter_mut().zip(ages).for_each(|(agent, age)| agent.staleness_ms = age);
    Ok((Extension(tag), Json(page)).into_response())
}

/// The words of `liveness`.
fn liveness(params: &Known) -> Result<Vec<Liveness>, ApiError> {
    let Some(text) = params.text("liveness") else { return Ok(Vec::new()) };
    let words: Result<Vec<Liveness>, _> = text.split(',').map(str::parse).collect();
    let expected = format!("one or more of {}, with commas between", Liveness::WORDS.join(", "));
    words.ok().filter(|words| words.len() <= Liveness::ALL.len()).ok_or_else(|| invalid("liveness", text, &expected))
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
