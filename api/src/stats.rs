//! Counts over events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::events::{EventKind, Verdict, words};

/// What events are counted by, beside the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateBy {
    /// Per minute and verdict of the agent.
    Verdict,
    /// Per minute and kind.
    Kind,
    /// Per minute alone.
    Minute,
    /// Per hour and agent.
    Agent,
}
words!(RateBy { Verdict => "verdict", Kind => "kind", Minute => "minute", Agent => "agent" });

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
    /// What to count by; per minute, verdict and kind when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<RateBy>,
}

/// Events counted together, from the roll-ups. Which fields are there follows from `by`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RateGroup {
    /// Start of the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minute: Option<Timestamp>,
    /// Start of the hour, by agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Timestamp>,
    /// The agent's verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<EventKind>,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Uuid>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// How many.
    pub events: u64,
    /// How many of them drifted.
    pub drifts: u64,
}

impl From<RateRow> for RateGroup {
    fn from(row: RateRow) -> Self {
        Self {
            minute: Some(row.minute),
            verdict: Some(row.verdict),
            kind: Some(row.kind),
            events: row.events,
            drifts: row.drifts,
            ..Self::default()
        }
    }
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

/// What drift is counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftBy {
    /// The agent that reported it.
    #[default]
    Agent,
    /// What was done.
    Kind,
    /// The policy version that holds the deciding rule.
    Policy,
    /// The rule that decided.
    Rule,
    /// Why the verdicts differ.
    Reason,
    /// The agent's and the server's verdict.
    Verdicts,
}
words!(DriftBy {
    Agent => "agent",
    Kind => "kind",
    Policy => "policy",
    Rule => "rule",
    Reason => "reason",
    Verdicts => "verdicts",
});

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
    /// What to count by; default `agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<DriftBy>,
    /// Only this agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Uuid>,
}

/// Drift of one agent, or of what has something in common. Most drifts first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriftRow {
    /// The agent; by agent alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Uuid>,
    /// Its name; by agent alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    /// What they have in common: a kind, `v3`, a rule, a reason, `alert→deny`; `none` where there is none. Not by agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How many events drifted.
    pub drifts: u64,
    /// How many of them are severe, as documented: an alert that should have been a denial. Absent in answers of servers before 0.2.
    #[serde(default)]
    pub severe: u64,
    /// How many agents reported them; not by agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<u64>,
    /// The newest of them.
    pub last_ts: Timestamp,
    /// Whether the drift of one of these agents is sustained now, as the alert rule `sustained_drift` has it: it arrived in
    /// three of the last five windows of five minutes, what is only not enforced there left out.
    #[serde(default)]
    pub sustained: bool,
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
