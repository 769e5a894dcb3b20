//! Events and the queries on them.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A word that is not one of an enumeration's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    /// What was given.
    pub given: String,
    /// All that would be accepted.
    pub accepted: &'static [&'static str],
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is none of {}", self.given, self.accepted.join(", "))
    }
}

impl std::error::Error for UnknownWord {}

/// Gives an enumeration its wire words in both directions, written once.
macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// All values, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// All words, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word used in JSON, SQL, YAML and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::events::UnknownWord;

            fn from_str(given: &str) -> Result<Self, $crate::events::UnknownWord> {
                match given {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::events::UnknownWord { given: given.to_owned(), accepted: Self::WORDS }),
                }
            }
        }
    };
}
pub(crate) use words;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A file was opened for reading.
    FileRead,
    /// A file was opened for writing, made, or changed.
    FileWrite,
    /// A program was started.
    Exec,
    /// A connection was opened, or a datagram sent.
    NetConnect,
    /// A TLS handshake named a server.
    TlsConnect,
}
words!(EventKind { FileRead => "file_read", FileWrite => "file_write", Exec => "exec", NetConnect => "net_connect", TlsConnect => "tls_connect" });

/// What a policy says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It went ahead.
    Allow,
    /// It was refused with EPERM.
    Deny,
    /// It went ahead and somebody should look.
    Alert,
}
words!(Verdict { Allow => "allow", Deny => "deny", Alert => "alert" });

/// How bad a match of the rule is; never changes what is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The default.
    Low,
    /// Worth a look.
    Medium,
    /// Look today.
    High,
    /// Look now.
    Critical,
}
words!(Severity { Low => "low", Medium => "medium", High => "high", Critical => "critical" });

/// Why agent and server disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftReason {
    /// The host's kernel can't refuse this kind of action, so a denial became an alert.
    NotEnforcedHere,
    /// The agent judged by another policy than the one that was assigned to it.
    StalePolicy,
    /// Same policy, other verdict.
    VerdictDiffers,
}
words!(DriftReason { NotEnforcedHere => "not_enforced_here", StalePolicy => "stale_policy", VerdictDiffers => "verdict_differs" });

/// One judged action: a row of `GET /api/v1/events`, a `data:` line of `/api/v1/events/stream`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// UUID v7, minted by the agent.
    pub event_id: Uuid,
    /// The agent that reported it.
    pub agent_id: Uuid,
    /// That agent's name.
    pub agent_name: String,
    /// When it happened, by the agent's clock, in whole microseconds.
    pub ts: Timestamp,
    /// When it was stored, by the server's clock.
    pub received_at: Timestamp,
    /// The AI process that did it.
    pub discovered_agent_id: Option<Uuid>,
    /// That AI process's type.
    pub agent_type: Option<String>,
    /// What was done.
    pub kind: EventKind,
    /// Path, `address:port` or server name; bytes that are no text are escaped as `\xNN`.
    pub resource: String,
    /// What the agent did about it.
    pub verdict: Verdict,
    /// What the server says should have been done.
    pub server_verdict: Option<Verdict>,
    /// Whether the two differ.
    pub drift_detected: bool,
    /// Why they differ.
    pub drift_reason: Option<DriftReason>,
    /// Severity of the deciding rule.
    pub severity: Severity,
    /// Name of the deciding rule; absent when none matched.
    pub rule: Option<String>,
    /// Effective policy that the agent judged by.
    pub policy_id: Option<String>,
    /// Version that holds the deciding rule.
    pub policy_version: Option<u32>,
    /// Process id on its host.
    pub pid: i64,
    /// Real path of the process's executable.
    pub process_exe: String,
    /// Its arguments, cut at 4,096 bytes.
    pub cmdline: String,
    /// Further facts: `reason`, `errno`, `protocol`, `flags`, `count`, `first_ts`, `last_ts`, ...
    pub metadata: BTreeMap<String, String>,
}

impl Event {
    /// Drift that is documented as severe: it was seen, should have been refused, and was not.
    pub fn is_severe_drift(&self) -> bool {
        self.drift_detected && self.verdict == Verdict::Alert && self.server_verdict == Some(Verdict::Deny)
    }
}

/// A page of `GET /api/v1/events`, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventPage {
    /// The events.
    pub items: Vec<Event>,
    /// Give it back as `cursor` for the next page; absent on the last one.
    pub next_cursor: Option<String>,
}

/// Query of `GET /api/v1/events` and `/api/v1/events/stream`. On the stream only the filters count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
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
    /// At or after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The documented way to page backwards: strictly before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_ts: Option<Timestamp>,
    /// `next_cursor` of the page before, unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^[0-9]{1,17}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    pub cursor: Option<String>,
    /// 1-1,000, default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}
