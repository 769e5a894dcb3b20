//! Which of many events are shown: all that matter, and of the others as many as a person could look through.

use std::time::Instant;

use crate::tui::state::held::Glance;
use crate::tui::state::ring::EVENTS_MAX;

/// Plain events that are shown per second at most in the long run. Above it a sample is shown, so that the list reaches back
/// for more than the blink of an eye and a denial isn't pushed out by thousands of allowed reads; all are counted.
pub const SHOWN_PER_S_MAX: u32 = 1_000;

/// Two buckets of [`EVENTS_MAX`] tokens that fill with [`SHOWN_PER_S_MAX`] a second: what was missed while cut off comes in one
/// go, and as much of it as the list holds is shown. The second is for what the operator's filter wants, so that a narrow
/// filter shows all its matches whatever else comes.
#[derive(Debug, Default)]
pub struct Sampler {
    all: Bucket,
    wanted: Bucket,
}

impl Sampler {
    /// Whether an event that comes now is shown; `wanted` is asked only about those that would not be.
    pub fn shows(&mut self, event: &Glance<'_>, now: Instant, wanted: impl FnOnce() -> bool) -> bool {
        !event.is_plain() || self.all.takes(now) || (wanted() && self.wanted.takes(now))
    }
}

#[derive(Debug)]
struct Bucket {
    /// Nanoseconds' worth of tokens.
    tokens: u64,
    filled: Option<Instant>,
}

/// What one event costs.
const TOKEN: u64 = 1_000_000_000 / SHOWN_PER_S_MAX as u64;
const TOKENS_MAX: u64 = TOKEN * EVENTS_MAX as u64;

impl Default for Bucket {
    fn default() -> Self {
        Self { tokens: TOKENS_MAX, filled: None }
    }
}

impl Bucket {
    fn takes(&mut self, now: Instant) -> bool {
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

    use tyr_api::events::{Event, Verdict};

    use super::{SHOWN_PER_S_MAX, Sampler};
    use crate::tui::state::held::Glance;
    use crate::tui::state::ring::EVENTS_MAX;
    use crate::tui::state::testing::event;

    /// How many of so many events are shown that come evenly within a minute, and how many of those that a filter wants: each
    /// of them whose number can be divided by `every`.
    fn shown(per_second: u32, verdict: Verdict, every: Option<u32>) -> (u32, u32) {
        let (mut sampler, start) = (Sampler::default(), Instant::now());
        let one = Event { verdict, ..event(1) };
        let (mut all, mut matching) = (0, 0);
        for n in 0..per_second * 60 {
            let wanted = every.is_some_and(|every| n.is_multiple_of(every));
            if sampler.shows(&Glance::from(&one), start + Duration::from_secs(1) / per_second * n, || wanted) {
                all += 1;
                matching += u32::from(wanted);
            }
        }
        (all, matching)
    }

    #[test]
    fn shows_all_of_a_rate_that_can_be_followed_and_a_sample_of_more() {
        assert_eq!(shown(SHOWN_PER_S_MAX, Verdict::Allow, None).0, SHOWN_PER_S_MAX * 60);
        let (sample, _) = shown(SHOWN_PER_S_MAX * 10, Verdict::Allow, None);
        let burst = u32::try_from(EVENTS_MAX).unwrap();
        assert!(sample.abs_diff(SHOWN_PER_S_MAX * 60 + burst) <= 1, "{sample}");
    }

    #[test]
    fn shows_each_denial() {
        assert_eq!(shown(SHOWN_PER_S_MAX * 10, Verdict::Deny, None).0, SHOWN_PER_S_MAX * 600);
    }

    #[test]
    fn shows_all_that_a_narrow_filter_wants_and_a_sample_of_what_a_wide_one_does() {
        let (all, matching) = shown(SHOWN_PER_S_MAX * 10, Verdict::Allow, Some(20));
        assert_eq!(matching, SHOWN_PER_S_MAX * 30);
        assert!(all < SHOWN_PER_S_MAX * 120, "{all}");
        let (_, matching) = shown(SHOWN_PER_S_MAX * 10, Verdict::Allow, Some(1));
        let burst = u32::try_from(EVENTS_MAX).unwrap();
        // The second bucket was full when it was asked first, a second or two after the start.
        let wanted = SHOWN_PER_S_MAX * 118 + 2 * burst..=SHOWN_PER_S_MAX * 120 + 2 * burst;
        assert!(wanted.contains(&matching), "{matching}");
    }
}
