//! Which agents are listed, and in which order.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use tyr_api::agents::Agent;
use tyr_api::events::Verdict;

use crate::tui::filter::version_order;
use crate::tui::state::State;
use crate::tui::state::feed::Counts;
use crate::tui::state::fleet::Standing;
use crate::tui::state::list::AgentKey;
use crate::tui::state::order::{Order, Table};
use crate::tui::state::roll::Brief;
use crate::tui::state::rows::AgentRow;

/// Agents are sorted anew at most that often, so that rows don't dance.
const RESORT_EVERY: Duration = Duration::from_secs(1);
/// And never within that time after a key: the row under the finger stays there.
const HOLD_AFTER_KEY: Duration = Duration::from_secs(2);

impl State {
    pub(super) fn list_agents(&mut self) {
        let held = self.last_key.is_some_and(|at| self.now.mono.saturating_duration_since(at) < HOLD_AFTER_KEY);
        // Ages move even if no agent changed: a list sorted by state must show who turned stale.
        let waits = |at| held || self.now.mono.saturating_duration_since(at) < RESORT_EVERY;
        if self.agents_listed.is_some_and(waits) {
            return;
        }
        let Some(clock) = self.clock else {
            self.agents.set(Vec::new());
            return;
        };
        self.agents.set(self.sorted_agents(clock));
        self.agents_listed = Some(self.now.mono);
    }

    /// In their order; names decide among equal ones.
    fn sorted_agents(&self, clock: Timestamp) -> Vec<AgentKey> {
        let fleet = &self.data().fleet;
        let order = self.layout.order(Table::Agents);
        let second = clock.as_second();
        let sorter = Sorter::new(self, order, clock);
        let mut rows: Vec<(u64, u32, AgentKey)> = Vec::with_capacity(fleet.len());
        for (brief, agent) in fleet.briefs() {
            let standing = fleet.standing_of(brief, second);
            if self.filter.is_empty() || self.filter.wants(&AgentRow { agent, standing, now: clock }) {
                rows.push((sorter.key(brief, agent, standing), brief.rank, AgentKey(brief.agent)));
            }
        }
        // Names come in order already, and no two have the same rank.
        rows.sort_by_key(|(key, rank, _)| (*key, *rank));
        rows.into_iter().map(|(_, _, agent)| agent).collect()
    }

    /// The agents of the list, as they are now.
    pub fn listed_agents(&self) -> impl Iterator<Item = &std::sync::Arc<Agent>> {
        let fleet = &self.data().fleet;
        self.agents.rows().iter().filter_map(|row| fleet.get(row.0))
    }

    /// The selected agent, as it is now.
    pub fn selected_agent(&self) -> Option<&std::sync::Arc<Agent>> {
        self.data().fleet.get(self.agents.selected()?.0)
    }
}

/// Makes of an agent a number that tells its place; among equal ones names decide.
struct Sorter<'a> {
    state: &'a State,
    order: Order,
    second: i64,
    /// Places of the texts of a column, where it has texts.
    places: HashMap<&'a str, u64>,
}

impl<'a> Sorter<'a> {
    fn new(state: &'a State, order: Order, clock: Timestamp) -> Self {
        let mut sorter = Self { state, order, second: clock.as_second(), places: HashMap::new() };
        // A fleet has few different ones.
        let texts: BTreeSet<&str> = state.data().fleet.agents().filter_map(|agent| sorter.text(agent)).collect();
        let mut texts: Vec<&str> = texts.into_iter().collect();
        if matches!(order.head, "KERNEL" | "TYRD") {
            texts.sort_by(|a, b| version_order(a, b));
        }
        sorter.places = texts.into_iter().zip(0..).collect();
        sorter
    }

    fn text(&self, agent: &'a Agent) -> Option<&'a str> {
        Some(match self.order.head {
            "KERNEL" => &agent.kernel,
            "TYRD" => &agent.agent_version,
            "ARCH" => &agent.arch,
            "SCOPE" => &agent.scope,
            _ => return None,
        })
    }

    fn counts(&self, agent: &Agent) -> Counts {
        self.state.data().rates.received_of(agent.agent_id, self.second)
    }

    fn key(&self, brief: &Brief, agent: &'a Agent, standing: Standing) -> u64 {
        let most_first = |number: u64| u64::MAX - number;
        // An age is never negative, whatever the clocks say.
        let oldest_first = ordered(brief.heard.min(self.second));
        let key = match self.order.head {
            "AGENT" => u64::from(brief.rank),
            "AGE" => oldest_first,
            "LAST_SEEN" => ordered(brief.heard),
            "EV/S" | "RATE_60S" => most_first(self.counts(agent).total().into()),
            "DENY%" => most_first(denied(&self.counts(agent))),
            "POLICY" => agent.policy_version.map_or(0, |version| u64::from(version) + 1),
            "POSTURE" => agent.posture as u64,
            "AI" => most_first(ordered(agent.ai_processes.into())),
            "LOST" => most_first(agent.events_lost),
            "SKEW" => most_first(agent.clock_skew_ms.unsigned_abs()),
            "WAITING" => most_first(agent.spool_records),
            "CERT" => ordered(agent.cert_not_after.as_microsecond()),
            "KERNEL" | "TYRD" | "ARCH" | "SCOPE" => {
                self.text(agent).and_then(|text| self.places.get(text)).copied().unwrap_or(0)
            }
            // Among the well, name decides: heartbeats would shuffle them each second.
            _ => {
                let since = if standing.needs_attention() { brief.heard.clamp(0, self.second.max(0)) } else { 0 };
                ((standing as u64) << 56) | since.cast_unsigned()
            }
        };
        if self.order.reversed { u64::MAX - key } else { key }
    }
}

/// A number without a sign in the same order.
const fn ordered(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

/// Denied events among all, in millionths.
fn denied(counts: &Counts) -> u64 {
    u64::from(counts.of_verdict(Verdict::Deny)) * 1_000_000 / u64::from(counts.total().max(1))
}
