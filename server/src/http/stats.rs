//! `/api/v1/stats/…`: counts over events.

use std::sync::Arc;

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use tyr_api::agents::List;
use tyr_api::stats::{AgentEvents, AgentEventsQuery, DriftBy, DriftQuery, DriftRow, RateBy, RateGroup, RateQuery};

use super::error::ApiError;
use super::json::Json;
use super::params::{Known, Params};
use super::who::Viewer;
use crate::app::{App, query};

/// Longest span of minutes; beyond it the answer would be larger than anybody can read.
const RATE_SPAN_MAX: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Agents of one answer: most, and unless told.
const AGENTS_MAX: u32 = 10_000;
const AGENTS_DEFAULT: u32 = 100;
/// Most rows of an answer by hour and agent; the busiest agents of the newest hours come first.
const RATE_ROWS_MAX: u32 = 10_000;

/// Events per minute, verdict and kind, or `by` one of them, or per hour and agent: of the last hour, unless told.
#[utoipa::path(
    get,
    path = "/api/v1/stats/rate",
    tag = "events",
    params(RateQuery),
    responses(
        (status = 200, description = "Events per minute, verdict and kind", body = List<RateGroup>),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn rate(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Json<List<RateGroup>>, ApiError> {
    let params = params.only(&["since", "until", "by"])?;
    let by = params.word("by", RateBy::WORDS)?;
    let (since, until) = span(&params, SignedDuration::from_hours(1))?;
    if until.duration_since(since) > RATE_SPAN_MAX {
        return Err(ApiError::bad_request("span_too_long", "`since` and `until` are more than 7 days apart"));
    }
    Ok(Json(List { items: query::rate(&app, since, until, by, RATE_ROWS_MAX).await? }))
}

/// Drift by agent, or `by` what it has in common: of the last day, unless told.
#[utoipa::path(
    get,
    path = "/api/v1/stats/drift",
    tag = "events",
    params(DriftQuery),
    responses(
        (status = 200, description = "Drift, most first", body = List<DriftRow>),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn drift(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Json<List<DriftRow>>, ApiError> {
    let params = params.only(&["since", "until", "by", "agent_id"])?;
    let by = params.word("by", DriftBy::WORDS)?.unwrap_or_default();
    let agent_id = params.parse("agent_id", "an agent's id, a UUID")?;
    let (since, until) = span(&params, SignedDuration::from_hours(24))?;
    Ok(Json(List { items: query::drift(&app, since, until, by, agent_id).await? }))
}

/// Events per agent: of the last day, unless told, in whole hours.
#[utoipa::path(
    get,
    path = "/api/v1/stats/agents",
    tag = "events",
    params(AgentEventsQuery),
    responses(
        (status = 200, description = "Events of the busiest agents", body = AgentEvents),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn agents(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Json<AgentEvents>, ApiError> {
    let params = params.only(&["since", "until", "limit"])?;
    let limit = params.number("limit", 1, AGENTS_MAX)?.unwrap_or(AGENTS_DEFAULT);
    let (since, until) = span(&params, SignedDuration::from_hours(24))?;
    Ok(Json(query::agent_events(&app, since, until, limit).await?))
}

fn span(params: &Known, default: SignedDuration) -> Result<(Timestamp, Timestamp), ApiError> {
    let until = params.instant("until")?.unwrap_or_else(Timestamp::now);
    // Saturating: `until` may be the beginning of time.
    let since = match params.instant("since")? {
        Some(since) => since,
        None => until.checked_sub(default).unwrap_or(Timestamp::MIN),
    };
    if since > until {
        return Err(ApiError::bad_request("span_backwards", "`since` is after `until`"));
    }
    Ok((since, until))
}
