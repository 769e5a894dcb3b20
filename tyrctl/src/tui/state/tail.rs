//! The lists of events and drift, moved on by what came instead of made anew for each frame.

use std::cmp::Ordering;

use tyr_api::events::Verdict;
use uuid::Uuid;

use crate::tui::state::State;
use crate::tui::state::list::List;
use crate::tui::state::order::{self, Order, Table};
use crate::tui::state::ring::Entry;
use crate::tui::state::ui::{AgentPage, View};

/// What a list was made of last; absent when it has to be made anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct Followed(Option<Mark>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    /// Rows that had come.
    given: u64,
    /// See [`State::relist`].
    wish: u64,
    hides_allowed: bool,
    /// Second of the shown clock, for a filter that judges the same row otherwise later.
    second: Option<i64>,
}

/// Whose events a page lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    agent: Uuid,
    process: Option<Uuid>,
}

impl Owner {
    /// Whose page it is.
    pub(super) fn of(page: &AgentPage) -> Self {
        Self { agent: page.agent, process: page.process }
    }

    /// Whether what that AI process of that agent did belongs there.
    pub(super) fn owns(self, agent: Uuid, process: Option<Uuid>) -> bool {
        match self.process {
            Some(mine) => process == Some(mine),
            None => agent == self.agent,
        }
    }
}

impl State {
    /// Notes what a list is made of now; gives back how many rows came since it was made, where it can be moved on.
    fn follow(&self, followed: &mut Followed, given: u64, hides_allowed: bool) -> Option<usize> {
        let second = self.clock.filter(|_| self.filter.depends_on_time()).map(jiff::Timestamp::as_second);
        let mark = Mark { given, wish: self.wish, hides_allowed, second };
        let before = followed.0.replace(mark)?;
        let since = given.checked_sub(before.given)?;
        (Mark { given, ..before } == mark).then(|| usize::try_from(since).unwrap_or(usize::MAX))
    }

    /// Are allowed events left out? The overview is for what needs a look: among everything that goes well, a denial
    /// would be gone before anybody saw it.
    pub fn hides_allowed(&self) -> bool {
        self.deny_only || (self.view == View::Overview && self.pages.is_empty())
    }

    /// Brings a list of events up to date.
    pub(super) fn list_events(&self, list: &mut List<Entry>, followed: &mut Followed, of: Option<Owner>) {
        let ring = &self.data().events;
        let hides_allowed = if of.is_some() { self.deny_only } else { self.hides_allowed() };
        let came = self.follow(followed, ring.given(), hides_allowed);
        if came == Some(0) {
            return;
        }
        let order = self.layout.order(Table::Events);
        let clock = self.clock.unwrap_or_default();
        let wanted = ring.newest_first().take(came.unwrap_or(usize::MAX)).filter(|entry| match entry {
            Entry::Event(_, held) => {
                !(hides_allowed && held.verdict == Verdict::Allow)
                    && of.is_none_or(|of| of.owns(held.agent_id, held.discovered_agent_id))
                    && (self.filter.is_empty() || held.glance(|event| self.wants_event(event, clock)))
            }
            // A gap may hide events of anybody.
            Entry::Gap(..) => true,
        });
        let mut rows: Vec<Entry> = wanted.cloned().collect();
        let oldest = ring.oldest_number();
        let held = |row: &Entry| row.number() >= oldest;
        match (came, order == Table::Events.usual()) {
            (Some(_), true) => list.move_on(rows, held),
            (Some(_), false) => list.merge(rows, held, |a, b| by(order, a, b)),
            (None, true) => list.set(rows),
            (None, false) => {
                rows.sort_by(|a, b| by(order, a, b));
                list.set(rows);
            }
        }
    }

    /// Brings the list of drift up to date.
    pub(super) fn list_drifts(&mut self) {
        let mut followed = self.drifts_listed;
        let taken = self.data().drifts.taken();
        if self.follow(&mut followed, taken, false) != Some(0) {
            self.drifts.set(self.wanted_drifts(None));
        }
        self.drifts_listed = followed;
    }
}

/// Compares rows by a column; equal ones are newest first, and gaps, which have a place in time alone, come last.
fn by(order: Order, a: &Entry, b: &Entry) -> Ordering {
    let newest_first = b.number().cmp(&a.number());
    if order.head == Table::Events.natural() {
        return if order.reversed { newest_first.reverse() } else { newest_first };
    }
    let (x, y) = (a.held().map(|held| held.opened()), b.held().map(|held| held.opened()));
    let by = match (x, y) {
        (Some(a), Some(b)) => order::events(order, a, b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    by.then(newest_first)
}
