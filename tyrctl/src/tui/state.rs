//! All that `tyrctl top` knows and shows, without any I/O: messages and the time go in, a reason to draw comes out.
//!
//! [`State::apply`] takes a message; [`State::prepare`] makes the lists for the next frame; the views then read and draw. What
//! the operator does refers to the lists as they were drawn, so a row can't slip away under the finger.

mod act;
pub mod alerts;
pub mod ask;
pub mod census;
mod command;
mod copy;
pub mod drifts;
pub mod feed;
pub mod fleet;
pub mod lag;
pub mod line;
pub mod link;
pub mod list;
pub mod log;
pub mod login;
pub mod menu;
pub mod mouse;
pub mod news;
pub mod order;
mod past;
mod prepare;
mod privacy;
mod prompt;
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

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tyr_api::agents::Agent;
use tyr_api::alerts::Alert;
use tyr_api::events::Event;
use uuid::Uuid;

use crate::auth::Secret;
use crate::tui::filter::Filter;
use crate::tui::input;
use crate::tui::state::act::{focused, looked_at};
use crate::tui::state::alerts::Alerts;
use crate::tui::state::drifts::{DriftLine, Drifts, GroupBy};
use crate::tui::state::feed::{Arrival, Batch, Feed};
use crate::tui::state::fleet::Fleet;
use crate::tui::state::lag::Lag;
use crate::tui::state::line::History;
use crate::tui::state::link::{Link, Now, Phase};
use crate::tui::state::list::List;
use crate::tui::state::log::{Log, LogLine};
use crate::tui::state::login::{LoggedIn, LoginForm};
use crate::tui::state::mouse::{Click, Hit};
use crate::tui::state::order::Layout;
use crate::tui::state::past::Frozen;
use crate::tui::state::rates::Rates;
use crate::tui::state::ring::{Entry, Ring};
use crate::tui::state::ui::{MenuKind, Page, Pane, Popup, Prompt, Scroll, TimeForm, View};
use crate::tui::theme::{Palette, Role, Theme};

/// How long a notice stays.
pub const NOTICE_FOR: Duration = Duration::from_secs(15);

/// What happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted: never keys.
    Paste(String),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// The terminal has that many columns and rows now.
    Resize(u16, u16),
    /// News from the connection.
    Feed(Feed),
    /// What became of an acknowledgement: the alert as it is now, or why not.
    Acknowledged(Result<Box<Alert>, String>),
    /// What became of a login: what was done with the token, or why it failed.
    LoggedIn(Result<Box<LoggedIn>, String>),
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
    /// On whom or what: a name or a path, which privacy hides.
    pub about: String,
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

/// What is known of the way to the server before the first word from it.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The only certificate authorities that are trusted; absent for those of the system.
    pub ca_file: Option<PathBuf>,
    /// Where the token comes from.
    pub token: String,
    /// When it stops working, if it says so.
    pub token_until: Option<Timestamp>,
    /// Who it was given to, if it says so.
    pub username: Option<String>,
    /// `viewer` or `admin`, if it says so.
    pub role: Option<String>,
}

