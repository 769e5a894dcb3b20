//! How long after they were stored events reach this screen.

use std::time::Duration;

/// Upper ends of the histogram's parts, in milliseconds; the last part has none.
pub const LAG_UP_TO_MS: [i64; 7] = [10, 50, 100, 250, 500, 1_000, 5_000];

/// How often events took how long, since the start. Replays after an outage are left out: they are old by nature.
///
/// Measured against the server's clock as it was last told, so the way of that message through the network is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    parts: [u64; LAG_UP_TO_MS.len() + 1],
    max_ms: i64,
}

impl Lag {
    /// Takes in how long one event took. Less than nothing is the jitter of two clocks, and counts as nothing.
    pub fn push(&mut self, ms: i64) {
        let part = LAG_UP_TO_MS.iter().position(|end| ms < *end).unwrap_or(LAG_UP_TO_MS.len());
        self.parts[part] += 1;
        self.max_ms = self.max_ms.max(ms);
    }

    /// Events in each part.
    pub const fn parts(&self) -> &[u64; LAG_UP_TO_MS.len() + 1] {
        &self.parts
    }

    /// Events measured.
    pub fn events(&self) -> u64 {
        self.parts.iter().sum()
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.max_ms).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Lag;

    #[test]
    fn each_event_counts_in_one_part() {
        let mut lag = Lag::default();
        for ms in [-3, 0, 9, 10, 99, 4_999, 5_000, 900_000] {
            lag.push(ms);
        }
        assert_eq!(lag.parts(), &[3, 1, 1, 0, 0, 0, 1, 2]);
        assert_eq!((lag.events(), lag.max().as_secs()), (8, 900));
    }
}
