//! All that `tyrctl top` knows and shows, without any I/O: messages and the time go in, a reason to draw comes out.
//!
//! [`State::apply`] takes a message; [`State::prepare`] makes the lists for the next frame; the views then read and draw. What
//! the operator does refers to the lists as they were drawn, so a row can't slip away under the finger.

mod act;
pub mod alerts;
pub mod census;
mod command;
pub mod drifts;
pub mod feed;
pub mod fleet;
pub mod link;
pub mod list;
pub mod login;
pub mod news;
mod prepare;
pub mod rates;
pub mod ring;
pub mod rows;
mod tail;
pub mod ui;

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod week;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use tyr_api::agents::Agent;
use tyr_api::alerts::Alert;
use tyr_api::events::Event;
use uuid::Uuid;

use crate::auth::Secret;
use crate::tui::filter::Filter;
use crate::tui::input;
use crate::tui::state::alerts::Alerts;
use crate::tui::state::drifts::{DriftLine, Drifts};
use crate::tui::state::feed::{Arrival, Batch, Feed};
use crate::tui::state::fleet::Fleet;
use crate::tui::state::link::{Link, Now};
use crate::tui::state::list::List;
use crate::tui::state::login::LoginForm;
use crate::tui::state::rates::Rates;
use crate::tui::state::ring::{Entry, Ring};
use crate::tui::state::ui::{Page, Pane, Popup, Prompt, SortBy, View};
use crate::tui::theme::{Role, Theme};

/// How long a notice stays.
pub const NOTICE_FOR: Duration = Duration::from_secs(15);

/// What happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted: never keys.
    Paste(String),
    /// The terminal has that many columns and rows now.
    Resize(u16, u16),
    /// News from the connection.
    Feed(Feed),
    /// What became of an acknowledgement: the alert as it is now, or why not.
    Acknowledged(Result<Box<Alert>, String>),
    /// What became of a login: what was done with the token, or why it failed.
    LoggedIn(Result<String, String>),
    /// What the operator asked for can't be done, and why.
    Said(String),
    /// A second went by.
    Tick,
}

/// Whether a frame is due, and how urgently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dirty {
    /// Nothing that is shown changed.
    Clean,
    /// Data changed: with the next frame of the grid.
    Data,
    /// The operator did something: at once.
    Input,
}

/// What the state can't do itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Leave; `keep` prints the last screen into the scrollback.
    Quit {
        /// Whether to.
        keep: bool,
    },
    /// Put text into the terminal's clipboard.
    Copy(String),
    /// Tell the server that an alert is known.
    Acknowledge(Uuid),
    /// Connect now.
    Retry,
    /// Log in, and connect with the new token.
    Login {
        /// Who.
        username: String,
        /// Theirs.
        password: Secret,
    },
    /// Stop the process until the shell continues it.
    Suspend,
    /// Draw every cell anew.
    Redraw,
}

/// A line that tells what just happened.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What.
    pub text: String,
    /// How it looks.
    pub role: Role,
    /// When, by our clock.
    pub at: Instant,
    /// When, by the server's.
    pub stamp: Option<Timestamp>,
}

/// What came from the server.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// Agents and AI processes.
    pub fleet: Fleet,
    /// Newest events.
    pub events: Ring,
    /// Newest drift.
    pub drifts: Drifts,
    /// Alerts that are pending or firing.
    pub alerts: Alerts,
    /// Events per second.
    pub rates: Rates,
    /// Events that agents declared lost.
    pub lost: u64,
    /// Event bodies that this screen dropped because it was too slow.
    pub dropped: u64,
    /// Version of the server; empty before the first snapshot.
    pub version: String,
}

/// A picture that is held.
#[derive(Debug)]
struct Frozen {
    data: Data,
    clock: Option<Timestamp>,
}

