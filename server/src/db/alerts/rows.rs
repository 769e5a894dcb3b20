//! What the rules work with, as the tables hold it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use tyr_api::agents::{Doubt, Posture};
use tyr_api::alerts::{AlertRule, AlertState};
use uuid::Uuid;

/// Windows that sustained drift looks at, of five minutes each.
pub const WINDOWS: usize = 5;

/// What happened within one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Denied.
    pub denials: u64,
    /// Judged by another policy than the assigned one.
    pub drifts_stale: u64,
    /// Same policy, other verdict.
    pub drifts_differing: u64,
    /// The kernel can't refuse it there.
    pub drifts_unenforced: u64,
}

/// What was counted since the last flush.
#[derive(Debug, Default)]
pub struct Counted {
    /// By agent and minute since the epoch.
    pub minutes: HashMap<(Uuid, i64), Counts>,
    /// The newest event of each agent, by its own clock.
    pub last_events: HashMap<Uuid, Timestamp>,
}

/// What is known of an agent at an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The agent.
    pub agent_id: Uuid,
    /// Neither archived nor revoked.
    pub watched: bool,
    /// Newest message of any kind.
    pub last_seen: Timestamp,
    /// Denials in this minute and the four before.
    pub denials: u64,
    /// Denials in the hour before those.
    pub denials_before: u64,
    /// Drift that arrived within the last 15 minutes.
    pub drift: DriftCounts,
    /// Drift within each window of five minutes, newest first, without what is only not enforced.
    pub drift_windows: [u64; WINDOWS],
    /// The same windows together, by reason.
    pub drift_sustained: DriftCounts,
    /// Declared lost since the agent enrolled.
    pub events_lost: u64,
    /// Of these, what is not new: known before the first evaluation.
    pub events_lost_before: u64,
    /// How much it enforces now.
    pub posture: Posture,
    /// Why not more.
    pub posture_reason: String,
    /// Why that is not to be believed, if anything speaks against it.
    pub doubt: Option<Doubt>,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
}

/// Drifting events by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriftCounts {
    /// Judged by another policy than the assigned one.
    pub stale: u64,
    /// Same policy, other verdict.
    pub differing: u64,
    /// The kernel can't refuse it there.
    pub unenforced: u64,
}

/// What the rules remember of an agent from one evaluation to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// Heard from without a longer break since then.
    pub online_since: Option<Timestamp>,
    /// Newest event, by the agent's clock.
    pub last_event_at: Option<Timestamp>,
    /// When that was last compared with the table of events.
    pub events_checked_at: Option<Timestamp>,
    /// Declared lost up to the last evaluation.
    pub events_lost: u64,
    /// When that last grew.
    pub lost_at: Option<Timestamp>,
    /// By how much, within one run of losses.
    pub lost_recently: u64,
    /// The best posture that it had, or the one that an admin accepted.
    pub posture_expected: Posture,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: AlertState,
    /// When its condition was first seen to hold.
    pub since: Timestamp,
    /// The last change of state.
    pub changed_at: Timestamp,
    /// When it began to fire.
    pub fired_at: Option<Timestamp>,
    /// When it resolved.
    pub resolved_at: Option<Timestamp>,
    /// Its condition is gone since then.
    pub clear_since: Option<Timestamp>,
    /// Evaluations in a row in which the condition held, up to what is needed.
    pub evaluations: u32,
    /// Whether it came and went too often.
    pub flapping: bool,
}

/// What was measured when a condition held last.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// By which rule.
    pub rule: AlertRule,
    /// The value.
    pub value: f64,
    /// What it was compared with.
    pub threshold: f64,
    /// Further facts.
    pub details: BTreeMap<String, String>,
}

impl Measured {
    /// Whether another measurement is no news. What was looked up when the alert fired is not measured again.
    pub fn says_the_same(&self, other: &Self) -> bool {
        (self.value - other.value).abs() < f64::EPSILON
            && other.details.iter().all(|(name, value)| self.details.get(name) == Some(value))
    }
}

/// An alert that is pending or firing.
#[derive(Clone, Debug)]
pub struct Open {
    /// Its id.
    pub alert_id: Uuid,
    /// Where it stands.
    pub standing: Standing,
    /// What was measured.
    pub measured: Measured,
}
