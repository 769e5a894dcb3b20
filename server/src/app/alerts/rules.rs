//! Whether the condition of a rule holds for an agent: facts in, observations out, no clock and no database.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tyr_api::agents::Posture;
use tyr_api::alerts::AlertRule;

use crate::app::alerts::Settings;
use crate::db::alerts::rows::{DriftCounts, Facts, Memory};

/// How long drift and loss stay news.
pub const RECENT: SignedDuration = SignedDuration::from_mins(15);
/// In how many of them there has to be drift.
pub const WINDOWS_WITH_DRIFT: usize = 3;
/// Spans of five minutes within the hour that a spike is compared with.
const BASELINE_SPANS: f64 = 12.0;

impl DriftCounts {
    /// All of them.
    pub fn total(self) -> u64 {
        self.stale + self.differing + self.unenforced
    }

    fn details(self) -> BTreeMap<String, String> {
        let counts =
            [("stale_policy", self.stale), ("verdict_differs", self.differing), ("not_enforced_here", self.unenforced)];
        counts.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n.to_string())).collect()
    }
}

impl Memory {
    /// Of an agent that is evaluated for the first time.
    pub fn first(facts: &Facts) -> Self {
        Self {
            online_since: Some(facts.enrolled_at),
            last_event_at: None,
            events_checked_at: None,
            events_lost: facts.events_lost_before,
            lost_at: None,
            lost_recently: 0,
            posture_expected: facts.posture,
        }
    }

    /// Takes in what is known now. `known_from`: before that instant nobody could say who was heard from.
    pub fn take_in(&mut self, settings: &Settings, now: Timestamp, known_from: Timestamp, facts: &Facts) {
        match staleness(settings, now, known_from, facts) {
            Staleness::Fresh => {
                self.online_since.get_or_insert(now);
            }
            Staleness::Stale => self.online_since = None,
            Staleness::Unknown => {}
        }
        if facts.events_lost > self.events_lost {
            let grown = facts.events_lost - self.events_lost;
            let goes_on = self.lost_at.is_some_and(|at| now.duration_since(at) <= RECENT);
            self.lost_recently = if goes_on { self.lost_recently + grown } else { grown };
            self.lost_at = Some(now);
        }
        // Rows of a spool that was given up may go: what is lost later counts from there.
        self.events_lost = facts.events_lost;
        self.posture_expected = self.posture_expected.max(facts.posture);
    }
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It does.
    Holds,
    /// It does not.
    Clear,
    /// Nobody can say at present: things stay as they are.
    Unknown,
    /// The agent is not watched any more.
    Gone,
}

/// One rule looked at for one agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Which rule.
    pub rule: AlertRule,
    /// Whether it holds.
    pub condition: Condition,
    /// What was measured.
    pub value: f64,
    /// What it was compared with.
    pub threshold: f64,
    /// Further facts, where it holds.
    pub details: BTreeMap<String, String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Staleness {
    Fresh,
    Stale,
    /// Silent, but not for long enough since anybody could have heard it.
    Unknown,
}

fn staleness(settings: &Settings, now: Timestamp, known_from: Timestamp, facts: &Facts) -> Staleness {
    if now.duration_since(facts.last_seen) <= settings.stale_after {
        Staleness::Fresh
    } else if now.duration_since(facts.last_seen.max(known_from)) > settings.stale_after {
        Staleness::Stale
    } else {
        Staleness::Unknown
    }
}

/// Looks at all rules for one agent.
pub fn observe(
    settings: &Settings,
    now: Timestamp,
    known_from: Timestamp,
    facts: &Facts,
    memory: &Memory,
) -> [Observation; 7] {
    let mut observations = [
        stale(settings, now, known_from, facts),
        silent(settings, now, facts, memory),
        deny_spike(settings, facts),
        drift(facts),
        sustained_drift(facts),
        loss(now, memory),
        posture_fell(facts, memory),
    ];
    if !facts.watched {
        for observation in &mut observations {
            observation.condition = Condition::Gone;
        }
    }
    observations
}

fn observation(rule: AlertRule, holds: bool, value: f64, threshold: f64) -> Observation {
    let condition = if holds { Condition::Holds } else { Condition::Clear };
    Observation { rule, condition, value, threshold, details: BTreeMap::new() }
}

#[expect(clippy::cast_precision_loss, reason = "shown to people; exact far beyond any count")]
fn number(count: u64) -> f64 {
    count as f64
}

