//! What the service manager is told: ready, stopping, a line of status, and that the server lives.
//!
//! Without systemd (no `NOTIFY_SOCKET`) nothing is sent. The watchdog is fed from a task of the runtime that serves requests,
//! and only while the ingest writer gets on: an event loop that hangs feeds nothing, a writer that ended or is stuck in one
//! transaction feeds nothing, and systemd starts the server anew. A database that is away is no reason: the server waits for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::ingest::pulse::Pulse;
use crate::db;

/// How often the line of status is renewed, and the watchdog fed at the latest.
const TICK: Duration = Duration::from_secs(5);
/// A database that doesn't answer this soon is away.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);
/// A transaction of the writer that takes longer than this is stuck. Statements have time limits far below it.
pub const WRITER_STUCK_AFTER: Duration = Duration::from_mins(5);

/// Says that the ports are open.
pub fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
}

/// Says that the server ends, and how long that may take.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping: streams end, what waits is written")]);
}

/// Feeds the watchdog and renews the status until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let watchdog = sd_notify::watchdog_enabled();
    // Half the time that systemd waits, as sd_watchdog_enabled(3) advises.
    let tick = watchdog.map_or(TICK, |limit| TICK.min(limit / 2)).max(Duration::from_millis(10));
    let mut ticks = interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Short of a tick, so that a database that is away never delays the watchdog beyond its limit.
    let round_trip_max = ROUND_TRIP_MAX.min(tick / 2);
    let mut said = String::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if watchdog.is_some() {
            match fault(app.ingest.pulse(), Instant::now(), WRITER_STUCK_AFTER) {
                None => tell(&[NotifyState::Watchdog]),
                Some(fault) => {
                    tracing::error!(fault, "the watchdog is not fed; the service manager will start the server anew");
                }
            }
        }
        let status = tokio::select! {
            () = stop.cancelled() => return,
            status = status(&app, round_trip_max) => status,
        };
        if status != said {
            tell(&[NotifyState::Status(&status)]);
            said = status;
        }
    }
}

/// What is wrong with the writer, if anything.
fn fault(pulse: &Pulse, now: Instant, stuck_after: Duration) -> Option<&'static str> {
    if pulse.ended() {
        Some("the ingest writer ended by itself")
    } else if pulse.busy_for(now).is_some_and(|busy| busy > stuck_after) {
        Some("the ingest writer is stuck in a transaction")
    } else {
        None
    }
}

async fn status(app: &App, round_trip_max: Duration) -> String {
    let ping = tokio::time::timeout(round_trip_max, db::ping(&app.pool));
    let database = if matches!(ping.await, Ok(Ok(()))) { "ok" } else { "away, agents keep their events" };
    let online = app.fleet.by_liveness().get("online").copied().unwrap_or_default();
    format!("serving: {online} agents online, database {database}")
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ingest::pulse::Stage;

    #[test]
    fn feeds_the_watchdog_only_while_the_writer_gets_on() {
        let pulse = Pulse::default();
        let now = Instant::now();
        let limit = Duration::from_mins(1);
        assert_eq!(fault(&pulse, now, limit), None, "idle from the start");
        let life = pulse.begin();
        let work = pulse.work(Stage::Committing);
        assert_eq!(fault(&pulse, now + Duration::from_secs(30), limit), None);
        assert!(fault(&pulse, now + Duration::from_secs(90), limit).is_some_and(|fault| fault.contains("stuck")));
        drop(work);
        assert_eq!(fault(&pulse, now + Duration::from_mins(15), limit), None);
        drop(life);
        assert!(fault(&pulse, now, limit).is_some_and(|fault| fault.contains("ended")));
    }
}
