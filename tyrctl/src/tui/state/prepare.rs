//! Makes the lists for the next frame.

use std::cmp::Ordering;
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
use crate::tui::state::fleet::{Standing, age_s};
use crate::tui::state::link::Now;
use crate::tui::state::ring::Entry;
use crate::tui::state::rows::{AgentRow, AlertRow, EventRow};
use crate::tui::state::ui::{Page, SortBy, View};

/// Agents are sorted anew at most that often, so that rows don't dance.
const RESORT_EVERY: Duration = Duration::from_secs(1);
/// And never within that time after a key: the row under the finger stays there.
const HOLD_AFTER_KEY: Duration = Duration::from_secs(2);

impl State {
    /// Brings clocks and lists up to date; the views draw what this leaves.
    pub fn prepare(&mut self, now: Now) {
        self.now = now;
        self.clock = match &self.frozen {
            Some(frozen) => frozen.clock,
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
            self.groups.set(group(wanted.iter(), &self.open_groups));
        }
        if self.view == View::Alerts {
            let clock = self.clock.unwrap_or_default();
            let wants = |alert: &Alert| self.filter.is_empty() || self.filter.wants(&AlertRow { alert, now: clock });
            let rows = self.data().alerts.rows().into_iter().filter(|alert| wants(alert)).collect();
            self.alerts.set(rows);
        }
        let mut pages = std::mem::take(&mut self.pages);
        if let Some(Page::Agent(page)) = pages.last_mut() {
            page.ai.set(self.data().fleet.ai_of(page.agent));
            page.events.set(self.wanted_events(Some(page.agent)));
            page.drifts.set(self.wanted_drifts(Some(page.agent)));
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
        // Counting all that came from an agent takes longer than everything else here.
        let received = |agent: &Agent| match self.sort {
            SortBy::Rate => data.rates.received_of(agent.agent_id, second).total(),
            _ => 0,
        };
        let mut rows: Vec<(Standing, u32, Arc<Agent>)> = self
            .as_listed()
            .into_iter()
            .map(|agent| (data.fleet.standing(agent, clock), agent))
            .filter(|(standing, agent)| self.filter.wants(&AgentRow { agent, standing: *standing, now: clock }))
            .map(|(standing, agent)| (standing, received(agent), Arc::clone(agent)))
            .collect();
        let (by, reversed) = (self.sort, self.sort_reversed);
        rows.sort_by(|a, b| {
            let order = order(by, a, b, clock);
            // The last word stays with name and id, so that equal rows keep their order.
            (if reversed { order.reverse() } else { order })
                .then_with(|| a.2.name.cmp(&b.2.name))
                .then_with(|| a.2.agent_id.cmp(&b.2.agent_id))
        });
        self.agents.set(rows.into_iter().map(|(_, _, agent)| agent).collect());
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

    fn wants_event(&self, event: &Event, clock: Timestamp, of: Option<Uuid>) -> bool {
        of.is_none_or(|agent| event.agent_id == agent)
            && (self.filter.is_empty() || self.filter.wants(&EventRow { event, now: clock }))
    }

    /// Are allowed events left out? The overview is for what needs a look: among everything that goes well, a denial
    /// would be gone before anybody saw it.
    pub fn hides_allowed(&self) -> bool {
        self.deny_only || (self.view == View::Overview && self.pages.is_empty())
    }

    pub(super) fn wanted_events(&self, of: Option<Uuid>) -> Vec<Entry> {
        let clock = self.clock.unwrap_or_default();
        let hides_allowed = if of.is_some() { self.deny_only } else { self.hides_allowed() };
        self.data()
            .events
            .newest_first()
            .filter(|entry| match entry {
                Entry::Event(event) => {
                    !(hides_allowed && event.verdict == Verdict::Allow) && self.wants_event(event, clock, of)
                }
                // A gap may hide events of anybody.
                Entry::Gap(..) => true,
            })
            .cloned()
            .collect()
    }

    pub(super) fn wanted_drifts(&self, of: Option<Uuid>) -> Vec<Arc<Event>> {
        let clock = self.clock.unwrap_or_default();
        self.data().drifts.rows().filter(|event| self.wants_event(event, clock, of)).cloned().collect()
    }
}

type Ranked = (Standing, u32, Arc<Agent>);

fn order(by: SortBy, a: &Ranked, b: &Ranked, clock: Timestamp) -> Ordering {
    let age = |agent: &Agent| age_s(agent, clock);
    match by {
        // Among the well, name decides: heartbeats would shuffle them each second.
        SortBy::State => {
            a.0.cmp(&b.0).then_with(|| if a.0.needs_attention() { age(&b.2).cmp(&age(&a.2)) } else { Ordering::Equal })
        }
        SortBy::Name => Ordering::Equal,
        SortBy::Age => age(&b.2).cmp(&age(&a.2)),
        SortBy::Rate => b.1.cmp(&a.1),
        SortBy::Policy => a.2.policy_version.cmp(&b.2.policy_version),
        SortBy::Ai => b.2.ai_processes.cmp(&a.2.ai_processes),
        SortBy::Lost => b.2.events_lost.cmp(&a.2.events_lost),
    }
}
