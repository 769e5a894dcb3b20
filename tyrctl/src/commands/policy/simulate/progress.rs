//! How far it is, on the terminal of whoever waits.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::output::Output;

/// Between two pictures: more often nobody sees.
const REDRAW_AFTER: Duration = Duration::from_millis(100);
/// Places of the bar.
const WIDTH: usize = 30;

/// A bar on standard error, drawn over and taken away at the end; nothing where that is no terminal.
pub(super) struct Progress {
    since: Timestamp,
    until: Timestamp,
    drawn: Option<Instant>,
    wanted: bool,
}

impl Progress {
    /// Of a walk back from `until` to `since`.
    pub(super) fn new(out: &Output, since: Timestamp, until: Timestamp) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        Self { since, until, drawn: None, wanted: !out.quiet && !dumb && io::stderr().is_terminal() }
    }

    /// Draws how far it is.
    pub(super) fn show(&mut self, events: u64, at: Option<Timestamp>) {
        if self.wanted && self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW_AFTER) {
            self.drawn = Some(Instant::now());
            // A terminal that is gone is no reason to stop.
            let _ = write!(io::stderr(), "\r\x1b[K{}", bar(self.done(at), events));
        }
    }

    /// Takes it away.
    pub(super) fn end(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    /// The part of the time that was walked, in percent.
    fn done(&self, at: Option<Timestamp>) -> usize {
        let whole = self.until.as_millisecond() - self.since.as_millisecond();
        let walked = at.map_or(0, |at| self.until.as_millisecond() - at.as_millisecond());
        usize::try_from(walked.clamp(0, whole.max(0)) * 100 / whole.max(1)).unwrap_or_default()
    }
}

fn bar(percent: usize, events: u64) -> String {
    let full = WIDTH * percent / 100;
    format!("[{}{}] {percent:3} %  {events} events", "#".repeat(full), ".".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn the_bar_fills() {
        assert_eq!(bar(0, 0), "[..............................]   0 %  0 events");
        assert_eq!(bar(50, 1200), "[###############...............]  50 %  1200 events");
        assert_eq!(bar(100, 7), "[##############################] 100 %  7 events");
    }
}
