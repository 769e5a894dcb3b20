//! What the operator looks at: views, panes, pages, popups and the prompt.

use std::cell::Cell;
use std::sync::Arc;

use tyr_api::agents::DiscoveredAgent;
use tyr_api::events::Event;
use uuid::Uuid;

use crate::tui::state::list::List;
use crate::tui::state::ring::Entry;

/// The numbered views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Everything at a glance.
    Overview,
    /// All agents.
    Agents,
    /// The live tail.
    Events,
    /// Drift by agent.
    Drift,
    /// Alerts that are pending or firing.
    Alerts,
}

impl View {
    /// In the order of their digits.
    pub const ALL: [Self; 5] = [Self::Overview, Self::Agents, Self::Events, Self::Drift, Self::Alerts];

    /// The name in the bar.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Agents => "Agents",
            Self::Events => "Events",
            Self::Drift => "Drift",
            Self::Alerts => "Alerts",
        }
    }

    /// The lists that can have the focus, in the order of tab.
    pub const fn panes(self) -> &'static [Pane] {
        match self {
            Self::Overview => &[Pane::Agents, Pane::Drift, Pane::Events],
            Self::Agents => &[Pane::Agents],
            Self::Events => &[Pane::Events],
            Self::Drift => &[Pane::DriftTree],
            Self::Alerts => &[Pane::Alerts],
        }
    }
}

/// A list that can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// Agents.
    Agents,
    /// Events, newest first.
    Events,
    /// Drifting events, newest first.
    Drift,
    /// Drifting events by agent.
    DriftTree,
    /// Alerts.
    Alerts,
    /// AI processes of the agent's page.
    PageAi,
    /// Events of the agent's page.
    PageEvents,
    /// Drift of the agent's page.
    PageDrift,
}

/// A page that was opened from a list; `esc` closes it.
#[derive(Debug)]
pub enum Page {
    /// All about one agent.
    Agent(Box<AgentPage>),
    /// All about one event.
    Event(Box<EventPage>),
}

/// All about one agent.
#[derive(Debug)]
pub struct AgentPage {
    /// Which.
    pub agent: Uuid,
    /// The list that has the focus.
    pub focus: Pane,
    /// Its AI processes.
    pub ai: List<Arc<DiscoveredAgent>>,
    /// Its newest events.
    pub events: List<Entry>,
    /// Its drift.
    pub drifts: List<Arc<Event>>,
}

impl AgentPage {
    /// The lists of the page, in the order of tab.
    pub const PANES: &'static [Pane] = &[Pane::PageAi, Pane::PageEvents, Pane::PageDrift];

    /// Of that agent.
    pub fn new(agent: Uuid) -> Self {
        Self { agent, focus: Pane::PageEvents, ai: List::default(), events: List::default(), drifts: List::default() }
    }
}

/// All about one event.
#[derive(Debug)]
pub struct EventPage {
    /// Which.
    pub event: Arc<Event>,
    /// First line shown; drawing keeps it within the text.
    pub scroll: Cell<usize>,
    /// Lines that were visible at the last drawing.
    pub height: Cell<usize>,
}

impl EventPage {
    /// Of that event.
    pub fn new(event: Arc<Event>) -> Self {
        Self { event, scroll: Cell::new(0), height: Cell::new(1) }
    }
}

/// A box over the screen; any key that isn't for it closes it.
#[derive(Debug)]
pub enum Popup {
    /// All keys.
    Help {
        /// First line shown.
        scroll: Cell<usize>,
    },
    /// The command line that shows the same as the screen.
    Command(String),
}

/// The line in which a filter is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// What was typed.
    pub text: String,
    /// What was in force before, for `esc`.
    pub before: String,
    /// What is wrong with it: where (in characters) and why.
    pub error: Option<(usize, String)>,
}

/// Columns that agents can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// Worst first, then longest unheard of.
    State,
    /// Name.
    Name,
    /// Longest unheard of first.
    Age,
    /// Busiest first.
    Rate,
    /// Oldest policy first.
    Policy,
    /// Most AI processes first.
    Ai,
    /// Most lost events first.
    Lost,
}

impl SortBy {
    /// In the order of the key `s`.
    pub const ALL: [Self; 7] = [Self::State, Self::Name, Self::Age, Self::Rate, Self::Policy, Self::Ai, Self::Lost];

    /// As in the panel's note.
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "STATE",
            Self::Name => "AGENT",
            Self::Age => "AGE",
            Self::Rate => "EV/S",
            Self::Policy => "POLICY",
            Self::Ai => "AI",
            Self::Lost => "LOST",
        }
    }

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        let place = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        Self::ALL[(place + 1) % Self::ALL.len()]
    }
}
