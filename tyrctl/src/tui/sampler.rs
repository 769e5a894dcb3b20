//! Which of many events are shown: all that matter, and of the others as many as a person could look through.

use std::time::Instant;

use tyr_api::events::Event;

use crate::tui::state::feed::is_plain;
use crate::tui::state::ring::EVENTS_MAX;

/// Plain events that are shown per second at most in the long run. Above it a sample is shown, so that the list reaches back
/// for more than the blink of an eye and a denial isn't pushed out by thousands of allowed reads; all are counted.
pub const SHOWN_PER_S_MAX: u32 = 1_000;

/// A bucket of [`EVENTS_MAX`] tokens that fills with [`SHOWN_PER_S_MAX`] a second: what was missed while cut off comes in one
/// go, and as much of it as the list holds is shown.
#[derive(Debug)]
pub struct Sampler {
    /// Nanoseconds' worth of tokens.
    tokens: u64,
    filled: Option<Instant>,
}

/// What one event costs.
const TOKEN: u64 = 1_000_000_000 / SHOWN_PER_S_MAX as u64;
const TOKENS_MAX: u64 = TOKEN * EVENTS_MAX as u64;

impl Default for Sampler {
    fn default() -> Self {
        Self { tokens: TOKENS_MAX, filled: None }
    }
}

impl Sampler {
    /// Whether an event that comes now is shown.
    pub fn shows(&mut self, event: &Event, now: Instant) -> bool {
        if !is_plain(event) {
            return true;
        }
        let since = self.filled.replace(now).map_or(0, |at| now.saturating_duration_since(at).as_nanos());
        self.tokens = self.tokens.saturating_add(u64::try_from(since).unwrap_or(u64::MAX)).min(TOKENS_MAX);
        match self.tokens.checked_sub(TOKEN) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tyr_api::events::Verdict;

    use super::{SHOWN_PER_S_MAX, Sampler};
    use crate::tui::state::ring::EVENTS_MAX;
    use crate::tui::state::testing::event;

    /// How many of so many events are shown that come evenly within a minute.
    fn shown(per_second: u32, verdict: Verdict) -> u32 {
        let (mut sampler, start) = (Sampler::default(), Instant::now());
        let mut one = event(1);
        one.verdict = verdict;
        let times = (0..per_second * 60).map(|n| start + Duration::from_secs(1) / per_second * n);
        u32::try_from(times.filter(|at| sampler.shows(&one, *at)).count()).unwrap()
    }

    #[test]
    fn shows_all_of_a_rate_that_can_be_followed_and_a_sample_of_more() {
        assert_eq!(shown(SHOWN_PER_S_MAX, Verdict::Allow), SHOWN_PER_S_MAX * 60);
        let sample = shown(SHOWN_PER_S_MAX * 10, Verdict::Allow);
        let burst = u32::try_from(EVENTS_MAX).unwrap();
        assert!(sample.abs_diff(SHOWN_PER_S_MAX * 60 + burst) <= 1, "{sample}");
    }

    #[test]
    fn shows_each_denial() {
        assert_eq!(shown(SHOWN_PER_S_MAX * 10, Verdict::Deny), SHOWN_PER_S_MAX * 600);
    }
}
