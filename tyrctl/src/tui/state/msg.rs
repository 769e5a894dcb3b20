//! What the state is told, and what it wants done about it.

use crossterm::event::{KeyEvent, MouseEvent};
use tyr_api::alerts::Alert;
use uuid::Uuid;

use crate::auth::Secret;
use crate::tui::input;
use crate::tui::state::State;
use crate::tui::state::feed::Feed;
use crate::tui::state::link::Now;
use crate::tui::state::login::LoggedIn;
use crate::tui::state::ui::{MenuKind, Popup};
use crate::tui::theme::Role;

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
    /// What was asked for in a box: its SQL, or why there is none.
    Sql(Result<SqlText, String>),
    /// A second went by.
    Tick,
}

/// SQL behind what is on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlText {
    /// As it's copied.
    pub copied: String,
    /// As it's shown: privacy hides names.
    pub shown: String,
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
#[derive(Clone, Debug, PartialEq)]
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
    /// Ask for the SQL behind that command line, to show in its place; with the same line as it may be shown.
    Sql {
        /// As it works.
        copied: String,
        /// As it's shown.
        shown: String,
    },
    /// Follow another context's server.
    Context(String),
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

impl State {
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
            Msg::Sql(answer) => {
                self.show_sql(answer);
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
        match self.keys.action(key) {
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
}
