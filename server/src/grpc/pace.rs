//! How fast one agent is read: what is above its rate waits, on the agent's side.
//!
//! Nothing is refused or dropped. While an agent is over its rate its next message is not read, so that HTTP/2's window fills, its
//! batches stay in its spool, and its neighbours keep their share of the database.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::AgentRate;

/// What an agent that was quiet may send at once: as much as in this time.
const BURST: Duration = Duration::from_secs(1);
/// Messages that cost a transaction of their own count as so many records.
pub(super) const TRANSACTION_RECORDS: u64 = 500;

/// One stream's pace.
#[derive(Debug)]
pub(super) struct Pace {
    rate: AgentRate,
    /// When all that was read so far is paid for.
    paid_at: Instant,
}

impl Pace {
    pub(super) fn new(rate: AgentRate) -> Self {
        Self { rate, paid_at: Instant::now() }
    }

    /// When the next message may be read.
    pub(super) fn next_at(&self) -> Instant {
        self.paid_at
    }

    /// So much was read.
    pub(super) fn spend(&mut self, records: u64, bytes: u64) {
        let time = |n: u64, per_s: u32| Duration::from_nanos(n.saturating_mul(1_000_000_000) / u64::from(per_s.max(1)));
        let cost = time(records, self.rate.records_per_s).max(time(bytes, self.rate.bytes_per_s));
        let now = Instant::now();
        self.paid_at = self.paid_at.max(now.checked_sub(BURST).unwrap_or(now)) + cost;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance};

    use super::Pace;
    use crate::config::AgentRate;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_what_is_above_the_rate_waits() {
        advance(Duration::from_secs(10)).await;
        let start = Instant::now();
        let mut pace = Pace::new(AgentRate { records_per_s: 1000, bytes_per_s: 1_000_000 });
        advance(Duration::from_secs(5)).await;
        pace.spend(1000, 0);
        assert!(pace.next_at() <= Instant::now(), "a second's worth at once");
        pace.spend(500, 0);
        assert_eq!(pace.next_at() - Instant::now(), Duration::from_millis(500));
        // Whichever is dearer, records or bytes.
        pace.spend(1, 1_000_000);
        assert_eq!(pace.next_at() - Instant::now(), Duration::from_millis(1500));
        // Over a long time it is the rate, no more and no less.
        for _ in 0..100 {
            tokio::time::sleep_until(pace.next_at()).await;
            pace.spend(100, 0);
        }
        let expected = Duration::from_secs(5) + Duration::from_millis(1500) + Duration::from_secs(10);
        assert!((pace.next_at() - start).abs_diff(expected) < Duration::from_millis(10));
    }
}
