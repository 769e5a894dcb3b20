//! What `GET /api/v1/events/stream` sends.
//!
//! Plain subscribers get events alone, one `data: {json}` each with an `id:`. `?include=stats,agents,ai,alerts` adds named
//! events for dashboards: they carry no `id:`, so that they never move the resume cursor.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::agents::{Agent, DiscoveredAgent};
use crate::events::{EventKind, Severity, Verdict};

/// Name of the SSE event that carries a [`Gap`]. Always sent.
pub const GAP: &str = "gap";
/// Name of the SSE event that carries [`StreamStats`], once a second.
pub const STATS: &str = "stats";
/// Name of the SSE event that carries a JSON array of [`Agent`]: those that changed, at most once a second.
pub const AGENTS: &str = "agents";
/// Name of the SSE event that carries a JSON array of [`DiscoveredAgent`]: those that changed.
pub const AI: &str = "ai";
/// Name of the SSE event that carries one [`Alert`](crate::alerts::Alert) that changed, within seconds of the change.
/// It is asked for by `?include=alerts`.
pub const ALERT: &str = "alert";
/// The word that asks for [`ALERT`].
pub const ALERTS: &str = "alerts";

/// Query of `GET /api/v1/events/stream`: the filters of `GET /api/v1/events`, and what else to send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// Only this agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Uuid>,
    /// Only this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<EventKind>,
    /// Only this verdict of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Only this severity or worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Only events of AI processes of this type, 1-64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\x00]*$")]
    pub agent_type: Option<String>,
    /// Only events with (or without) drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_detected: Option<bool>,
    /// Named events beside the plain ones: one or more of `stats`, `agents`, `ai`, `alerts`, with commas between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^[a-z]+(,[a-z]+)*$")]
    pub include: Option<String>,
    /// Where to go on, for clients that can't send the header `Last-Event-ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^([0-9]{1,17}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?$")]
    pub last_event_id: Option<String>,
}

/// Events that this subscriber did not get: it was too slow, or was away for longer than can be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gap {
    /// How many are missing, counted before filters; absent when unknown.
    pub missed: Option<u64>,
    /// Fetch them with `GET /api/v1/events?since=...`.
    pub since: Timestamp,
}

/// Counters of the whole server, so that a dashboard needs no polling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StreamStats {
    /// The server's clock.
    pub now: Timestamp,
    /// Events stored since the last stats, by `verdict` word.
    pub events_by_verdict: BTreeMap<String, u64>,
    /// Events stored since the last stats, by `kind` word.
    pub events_by_kind: BTreeMap<String, u64>,
    /// Drifting events stored since the last stats.
    pub drifts: u64,
    /// Drifting events of the last 24 hours.
    pub drifts_1d: u64,
    /// Agents, archived ones excluded, by `liveness` word.
    pub agents_by_liveness: BTreeMap<String, u64>,
    /// Events that agents declared lost, over all.
    pub events_lost: u64,
}

/// Answer of `GET /api/v1/snapshot`: what a dashboard starts from before it follows the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    /// The server's clock.
    pub now: Timestamp,
    /// Version of the server.
    pub version: String,
    /// An agent is stale when it was not heard from for longer than this.
    pub stale_after_s: u32,
    /// All agents, archived ones excluded.
    pub agents: Vec<Agent>,
    /// AI processes that live, or ended within the last hour.
    pub discovered_agents: Vec<DiscoveredAgent>,
    /// Newest events, newest first, at most 500.
    pub events: Vec<crate::events::Event>,
    /// Newest drifting events of the last 24 hours, newest first, at most 500.
    pub drifts: Vec<crate::events::Event>,
    /// Drifting events of the last 24 hours.
    pub drifts_1d: u64,
    /// Alerts that are pending or firing, firing ones first, at most 1,000.
    #[serde(default)]
    pub alerts: Vec<crate::alerts::Alert>,
    /// Rates of the last hour.
    pub rates: Vec<crate::stats::RateRow>,
    /// Resume the stream with this as `Last-Event-ID` to miss nothing after the snapshot.
    pub cursor: String,
}
