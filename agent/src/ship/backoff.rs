//! How long to wait before the next try.

use std::time::Duration;

/// Upper bound of the first wait.
const FIRST: Duration = Duration::from_millis(500);
/// Upper bound of every wait.
const MAX: Duration = Duration::from_secs(30);
/// No wait is shorter, so that a server that refuses at once isn't asked in a tight loop.
const MIN: Duration = Duration::from_millis(50);

/// Exponential back-off with full jitter: each wait is drawn evenly from nothing to a bound that doubles, up to 30 s.
///
/// After a server's restart 10,000 agents come back spread over the whole interval, and not in waves.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// How long to wait now.
    pub(super) fn next(&mut self) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.tries.min(16)).min(MAX);
        self.tries = self.tries.saturating_add(1);
        bound.mul_f64(rand::random()).max(MIN)
    }

    /// It worked: begin anew.
    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, FIRST, MAX, MIN};

    #[test]
    fn grows_spreads_and_stays_bounded() {
        let mut longest = MIN;
        for _ in 0..200 {
            let mut backoff = Backoff::default();
            assert!((MIN..=FIRST).contains(&backoff.next()));
            for _ in 0..40 {
                let wait = backoff.next();
                assert!((MIN..=MAX).contains(&wait));
                longest = longest.max(wait);
            }
            backoff.reset();
            assert!(backoff.next() <= FIRST);
        }
        assert!(longest > MAX / 2, "{longest:?}");
    }
}
