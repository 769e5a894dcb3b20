//! Agents and AI processes, and what an operator should know of each.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use tyr_api::agents::{Agent, DiscoveredAgent, Liveness};
use uuid::Uuid;

use crate::tui::state::past::without_word;
use crate::tui::state::roll::{Brief, Roll};

/// Agents that are kept; those that were unheard of for longest go first.
pub const AGENTS_MAX: usize = 50_000;
/// AI processes that are kept; those that ended go first.
pub const AI_MAX: usize = 20_000;
/// How long an AI process is kept after its end, in seconds: as long as the server's snapshot has it.
pub const AI_ENDED_KEPT_S: i64 = 3_600;
/// Age from which an agent is offline, unless the stale threshold is longer. Seconds.
pub const OFFLINE_AFTER_S: i64 = 300;
/// Difference of clocks that is worth a word.
pub const SKEW_WARN_MS: i64 = 2_000;

/// All agents and AI processes.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    agents: Roll,
    ai: HashMap<Uuid, Arc<DiscoveredAgent>>,
    /// Age from which an agent is stale, in seconds.
    pub stale_after_s: i64,
    /// Second of the server's clock in which ended AI processes were looked for last.
    pruned_at: i64,
}

/// Why an agent needs attention, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Not heard from for more than five minutes.
    Offline,
    /// Not heard from for longer than the stale threshold.
    Stale,
    /// Nothing could be loaded into the kernel.
    Blind,
    /// The newest policy did not load.
    PolicyError,
    /// A heartbeat is missing.
    Late,
    /// The policy in force is not the assigned one.
    PolicyBehind,
    /// Its events got lost.
    Losing,
    /// Its clock is off.
    Skewed,
    /// All is well.
    Well,
}

impl Standing {
    /// One word or two.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Offline => "OFFLINE",
            Self::Stale => "STALE",
            Self::Blind => "BLIND",
            Self::PolicyError => "POLICY ERR",
            Self::Late => "LATE",
            Self::PolicyBehind => "OLD POLICY",
            Self::Losing => "LOSING",
            Self::Skewed => "SKEWED",
            Self::Well => "online",
        }
    }

    /// Whether somebody should look.
    pub const fn needs_attention(self) -> bool {
        !matches!(self, Self::Well)
    }
}

impl Fleet {
    /// Replaces everything: who is not in the snapshot is no more.
    pub fn start(&mut self, stale_after_s: u32, agents: Vec<Agent>, ai: Vec<DiscoveredAgent>) {
        self.stale_after_s = i64::from(stale_after_s);
        self.agents = agents.into_iter().map(Arc::new).collect();
        self.ai = ai.into_iter().map(|process| (process.id, Arc::new(process))).collect();
        self.limit();
    }

    /// Takes an agent's new state in.
    pub fn agent(&mut self, agent: Agent) {
        if agent.archived_at.is_some() || agent.revoked_at.is_some() {
            self.agents.remove(agent.agent_id);
        } else {
            self.agents.insert(Arc::new(agent));
        }
        self.limit();
    }

    /// Says that all changes of agents are in for now: lists may be made.
    pub fn settle(&mut self) {
        self.agents.settle();
    }

    /// Forgets what ended long ago by the server's clock; once a minute is often enough.
    pub fn prune(&mut self, now: i64) {
        if (self.pruned_at..self.pruned_at.saturating_add(60)).contains(&now) {
            return;
        }
        self.pruned_at = now;
        self.ai.retain(|_, process| process.ended_at.is_none_or(|end| end.as_second() > now - AI_ENDED_KEPT_S));
    }

    /// Holds the limits: a tenth more than needed goes, so that a full fleet isn't sorted with each that comes.
    fn limit(&mut self) {
        if self.agents.len() > AGENTS_MAX {
            let mut all: Vec<_> = self.agents.all().cloned().collect();
            all.sort_by_key(|agent| std::cmp::Reverse(agent.last_seen));
            all.truncate(AGENTS_MAX / 10 * 9);
            self.agents = all.into_iter().collect();
        }
        if self.ai.len() > AI_MAX {
            // An ended one is older than any that lives.
            forget(&mut self.ai, AI_MAX / 10 * 9, |process| (process.ended_at.is_none(), process.first_seen));
        }
    }

