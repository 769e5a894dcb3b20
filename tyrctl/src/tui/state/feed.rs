//! What the connection tells the state: plain data, so that a session can be replayed in tests.

use std::collections::HashMap;
use std::time::Instant;

use tyr_api::agents::{Agent, DiscoveredAgent};
use tyr_api::alerts::Alert;
use tyr_api::events::{Event, EventKind, Verdict};
use tyr_api::stream::{Gap, Snapshot, StreamStats};
use uuid::Uuid;

/// Event bodies that one batch holds at most; beyond that the oldest allowed ones are counted and dropped.
pub const BATCH_EVENTS_MAX: usize = 2_048;

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
}

/// Something that takes a place in the list of events.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// An event.
    Event(Box<Event>),
    /// Events are missing here.
    Gap(Gap),
}

/// How many events, by kind and verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([[u32; 3]; 5]);

impl Counts {
    /// Counts one event.
    pub fn add(&mut self, kind: EventKind, verdict: Verdict) {
        let count = &mut self.0[kind as usize][verdict as usize];
        *count = count.saturating_add(1);
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
    pub arrivals: Vec<Arrival>,
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
    /// Whether anything at all came, a keep-alive included.
    pub alive: bool,
}

impl Batch {
    /// Whether there is nothing to hand over.
    pub fn is_empty(&self) -> bool {
        !self.alive
    }

    /// Takes an event in.
    pub fn event(&mut self, event: Event) {
        self.alive = true;
        self.counts.entry((event.agent_id, event.received_at.as_second())).or_default().add(event.kind, event.verdict);
        if self.arrivals.len() >= BATCH_EVENTS_MAX {
            // Room for the new one: the oldest plain event goes first, a denial only when nothing else is left.
            let plain = |arrival: &Arrival| matches!(arrival, Arrival::Event(e) if e.verdict == Verdict::Allow && !e.drift_detected);
            let victim = self.arrivals.iter().position(plain).unwrap_or(0);
            self.arrivals.remove(victim);
            self.dropped += 1;
        }
        self.arrivals.push(Arrival::Event(Box::new(event)));
    }

    /// Takes a gap in.
    pub fn gap(&mut self, gap: Gap) {
        self.alive = true;
        self.arrivals.push(Arrival::Gap(gap));
    }
}
