//! What the operator looks at: views, panes, pages, popups and the prompt.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use tyr_api::agents::DiscoveredAgent;
use tyr_api::events::Event;
use uuid::Uuid;

use crate::tui::filter::Completion;
use crate::tui::state::line::Line;
use crate::tui::state::list::List;
use crate::tui::state::ring::Entry;
use crate::tui::state::tail::Followed;

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
    /// What this program did.
    Log,
    /// The connection in figures.
    Connection,
}

impl View {
    /// In the order of their digits.
    pub const ALL: [Self; 7] =
        [Self::Overview, Self::Agents, Self::Events, Self::Drift, Self::Alerts, Self::Log, Self::Connection];

    /// The name in the bar.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Agents => "Agents",
            Self::Events => "Events",
            Self::Drift => "Drift",
            Self::Alerts => "Alerts",
            Self::Log => "Log",
            Self::Connection => "Connection",
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
            Self::Log => &[Pane::Log],
            Self::Connection => &[Pane::Facts],
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
    /// Drifting events in groups.
    DriftTree,
    /// Alerts.
    Alerts,
    /// What this program did.
    Log,
    /// Figures of the connection: text, no list.
    Facts,
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
    /// All about one agent, or one AI process there.
    Agent(Box<AgentPage>),
    /// All about one event.
    Event(Box<EventPage>),
    /// Why an event was judged as it was.
    Why(Box<EventPage>),
}

/// All about one agent, or one AI process there.
#[derive(Debug)]
pub struct AgentPage {
    /// Which agent.
    pub agent: Uuid,
    /// Which of its AI processes; absent for all of the agent.
    pub process: Option<Uuid>,
    /// The list that has the focus.
    pub focus: Pane,
    /// Its AI processes.
    pub ai: List<Arc<DiscoveredAgent>>,
    /// Its newest events.
    pub events: List<Entry>,
    /// What these were made of.
    pub events_listed: Followed,
    /// Its drift.
    pub drifts: List<Arc<Event>>,
}

impl AgentPage {
    /// Of that agent.
    pub fn new(agent: Uuid) -> Self {
        let (ai, events, drifts) = (List::default(), List::default(), List::default());
        let events_listed = Followed::default();
        Self { agent, process: None, focus: Pane::PageEvents, ai, events, events_listed, drifts }
    }

    /// Of that AI process.
    pub fn of_process(process: &DiscoveredAgent) -> Self {
        Self { process: Some(process.id), ..Self::new(process.daemon_agent_id) }
    }

    /// The lists of the page, in the order of tab.
    pub const fn panes(&self) -> &'static [Pane] {
        match self.process {
            None => &[Pane::PageAi, Pane::PageEvents, Pane::PageDrift],
            Some(_) => &[Pane::PageEvents, Pane::PageDrift],
        }
    }
}

/// Where a text is scrolled to. Drawing keeps it within the text: the height of a panel is known there and nowhere else.
#[derive(Clone, Debug, Default)]
pub struct Scroll {
    first: Cell<usize>,
    height: Cell<usize>,
    /// Lines that match the filter.
    marks: RefCell<Vec<usize>>,
    /// The one of them that was gone to last.
    mark: Cell<Option<usize>>,
}

impl Scroll {
    /// Moves by lines.
    pub fn step(&self, by: isize) {
        self.first.set(self.first.get().saturating_add_signed(by));
    }

    /// Moves by screens.
    pub fn page(&self, by: isize) {
        self.step(by.saturating_mul(isize::try_from(self.height.get().max(1)).unwrap_or(1)));
    }

    /// Says which lines match the filter.
    pub fn mark(&self, lines: impl Iterator<Item = usize>) {
        let mut marks = self.marks.borrow_mut();
        marks.clear();
        marks.extend(lines);
    }

    /// Goes to the next line that matches the filter, or the one before; false if there is none.
    pub fn go_to_mark(&self, by: isize) -> bool {
        let first = self.first.get();
        // Near the end of a text the line that was gone to is not the first that is seen.
        let seen = first..first + self.height.get().max(1);
        let now = self.mark.get().filter(|mark| seen.contains(mark));
        let marks = self.marks.borrow();
        let next = match (now, by > 0) {
            (Some(now), true) => marks.iter().find(|mark| **mark > now),
            (None, true) => marks.iter().find(|mark| **mark >= first),
            (now, false) => marks.iter().rev().find(|mark| **mark < now.unwrap_or(first)),
        };
        if let Some(next) = next {
            self.mark.set(Some(*next));
            self.first.set(*next);
        }
        next.is_some()
    }