/// What came through the connection since the start.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Where the stream would be resumed.
    pub cursor: Option<String>,
    /// Events, replayed ones included.
    pub events: u64,
    /// Counters.
    pub stats: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// How long after they were stored events came.
    pub lag: Lag,
    /// When the first answer came.
    pub since: Option<Timestamp>,
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
    /// What lists are sorted by, and their columns.
    pub layout: Layout,
    /// What drift is grouped by.
    pub grouped_by: GroupBy,
    /// How times are shown.
    pub times: TimeForm,
    /// The operator's zone.
    pub zone: TimeZone,
    /// Seconds that charts cover; absent until the operator chose.
    pub window: Option<usize>,
    /// Whether names and paths are hidden.
    pub privacy: bool,
    /// Rows that the operator marked, by their identity.
    pub marked: BTreeSet<Uuid>,
    /// Filters that were typed.
    pub filters: History,
    /// Commands that were typed.
    pub asked: History,
    /// What this program did.
    pub log: Log,
    /// Of that, what is listed.
    pub lines: List<Arc<LogLine>>,
    /// The way to the server.
    pub access: Access,
    /// What came through it.
    pub traffic: Traffic,
    /// Where the figures of the connection are scrolled to.
    pub facts_scroll: Scroll,
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
    /// What the terminal can show.
    pub theme: Theme,
    /// Which colours the roles have.
    pub palette: Palette,
    /// Where everything was drawn.
    hits: RefCell<Vec<Hit>>,
    last_click: Option<Click>,
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
            layout: Layout::default(),
            grouped_by: GroupBy::default(),
            times: TimeForm::default(),
            zone: TimeZone::UTC,
            window: None,
            privacy: false,
            marked: BTreeSet::new(),
            filters: History::default(),
            asked: History::default(),
            log: Log::default(),
            lines: List::default(),
            access: Access::default(),
            traffic: Traffic::default(),
            facts_scroll: Scroll::default(),
            agents: List::default(),
            events: List::default(),
            drifts: List::default(),
            alerts: List::default(),
            groups: List::default(),
            open_groups: BTreeSet::new(),
            notice: None,
            theme,
            palette: Palette::default(),
            hits: RefCell::default(),
            last_click: None,
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
                if self.login.is_some() { self.login_key(&key) } else { self.key(&key) }
            }
            Msg::Paste(text) => {
                if self.login.is_some() {
                    self.login_paste(&text);
                    return Dirty::Input;
                }
                let typing = match &self.popup {
                    Some(Popup::Menu(menu)) => menu.kind == MenuKind::Palette,
                    Some(Popup::Help { search, .. }) => search.is_some(),
                    _ => self.prompt.is_some(),
                };
                if !typing {
                    return Dirty::Clean;
                }
                for c in text.chars().filter(|c| !c.is_control()) {
                    self.typed_into(input::Edit::Insert(c));
                }
                Dirty::Input
            }
            Msg::Mouse(event) => self.mouse(event),
            Msg::Resize(columns, rows) => {
                self.size = (columns, rows);
                Dirty::Input
            }
            Msg::Feed(feed) => self.feed(feed),
            Msg::Acknowledged(Ok(alert)) => {
                self.tell(format!("acknowledged: {} on ", alert.rule), &alert.agent_name, Role::Good);
                self.live.alerts.push(*alert);
                Dirty::Input
            }
            Msg::Acknowledged(Err(why)) => {
                self.tell(format!("not acknowledged: {why}"), "", Role::Bad);
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

    fn key(&mut self, key: &KeyEvent) -> Dirty {
        let typing = match &self.popup {
            Some(Popup::Menu(_)) => true,
            Some(Popup::Help { search, .. }) => search.is_some(),
            _ => self.prompt.is_some(),
        };
        if typing {
            return match input::edit(key) {
                Some(edit) if self.typed_into(edit) => Dirty::Input,
                _ => Dirty::Clean,
            };
        }
        match input::action(key) {
            Some(action) => {
                self.act(action);
                Dirty::Input
            }
            None => Dirty::Clean,
        }
    }

    /// An edit of whatever is being typed into; false if it changes nothing.
    fn typed_into(&mut self, edit: input::Edit) -> bool {
        match &self.popup {
            Some(Popup::Menu(_)) => self.edit_menu(edit),
            Some(Popup::Help { .. }) => self.edit_help(edit),
            _ => return self.edit(edit),
        }
        true
    }

    fn feed(&mut self, feed: Feed) -> Dirty {
        let now = self.now;
        match feed {
            Feed::Connecting => {
                if *self.link.phase() == Phase::Connecting && self.traffic.since.is_none() {
                    self.note("connecting to ", &self.server.clone(), Role::Normal);
                }
                self.link.trying();
            }
            Feed::Snapshot { snapshot, resumed } => {
                let snapshot = *snapshot;
                self.link.sync(snapshot.now, now);
                self.traffic.snapshots += 1;
                self.traffic.since.get_or_insert(snapshot.now);
                self.traffic.cursor.get_or_insert_with(|| snapshot.cursor.clone());
                let text = format!(
                    "snapshot of tyr-server {}: {} agents, {} events",
                    snapshot.version,
                    snapshot.agents.len(),
                    snapshot.events.len()
                );
                self.note(text, "", Role::Normal);
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
                let again = self.link.open(now);
                self.note(if again { "stream open again, catching up" } else { "stream open" }, "", Role::Good);
                return Dirty::Input;
            }
            Feed::Batch(batch) => return self.batch(*batch),
            Feed::Waiting { attempt, until, cause } => {
                let seconds = until.saturating_duration_since(now.mono).as_millis().div_ceil(1_000);
                self.note(format!("cut off, try {attempt} in {seconds} s: "), &cause, Role::Warn);
                self.link.waiting(attempt, until, cause, now);
            }
            Feed::Stopped { cause, login } => {
                self.note("given up: ", &cause, Role::Bad);
                self.link.stopped(cause, login, now);
            }
            Feed::Ended(cause) => {
                match &cause {
                    Some(cause) => self.note("the recording can't be read on: ", cause, Role::Bad),
                    None => self.note("end of the recording", "", Role::Warn),
                }
                self.link.ended(cause, now);
            }
            Feed::RecordingEnded(why) => {
                self.recording = false;
                self.tell(why, "", Role::Warn);
            }
        }
        Dirty::Data
    }

    fn batch(&mut self, batch: Batch) -> Dirty {
        let now = self.now;
        self.link.frame(now);
        let mut replayed = 0;
        let mut gaps = Vec::new();
        let live_clock = self.link.server_now(now).filter(|_| *self.link.phase() == Phase::Live);
        self.traffic.stats += batch.stats.len() as u64;
        if batch.cursor.is_some() {
            self.traffic.cursor = batch.cursor;
        }
        let live = &mut self.live;
        for arrival in batch.arrivals {
            match arrival {
                Arrival::Event(event) => {
                    let event = Arc::new(*event);
                    replayed += 1;
                    if let Some(clock) = live_clock {
                        self.traffic.lag.push(clock.as_millisecond() - event.received_at.as_millisecond());
                    }
                    live.drifts.push(&event);
                    live.events.push(event);
                }
                Arrival::Gap(gap) => {
                    let missed = gap.missed.map_or_else(|| "an unknown number of".to_owned(), |n| n.to_string());
                    gaps.push(format!("gap: {missed} events did not reach this screen; the server has them"));
                    live.events.push_gap(gap);
                }
            }
        }
        self.link.replayed(replayed + batch.dropped);
        self.traffic.events += replayed + batch.dropped;
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
            let text = format!(
                "reconnected after {}.{} s, replayed {events} events",
                away.as_secs(),
                away.subsec_millis() / 100
            );
            self.tell(text, "", Role::Good);
            if let Some(done) = self.login_done.take() {
                self.say(done, Role::Good);
            }
        }
        for gap in gaps {
            self.tell(gap, "", Role::Warn);
        }
        Dirty::Data
    }

    /// Shows a line for a while.
    fn say(&mut self, text: impl Into<String>, role: Role) {
        let (text, about) = (text.into(), String::new());
        self.notice = Some(Notice { text, about, role, at: self.now.mono, stamp: self.clock });
    }

    /// Shows a line for a while, and notes it in the log.
    fn tell(&mut self, text: impl Into<String>, about: &str, role: Role) {
        let text = text.into();
        self.note(text.clone(), about, role);
        let stamp = self.link.server_now(self.now);
        self.notice = Some(Notice { text, about: about.to_owned(), role, at: self.now.mono, stamp });
    }

    /// Notes something in the log.
    fn note(&mut self, text: impl Into<String>, about: &str, role: Role) {
        let at = self.link.server_now(self.now).unwrap_or(self.now.wall);
        self.log.push(at, text.into(), about.to_owned(), role);
    }
}
