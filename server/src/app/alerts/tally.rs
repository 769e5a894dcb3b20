//! Denials and drift of what this server stored, by agent and minute, until they are added to the database's counts.
//!
//! Counted here and not by a query over `events`, so that the rules cost the same at any volume. A crash loses the seconds
//! since the last flush; at each start drift is counted anew from its partial index, so that none goes unnoticed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tyr_api::events::{DriftReason, Event, Verdict};
use uuid::Uuid;

use crate::db::alerts::rows::{Counted, Counts};

/// A denial that happened longer ago says nothing of the rate now: as far back as the rule looks.
const DENIAL_AGE_MAX_S: i64 = 65 * 60;
/// Most agents and minutes that are kept while the database is away; counts beyond them are dropped.
const MINUTES_MAX: usize = 100_000;

impl Counts {
    fn add(&mut self, other: Self) {
        self.denials += other.denials;
        self.drifts_stale += other.drifts_stale;
        self.drifts_differing += other.drifts_differing;
        self.drifts_unenforced += other.drifts_unenforced;
    }
}

/// The counts of this server.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counted>);

impl Tally {
    /// Counts events that were committed.
    pub fn stored(&self, events: &[Event]) {
        let Some(received_at) = events.first().map(|event| event.received_at) else { return };
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last: Option<(Uuid, Timestamp)> = None;
        for event in events {
            // Events of one agent come together: one look-up for all of them.
            match &mut last {
                Some((agent_id, ts)) if *agent_id == event.agent_id => *ts = (*ts).max(event.ts),
                _ => {
                    if let Some((agent_id, ts)) = last.replace((event.agent_id, event.ts)) {
                        newest(&mut counted.last_events, agent_id, ts);
                    }
                }
            }
            if event.verdict == Verdict::Deny && received_at.as_second() - event.ts.as_second() <= DENIAL_AGE_MAX_S {
                // A clock that is ahead counts for now.
                let minute = event.ts.min(received_at).as_second().div_euclid(60);
                count(&mut counted.minutes, event.agent_id, minute, Counts { denials: 1, ..Counts::default() });
            }
            if let Some(reason) = event.drift_reason.filter(|_| event.drift_detected) {
                let counts = match reason {
                    DriftReason::StalePolicy => Counts { drifts_stale: 1, ..Counts::default() },
                    DriftReason::VerdictDiffers => Counts { drifts_differing: 1, ..Counts::default() },
                    DriftReason::NotEnforcedHere => Counts { drifts_unenforced: 1, ..Counts::default() },
                };
                count(&mut counted.minutes, event.agent_id, received_at.as_second().div_euclid(60), counts);
            }
        }
        if let Some((agent_id, ts)) = last {
            newest(&mut counted.last_events, agent_id, ts);
        }
    }

    /// Hands over what was counted.
    pub fn take(&self) -> Counted {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes back what could not be written.
    pub fn give_back(&self, back: Counted) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((agent_id, minute), counts) in back.minutes {
            count(&mut counted.minutes, agent_id, minute, counts);
        }
        for (agent_id, ts) in back.last_events {
            newest(&mut counted.last_events, agent_id, ts);
        }
    }
}

fn count(minutes: &mut HashMap<(Uuid, i64), Counts>, agent_id: Uuid, minute: i64, counts: Counts) {
    if minutes.len() < MINUTES_MAX || minutes.contains_key(&(agent_id, minute)) {
        minutes.entry((agent_id, minute)).or_default().add(counts);
    }
}

fn newest(last_events: &mut HashMap<Uuid, Timestamp>, agent_id: Uuid, ts: Timestamp) {
    last_events.entry(agent_id).and_modify(|known| *known = (*known).max(ts)).or_insert(ts);
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use tyr_api::events::{EventKind, Severity};

    use super::*;

    fn event(agent_id: Uuid, age_s: i64, verdict: Verdict, drift: Option<DriftReason>) -> Event {
        let received_at = Timestamp::from_second(1_790_000_040).expect("an instant");
        Event {
            event_id: Uuid::now_v7(),
            agent_id,
            agent_name: String::new(),
            ts: received_at - SignedDuration::from_secs(age_s),
            received_at,
            discovered_agent_id: None,
            agent_type: None,
            kind: EventKind::Exec,
            resource: String::new(),
            verdict,
            server_verdict: None,
            drift_detected: drift.is_some(),
            drift_reason: drift,
            severity: Severity::Low,
            rule: None,
            policy_id: None,
            policy_version: None,
            pid: 1,
            process_exe: String::new(),
            cmdline: String::new(),
            metadata: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn denials_count_when_they_happened_and_drift_when_it_arrived() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let tally = Tally::default();
        tally.stored(&[
            event(one, 0, Verdict::Deny, None),
            event(one, 120, Verdict::Deny, Some(DriftReason::StalePolicy)),
            event(one, 4 * 3600, Verdict::Deny, Some(DriftReason::VerdictDiffers)),
            event(two, -3600, Verdict::Deny, None),
            event(two, 0, Verdict::Allow, None),
        ]);
        let minute = 1_790_000_040 / 60;
        let counted = tally.take();
        let of = |agent, minute| counted.minutes.get(&(agent, minute)).copied().unwrap_or_default();
        assert_eq!(of(one, minute), Counts { denials: 1, drifts_stale: 1, drifts_differing: 1, drifts_unenforced: 0 });
        assert_eq!(of(one, minute - 2).denials, 1, "late, and within the hour");
        assert_eq!(of(two, minute).denials, 1, "a clock that is ahead counts for now");
        assert_eq!(counted.minutes.len(), 3, "a denial of hours ago is no spike now");
        assert_eq!(counted.last_events[&one].as_second(), 1_790_000_040);
        assert_eq!(counted.last_events[&two].as_second(), 1_790_003_640);
    }

    #[test]
    fn what_could_not_be_written_is_kept() {
        let one = Uuid::from_u128(1);
        let tally = Tally::default();
        tally.stored(&[event(one, 0, Verdict::Deny, None)]);
        let taken = tally.take();
        tally.stored(&[event(one, 0, Verdict::Deny, None)]);
        tally.give_back(taken);
        assert_eq!(tally.take().minutes.values().map(|counts| counts.denials).sum::<u64>(), 2);
        assert!(tally.take().minutes.is_empty());
    }
}
