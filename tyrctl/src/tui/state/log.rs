//! What this program did: connections, gaps, errors, copies.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::tui::theme::Role;

/// Lines that are kept.
pub const LOG_LINES_MAX: usize = 1_000;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// Counted from 1.
    pub number: u64,
    /// When, by the server's clock; by ours where nothing is known of it.
    pub at: Timestamp,
    /// What.
    pub text: String,
    /// On whom or what: a name or a path, which privacy hides.
    pub about: String,
    /// How it looks.
    pub role: Role,
}

/// The newest of what happened.
#[derive(Clone, Debug, Default)]
pub struct Log {
    lines: VecDeque<Arc<LogLine>>,
    taken: u64,
}

impl Log {
    /// Notes something.
    pub fn push(&mut self, at: Timestamp, text: String, about: String, role: Role) {
        self.taken += 1;
        self.lines.push_back(Arc::new(LogLine { number: self.taken, at, text, about, role }));
        if self.lines.len() > LOG_LINES_MAX {
            self.lines.pop_front();
        }
    }

    /// Newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Arc<LogLine>> {
        self.lines.iter().rev()
    }

    /// Whether nothing happened yet.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}
