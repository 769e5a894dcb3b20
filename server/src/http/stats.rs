//! `/api/v1/stats/…`: counts over events.

use std::sync::Arc;

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use tyr_api::agents::List;
use tyr_api::stats::{AgentEvents, AgentEventsQuery, DriftQuery, DriftRow, RateQuery, RateRow};

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

/// Events per minute, verdict and kind: of the last hour, unless told.
#[utoipa::path(
    get,
    path = "/api/v1/stats/rate",
    tag = "events",
    params(RateQuery),
    responses(
        (status = 200, description = "Events per minute, verdict and kind", body = List<RateRow>),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn rate(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Json<List<RateRow>>, ApiError> {
    let (since, until) = span(params, SignedDuration::from_hours(1))?;
    if until.duration_since(since) > RATE_SPAN_MAX {
        return Err(ApiError::bad_request("span_too_long", "`since` and `until` are more than 7 days apart"));
    }
    Ok(Json(List { items: query::rate(&app, since, until).await? }))
}

/// Drift per agent: of the last day, unless told.
#[utoipa::path(
    get,
    path = "/api/v1/stats/drift",
    tag = "events",
    params(DriftQuery),
    responses(
        (status = 200, description = "Drift per agent", body = List<DriftRow>),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn drift(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Json<List<DriftRow>>, ApiError> {
    let (since, until) = span(params, SignedDuration::from_hours(24))?;
    Ok(Json(List { items: query::drift(&app, since, until).await? }))
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
    let (since, until) = known_span(&params, SignedDuration::from_hours(24))?;
    Ok(Json(query::agent_events(&app, since, until, limit).await?))
}

fn span(params: Params, default: SignedDuration) -> Result<(Timestamp, Timestamp), ApiError> {
    known_span(&params.only(&["since", "until"])?, default)
}

fn known_span(params: &Known, default: SignedDuration) -> Result<(Timestamp, Timestamp), ApiError> {
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
