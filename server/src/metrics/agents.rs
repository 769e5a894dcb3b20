//! Denials and drift by agent, for the alerts that are about one agent: a spike of denials, drift that goes on.
//!
//! The number of series is limited: the first agents that have something to count get a place each, all later ones share
//! `agent_id="other"`, so that the sum is always right. Names are not used: hosts choose them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tyr_api::events::{Event, Verdict};
use uuid::Uuid;

/// Most agents that may be asked for: four series each are what a small Prometheus takes without notice.
pub const AGENTS_MAX: u16 = 10_000;
/// Label of all agents that have no place of their own.
pub const OTHER: &str = "other";

/// One label whose values are ids that this server gave out.
type ById = Family<[(&'static str, String); 1], Counter>;

/// Counters by agent.
#[derive(Debug)]
pub struct AgentMetrics {
    max: usize,
    denials: ById,
    drifts: ById,
    known: Mutex<HashMap<Uuid, Places>>,
    other: Places,
}

#[derive(Clone, Debug)]
struct Places {
    denials: Counter,
    drifts: Counter,
}

impl AgentMetrics {
    pub(super) fn new(registry: &mut Registry, max: usize) -> Self {
        let (denials, drifts) = (ById::default(), ById::default());
        registry.register(
            "tyr_agent_denials",
            "Events stored with the verdict deny, by agent; agents beyond the limit share the label other",
            denials.clone(),
        );
        registry.register(
            "tyr_agent_drifts",
            "Events stored with drift, by agent; agents beyond the limit share the label other",
            drifts.clone(),
        );
        let other = places(&denials, &drifts, OTHER.to_owned());
        Self { max, denials, drifts, known: Mutex::default(), other }
    }

    /// Events were committed that were not there before.
    pub fn stored<'a>(&self, events: impl IntoIterator<Item = &'a Event>) {
        let mut counts: HashMap<Uuid, (u64, u64)> = HashMap::new();
        for event in events {
            let denied = event.verdict == Verdict::Deny;
            if denied || event.drift_detected {
                let (denials, drifts) = counts.entry(event.agent_id).or_default();
                *denials += u64::from(denied);
                *drifts += u64::from(event.drift_detected);
            }
        }
        for (agent_id, (denials, drifts)) in counts {
            let places = self.places(agent_id);
            places.denials.inc_by(denials);
            places.drifts.inc_by(drifts);
        }
    }

    /// An agent was removed: its series end, and its place is free.
    pub fn removed(&self, agent_id: Uuid) {
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&agent_id).is_some() {
            let label = [("agent_id", agent_id.to_string())];
            self.denials.remove(&label);
            self.drifts.remove(&label);
        }
    }

    fn places(&self, agent_id: Uuid) -> Places {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let len = known.len();
        match known.entry(agent_id) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) if len < self.max => {
                place.insert(places(&self.denials, &self.drifts, agent_id.to_string())).clone()
            }
            Entry::Vacant(_) => self.other.clone(),
        }
    }
}

fn places(denials: &ById, drifts: &ById, label: String) -> Places {
    let label = [("agent_id", label)];
    Places { denials: denials.get_or_create_owned(&label), drifts: drifts.get_or_create_owned(&label) }
}
