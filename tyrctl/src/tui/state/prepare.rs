//! Makes the lists for the next frame.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tyr_api::agents::Agent;
use tyr_api::alerts::Alert;
use tyr_api::events::{Event, Verdict};
use uuid::Uuid;

use crate::tui::state::State;
use crate::tui::state::drifts::group;
use crate::tui::state::feed::Counts;
use crate::tui::state::link::Now;
use crate::tui::state::order::{self, Ranked, Table};
use crate::tui::state::ring::Entry;
use crate::tui::state::rows::{AgentRow, AlertRow, EventRow, LogRow};
use crate::tui::state::ui::{AgentPage, Page, View};

/// Agents are sorted anew at most that often, so that rows don't dance.
const RESORT_EVERY: Duration = Duration::from_secs(1);
/// And never within that time after a key: the row under the finger stays there.
const HOLD_AFTER_KEY: Duration = Duration::from_secs(2);

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
            self.list_events();
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
            page.events.set(self.wanted_events(Some(page)));
            page.drifts.set(self.wanted_drifts(Some(page)));
        }
        self.pages = pages;
    }

    /// Forces agents to be listed with the next frame: the operator changed what to list, or how.
    pub(super) fn relist(&mut self) {
        self.relist_agents = true;
        self.agents_listed = None;
        self.listed.is_void();
        self.census.is_void();
    }

    fn list_agents(&mut self) {
        let held = self.last_key.is_some_and(|at| self.now.mono.saturating_duration_since(at) < HOLD_AFTER_KEY);
        let due = match self.agents_listed {
            None => true,
            // Ages move even if no agent changed: a list sorted by state must show who turned stale.
            Some(at) => !held && self.now.mono.saturating_duration_since(at) >= RESORT_EVERY,
        };
        if !due {
            if self.relist_agents {
                self.renew_agents();
            }
            return;
        }
        let Some(clock) = self.clock else {
            self.agents.set(Vec::new());
            return;
        };
        let data = self.data();
        let second = clock.as_second();
        let order = self.layout.order(Table::Agents);
        let mut rows: Vec<Ranked> = self
            .as_listed()
            .into_iter()
            .map(|agent| (data.fleet.standing(agent, clock), agent))
            .filter(|(standing, agent)| self.filter.wants(&AgentRow { agent, standing: *standing, now: clock }))
            .map(|(standing, agent)| {
                // Counting all that came from an agent takes longer than everything else here.
                let counts =
                    if order.is_by_rate() { data.rates.received_of(agent.agent_id, second) } else { Counts::default() };
                Ranked { standing, counts, agent: Arc::clone(agent) }
            })
            .collect();
        order::agents(&mut rows, order, clock);
        self.agents.set(rows.into_iter().map(|row| row.agent).collect());
        self.agents_listed = Some(self.now.mono);
        self.relist_agents = false;
    }

    /// All agents, in the order of the list as far as they are on it: what is nearly sorted is sorted soon.
    fn as_listed(&self) -> Vec<&Arc<Agent>> {
        let fleet = &self.data().fleet;
        let mut all: Vec<_> = self.agents.rows().iter().filter_map(|row| fleet.get(row.agent_id)).collect();
        if all.len() < fleet.len() {
            let listed: HashSet<Uuid> = all.iter().map(|agent| agent.agent_id).collect();
            all.extend(fleet.agents().filter(|agent| !listed.contains(&agent.agent_id)));
        }
        all
    }

    fn wants_event(&self, event: &Event, clock: Timestamp, of: Option<&AgentPage>) -> bool {
        let is_of = |page: &AgentPage| match page.process {
            Some(process) => event.discovered_agent_id == Some(process),
            None => event.agent_id == page.agent,
        };
        of.is_none_or(is_of) && (self.filter.is_empty() || self.filter.wants(&EventRow { event, now: clock }))
    }

    /// Are allowed events left out? The overview is for what needs a look: among everything that goes well, a denial
    /// would be gone before anybody saw it.
    pub fn hides_allowed(&self) -> bool {
        self.deny_only || (self.view == View::Overview && self.pages.is_empty())
    }

    pub(super) fn wanted_events(&self, of: Option<&AgentPage>) -> Vec<Entry> {
        let clock = self.clock.unwrap_or_default();
        let hides_allowed = if of.is_some() { self.deny_only } else { self.hides_allowed() };
        let wanted = self.data().events.newest_first().filter(|entry| match entry {
            Entry::Event(event) => {
                !(hides_allowed && event.verdict == Verdict::Allow) && self.wants_event(event, clock, of)
            }
            // A gap may hide events of anybody.
            Entry::Gap(..) => true,
        });
        let mut rows: Vec<Entry> = wanted.cloned().collect();
        let order = self.layout.order(Table::Events);
        if order.head != Table::Events.natural() {
            // A gap has a place in time alone.
            rows.sort_by(|a, b| match (a.event(), b.event()) {
                (Some(a), Some(b)) => order::events(order, a, b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            });
        } else if order.reversed {
            rows.reverse();
        }
        rows
    }

    pub(super) fn wanted_drifts(&self, of: Option<&AgentPage>) -> Vec<Arc<Event>> {
        let clock = self.clock.unwrap_or_default();
        let wanted = self.data().drifts.rows().filter(|event| self.wants_event(event, clock, of));
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