    /// Goes to a line.
    pub fn go(&self, line: usize) {
        self.first.set(line);
    }

    /// The first line to draw of that many, when `height` fit.
    pub fn first(&self, lines: usize, height: usize) -> usize {
        self.height.set(height);
        self.first.set(self.first.get().min(lines.saturating_sub(height)));
        self.first.get()
    }
}

/// All about one event.
#[derive(Debug)]
pub struct EventPage {
    /// Which.
    pub event: Arc<Event>,
    /// Where the text is scrolled to.
    pub scroll: Scroll,
    /// How many events are like it, in words, and the second of the shown clock in which they were counted.
    pub alike: RefCell<(i64, String)>,
}

impl EventPage {
    /// Of that event.
    pub fn new(event: Arc<Event>) -> Self {
        Self { event, scroll: Scroll::default(), alike: RefCell::default() }
    }
}

/// A box over the screen; any key that isn't for it closes it.
#[derive(Debug)]
pub enum Popup {
    /// All keys.
    Help {
        /// Where it's scrolled to.
        scroll: Scroll,
        /// Only lines with these words; absent while nobody searches.
        search: Option<Line>,
    },
    /// The command line, or the SQL, that shows the same as the screen.
    Command {
        /// Which of them it is, in words.
        title: &'static str,
        /// As it's shown, and as it's copied: privacy hides names from the first alone.
        shown: String,
        /// See `shown`.
        copied: String,
        /// What the screen leaves out and the command does not.
        note: String,
    },
    /// Something to choose from.
    Menu(Menu),
}

/// What a menu offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuKind {
    /// All actions, found by their words.
    Palette,
    /// Columns to sort by.
    Sort,
    /// Columns to show.
    Columns,
}

/// Something to choose from.
#[derive(Debug)]
pub struct Menu {
    /// What it offers.
    pub kind: MenuKind,
    /// What is looked for, in the palette.
    pub line: Line,
    /// The selected item.
    pub index: usize,
    /// Where it's scrolled to.
    pub scroll: Scroll,
}

impl Menu {
    /// A fresh one.
    pub fn new(kind: MenuKind, index: usize) -> Self {
        Self { kind, line: Line::default(), index, scroll: Scroll::default() }
    }
}

/// What a prompt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// A filter: `/`.
    Filter,
    /// A command: `:`.
    Ask,
}

/// The line in which a filter or a command is typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// What was typed.
    pub line: Line,
    /// What was in force before, for `esc`.
    pub before: String,
    /// What is wrong with it: where (in characters) and why.
    pub error: Option<(usize, String)>,
    /// Where the word begins that could be completed.
    pub offers_at: usize,
    /// What it could become.
    pub offers: Vec<Completion>,
    /// Which of these stands there now.
    pub offer: Option<usize>,
}

impl Prompt {
    /// With that text in it.
    pub fn new(kind: PromptKind, text: &str) -> Self {
        Self {
            kind,
            line: Line::new(text),
            before: text.to_owned(),
            error: None,
            offers_at: 0,
            offers: Vec::new(),
            offer: None,
        }
    }
}

/// How times are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeForm {
    /// `17:02:41Z`.
    #[default]
    Utc,
    /// `19:02:41`, in the operator's zone.
    Zone,
    /// `9m39s`.
    Age,
    /// `17:02:41.120Z`.
    Millis,
}

impl TimeForm {
    /// In the order of their key.
    pub const ALL: [Self; 4] = [Self::Utc, Self::Zone, Self::Age, Self::Millis];

    /// As after `:time`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Utc => "utc",
            Self::Zone => "local",
            Self::Age => "age",
            Self::Millis => "ms",
        }
    }

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        let place = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        Self::ALL[(place + 1) % Self::ALL.len()]
    }
}

/// Stretches of time that charts can cover, in seconds.
pub const WINDOWS_S: [usize; 6] = [60, 120, 300, 600, 1_800, 3_600];
