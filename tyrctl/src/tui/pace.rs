//! When is the next frame due? After a key at once, after data on a grid, and never while nothing changed.

use std::time::{Duration, Instant};

use crate::tui::state::Dirty;

/// Least distance of two frames after keys.
const KEY_FRAME_MIN: Duration = Duration::from_millis(16);

/// Decides when to draw.
#[derive(Debug)]
pub struct Pace {
    data_frame_min: Duration,
    dirty: Dirty,
    last: Option<Instant>,
    started: Instant,
}

impl Pace {
    /// At most so many frames a second for data. The first frame is due at once: it comes before the first answer.
    pub fn new(fps: u8, now: Instant) -> Self {
        let data_frame_min = Duration::from_secs(1) / u32::from(fps.max(1));
        Self { data_frame_min, dirty: Dirty::Input, last: None, started: now }
    }

    /// Something happened that wants a frame, or not.
    pub fn wants(&mut self, dirty: Dirty) {
        self.dirty = self.dirty.max(dirty);
    }

    /// Whether a frame is due at all.
    pub fn is_dirty(&self) -> bool {
        self.dirty > Dirty::Clean
    }

    /// When it is due.
    pub fn due(&self) -> Instant {
        let least = if self.dirty == Dirty::Input { KEY_FRAME_MIN } else { self.data_frame_min };
        self.last.map_or(self.started, |last| last + least)
    }

    /// It was drawn.
    pub fn drawn(&mut self, now: Instant) {
        self.last = Some(now);
        self.dirty = Dirty::Clean;
    }
}