fn details<const N: usize>(facts: [(&str, String); N]) -> BTreeMap<String, String> {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn stale(settings: &Settings, now: Timestamp, known_from: Timestamp, facts: &Facts) -> Observation {
    let staleness = staleness(settings, now, known_from, facts);
    let silence = now.duration_since(facts.last_seen).as_secs_f64().max(0.0);
    let mut stale =
        observation(AlertRule::Stale, staleness == Staleness::Stale, silence, settings.stale_after.as_secs_f64());
    match staleness {
        Staleness::Stale => stale.details = details([("last_seen", facts.last_seen.to_string())]),
        Staleness::Unknown => stale.condition = Condition::Unknown,
        Staleness::Fresh => {}
    }
    stale
}

/// Whether an agent is online for so long without a known event that it's worth a look into the table of events.
pub fn is_silence_suspected(settings: &Settings, now: Timestamp, facts: &Facts, memory: &Memory) -> bool {
    let longer_ago = |at: Option<Timestamp>| at.is_some_and(|at| now.duration_since(at) > settings.silent_after);
    facts.watched
        && longer_ago(memory.online_since)
        && (memory.last_event_at.is_none() || longer_ago(memory.last_event_at))
}

fn silent(settings: &Settings, now: Timestamp, facts: &Facts, memory: &Memory) -> Observation {
    let suspected = is_silence_suspected(settings, now, facts, memory);
    let known_since = memory.last_event_at.max(memory.online_since);
    let silence = known_since.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
    let mut silent = observation(AlertRule::Silent, suspected, silence, settings.silent_after.as_secs_f64());
    if suspected {
        if memory.events_checked_at.is_none() {
            silent.condition = Condition::Unknown;
        }
        let last_event = memory.last_event_at.map(|at| ("last_event".to_owned(), at.to_string()));
        silent.details.extend(last_event);
        silent.details.extend(memory.online_since.map(|at| ("online_since".to_owned(), at.to_string())));
    }
    silent
}

fn deny_spike(settings: &Settings, facts: &Facts) -> Observation {
    let baseline = number(facts.denials_before) / BASELINE_SPANS;
    let threshold = (settings.deny_factor * baseline).max(settings.deny_floor.into());
    let denials = number(facts.denials);
    let mut spike = observation(AlertRule::DenySpike, denials >= threshold, denials, threshold);
    if denials >= threshold {
        spike.details = details([("baseline", format!("{baseline:.1}"))]);
    }
    spike
}

fn drift(facts: &Facts) -> Observation {
    let drifts = facts.drift.total();
    let mut drift = observation(AlertRule::Drift, drifts > 0, number(drifts), 1.0);
    drift.details = facts.drift.details();
    drift
}

fn sustained_drift(facts: &Facts) -> Observation {
    let windows = facts.drift_windows.iter().filter(|drifts| **drifts > 0).count();
    let (count, least) = (number(windows as u64), number(WINDOWS_WITH_DRIFT as u64));
    let mut sustained = observation(AlertRule::SustainedDrift, windows >= WINDOWS_WITH_DRIFT, count, least);
    if windows >= WINDOWS_WITH_DRIFT {
        sustained.details = facts.drift_sustained.details();
        let reason = if facts.drift_sustained.stale >= facts.drift_sustained.differing {
            "stale_policy"
        } else {
            "verdict_differs"
        };
        sustained.details.insert("reason".to_owned(), reason.to_owned());
    }
    sustained
}

fn loss(now: Timestamp, memory: &Memory) -> Observation {
    let recent = memory.lost_at.is_some_and(|at| now.duration_since(at) <= RECENT);
    let lost = if recent { memory.lost_recently } else { 0 };
    let mut loss = observation(AlertRule::Loss, recent, number(lost), 1.0);
    if recent {
        loss.details = details([("events_lost", memory.events_lost.to_string())]);
    }
    loss
}

fn posture_fell(facts: &Facts, memory: &Memory) -> Observation {
    let level = |posture: Posture| f64::from(posture as u8);
    // An agent that never said is no agent that fell.
    // One that says more than it shows counts as one that enforces nothing.
    let (shown, reason) = match facts.doubt {
        Some(doubt) if facts.posture > Posture::Observing => (Posture::Observing, doubt.to_string()),
        _ => (facts.posture, facts.posture_reason.clone()),
    };
    let fell = shown != Posture::Unknown && shown < memory.posture_expected;
    let mut posture = observation(AlertRule::PostureFell, fell, level(shown), level(memory.posture_expected));
    if fell {
        posture.details = details([
            ("posture", word(shown).to_owned()),
            ("expected", word(memory.posture_expected).to_owned()),
            ("reason", reason),
        ]);
    }
    posture
}

fn word(posture: Posture) -> &'static str {
    match posture {
        Posture::Unknown => "unknown",
        Posture::Blind => "blind",
        Posture::Observing => "observing",
        Posture::Partial => "partial",
        Posture::Enforcing => "enforcing",
    }
}

#[cfg(test)]
mod tests;
