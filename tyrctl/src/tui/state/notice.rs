//! What just happened, in a line: shown for a while, and kept in the log.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::tui::state::State;
use crate::tui::theme::Role;

/// How long a notice stays.
pub const NOTICE_FOR: Duration = Duration::from_secs(15);

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

impl State {
    /// What just happened, for as long as it's news.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref().filter(|notice| self.now.mono.saturating_duration_since(notice.at) < NOTICE_FOR)
    }

    /// Shows a line for a while.
    pub(super) fn say(&mut self, text: impl Into<String>, role: Role) {
        let (text, about) = (text.into(), String::new());
        self.notice = Some(Notice { text, about, role, at: self.now.mono, stamp: self.clock });
    }

    /// Shows a line for a while, and notes it in the log.
    pub(super) fn tell(&mut self, text: impl Into<String>, about: &str, role: Role) {
        let text = text.into();
        self.note(text.clone(), about, role);
        let stamp = self.link.server_now(self.now);
        self.notice = Some(Notice { text, about: about.to_owned(), role, at: self.now.mono, stamp });
    }

    /// Notes something in the log.
    pub(super) fn note(&mut self, text: impl Into<String>, about: &str, role: Role) {
        let at = self.link.server_now(self.now).unwrap_or(self.now.wall);
        self.log.push(at, text.into(), about.to_owned(), role);
    }
}
