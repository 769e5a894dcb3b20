//! Agents that are connected now, and news of the fleet for dashboards.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};
use tyr_api::agents::{Agent, DiscoveredAgent};
use tyr_api::stream::StreamStats;

/// Seconds of news that a subscriber may fall behind.
const NEWS_MAX: usize = 64;

/// What changed within one second; made once, sent to every dashboard.
#[derive(Debug)]
pub struct News {
    /// Counters.
    pub stats: StreamStats,
    /// Agents that changed, as REST shows them.
    pub agents: Vec<Agent>,
    /// AI processes that changed.
    pub discovered_agents: Vec<DiscoveredAgent>,
}

/// All agents that this server knows of.
#[derive(Debug)]
pub struct Fleet {
    news: broadcast::Sender<Arc<News>>,
    policies: watch::Sender<u64>,
}

impl Fleet {
    /// An empty fleet.
    pub fn new() -> Self {
        Self { news: broadcast::Sender::new(NEWS_MAX), policies: watch::Sender::new(0) }
    }

    /// News once a second.
    pub fn news(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.subscribe()
    }

    /// Says that assignments were changed and committed: every stream looks whether its agent's effective policy is another.
    pub fn policies_changed(&self) {
        self.policies.send_modify(|generation| *generation += 1);
    }

    /// Generation of assignments, for streams.
    pub fn policy_generation(&self) -> watch::Receiver<u64> {
        self.policies.subscribe()
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self::new()
    }
}