    /// Events of an agent were stored at that second of the server's clock: it was heard from, whatever its last heartbeat says.
    pub fn heard(&mut self, agent: Uuid, second: i64) {
        self.agents.heard(agent, second);
    }

    /// Takes an AI process's new state in.
    pub fn process(&mut self, process: DiscoveredAgent) {
        self.ai.insert(process.id, Arc::new(process));
        self.limit();
    }

    /// As it may have been earlier: the same agents, with nothing but their age to judge them by.
    #[must_use]
    pub fn at(&self) -> Self {
        let mut past = self.clone();
        past.agents = past.agents.all().cloned().map(without_word).collect();
        past
    }

    /// All agents, in no order.
    pub fn agents(&self) -> impl Iterator<Item = &Arc<Agent>> {
        self.agents.all()
    }

    /// One agent.
    pub fn get(&self, id: Uuid) -> Option<&Arc<Agent>> {
        self.agents.get(id)
    }

    /// What decides on the order of agents and on how they stand, by name.
    pub fn briefs(&self) -> impl Iterator<Item = (&Brief, &Arc<Agent>)> {
        self.agents.by_name()
    }

    /// What decides on how agents stand, in no order.
    pub fn standings(&self, now: Timestamp) -> impl Iterator<Item = Standing> {
        let second = now.as_second();
        self.agents.briefs().iter().map(move |brief| self.standing_of(brief, second))
    }

    /// How many agents there are.
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    /// AI processes of an agent: those that live first, newest first.
    pub fn ai_of(&self, agent: Uuid) -> Vec<Arc<DiscoveredAgent>> {
        let mut found: Vec<_> = self.ai.values().filter(|process| process.daemon_agent_id == agent).cloned().collect();
        found.sort_by_key(|process| (process.ended_at.is_some(), std::cmp::Reverse(process.first_seen), process.id));
        found
    }

    /// AI processes that are kept, ended ones included.
    pub fn ai_len(&self) -> usize {
        self.ai.len()
    }

    /// Types of all AI processes that are known, each once.
    pub fn ai_types(&self) -> BTreeSet<&str> {
        self.ai.values().map(|process| &*process.agent_type).collect()
    }

    /// Live AI processes over all agents.
    pub fn ai_alive(&self) -> usize {
        self.ai.values().filter(|process| process.ended_at.is_none()).count()
    }

    /// One AI process.
    pub fn ai_get(&self, id: Uuid) -> Option<&Arc<DiscoveredAgent>> {
        self.ai.get(&id)
    }

    /// How alive an agent is at that age: what the server said, moved on by age and never back.
    fn liveness(&self, said: Liveness, age_s: i64) -> Liveness {
        let by_age = if age_s > OFFLINE_AFTER_S.max(self.stale_after_s) {
            Liveness::Offline
        } else if age_s > self.stale_after_s {
            Liveness::Stale
        } else {
            Liveness::Online
        };
        by_age.max(said)
    }

    /// What an operator should know first of that agent, at that instant of the server's clock.
    pub fn standing(&self, agent: &Agent, now: Timestamp) -> Standing {
        self.standing_of(&Brief::of(agent), now.as_second())
    }

    /// The same of what is known of it in brief, at that second.
    pub fn standing_of(&self, brief: &Brief, second: i64) -> Standing {
        match self.liveness(brief.said, (second - brief.heard).max(0)) {
            Liveness::Offline => Standing::Offline,
            Liveness::Stale => Standing::Stale,
            Liveness::Late | Liveness::Online => brief.but_for_age,
        }
    }
}

/// Keeps those that come last in that order, so many of them.
fn forget<T, K: Ord>(map: &mut HashMap<Uuid, Arc<T>>, kept: usize, order: impl Fn(&T) -> K) {
    let mut all: Vec<(Uuid, Arc<T>)> = map.drain().collect();
    all.sort_by_cached_key(|(_, one)| std::cmp::Reverse(order(one)));
    all.truncate(kept);
    map.extend(all);
}

/// Seconds since the agent was heard from, never negative.
pub fn age_s(agent: &Agent, now: Timestamp) -> i64 {
    (now.as_second() - agent.last_seen.as_second()).max(0)
}
