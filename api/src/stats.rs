//! Counts over events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::events::{EventKind, Verdict};

/// Query of `GET /api/v1/stats/rate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RateQuery {
    /// Default: one hour ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Default: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Events of one minute, verdict and kind, from the roll-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RateRow {
    /// Start of the minute.
    pub minute: Timestamp,
    /// The agent's verdict.
    pub verdict: Verdict,
    /// What was done.
    pub kind: EventKind,
    /// How many.
    pub events: u64,
    /// How many of them drifted.
    pub drifts: u64,
}

/// Query of `GET /api/v1/stats/drift`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DriftQuery {
    /// Default: one day ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Default: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Drift of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriftRow {
    /// The agent.
    pub agent_id: Uuid,
    /// Its name.
    pub agent_name: String,
    /// How many of its events drifted.
    pub drifts: u64,
    /// The newest of them.
    pub last_ts: Timestamp,
}

/// Query of `GET /api/v1/stats/agents`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AgentEventsQuery {
    /// Default: one day ago. The hour that it falls into counts whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Default: now. The hour that it falls into counts whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Most agents, 1-10,000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Events of the busiest agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentEvents {
    /// First instant that is counted: the start of an hour.
    pub since: Timestamp,
    /// First instant that is not: the end of an hour.
    pub until: Timestamp,
    /// Most events first.
    pub items: Vec<AgentEventsRow>,
}

/// Events of one agent, from the roll-up by hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentEventsRow {
    /// The agent.
    pub agent_id: Uuid,
    /// Its name.
    pub agent_name: String,
    /// All.
    pub events: u64,
    /// Of them, allowed.
    pub allow: u64,
    /// Of them, denied.
    pub deny: u64,
    /// Of them, alerts.
    pub alert: u64,
    /// Of them, where agent and server disagree.
    pub drifts: u64,
}
