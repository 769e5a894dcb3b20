//! When is the next frame due? After a key at once, after data on a grid, and never while nothing changed.

use std::time::{Duration, Instant};

use crate::tui::state::msg::Dirty;

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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Pace;
    use crate::tui::state::msg::Dirty;

    /// Frames within ten seconds in which so many messages a second want the same.
    fn frames(per_second: u32, dirty: Dirty) -> u32 {
        let start = Instant::now();
        let mut pace = Pace::new(10, start);
        let mut frames = 0;
        for n in 0..per_second * 10 {
            let now = start + Duration::from_secs(1) / per_second * n;
            pace.wants(dirty);
            if pace.is_dirty() && pace.due() <= now {
                frames += 1;
                pace.drawn(now);
            }
        }
        frames
    }

    #[test]
    fn draws_once_and_then_only_what_changed() {
        assert_eq!(frames(1_000, Dirty::Clean), 1, "the first picture");
        assert_eq!(frames(20_000, Dirty::Data), 100, "on the grid of ten a second");
        assert_eq!(frames(1, Dirty::Data), 10, "no more often than something changes");
        assert_eq!(frames(10, Dirty::Input), 100, "each key at once");
        assert_eq!(frames(1_000, Dirty::Input), 625, "but no more often than eyes can follow");
    }
}
