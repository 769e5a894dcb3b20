//! The connection as the operator sees it, and the server's clock.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Without a frame for that long, a live connection counts as quiet.
pub const QUIET_AFTER: Duration = Duration::from_secs(20);

/// Both clocks of this machine at one moment: everything that depends on time is told the time.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For distances.
    pub mono: Instant,
    /// For comparing with the server's clock.
    pub wall: Timestamp,
}

/// What the connection is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The first attempt.
    Connecting,
    /// Following the stream.
    Live,
    /// The stream stands again and what was missed comes in.
    CatchingUp {
        /// Events so far.
        events: u64,
    },
    /// Cut off.
    Down {
        /// Attempts since.
        attempt: u32,
        /// When the next one comes; absent while one runs.
        until: Option<Instant>,
        /// Why.
        cause: String,
    },
    /// Given up until the operator does something.
    Stopped {
        /// Why.
        cause: String,
        /// Whether logging in would help.
        login: bool,
    },
    /// At the end of a recording.
    Ended {
        /// Why there, where it isn't the recording's own end.
        cause: Option<String>,
    },
}

/// The connection's state.
#[derive(Clone, Debug)]
pub struct Link {
    phase: Phase,
    /// Server's clock at a moment of ours.
    synced: Option<(Timestamp, Now)>,
    last_frame: Option<Instant>,
    /// Since when nothing is known, and the server's time then.
    cut: Option<(Instant, Option<Timestamp>)>,
    reconnects: u32,
}

impl Default for Link {
    fn default() -> Self {
        Self { phase: Phase::Connecting, synced: None, last_frame: None, cut: None, reconnects: 0 }
    }
}

impl Link {
    /// What it's at.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Whether what is on the screen is the present.
    pub fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live | Phase::CatchingUp { .. })
    }

    /// Server's clock now; while cut off, its time when we last knew. Absent before the first word from it.
    pub fn server_now(&self, now: Now) -> Option<Timestamp> {
        match self.cut {
            Some((_, as_of)) => as_of,
            None => self.extrapolate(now),
        }
    }

    fn extrapolate(&self, now: Now) -> Option<Timestamp> {
        let (server, at) = self.synced?;
        let since = now.mono.saturating_duration_since(at.mono);
        server.checked_add(SignedDuration::try_from(since).ok()?).ok()
    }

    /// Our clock minus the server's, in milliseconds.
    pub fn skew_ms(&self) -> Option<i64> {
        let (server, at) = self.synced?;
        Some(at.wall.as_millisecond() - server.as_millisecond())
    }

    /// How long ago the last frame came.
    pub fn frame_age(&self, now: Now) -> Option<Duration> {
        self.last_frame.map(|at| now.mono.saturating_duration_since(at))
    }

    /// Whether a live connection has been silent for suspiciously long.
    pub fn is_quiet(&self, now: Now) -> bool {
        self.is_live() && self.frame_age(now).is_some_and(|age| age >= QUIET_AFTER)
    }

    /// How long we have been cut off.
    pub fn down_for(&self, now: Now) -> Option<Duration> {
        self.cut.map(|(since, _)| now.mono.saturating_duration_since(since))
    }

    /// A word from the server's clock.
    pub fn sync(&mut self, server: Timestamp, now: Now) {
        self.synced = Some((server, now));
        if let Some((_, as_of)) = &mut self.cut {
            *as_of = Some(server);
        }
    }

    /// Anything came.
    pub fn frame(&mut self, now: Now) {
        self.last_frame = Some(now.mono);
    }

    /// The stream stands. True if it's there again after having been lost.
    pub fn open(&mut self, now: Now) -> bool {
        self.frame(now);
        let again = self.cut.is_some() && !matches!(self.phase, Phase::Connecting);
        self.phase = if again { Phase::CatchingUp { events: 0 } } else { Phase::Live };
        self.reconnects += u32::from(again);
        if !again {
            self.cut = None;
        }
        again
    }

    /// Events of a replay came; they end with the first counters, see [`Link::caught_up`].
    pub fn replayed(&mut self, more: u64) {
        if let Phase::CatchingUp { events } = &mut self.phase {
            *events += more;
        }
    }

    /// The present is reached: how long we were away and how many events were replayed.
    pub fn caught_up(&mut self, now: Now) -> Option<(Duration, u64)> {
        let Phase::CatchingUp { events } = self.phase else { return None };
        let away = self.down_for(now).unwrap_or_default();
        self.phase = Phase::Live;
        self.cut = None;
        Some((away, events))
    }

    /// A further attempt begins.
    pub fn trying(&mut self) {
        match &mut self.phase {
            Phase::Down { until, .. } => *until = None,
            Phase::Stopped { .. } => {
                self.phase = Phase::Down { attempt: 1, until: None, cause: String::new() };
            }
            Phase::Connecting | Phase::Live | Phase::CatchingUp { .. } | Phase::Ended { .. } => {}
        }
    }

    /// The connection is lost or could not be made.
    pub fn waiting(&mut self, attempt: u32, until: Instant, cause: String, now: Now) {
        self.lose(now);
        self.phase = Phase::Down { attempt, until: Some(until), cause };
    }

    /// No further attempt comes by itself.
    pub fn stopped(&mut self, cause: String, login: bool, now: Now) {
        self.lose(now);
        self.phase = Phase::Stopped { cause, login };
    }

    /// A recording is over.
    pub fn ended(&mut self, cause: Option<String>, now: Now) {
        self.lose(now);
        self.phase = Phase::Ended { cause };
    }

    /// Whether nothing moves any more by itself, not even a clock.
    pub fn is_at_rest(&self) -> bool {
        matches!(self.phase, Phase::Stopped { .. } | Phase::Ended { .. })
    }

    /// Why there is nothing new, where there is a reason.
    pub fn cause(&self) -> Option<&str> {
        match &self.phase {
            Phase::Down { cause, .. } | Phase::Stopped { cause, .. } | Phase::Ended { cause: Some(cause) } => {
                Some(cause.as_str()).filter(|cause| !cause.is_empty())
            }
            _ => None,
        }
    }

    fn lose(&mut self, now: Now) {
        if self.cut.is_none() {
            // What we know is as old as the last frame, not as the moment that we noticed.
            let last = self.last_frame.unwrap_or(now.mono);
            let as_of = self.extrapolate(Now { mono: last, wall: now.wall });
            self.cut = Some((now.mono, as_of));
        }
    }

    /// How often the connection was made again.
    pub fn reconnects(&self) -> u32 {
        self.reconnects
    }
}
