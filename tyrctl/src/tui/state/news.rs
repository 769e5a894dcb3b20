//! One thing after the other, as it came from the server: what a recording holds, and what batches are made of.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tyr_api::agents::{Agent, DiscoveredAgent};
use tyr_api::alerts::Alert;
use tyr_api::events::Event;
use tyr_api::stream::{Gap, Snapshot, StreamStats};

use crate::tui::state::feed::{Batch, Feed};

/// What came, or what became of the connection. The names are part of the format of recordings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// See [`Feed::Connecting`].
    Connecting,
    /// See [`Feed::Snapshot`].
    Snapshot {
        /// Whether the stream fills in what was missed.
        resumed: bool,
        /// The server's answer.
        snapshot: Box<Snapshot>,
    },
    /// See [`Feed::Open`].
    Open,
    /// A judged action.
    Event(Box<Event>),
    /// Events are missing here.
    Gap(Gap),
    /// Counters.
    Stats(StreamStats),
    /// Agents that changed.
    Agents(Vec<Agent>),
    /// AI processes that changed.
    Ai(Vec<DiscoveredAgent>),
    /// An alert that changed.
    Alert(Box<Alert>),
    /// A sign of life.
    Alive,
    /// See [`Feed::Waiting`].
    Waiting {
        /// Counted from 1 since the last good connection.
        attempt: u32,
        /// How long until the next attempt.
        delay_ms: u64,
        /// Why, in one line.
        cause: String,
    },
    /// See [`Feed::Stopped`].
    Stopped {
        /// Why, in one line.
        cause: String,
        /// Whether logging in would help.
        login: bool,
    },
}

impl Batch {
    /// Takes what came in; gives back what is no content of a batch but concerns the connection, which happened at `now`.
    pub fn take(&mut self, news: News, now: Instant) -> Option<Feed> {
        self.alive |= !news.is_about_the_connection();
        match news {
            News::Event(event) => self.event(event),
            News::Gap(gap) => self.gap(gap),
            News::Stats(stats) => self.count(stats),
            News::Agents(agents) => self.agents.extend(agents.into_iter().map(|agent| (agent.agent_id, agent))),
            News::Ai(processes) => self.ai.extend(processes.into_iter().map(|process| (process.id, process))),
            News::Alert(alert) => {
                self.urgent = true;
                self.alerts.insert(alert.alert_id, *alert);
            }
            News::Alive => {}
            News::Connecting => return Some(Feed::Connecting),
            News::Snapshot { resumed, snapshot } => return Some(Feed::Snapshot { snapshot, resumed }),
            News::Open => return Some(Feed::Open),
            News::Waiting { attempt, delay_ms, cause } => {
                let until = now.checked_add(Duration::from_millis(delay_ms)).unwrap_or(now);
                return Some(Feed::Waiting { attempt, until, cause });
            }
            News::Stopped { cause, login } => return Some(Feed::Stopped { cause, login }),
        }
        None
    }
}

impl News {
    /// Whether it has to be told apart from what a batch holds.
    pub const fn is_about_the_connection(&self) -> bool {
        matches!(
            self,
            Self::Connecting | Self::Snapshot { .. } | Self::Open | Self::Waiting { .. } | Self::Stopped { .. }
        )
    }
}
