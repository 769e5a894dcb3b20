//! The roll of agents: each with what decides on its place in lists, close together in memory.
//!
//! Ten thousand agents are counted and sorted once a second. What that takes is kept beside them in a few bytes each, in the order of their
//! names: reading it from the agents themselves would wait for the memory ten thousand times.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tyr_api::agents::{Agent, Liveness, Posture};
use uuid::Uuid;

use crate::tui::state::fleet::{SKEW_WARN_MS, Standing};

/// Agents up to which each second in which one was heard from is shown. In a larger fleet steps of [`TOLD_STEP_S`] are exact enough for
/// the eyes: how an agent stands follows from the exact second all the same.
const EXACTLY_SHOWN_MAX: usize = 1_000;
/// Seconds that the shown time is behind at most in a larger fleet.
const TOLD_STEP_S: i64 = 10;

/// What decides on how an agent stands, and on its place by name.
#[derive(Clone, Copy, Debug)]
pub struct Brief {
    /// Which agent.
    pub agent: Uuid,
    /// Second of the server's clock in which it was heard from last.
    pub heard: i64,
    /// What of that the agent itself says, see [`EXACTLY_SHOWN_MAX`].
    told: i64,
    /// Its place in the order of names; for a moment wrong after agents came or went, until [`Roll::settle`].
    pub rank: u32,
    /// What the server said.
    pub said: Liveness,
    /// How it stands as long as it is not stale.
    pub but_for_age: Standing,
}

impl Brief {
    /// Of that agent, with no place yet.
    pub fn of(agent: &Agent) -> Self {
        let but_for_age = match agent.liveness {
            _ if agent.posture == Posture::Blind => Standing::Blind,
            _ if !agent.policy_error.is_empty() => Standing::PolicyError,
            Liveness::Late => Standing::Late,
            _ if agent.policy_id != agent.assigned_policy_id => Standing::PolicyBehind,
            _ if agent.events_lost > 0 => Standing::Losing,
            _ if agent.clock_skew_ms.abs() > SKEW_WARN_MS => Standing::Skewed,
            _ => Standing::Well,
        };
        let heard = agent.last_seen.as_second();
        Self { agent: agent.agent_id, heard, told: heard, rank: 0, said: agent.liveness, but_for_age }
    }
}

/// All agents.
#[derive(Clone, Debug, Default)]
pub struct Roll {
    places: HashMap<Uuid, usize>,
    agents: Vec<Arc<Agent>>,
    briefs: Vec<Brief>,
    /// Places in the order of names, ids among equal ones.
    by_name: Vec<usize>,
    /// From this rank on they have to be written down anew.
    unsettled: Option<usize>,
}

impl FromIterator<Arc<Agent>> for Roll {
    fn from_iter<I: IntoIterator<Item = Arc<Agent>>>(agents: I) -> Self {
        let mut agents: Vec<Arc<Agent>> = agents.into_iter().collect();
        agents.sort_by(|a, b| name(a).cmp(&name(b)));
        agents.dedup_by_key(|agent| agent.agent_id);
        let mut roll = Self {
            places: agents.iter().enumerate().map(|(place, agent)| (agent.agent_id, place)).collect(),
            briefs: agents.iter().map(|agent| Brief::of(agent)).collect(),
            by_name: (0..agents.len()).collect(),
            agents,
            unsettled: Some(0),
        };
        roll.settle();
        roll
    }
}

fn name(agent: &Agent) -> (&str, Uuid) {
    (&agent.name, agent.agent_id)
}

impl Roll {
    /// Takes an agent's new state in.
    pub fn insert(&mut self, agent: Arc<Agent>) {
        let id = agent.agent_id;
        match self.places.get(&id).copied() {
            Some(place) if self.agents[place].name == agent.name => {
                self.briefs[place] = Brief { rank: self.briefs[place].rank, ..Brief::of(&agent) };
                self.agents[place] = agent;
            }
            renamed => {
                if renamed.is_some() {
                    self.remove(id);
                }
                let (rank, place) = (self.rank(&agent).unwrap_or_else(|rank| rank), self.agents.len());
                self.places.insert(id, place);
                self.briefs.push(Brief::of(&agent));
                self.agents.push(agent);
                self.by_name.insert(rank, place);
                self.unsettle(rank);
            }
        }
    }

    /// Forgets an agent.
    pub fn remove(&mut self, id: Uuid) {
        let Some(place) = self.places.remove(&id) else { return };
        if let Ok(rank) = self.rank(&self.agents[place]) {
            self.by_name.remove(rank);
            self.unsettle(rank);
        }
        let last = self.agents.len() - 1;
        if place < last {
            // The last one takes its place.
            if let Ok(rank) = self.rank(&self.agents[last]) {
                self.by_name[rank] = place;
            }
            self.places.insert(self.agents[last].agent_id, place);
        }
        self.agents.swap_remove(place);
        self.briefs.swap_remove(place);
    }