/// All that `tyrctl top` knows and shows.
#[derive(Debug)]
pub struct State {
    /// Name of the context.
    pub context: String,
    /// Address of the server.
    pub server: String,
    /// The connection.
    pub link: Link,
    live: Data,
    frozen: Option<Box<Frozen>>,
    /// The numbered view.
    pub view: View,
    /// Pages over it, the topmost last.
    pub pages: Vec<Page>,
    /// The list that has the focus, where no page is open.
    pub focus: Pane,
    /// Whether the focused list has the whole screen.
    pub zoom: bool,
    /// A box over everything.
    pub popup: Option<Popup>,
    /// The filter being typed.
    pub prompt: Option<Prompt>,
    /// The question for name and password.
    pub login: Option<LoginForm>,
    login_done: Option<String>,
    /// The name to log in with, as far as it's known.
    pub username: Option<String>,
    /// Whether what comes is recorded.
    pub recording: bool,
    /// How many times faster than it happened a recording is played; absent while a server is followed.
    pub replay: Option<f64>,
    /// The filter in force.
    pub filter: Filter,
    /// Whether allowed events are left out of the lists.
    pub deny_only: bool,
    /// What agents are sorted by.
    pub sort: SortBy,
    /// Whether the other way round.
    pub sort_reversed: bool,
    /// Agents as listed.
    pub agents: List<Arc<Agent>>,
    /// Events as listed, newest first.
    pub events: List<Entry>,
    /// Drift as listed, newest first.
    pub drifts: List<Arc<Event>>,
    /// Alerts as listed.
    pub alerts: List<Arc<Alert>>,
    /// Drift as listed by agent.
    pub groups: List<DriftLine>,
    open_groups: BTreeSet<Uuid>,
    notice: Option<Notice>,
    /// Colours and glyphs.
    pub theme: Theme,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Our clocks at the last message or frame.
    pub now: Now,
    /// Server's clock of what is shown; absent before the first word from it.
    pub clock: Option<Timestamp>,
    agents_listed: Option<Instant>,
    relist_agents: bool,
    listed: tail::Listed,
    census: census::Taken,
    last_key: Option<Instant>,
    effects: Vec<Effect>,
}

impl State {
    /// An empty screen.
    pub fn new(context: impl Into<String>, server: impl Into<String>, theme: Theme, now: Now) -> Self {
        Self {
            context: context.into(),
            server: server.into(),
            link: Link::default(),
            live: Data::default(),
            frozen: None,
            view: View::Overview,
            pages: Vec::new(),
            focus: Pane::Agents,
            zoom: false,
            popup: None,
            prompt: None,
            login: None,
            login_done: None,
            username: None,
            recording: false,
            replay: None,
            filter: Filter::default(),
            deny_only: false,
            sort: SortBy::State,
            sort_reversed: false,
            agents: List::default(),
            events: List::default(),
            drifts: List::default(),
            alerts: List::default(),
            groups: List::default(),
            open_groups: BTreeSet::new(),
            notice: None,
            theme,
            size: (80, 24),
            now,
            clock: None,
            agents_listed: None,
            relist_agents: true,
            listed: tail::Listed::default(),
            census: census::Taken::default(),
            last_key: None,
            effects: Vec::new(),
        }
    }

    /// What is shown: the held picture, or the present.
    pub fn data(&self) -> &Data {
        self.frozen.as_ref().map_or(&self.live, |frozen| &frozen.data)
    }

    /// Whether the picture is held, and how many events came in since.
    pub fn frozen(&self) -> Option<u64> {
        self.frozen.as_ref().map(|frozen| self.live.events.taken() - frozen.data.events.taken())
    }

