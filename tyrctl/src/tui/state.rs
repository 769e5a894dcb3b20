//! All that `tyrctl top` knows and shows, without any I/O: messages and the time go in, a reason to draw comes out.
//!
//! [`State::apply`] takes a message; [`State::prepare`] makes the lists for the next frame; the views then read and draw. What
//! the operator does refers to the lists as they were drawn, so a row can't slip away under the finger.

mod act;
mod agents;
pub mod alerts;
pub mod ask;
pub mod census;
pub mod command;
mod copy;
pub mod drifts;
pub mod feed;
pub mod fleet;
pub mod held;
pub mod lag;
pub mod line;
pub mod link;
pub mod list;
pub mod log;
pub mod login;
pub mod menu;
pub mod mouse;
pub mod msg;
pub mod news;
pub mod notice;
mod open;
pub mod order;
mod past;
mod prepare;
mod privacy;
mod prompt;
pub mod rates;
pub mod ring;
pub mod roll;
pub mod rows;
mod tail;
mod take;
pub mod ui;

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod week;

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tyr_api::alerts::Alert;
use tyr_api::events::Event;
use uuid::Uuid;

use crate::tui::filter::Filter;
use crate::tui::keymap::Keymap;
use crate::tui::state::act::{focused, looked_at};
use crate::tui::state::alerts::Alerts;
use crate::tui::state::drifts::{DriftLine, Drifts, GroupBy};
use crate::tui::state::fleet::Fleet;
use crate::tui::state::lag::Lag;
use crate::tui::state::line::History;
use crate::tui::state::link::{Link, Now};
use crate::tui::state::list::{AgentKey, List};
use crate::tui::state::log::{Log, LogLine};
use crate::tui::state::login::LoginForm;
use crate::tui::state::mouse::{Click, Hit};
use crate::tui::state::msg::Effect;
use crate::tui::state::notice::Notice;
use crate::tui::state::order::Layout;
use crate::tui::state::past::Frozen;
use crate::tui::state::rates::Rates;
use crate::tui::state::ring::{Entry, Ring};
use crate::tui::state::ui::{Page, Pane, Popup, Prompt, Scroll, TimeForm, View};
use crate::tui::theme::{Palette, Theme};

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
    /// Bytes of the stream.
    pub bytes: u64,
    /// Bytes of the stream at the newest counters, oldest first.
    pub bytes_at: VecDeque<(Instant, u64)>,
    /// Counters.
    pub stats: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// How long after they were stored events came.
    pub lag: Lag,
    /// When the first answer came.
    pub since: Option<Timestamp>,
}

/// Counters over which the rate of bytes is taken; one comes each second.
pub const BYTES_AT_MAX: usize = 11;

impl Traffic {
    /// Takes in that counters came at that moment.
    fn beat(&mut self, now: Instant) {
        self.bytes_at.push_back((now, self.bytes));
        if self.bytes_at.len() > BYTES_AT_MAX {
            self.bytes_at.pop_front();
        }
    }

    /// Bytes per second of the stream over the last ten seconds, as far as it was watched.
    pub fn bytes_per_s(&self) -> Option<u64> {
        let ((from, before), (to, after)) = (self.bytes_at.front()?, self.bytes_at.back()?);
        let ms = u64::try_from(to.saturating_duration_since(*from).as_millis()).ok().filter(|ms| *ms > 0)?;
        Some((after - before).saturating_mul(1_000) / ms)
    }
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
    /// Which key means what.
    pub keys: Keymap,
    /// Names of the contexts that one can go to.
    pub contexts: Vec<String>,
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
    pub agents: List<AgentKey>,
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
    events_listed: tail::Followed,
    drifts_listed: tail::Followed,
    /// Counts up when the operator changes what to list, or how: all lists are made anew then.
    wish: u64,
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
            keys: Keymap::default(),
            contexts: Vec::new(),
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
            events_listed: tail::Followed::default(),
            drifts_listed: tail::Followed::default(),
            wish: 0,
            census: census::Taken::default(),
            last_key: None,
            effects: Vec::new(),
        }
    }

    /// What is shown: the held picture, or the present.
    pub fn data(&self) -> &Data {
        self.frozen.as_ref().map_or(&self.live, |frozen| &frozen.data)
    }

    /// What the state wants done; each thing is told once.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}
