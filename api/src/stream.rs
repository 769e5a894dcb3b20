//! What `GET /api/v1/events/stream` sends.
//!
//! Plain subscribers get events alone, one `data: {json}` each with an `id:`. `?include=stats,agents,ai` adds named
//! events for dashboards: they carry no `id:`, so that they never move the resume cursor.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::agents::{Agent, DiscoveredAgent};

/// Name of the SSE event that carries a [`Gap`]. Always sent.
pub const GAP: &str = "gap";
/// Name of the SSE event that carries [`StreamStats`], once a second.
pub const STATS: &str = "stats";
/// Name of the SSE event that carries a JSON array of [`Agent`]: those that changed, at most once a second.
pub const AGENTS: &str = "agents";
/// Name of the SSE event that carries a JSON array of [`DiscoveredAgent`]: those that changed.
pub const AI: &str = "ai";

/// Events that this subscriber did not get: it was too slow, or was away for longer than can be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// How many are missing; absent when unknown.
    pub missed: Option<u64>,
    /// Fetch them with `GET /api/v1/events?since=...`.
    pub since: Timestamp,
}

/// Counters of the whole server, so that a dashboard needs no polling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Rates of the last hour.
    pub rates: Vec<crate::stats::RateRow>,
    /// Resume the stream with this as `Last-Event-ID` to miss nothing after the snapshot.
    pub cursor: String,
}