    /// What just happened, for as long as it's news.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref().filter(|notice| self.now.mono.saturating_duration_since(notice.at) < NOTICE_FOR)
    }

    /// What the state wants done; each thing is told once.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Takes a message in.
    pub fn apply(&mut self, msg: Msg, now: Now) -> Dirty {
        self.now = now;
        match msg {
            Msg::Key(key) => {
                self.last_key = Some(now.mono);
                if self.login.is_some() {
                    return self.login_key(&key);
                }
                if self.prompt.is_some() {
                    let Some(edit) = input::edit(&key) else { return Dirty::Clean };
                    self.edit(edit);
                    return Dirty::Input;
                }
                match input::action(&key) {
                    Some(action) => {
                        self.act(action);
                        Dirty::Input
                    }
                    None => Dirty::Clean,
                }
            }
            Msg::Paste(text) => {
                if self.login.is_some() {
                    self.login_paste(&text);
                    return Dirty::Input;
                }
                if self.prompt.is_none() {
                    return Dirty::Clean;
                }
                for c in text.chars().filter(|c| !c.is_control()) {
                    self.edit(input::Edit::Insert(c));
                }
                Dirty::Input
            }
            Msg::Resize(columns, rows) => {
                self.size = (columns, rows);
                Dirty::Input
            }
            Msg::Feed(feed) => self.feed(feed),
            Msg::Acknowledged(Ok(alert)) => {
                self.say(format!("acknowledged: {} on {}", alert.rule, alert.agent_name), Role::Good);
                self.live.alerts.push(*alert);
                Dirty::Input
            }
            Msg::Acknowledged(Err(why)) => {
                self.say(format!("not acknowledged: {why}"), Role::Bad);
                Dirty::Input
            }
            Msg::Said(text) => {
                self.say(text, Role::Warn);
                Dirty::Input
            }
            Msg::LoggedIn(answer) => self.logged_in(answer),
            // Clock and ages move once a second, and only while something shows them moving.
            Msg::Tick if self.link.is_at_rest() || (self.frozen.is_some() && self.link.is_live()) => Dirty::Clean,
            Msg::Tick => Dirty::Data,
        }
    }

    fn feed(&mut self, feed: Feed) -> Dirty {
        let now = self.now;
        match feed {
            Feed::Connecting => self.link.trying(),
            Feed::Snapshot { snapshot, resumed } => {
                let snapshot = *snapshot;
                self.link.sync(snapshot.now, now);
                let live = &mut self.live;
                live.version = snapshot.version;
                live.fleet.start(snapshot.stale_after_s, snapshot.agents, snapshot.discovered_agents);
                live.rates.start(snapshot.now, snapshot.rates);
                for event in snapshot.drifts.into_iter().rev() {
                    live.drifts.push(&Arc::new(event));
                }
                live.drifts.last_day = snapshot.drifts_1d;
                live.alerts.start(snapshot.alerts);
                if !resumed {
                    for event in snapshot.events.into_iter().rev() {
                        live.events.push(Arc::new(event));
                    }
                }
                self.relist_agents = true;
                self.listed.is_void();
                self.census.is_void();
                // Whoever waits for the first picture, or for one after an outage, shall not wait for the grid of frames too.
                return Dirty::Input;
            }
            Feed::Open => {
                self.link.open(now);
                return Dirty::Input;
            }
            Feed::Batch(batch) => return self.batch(*batch),
            Feed::Waiting { attempt, until, cause } => self.link.waiting(attempt, until, cause, now),
            Feed::Stopped { cause, login } => self.link.stopped(cause, login, now),
            Feed::Ended(cause) => self.link.ended(cause, now),
            Feed::RecordingEnded(why) => {
                self.recording = false;
                self.say(why, Role::Warn);
            }
        }
        Dirty::Data
    }

    fn batch(&mut self, batch: Batch) -> Dirty {
        let now = self.now;
        let live = &mut self.live;
        self.link.frame(now);
        let mut replayed = 0;
        for arrival in batch.arrivals {
            match arrival {
                Arrival::Event(event) => {
                    let event = Arc::new(*event);
                    replayed += 1;
                    live.drifts.push(&event);
                    live.events.push(event);
                }
                Arrival::Gap(gap) => {
                    let missed = gap.missed.map_or_else(|| "an unknown number of".to_owned(), |n| n.to_string());
                    let text = format!("gap: {missed} events did not reach this screen; the server has them");
                    live.events.push_gap(gap);
                    self.notice =
                        Some(Notice { text, role: Role::Warn, at: now.mono, stamp: self.link.server_now(now) });
                }
            }
        }
        self.link.replayed(replayed + batch.dropped);
        live.dropped += batch.dropped;
        for ((agent, second), counts) in &batch.counts {
            live.rates.count(*agent, *second, counts);
            live.fleet.heard(*agent, *second);
        }
        if !batch.agents.is_empty() || !batch.counts.is_empty() {
            self.relist_agents = true;
        }
        if !batch.agents.is_empty() {
            self.census.is_void();
        }
        batch.agents.into_values().for_each(|agent| live.fleet.agent(agent));
        batch.alerts.into_values().for_each(|alert| live.alerts.push(alert));
        batch.ai.into_values().for_each(|process| live.fleet.process(process));
        for stats in &batch.stats {
            self.link.sync(stats.now, now);
            live.rates.push(stats);
            live.rates.prune(stats.now.as_second());
            live.fleet.prune(stats.now.as_second());
            live.drifts.last_day = stats.drifts_1d;
            live.lost = stats.events_lost;
        }
        if !batch.stats.is_empty()
            && let Some((away, events)) = self.link.caught_up(now)
        {
            let reconnected = || {
                format!(
                    "reconnected after {}.{} s, replayed {events} events",
                    away.as_secs(),
                    away.subsec_millis() / 100
                )
            };
            let text = self.login_done.take().unwrap_or_else(reconnected);
            self.notice = Some(Notice { text, role: Role::Good, at: now.mono, stamp: self.link.server_now(now) });
        }
        Dirty::Data
    }

    fn say(&mut self, text: impl Into<String>, role: Role) {
        self.notice = Some(Notice { text: text.into(), role, at: self.now.mono, stamp: self.clock });
    }
}
