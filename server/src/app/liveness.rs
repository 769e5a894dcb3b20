//! Online, late, stale, offline: by the server's clock alone.

use std::time::Duration;

use tyr_api::agents::Liveness;

/// The documented heartbeat interval, for agents that were not told another.
pub const HEARTBEAT_INTERVAL_DEFAULT: Duration = Duration::from_secs(30);
/// Silence after which an agent counts as offline.
pub const OFFLINE_AFTER: Duration = Duration::from_mins(5);

/// The limits between the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A heartbeat and half an interval of grace.
    pub late_after: Duration,
    /// The stale threshold.
    pub stale_after: Duration,
    /// Five minutes, or the stale threshold if that is longer.
    pub offline_after: Duration,
}

impl Limits {
    /// Limits from the server's settings.
    pub fn new(stale_after: Duration, heartbeat_interval: Option<Duration>) -> Self {
        let interval = heartbeat_interval.unwrap_or(HEARTBEAT_INTERVAL_DEFAULT);
        Self {
            late_after: (interval * 3 / 2).min(stale_after),
            stale_after,
            offline_after: OFFLINE_AFTER.max(stale_after),
        }
    }

    /// State of an agent that has been silent for this long.
    pub fn liveness(&self, silence: Duration) -> Liveness {
        if silence > self.offline_after {
            Liveness::Offline
        } else if silence > self.stale_after {
            Liveness::Stale
        } else if silence > self.late_after {
            Liveness::Late
        } else {
            Liveness::Online
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_thresholds() {
        let limits = Limits::new(Duration::from_secs(90), None);
        let at = |s| limits.liveness(Duration::from_secs(s));
        assert_eq!(
            [0, 45, 46, 90, 91, 300, 301].map(at),
            [
                Liveness::Online,
                Liveness::Online,
                Liveness::Late,
                Liveness::Late,
                Liveness::Stale,
                Liveness::Stale,
                Liveness::Offline
            ]
        );
    }

    #[test]
    fn short_thresholds_skip_no_state_that_matters() {
        let limits = Limits::new(Duration::from_secs(2), None);
        assert_eq!(limits.liveness(Duration::from_secs(2)), Liveness::Online);
        assert_eq!(limits.liveness(Duration::from_secs(3)), Liveness::Stale);
    }
}
