//! Makes the lists for the next frame.

use std::sync::Arc;

use jiff::Timestamp;
use tyr_api::alerts::Alert;
use tyr_api::events::Event;

use crate::tui::state::State;
use crate::tui::state::drifts::group;
use crate::tui::state::held::Glance;
use crate::tui::state::link::Now;
use crate::tui::state::order::{self, Table};
use crate::tui::state::rows::{AlertRow, EventRow, LogRow};
use crate::tui::state::tail::Owner;
use crate::tui::state::ui::{Page, View};

impl State {
    /// Brings clocks and lists up to date; the views draw what this leaves.
    pub fn prepare(&mut self, now: Now) {
        self.now = now;
        self.clock = match &self.frozen {
            Some(frozen) => frozen.at,
            None => self.link.server_now(now),
        };
        self.take_census();
        if matches!(self.view, View::Overview | View::Agents) {
            self.list_agents();
        }
        if matches!(self.view, View::Overview | View::Events) {
            let (mut list, mut followed) = (std::mem::take(&mut self.events), self.events_listed);
            self.list_events(&mut list, &mut followed, None);
            (self.events, self.events_listed) = (list, followed);
        }
        if self.view == View::Overview {
            self.list_drifts();
        }
        if self.view == View::Drift {
            let wanted = self.wanted_drifts(None);
            let order = self.layout.order(Table::Groups);
            self.groups.set(group(wanted.iter(), self.grouped_by, &self.open_groups, order));
        }
        if self.view == View::Alerts {
            let clock = self.clock.unwrap_or_default();
            let wants = |alert: &Alert| self.filter.is_empty() || self.filter.wants(&AlertRow { alert, now: clock });
            let mut rows: Vec<_> = self.data().alerts.rows().into_iter().filter(|alert| wants(alert)).collect();
            order::alerts(&mut rows, self.layout.order(Table::Alerts));
            self.alerts.set(rows);
        }
        if self.view == View::Log {
            let lines = self.log.newest_first().filter(|line| self.filter.wants(&LogRow { line }));
            let mut lines: Vec<_> = lines.cloned().collect();
            let order = self.layout.order(Table::Log);
            if order.head == "WHAT" {
                lines.sort_by(|a, b| a.text.cmp(&b.text));
            }
            if order.reversed {
                lines.reverse();
            }
            self.lines.set(lines);
        }
        let mut pages = std::mem::take(&mut self.pages);
        if let Some(Page::Agent(page)) = pages.last_mut() {
            let mut ai = self.data().fleet.ai_of(page.agent);
            order::ai(&mut ai, self.layout.order(Table::Ai));
            page.ai.set(ai);
            let owner = Owner::of(page);
            self.list_events(&mut page.events, &mut page.events_listed, Some(owner));
            page.drifts.set(self.wanted_drifts(Some(owner)));
        }
        self.pages = pages;
    }

    /// Forces all lists to be made anew with the next frame: the operator changed what to list, or how.
    pub(super) fn relist(&mut self) {
        self.agents_listed = None;
        self.wish += 1;
        self.census.is_void();
    }

    pub(super) fn wants_event(&self, event: Glance<'_>, now: Timestamp) -> bool {
        self.filter.is_empty() || self.filter.wants(&EventRow { event, now })
    }

    pub(super) fn wanted_drifts(&self, of: Option<Owner>) -> Vec<Arc<Event>> {
        let clock = self.clock.unwrap_or_default();
        let wanted = self.data().drifts.rows().filter(|event| {
            of.is_none_or(|of| of.owns(event.agent_id, event.discovered_agent_id))
                && self.wants_event(Glance::from(&***event), clock)
        });
        let mut rows: Vec<Arc<Event>> = wanted.cloned().collect();
        let order = self.layout.order(Table::Drift);
        if order.head != Table::Drift.natural() {
            rows.sort_by(|a, b| order::events(order, a, b));
        } else if order.reversed {
            rows.reverse();
        }
        rows
    }
}
