//! The lists of events and drift, moved on by what came instead of made anew for each frame.

use uuid::Uuid;

use crate::tui::state::State;
use crate::tui::state::list::Keyed;
use crate::tui::state::order::Table;
use crate::tui::state::ring::Entry;

/// What the lists were made of last; absent when they have to be made anew.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Listed {
    /// Rows that the ring had been given, and whether allowed events were left out.
    events: Option<(u64, bool)>,
    /// Drifting events that had been taken in.
    drifts: Option<u64>,
}

impl Listed {
    /// The operator changed what to list, or how.
    pub(super) fn is_void(&mut self) {
        *self = Self::default();
    }
}

impl State {
    /// Whether lists may be moved on: a filter may depend on the time, and a held picture is another one.
    fn moves_on(&self) -> bool {
        self.filter.is_empty() && self.frozen.is_none()
    }

    pub(super) fn list_events(&mut self) {
        let (given, hides_allowed) = (self.live.events.given(), self.hides_allowed());
        let before = self.listed.events.replace((given, hides_allowed));
        match before.filter(|(_, hid)| *hid == hides_allowed && self.moves_on()) {
            // Nothing came.
            Some((before, _)) if before == given => {}
            Some((before, _)) if self.layout.order(Table::Events) == Table::Events.usual() => {
                let count = usize::try_from(given - before).unwrap_or(usize::MAX);
                let newer = self.live.events.newest_first().take(count);
                let newer: Vec<Entry> = newer.filter(|entry| !(hides_allowed && entry.is_allowed())).cloned().collect();
                let ring = &self.live.events;
                self.events.move_on(newer, |key: Uuid| ring.holds(key));
            }
            _ => self.events.set(self.wanted_events(None)),
        }
        if !self.moves_on() {
            self.listed.events = None;
        }
    }

    pub(super) fn list_drifts(&mut self) {
        let taken = self.live.drifts.taken();
        if self.listed.drifts.replace(taken) != Some(taken) || !self.moves_on() {
            self.drifts.set(self.wanted_drifts(None));
        }
        if !self.moves_on() {
            self.listed.drifts = None;
        }
    }

    /// Newer states of the agents that are drawn, in the order that is shown. The others are brought up to date when they are
    /// sorted anew.
    pub(super) fn renew_agents(&mut self) {
        let fleet = self.frozen.as_ref().map_or(&self.live.fleet, |frozen| &frozen.data.fleet);
        if !self.agents.renew_window(|agent| fleet.get(agent.key()).cloned()) {
            let rows = self.agents.rows().iter().filter_map(|agent| fleet.get(agent.key()).cloned()).collect();
            self.agents.set(rows);
        }
        self.relist_agents = false;
    }
}
