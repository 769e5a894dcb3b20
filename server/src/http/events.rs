//! `GET /api/v1/events`, and one of them.

use std::sync::Arc;

use axum::extract::State;
use tyr_api::events::{Event, EventKind, EventPage, EventQuery, Severity, Verdict};
use uuid::Uuid;

use super::error::ApiError;
use super::json::Json;
use super::params::{CURSOR, Known, NoParams, Params, invalid};
use super::path::{Id, missing};
use super::who::Viewer;
use crate::app::{App, query};
use crate::db::events::{Filter, Position};

/// The parameters that select events, here and on the stream.
pub(super) const FILTERS: [&str; 6] = ["agent_id", "kind", "verdict", "severity", "agent_type", "drift_detected"];
/// Most events of one page.
const LIMIT_MAX: u32 = 1000;
const LIMIT_DEFAULT: u32 = 100;
/// Longest agent type that is worth looking for.
const AGENT_TYPE_CHARS_MAX: usize = 64;

/// A page of events, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    params(EventQuery),
    responses(
        (status = 200, description = "Events, newest first", body = EventPage),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn list(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Json<EventPage>, ApiError> {
    let accepted = [FILTERS.as_slice(), &["since", "until", "before_ts", "cursor", "limit"]].concat();
    let params = params.only(&accepted)?;
    let mut filter = filter(&params)?;
    filter.since = params.instant("since")?;
    filter.before = params.instant("until")?.into_iter().chain(params.instant("before_ts")?).min();
    let cursor: Option<Position> = params.parse("cursor", CURSOR)?;
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    Ok(Json(query::events(&app, &filter, cursor, limit).await?))
}

/// One event.
#[utoipa::path(
    get,
    path = "/api/v1/events/{id}",
    tag = "events",
    params(("id" = Uuid, Path, description = "The event's id")),
    responses(
        (status = 200, description = "The event", body = Event),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn show(
    _: Viewer,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<Json<Event>, ApiError> {
    Ok(Json(query::event(&app, id).await?.ok_or_else(|| missing("event", id))?))
}

/// The filters in a query.
pub(super) fn filter(params: &Known) -> Result<Filter, ApiError> {
    Ok(Filter {
        agent_id: params.parse("agent_id", "an agent's id, a UUID")?,
        kind: params.word("kind", EventKind::WORDS)?,
        verdict: params.word("verdict", Verdict::WORDS)?,
        severity: params.word("severity", Severity::WORDS)?,
        agent_type: agent_type(params)?.map(str::to_owned),
        drift_detected: params.parse("drift_detected", "true or false")?,
        ..Filter::default()
    })
}

/// The parameter `agent_type`.
pub(super) fn agent_type(params: &Known) -> Result<Option<&str>, ApiError> {
    match params.text("agent_type") {
        Some(text) if text.is_empty() || text.chars().count() > AGENT_TYPE_CHARS_MAX || text.contains('\0') => {
            Err(invalid("agent_type", text, &"an agent type like claude-code"))
        }
        given => Ok(given),
    }
}