    /// An agent was heard from at that second.
    pub fn heard(&mut self, id: Uuid, second: i64) {
        let Some(place) = self.places.get(&id) else { return };
        let brief = &mut self.briefs[*place];
        brief.heard = brief.heard.max(second);
        let step = if self.agents.len() > EXACTLY_SHOWN_MAX { TOLD_STEP_S } else { 1 };
        if brief.told.saturating_add(step) <= second
            && let Ok(at) = Timestamp::from_second(second)
        {
            brief.told = second;
            // A copy is made only while a held picture has it too.
            Arc::make_mut(&mut self.agents[*place]).last_seen = at;
        }
    }

    /// Writes the ranks down after agents came or went.
    pub fn settle(&mut self) {
        let Some(from) = self.unsettled.take() else { return };
        for (rank, place) in self.by_name.iter().enumerate().skip(from) {
            self.briefs[*place].rank = u32::try_from(rank).unwrap_or(u32::MAX);
        }
    }

    fn unsettle(&mut self, rank: usize) {
        self.unsettled = Some(self.unsettled.map_or(rank, |before| before.min(rank)));
    }

    /// Where that agent is in the order of names, or where it would be.
    fn rank(&self, agent: &Agent) -> Result<usize, usize> {
        self.by_name.binary_search_by(|place| name(&self.agents[*place]).cmp(&name(agent)))
    }

    /// One agent.
    pub fn get(&self, id: Uuid) -> Option<&Arc<Agent>> {
        self.places.get(&id).map(|place| &self.agents[*place])
    }

    /// All of them, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Agent>> {
        self.agents.iter()
    }

    /// In brief, in no order.
    pub fn briefs(&self) -> &[Brief] {
        &self.briefs
    }

    /// All of them, by name.
    pub fn by_name(&self) -> impl Iterator<Item = (&Brief, &Arc<Agent>)> {
        self.by_name.iter().map(|place| (&self.briefs[*place], &self.agents[*place]))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;
    use tyr_api::agents::Agent;
    use uuid::Uuid;

    use super::Roll;
    use crate::tui::state::testing::{agent, agent_id, server_time};

    #[derive(Clone, Debug)]
    enum Deed {
        Insert(u32, u8),
        Remove(u32),
        Heard(u32, i64),
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        let deed = prop_oneof![
            (0..12_u32, 0..4_u8).prop_map(|(n, name)| Deed::Insert(n, name)),
            (0..12_u32).prop_map(Deed::Remove),
            (0..12_u32, 0..40_i64).prop_map(|(n, second)| Deed::Heard(n, second)),
        ];
        prop::collection::vec(deed, 0..60)
    }

    proptest! {
        #[test]
        fn agents_come_go_and_are_renamed_and_the_order_of_names_holds(deeds in deeds(), start in 0..6_u32) {
            let made = |n: u32, name: u8| agent(n, &format!("host-{name}"), 20);
            let mut model: BTreeMap<Uuid, Agent> = (0..start).map(|n| (agent_id(n), made(n, 1))).collect();
            let mut roll: Roll = model.values().cloned().map(Arc::new).collect();
            for deed in deeds {
                match deed {
                    Deed::Insert(n, name) => {
                        model.insert(agent_id(n), made(n, name));
                        roll.insert(Arc::new(made(n, name)));
                    }
                    Deed::Remove(n) => {
                        model.remove(&agent_id(n));
                        roll.remove(agent_id(n));
                    }
                    Deed::Heard(n, second) => {
                        let at = server_time(second - 30);
                        if let Some(agent) = model.get_mut(&agent_id(n)) {
                            agent.last_seen = agent.last_seen.max(at);
                        }
                        roll.heard(agent_id(n), at.as_second());
                    }
                }
            }
            roll.settle();
            let mut wanted: Vec<&Agent> = model.values().collect();
            wanted.sort_by(|a, b| (&a.name, a.agent_id).cmp(&(&b.name, b.agent_id)));
            let found: Vec<&Agent> = roll.by_name().map(|(_, agent)| &**agent).collect();
            prop_assert_eq!(found, wanted.clone());
            for (rank, (brief, agent)) in roll.by_name().enumerate() {
                prop_assert_eq!((brief.agent, brief.rank as usize), (agent.agent_id, rank));
                prop_assert_eq!(brief.heard, agent.last_seen.as_second());
                prop_assert_eq!(roll.get(agent.agent_id).map(|one| &**one), Some(&**agent));
            }
            prop_assert_eq!((roll.len(), roll.briefs().len(), roll.all().count()), (wanted.len(), wanted.len(), wanted.len()));
        }
    }
}
