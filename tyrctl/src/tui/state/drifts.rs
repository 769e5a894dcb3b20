//! Events whose verdict differs from what the policy says, newest first and by agent.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use tyr_api::events::{DriftReason, Event, Verdict};
use uuid::Uuid;

use crate::tui::state::list::Keyed;
use crate::tui::state::order::{self, Order};

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

    /// Those that were stored by that instant.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Self {
        let rows = self.rows.iter().filter(|event| event.received_at <= at).cloned().collect();
        Self { rows, known: HashSet::new(), taken: self.taken, last_day: self.last_day }
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

/// What drift is grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// Who reported it.
    #[default]
    Agent,
    /// What was done.
    Kind,
    /// What was acted on.
    Resource,
    /// The rule that decided.
    Rule,
    /// Why the two verdicts differ.
    Reason,
}

impl GroupBy {
    /// In the order of their key.
    pub const ALL: [Self; 5] = [Self::Agent, Self::Kind, Self::Resource, Self::Rule, Self::Reason];

    /// As in titles and after `:group`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Kind => "kind",
            Self::Resource => "resource",
            Self::Rule => "rule",
            Self::Reason => "reason",
        }
    }

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        let place = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        Self::ALL[(place + 1) % Self::ALL.len()]
    }

    /// The group that an event belongs to: its identity and its name.
    fn of(self, event: &Event) -> (Uuid, &str) {
        let name = match self {
            Self::Agent => return (event.agent_id, &event.agent_name),
            Self::Kind => event.kind.as_str(),
            Self::Resource => &event.resource,
            Self::Rule => event.rule.as_deref().unwrap_or("no rule"),
            Self::Reason => event.drift_reason.map_or("no reason", reason_text),
        };
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        // No agent or event has such an id: theirs are of version 7, and begin with the time.
        (Uuid::from_u64_pair(self as u64, hasher.finish()), name)
    }
}

/// A line in the list that is grouped.
#[derive(Clone, Debug)]
pub enum DriftLine {
    /// What drift has in common.
    Group(Group),
    /// One event of an open group.
    Event(Arc<Event>),
}

/// Drift that has something in common.
#[derive(Clone, Debug)]
pub struct Group {
    /// Tells groups apart; the agent's id where it's one agent's drift.
    pub id: Uuid,
    /// What it's grouped by.
    pub by: GroupBy,
    /// The agent's name, the resource, ...
    pub name: String,
    /// Events kept here.
    pub events: usize,
    /// Events by reason, in the order of [`DriftReason::ALL`].
    pub reasons: [usize; 3],
    /// Newest kept event, by the agent's clock.
    pub last: Timestamp,
    /// Oldest kept event.
    pub first: Timestamp,
    /// Whether its events are listed below.
    pub open: bool,
}

impl Keyed for DriftLine {
    fn key(&self) -> Uuid {
        match self {
            Self::Group(group) => group.id,
            Self::Event(event) => event.event_id,
        }
    }
}

/// Groups events, which keep their order; the events of open groups follow their group.
pub fn group<'a>(
    events: impl Iterator<Item = &'a Arc<Event>>,
    by: GroupBy,
    open: &BTreeSet<Uuid>,
    order: Order,
) -> Vec<DriftLine> {
    let mut found: BTreeMap<Uuid, (Group, Vec<Arc<Event>>)> = BTreeMap::new();
    for event in events {
        let (id, name) = by.of(event);
        let (group, members) = found.entry(id).or_insert_with(|| {
            let open = open.contains(&id);
            let name = name.to_owned();
            let group = Group { id, by, name, events: 0, reasons: [0; 3], last: event.ts, first: event.ts, open };
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
    let mut groups: Vec<_> = found.into_values().collect();
    groups.sort_by(|(a, _), (b, _)| order::groups(order, a, b));
    groups
        .into_iter()
        .flat_map(|(group, members)| {
            std::iter::once(DriftLine::Group(group)).chain(members.into_iter().map(DriftLine::Event))
        })
        .collect()
}
