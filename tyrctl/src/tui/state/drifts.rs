//! Events whose verdict differs from what the policy says, newest first and by agent.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use tyr_api::events::{DriftReason, Event, Verdict};
use uuid::Uuid;

use crate::tui::state::list::Keyed;

/// Drifting events that are kept; the server has the rest.
pub const DRIFTS_MAX: usize = 5_000;

/// The newest drifting events.
#[derive(Clone, Debug, Default)]
pub struct Drifts {
    rows: VecDeque<Arc<Event>>,
    known: HashSet<Uuid>,
    /// Taken in since the start.
    taken: u64,
    /// Drifting events of the last 24 hours, as the server counts.
    pub last_day: u64,
}

impl Drifts {
    /// Takes an event in, if it drifts and isn't here yet. Arrivals are nearly in order of time; stragglers are put in place.
    pub fn push(&mut self, event: &Arc<Event>) {
        if !event.drift_detected || !self.known.insert(event.event_id) {
            return;
        }
        self.taken += 1;
        let place = self.rows.iter().position(|row| row.ts <= event.ts).unwrap_or(self.rows.len());
        self.rows.insert(place, Arc::clone(event));
        if self.rows.len() > DRIFTS_MAX
            && let Some(oldest) = self.rows.pop_back()
        {
            self.known.remove(&oldest.event_id);
        }
    }

    /// Newest first.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.rows.iter()
    }

    /// How many were taken in since the start: another number means other rows.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// How many are kept here.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many ids are known.
    pub fn known_len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// How the two verdicts of a drift relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// Should have been denied, somebody was alerted.
    AlertedOnly,
    /// The policy is stricter than what happened.
    Missed,
    /// What happened is stricter than the policy.
    TooStrict,
}

/// How the two verdicts of an event relate; absent where the server did not judge or agrees.
pub fn bearing(event: &Event) -> Option<Bearing> {
    let server = event.server_verdict?;
    let rank = |verdict| match verdict {
        Verdict::Allow => 0,
        Verdict::Alert => 1,
        Verdict::Deny => 2,
    };
    match (event.verdict, server) {
        (Verdict::Alert, Verdict::Deny) => Some(Bearing::AlertedOnly),
        (agent, server) if rank(agent) < rank(server) => Some(Bearing::Missed),
        (agent, server) if rank(agent) > rank(server) => Some(Bearing::TooStrict),
        _ => None,
    }
}

/// Why the two differ, in words.
pub const fn reason_text(reason: DriftReason) -> &'static str {
    match reason {
        DriftReason::NotEnforcedHere => "not enforced here",
        DriftReason::StalePolicy => "stale policy",
        DriftReason::VerdictDiffers => "verdict differs",
    }
}

/// A line in the list that is grouped by agent.
#[derive(Clone, Debug)]
pub enum DriftLine {
    /// An agent and what drifts there.
    Group(Group),
    /// One event of an open group.
    Event(Arc<Event>),
}

/// Drift of one agent.
#[derive(Clone, Debug)]
pub struct Group {
    /// The agent.
    pub agent_id: Uuid,
    /// Its name.
    pub name: String,
    /// Events kept here.
    pub events: usize,
    /// Events by reason, in the order of [`DriftReason::ALL`].
    pub reasons: [usize; 3],
    /// Newest and oldest kept event, by the agent's clock.
    pub last: Timestamp,
    /// Oldest kept event.
    pub first: Timestamp,
    /// Whether its events are listed below.
    pub open: bool,
}

impl Keyed for DriftLine {
    fn key(&self) -> Uuid {
        match self {
            Self::Group(group) => group.agent_id,
            Self::Event(event) => event.event_id,
        }
    }
}

/// Groups events (newest first) by agent: most events first, then by name; events of open groups follow their group.
pub fn group<'a>(events: impl Iterator<Item = &'a Arc<Event>>, open: &BTreeSet<Uuid>) -> Vec<DriftLine> {
    let mut by_agent: BTreeMap<Uuid, (Group, Vec<Arc<Event>>)> = BTreeMap::new();
    for event in events {
        let (group, members) = by_agent.entry(event.agent_id).or_insert_with(|| {
            let group = Group {
                agent_id: event.agent_id,
                name: event.agent_name.clone(),
                events: 0,
                reasons: [0; 3],
                last: event.ts,
                first: event.ts,
                open: open.contains(&event.agent_id),
            };
            (group, Vec::new())
        });
        group.events += 1;
        if let Some(reason) = event.drift_reason {
            group.reasons[reason as usize] += 1;
        }
        group.last = group.last.max(event.ts);
        group.first = group.first.min(event.ts);
        if group.open {
            members.push(Arc::clone(event));
        }
    }
    let mut groups: Vec<_> = by_agent.into_values().collect();
    groups.sort_by(|(a, _), (b, _)| b.events.cmp(&a.events).then_with(|| a.name.cmp(&b.name)));
    groups
        .into_iter()
        .flat_map(|(group, members)| {
            std::iter::once(DriftLine::Group(group)).chain(members.into_iter().map(DriftLine::Event))
        })
        .collect()
}
