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

/// How a denial ended that an agent tried on purpose, to see whether denials happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DenialTrial {
    /// Nothing that could be tried: files are not enforced there, or the agent is an older one.
    #[default]
    NotTried,
    /// Denied, as it should be.
    Denied,
    /// It went through: nothing is enforced.
    WentThrough,
    /// It could not be tried, or failed otherwise.
    NotKnown,
}
words!(DenialTrial {
    NotTried => "not_tried",
    Denied => "denied",
    WentThrough => "went_through",
    NotKnown => "not_known",
});

/// Whether the tables in an agent's kernel are those that its policy makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TablesState {
    /// The agent reported none, or made them in another way than this server would: nothing to compare.
    #[default]
    Unknown,
    /// They are.
    AsExpected,
    /// They are not: the kernel there judges by something else.
    Differ,
}
words!(TablesState { Unknown => "unknown", AsExpected => "as_expected", Differ => "differ" });

/// Why it is in doubt that an agent enforces what its posture says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// What should have been denied went through.
    WentThrough,
    /// Whether denials happen could not be tried.
    NotKnown,
    /// The last trial is too long ago.
    Old,
    /// The kernel judges by other tables.
    TablesDiffer,
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::WentThrough => "an open that is always denied succeeded",
            Self::NotKnown => "whether denials happen could not be tried",
            Self::Old => "no denial was tried for more than five minutes before the agent was heard from last",
            Self::TablesDiffer => "the tables in its kernel are not those that its policy makes",
        })
    }
}

/// A trial that is older than this, when the agent is heard from, is none: agents try each minute.
const TRIAL_OLD_AFTER_S: i64 = 300;

/// What keeps an agent's posture from being believed, if anything does.
pub fn doubt(
    denial: DenialTrial,
    denial_at: Option<Timestamp>,
    tables: TablesState,
    last_seen: Timestamp,
) -> Option<Doubt> {
    let old = |at: Timestamp| last_seen.as_second() - at.as_second() > TRIAL_OLD_AFTER_S;
    match denial {
        DenialTrial::WentThrough => Some(Doubt::WentThrough),
        DenialTrial::NotKnown => Some(Doubt::NotKnown),
        _ if tables == TablesState::Differ => Some(Doubt::TablesDiffer),
        DenialTrial::Denied if denial_at.is_some_and(old) => Some(Doubt::Old),
        DenialTrial::Denied | DenialTrial::NotTried => None,
    }
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
    /// How the last denial ended that was tried on purpose.
    #[serde(default)]
    pub denial: DenialTrial,
    /// When that was, by the server's clock.
    #[serde(default)]
    pub denial_at: Option<Timestamp>,
    /// Whether the tables in its kernel are those that its policy makes.
    #[serde(default)]
    pub tables: TablesState,
    /// What it does with AI processes of types that are not registered: `audit`, `quarantine` or `deny`. Empty: an older agent, which can
    /// do but the first.
    #[serde(default)]
    pub unregistered_agents: String,
    /// Digest of the tables, read back from the kernel: version of its form, `-`, SHA-256 in hex. Empty before the first policy.
    #[serde(default)]
    pub tables_digest: String,
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

impl Agent {
    /// What keeps its posture from being believed, if anything does.
    pub fn doubt(&self) -> Option<Doubt> {
        doubt(self.denial, self.denial_at, self.tables, self.last_seen)
    }
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
    /// Whether its type is registered: approved by an admin, or with an overlay assigned. Absent in answers of servers before 0.2.
    #[serde(default)]
    pub registered: bool,
    /// `fingerprint`, `scan` or `run`.
    pub found_by: String,
    /// When it was found, by the agent's clock.
    pub first_seen: Timestamp,
    /// When the last process of the tree ended.
    pub ended_at: Option<Timestamp>,
}

/// A type of AI processes: `GET /api/v1/agent-types`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentType {
    /// `claude-code`, `cursor`, ...
    pub agent_type: String,
    /// Approved, or with an overlay assigned. Agents may quarantine or deny the rest (`unregistered_agents`).
    pub registered: bool,
    /// When an admin approved it.
    pub approved_at: Option<Timestamp>,
    /// Who did.
    pub approved_by: Option<String>,
    /// The policy version that is assigned to it as overlay.
    pub overlay_version: Option<u32>,
    /// Its AI processes that live now.
    pub ai_processes: u32,
}

/// A list that is answered whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The rows.
    pub items: Vec<T>,
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{DenialTrial, Doubt, TablesState, doubt};

    #[test]
    fn a_posture_is_believed_while_what_shows_it_is_fresh_and_good() {
        let seen = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        let ago = |seconds| Some(seen - SignedDuration::from_secs(seconds));
        let of = |denial, at, tables| doubt(denial, at, tables, seen);
        assert_eq!(of(DenialTrial::NotTried, None, TablesState::Unknown), None, "an older agent, or nothing to try");
        assert_eq!(of(DenialTrial::Denied, ago(300), TablesState::AsExpected), None);
        assert_eq!(of(DenialTrial::Denied, ago(301), TablesState::AsExpected), Some(Doubt::Old));
        assert_eq!(of(DenialTrial::Denied, ago(5), TablesState::Differ), Some(Doubt::TablesDiffer));
        assert_eq!(of(DenialTrial::NotTried, None, TablesState::Differ), Some(Doubt::TablesDiffer));
        assert_eq!(of(DenialTrial::NotKnown, ago(5), TablesState::AsExpected), Some(Doubt::NotKnown));
        assert_eq!(of(DenialTrial::WentThrough, ago(5), TablesState::Differ), Some(Doubt::WentThrough));
    }
}
