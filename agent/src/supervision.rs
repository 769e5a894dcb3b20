//! What the service manager is told: ready, stopping, a line of status, and that `tyrd` lives.
//!
//! The watchdog is fed only while the pipeline, which takes the kernel's events, goes round. A server that is away is no
//! reason to stop feeding it: events wait in the spool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crate::ship::Connection;

/// How often the line of status is looked at, and the watchdog fed at the latest.
const TICK: Duration = Duration::from_secs(5);
/// The pipeline goes round four times a second; after this long without a round it is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(20);

/// When the pipeline went round last.
#[derive(Debug)]
pub struct Pulse {
    begun: Instant,
    /// Milliseconds after `begun`.
    last_ms: AtomicU64,
}

impl Pulse {
    /// As if it had just gone round.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { begun: Instant::now(), last_ms: AtomicU64::new(0) })
    }

    /// It went round.
    pub fn beat(&self) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now, Ordering::Relaxed);
    }

    fn stuck(&self, now: Instant) -> bool {
        let last = self.begun + Duration::from_millis(self.last_ms.load(Ordering::Relaxed));
        now.saturating_duration_since(last) > STUCK_AFTER
    }
}

/// Says that the programs are in the kernel.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that `tyrd` ends.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping: the last events go to the server")]);
}

/// Feeds the watchdog and renews the status until `stop`.
pub async fn run(posture: &str, connection: watch::Receiver<Connection>, pulse: Arc<Pulse>, stop: CancellationToken) {
    let watchdog = sd_notify::watchdog_enabled();
    // Half the time that systemd waits, as sd_watchdog_enabled(3) advises.
    let tick = watchdog.map_or(TICK, |limit| TICK.min(limit / 2)).max(Duration::from_millis(10));
    let mut ticks = interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = String::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if watchdog.is_some() {
            if pulse.stuck(Instant::now()) {
                error!(
                    "events are not taken from the kernel: the watchdog is not fed, and the service manager will start tyrd anew"
                );
            } else {
                tell(&[NotifyState::Watchdog]);
            }
        }
        let status = format!("{posture}, {}", word(&connection.borrow()));
        if status != said {
            tell(&[NotifyState::Status(&status)]);
            said = status;
        }
    }
}

fn word(connection: &Connection) -> &'static str {
    match connection {
        Connection::Enrolling => "enrolling",
        Connection::Connecting => "connecting to the server",
        Connection::Connected { .. } => "connected to the server",
        Connection::Disconnected { .. } => "not connected, events wait",
        Connection::Refused { .. } => "refused by the server, events wait",
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "the service manager could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_that_stands_still_is_stuck() {
        let pulse = Pulse::new();
        let now = Instant::now();
        assert!(!pulse.stuck(now));
        assert!(pulse.stuck(now + STUCK_AFTER * 2));
        pulse.beat();
        assert!(!pulse.stuck(Instant::now()));
    }
}
