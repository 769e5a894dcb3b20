//! Agents (`tyrd` on a host) and the AI processes that they found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::events::words;

/// How alive an agent is, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Liveness {
    /// Heard from within its heartbeat interval, half an interval of grace included.
    Online,
    /// At least one heartbeat missed.
    Late,
    /// Not heard from for more than the stale threshold (90 s by default).
    Stale,
    /// Not heard from for more than five minutes (or the stale threshold, if that is longer).
    Offline,
}
words!(Liveness { Online => "online", Late => "late", Stale => "stale", Offline => "offline" });

/// Query of `GET /api/v1/agents` and `/daemons`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AgentsQuery {
    /// Archived ones too; default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_archived: Option<bool>,
    /// Only those that are so alive: one or more of `online`, `late`, `stale`, `offline`, with commas between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^(online|late|stale|offline)(,(online|late|stale|offline)){0,3}$")]
    pub liveness: Option<String>,
    /// Only those not heard from for more than so many seconds, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1_000_000_000)]
    pub unheard_for_s: Option<u32>,
    /// Only those that were heard from without a longer break for more than so many seconds, and reported no event in that
    /// time: something is likely broken there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1_000_000_000)]
    pub silent_for_s: Option<u32>,
    /// `next_cursor` of the page before, unchanged: an agent's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Uuid>,
    /// 1-10,000, which is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 10_000)]
    pub limit: Option<u32>,
}

/// Query of `GET /api/v1/discovered-agents`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DiscoveredAgentsQuery {
    /// Only those of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Uuid>,
    /// Only those of this type, 1-64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\x00]*$")]
    pub agent_type: Option<String>,
    /// Only those that live now; default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alive: Option<bool>,
    /// `next_cursor` of the page before, unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^[0-9]{1,17}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    pub cursor: Option<String>,
    /// 1-10,000, default 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 10_000)]
    pub limit: Option<u32>,
}

/// How much of a policy a host enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Posture {
    /// The agent never said.
    Unknown,
    /// Nothing could be loaded.
    Blind,
    /// Everything is observed, nothing enforced.
    Observing,
    /// Network rules are enforced, files and programs observed.
    Partial,
    /// All rules are enforced in the kernel.
    Enforcing,
}

/// One agent: `GET /api/v1/agents`, `/daemons`, `/daemons/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    /// Given at enrollment.
    pub agent_id: Uuid,
    /// Host name, or what the operator chose.
    pub name: String,
    /// Newest message of any kind, by the server's clock.
    pub last_seen: Timestamp,
    /// Milliseconds since `last_seen` when this was answered.
    pub staleness_ms: u64,
    /// Online, late, stale or offline.
    pub liveness: Liveness,
    /// Whether a stream is open now.
    pub connected: bool,
    /// Kernel release.
    pub kernel: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// Version of `tyrd`.
    pub agent_version: String,
    /// Feature flags: `lsm`, `tls_capture`, `enforce`, `net_enforce`, `observe`.
    pub capabilities: Vec<String>,
    /// Kernel attach points in use.
    pub hooks: Vec<String>,
    /// How much is enforced.
    pub posture: Posture,
    /// Why not more.
    pub posture_reason: String,
    /// Cgroup that the agent is limited to; empty for the whole host.
    pub scope: String,
    /// Effective policy that is in force on the host.
    pub policy_id: Option<String>,
    /// Newest version within that policy.
    pub policy_version: Option<u32>,
    /// Effective policy that should be in force.
    pub assigned_policy_id: Option<String>,
    /// Why the newest push did not load; empty when it did.
    pub policy_error: String,
    /// Agent's clock minus server's clock.
    pub clock_skew_ms: i64,
    /// Records that wait on the host.
    pub spool_records: u64,
    /// Events that the agent declared lost since its start.
    pub events_lost: u64,
    /// The newest event that is known of, exact to the hour. Absent when there was none, or none since the server watches.
    #[serde(default)]
    pub last_event_at: Option<Timestamp>,
    /// Live AI process trees.
    pub ai_processes: u32,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// End of its client certificate.
    pub cert_not_after: Timestamp,
    /// Hidden from lists, and not let in, since.
    pub archived_at: Option<Timestamp>,
    /// Shut out for good since; it is archived too then. Absent in answers of servers before 0.2.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
}

/// What can be changed of an agent: the body of `PATCH /api/v1/agents/{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentChange {
    /// Whether it is kept out of lists and not let in.
    pub archived: bool,
}

/// What can be changed of an AI process: the body of `PATCH /api/v1/discovered-agents/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscoveredAgentChange {
    /// What to call it, 1-128 characters.
    pub display_name: String,
}

/// One AI process tree: `GET /api/v1/discovered-agents`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiscoveredAgent {
    /// Minted by the agent.
    pub id: Uuid,
    /// The agent that found it.
    pub daemon_agent_id: Uuid,
    /// That agent's name.
    pub agent_name: String,
    /// `claude-code`, `cursor`, ...
    pub agent_type: String,
    /// The type, until somebody renames it.
    pub display_name: String,
    /// Process id on its host.
    pub pid: i64,
    /// Hex SHA-256 over executable and matched pattern.
    pub process_signature: String,
    /// Real path of its executable.
    pub process_exe: String,
    /// Its arguments.
    pub cmdline: String,
    /// `fingerprint`, `scan` or `run`.
    pub found_by: String,
    /// When it was found, by the agent's clock.
    pub first_seen: Timestamp,
    /// When the last process of the tree ended.
    pub ended_at: Option<Timestamp>,
}

/// A list that is answered whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The rows.
    pub items: Vec<T>,
}
