//! What the connection tells the state: plain data, so that a session can be recorded and replayed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use tyr_api::agents::{Agent, DiscoveredAgent};
use tyr_api::alerts::Alert;
use tyr_api::events::{EventKind, Verdict};
use tyr_api::stream::{Gap, Snapshot, StreamStats};
use uuid::Uuid;

use crate::tui::state::held::{Glance, Held};
use crate::tui::state::rates::{AGENT_SECONDS_MAX, SECONDS_MAX};

/// Events and gaps that one batch holds at most; beyond that the oldest allowed ones are counted and dropped.
pub const BATCH_EVENTS_MAX: usize = 2_048;
/// Counts of agents' seconds that one batch holds before it drops those that no picture would show any more.
pub const BATCH_COUNTS_MAX: usize = 100_000;

/// News from the connection.
#[derive(Debug)]
pub enum Feed {
    /// A first or a further attempt begins.
    Connecting,
    /// Where to start from. `resumed`: the stream goes on behind the last event that was seen, so that the events of
    /// the snapshot will come again.
    Snapshot {
        /// The server's answer.
        snapshot: Box<Snapshot>,
        /// Whether the stream fills in what was missed.
        resumed: bool,
    },
    /// The stream stands.
    Open,
    /// What the stream brought.
    Batch(Box<Batch>),
    /// The connection is lost or could not be made; the next attempt comes at `until`.
    Waiting {
        /// Counted from 1 since the last good connection.
        attempt: u32,
        /// When the next attempt comes.
        until: Instant,
        /// Why, in one line.
        cause: String,
    },
    /// There will be no further attempt before the operator asks for one.
    Stopped {
        /// Why, in one line.
        cause: String,
        /// Whether logging in would help.
        login: bool,
    },
    /// A replay is over: at the recording's end, or where it can't be read on, and why not.
    Ended(Option<String>),
    /// Nothing is recorded any more, and why.
    RecordingEnded(String),
}

/// Something that takes a place in the list of events.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// An event.
    Event(Arc<Held>),
    /// Events are missing here.
    Gap(Gap),
}

impl Arrival {
    /// Whether it is one of many that all went well.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Event(event) if event.is_plain())
    }
}

/// How many events, by kind and verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([[u32; 3]; 5]);

impl Counts {
    /// Counts one event.
    pub fn add(&mut self, kind: EventKind, verdict: Verdict) {
        self.add_many(kind, verdict, 1);
    }

    /// Counts so many.
    pub fn add_many(&mut self, kind: EventKind, verdict: Verdict, events: u32) {
        let count = &mut self.0[kind as usize][verdict as usize];
        *count = count.saturating_add(events);
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *mine = mine.saturating_add(*theirs);
        }
    }

    /// Events of that kind and verdict.
    pub const fn get(&self, kind: EventKind, verdict: Verdict) -> u32 {
        self.0[kind as usize][verdict as usize]
    }

    /// Events of that kind.
    pub fn of_kind(&self, kind: EventKind) -> u32 {
        self.0[kind as usize].iter().sum()
    }

    /// Events of that verdict.
    pub fn of_verdict(&self, verdict: Verdict) -> u32 {
        self.0.iter().map(|row| row[verdict as usize]).sum()
    }

    /// All events.
    pub fn total(&self) -> u32 {
        self.0.iter().flatten().sum()
    }
}

/// What came since the screen last took a batch. Counts stay exact even where event bodies were dropped.
#[derive(Debug, Default)]
pub struct Batch {
    /// Events and gaps, in the order of the stream.
    pub arrivals: VecDeque<Arrival>,
    /// Event bodies that were dropped because the screen was too slow.
    pub dropped: u64,
    /// Counters, in order.
    pub stats: Vec<StreamStats>,
    /// Agents that changed, newest state of each.
    pub agents: HashMap<Uuid, Agent>,
    /// AI processes that changed, newest state of each.
    pub ai: HashMap<Uuid, DiscoveredAgent>,
    /// Alerts that changed, newest state of each.
    pub alerts: HashMap<Uuid, Alert>,
    /// Events by agent and second of `received_at`.
    pub counts: HashMap<(Uuid, i64), Counts>,
    /// Where the stream would be resumed after this batch, if that changed.
    pub cursor: Option<String>,
    /// Bytes of the stream.
    pub bytes: u64,
    /// Whether anything at all came, a keep-alive included.
    pub alive: bool,
    /// Whether something came that somebody should see at once: a denial, an alert, drift, a gap.
    pub urgent: bool,
}

impl Batch {
    /// Whether there is nothing to hand over.
    pub fn is_empty(&self) -> bool {
        !self.alive
    }

    /// Takes an event in.
    pub fn event(&mut self, event: impl Into<Held>) {
        let event = event.into();
        self.tally(event.agent_id, event.received_at.as_second(), event.kind, event.verdict);
        self.urgent |= !event.is_plain();
        self.room();
        self.arrivals.push_back(Arrival::Event(Arc::new(event)));
    }

    /// Takes an event in that is counted and not shown.
    pub fn event_unseen(&mut self, event: &Glance<'_>) {
        self.tally(event.agent_id, event.received_at.as_second(), event.kind, event.verdict);
        self.dropped += 1;
    }

    /// Takes a gap in.
    pub fn gap(&mut self, gap: Gap) {
        (self.alive, self.urgent) = (true, true);
        self.room();
        self.arrivals.push_back(Arrival::Gap(gap));
    }

    /// Takes one second's counters in.
    pub fn count(&mut self, stats: StreamStats) {
        self.alive = true;
        self.stats.push(stats);
        // Older ones would be forgotten by the picture anyway.
        if self.stats.len() > SECONDS_MAX {
            self.stats.remove(0);
        }
    }

    fn tally(&mut self, agent: Uuid, second: i64, kind: EventKind, verdict: Verdict) {
        self.alive = true;
        self.counts.entry((agent, second)).or_default().add(kind, verdict);
        if self.counts.len() > BATCH_COUNTS_MAX {
            let newest = self.counts.keys().map(|(_, second)| *second).max().unwrap_or(second);
            self.counts.retain(|(_, second), _| *second > newest.saturating_sub(AGENT_SECONDS_MAX));
            // So many agents within one minute: the split by agent is lost, the server's own counters are not.
            if self.counts.len() > BATCH_COUNTS_MAX {
                self.counts.clear();
            }
        }
    }

    /// Room for one more: the oldest plain event goes first, a denial or a gap only when nothing else is left.
    fn room(&mut self) {
        if self.arrivals.len() < BATCH_EVENTS_MAX {
            return;
        }
        let victim = self.arrivals.iter().position(Arrival::is_plain).unwrap_or(0);
        if let Some(Arrival::Event(_)) = self.arrivals.remove(victim) {
            self.dropped += 1;
        }
    }
}
