//! The newest events and the gaps between them, bounded in number and in bytes.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use tyr_api::events::{Event, Verdict};
use tyr_api::stream::Gap;
use uuid::Uuid;

use crate::tui::state::held::Held;
use crate::tui::state::list::Keyed;

/// Rows that are kept.
pub const EVENTS_MAX: usize = 10_000;
/// Rough size of the text in all kept rows: command lines may have 4 KiB each.
pub const EVENTS_BYTES_MAX: usize = 24 << 20;

/// A line in the list of events, with its number: rows are counted as they come.
#[derive(Clone, Debug)]
pub enum Entry {
    /// An event.
    Event(u64, Arc<Held>),
    /// Events are missing here.
    Gap(u64, Gap),
}

impl Entry {
    /// The event, if it is one; of a text it is made now.
    pub fn event(&self) -> Option<Arc<Event>> {
        self.held().map(|held| held.event())
    }

    /// The event as it is kept, if it is one.
    pub fn held(&self) -> Option<&Arc<Held>> {
        match self {
            Self::Event(_, held) => Some(held),
            Self::Gap(..) => None,
        }
    }

    /// Its number.
    pub const fn number(&self) -> u64 {
        match self {
            Self::Event(number, _) | Self::Gap(number, _) => *number,
        }
    }

    /// Whether it is an event that was allowed.
    pub fn is_allowed(&self) -> bool {
        self.held().is_some_and(|held| held.verdict == Verdict::Allow)
    }
}

impl Keyed for Entry {
    fn key(&self) -> Uuid {
        match self {
            Self::Event(_, held) => held.event_id,
            // No version 7 id is that small.
            Self::Gap(number, _) => Uuid::from_u128(u128::from(*number)),
        }
    }
}

/// Newest events, in the order of arrival.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    rows: VecDeque<Entry>,
    known: HashSet<Uuid>,
    bytes: usize,
    /// Events taken in since the start.
    taken: u64,
    /// Gaps since the start.
    gaps: u64,
    missed: u64,
}

impl Ring {
    /// Takes an event in; false if it's already here.
    pub fn push(&mut self, event: Arc<Held>) -> bool {
        if !self.known.insert(event.event_id) {
            return false;
        }
        self.bytes += event.weight();
        self.taken += 1;
        self.rows.push_back(Entry::Event(self.given(), event));
        self.limit();
        true
    }

    /// Marks that events are missing here.
    pub fn push_gap(&mut self, gap: Gap) {
        self.gaps += 1;
        self.missed = self.missed.saturating_add(gap.missed.unwrap_or(0));
        self.rows.push_back(Entry::Gap(self.given(), gap));
        self.limit();
    }

    fn limit(&mut self) {
        while self.rows.len() > EVENTS_MAX || self.bytes > EVENTS_BYTES_MAX {
            match self.rows.pop_front() {
                Some(Entry::Event(_, old)) => {
                    self.known.remove(&old.event_id);
                    self.bytes -= old.weight();
                }
                Some(Entry::Gap(..)) => {}
                None => break,
            }
        }
    }

    /// What was stored by that instant. The rest counts as not taken in yet.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Self {
        let (taken, gaps, missed) = (self.taken, self.gaps, self.missed);
        let mut past = Self { taken, gaps, missed, ..Self::default() };
        for row in &self.rows {
            match row {
                Entry::Event(_, event) if event.received_at > at => past.taken -= 1,
                Entry::Gap(_, gap) if gap.since > at => {}
                row => past.rows.push_back(row.clone()),
            }
        }
        past
    }

    /// When the oldest event that is kept was stored.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.rows.iter().find_map(Entry::held).map(|event| event.received_at)
    }

    /// All rows, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Entry> {
        self.rows.iter().rev()
    }

    /// Rows that were put in since the start: events and gaps.
    pub fn given(&self) -> u64 {
        self.taken + self.gaps
    }

    /// Number of the oldest row that is kept, of a ring that nothing was taken out of but at its end.
    pub fn oldest_number(&self) -> u64 {
        self.rows.front().map_or(self.given() + 1, Entry::number)
    }

    /// Rows kept now.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Rough size of the text in all rows kept now, and ids that are known.
    pub fn held(&self) -> (usize, usize) {
        (self.bytes, self.known.len())
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Events taken in since the start.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Gaps seen since the start, and how many events they are known to hide.
    pub fn gaps(&self) -> (u64, u64) {
        (self.gaps, self.missed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{EVENTS_BYTES_MAX, EVENTS_MAX, Keyed, Ring};
    use crate::tui::state::testing::event;

    #[test]
    fn keeps_the_newest_and_knows_each_once() {
        let mut ring = Ring::default();
        let last = u32::try_from(EVENTS_MAX).unwrap() + 4;
        for n in 0..=last {
            assert!(ring.push(Arc::new(event(n).into())));
            assert!(!ring.push(Arc::new(event(n).into())));
        }
        assert_eq!(ring.len(), EVENTS_MAX);
        let newest = ring.newest_first().next().map(Keyed::key);
        assert_eq!(newest, Some(event(last).event_id));
    }

    #[test]
    fn is_bounded_in_bytes() {
        let mut ring = Ring::default();
        for n in 0..200 {
            let mut event = event(n);
            event.cmdline = "x".repeat(EVENTS_BYTES_MAX / 100);
            ring.push(Arc::new(event.into()));
        }
        assert!(ring.len() < 100, "{} rows", ring.len());
    }
}
