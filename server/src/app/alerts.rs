//! Alerts without Prometheus: rules, their state, and who is told.
//!
//! | rule | holds when | damping |
//! |---|---|---|
//! | `stale` | the agent was not heard from for more than `TYR_ALERT_STALE_AFTER_S` (300 s) | 2 evaluations; clear for 1 min |
//! | `silent` | it is online for more than `TYR_ALERT_SILENT_AFTER_D` (7 days) and no event of it is younger than that | 2 evaluations |
//! | `deny_spike` | it denied, in this minute and the four before, at least `TYR_ALERT_DENY_FLOOR` (20) times and at least `TYR_ALERT_DENY_FACTOR` (4) times as often as in an average five minutes of the hour before | 2 evaluations; clear for 2 min |
//! | `drift` | a drifting event of it arrived within 15 min | fires at once |
//! | `sustained_drift` | drift of a stale policy or of a differing verdict arrived in at least 3 of the last 5 windows of 5 min | fires at once |
//! | `loss` | it declared events lost within 15 min | fires at once |
//! | `posture_fell` | it enforces less than the best that it did, or than an admin acknowledged since | 2 evaluations; clear for 1 min |
//!
//! Drift that is only "not enforced here" is known and lasting on hosts without BPF LSM: it counts for `drift`, never for
//! `sustained_drift`, which is about tampering and badly deployed policies.
//!
//! One server at a time evaluates ([`engine`]), every 15 s, under an advisory lock: [`rules`] says of each rule and agent whether
//! its condition holds, [`damping`] what follows from that; both are pure. A transition is stored together with its messages
//! (an outbox), which [`deliver`] sends afterwards, so a restart loses none and sends none twice without saying so.
//!
//! After a break (no server evaluated for more than a minute, or the database was away) nobody can say who was heard from
//! meanwhile: silence counts from the end of the break, and what fired goes on firing until it is known to be over.

pub mod damping;
pub mod deliver;
pub mod engine;
pub mod list;
pub mod message;
pub mod rules;
pub mod signature;
pub mod summary;
pub mod tally;
pub mod target;
pub mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::{Notify, broadcast};
use tyr_api::alerts::Alert;

use crate::app::alerts::deliver::Sender;
use crate::app::alerts::tally::Tally;
use crate::args::AlertArgs;

/// Changes that a subscriber may fall behind.
const CHANGES_MAX: usize = 256;

/// Settings of the rules and of webhooks.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How often rules are evaluated.
    pub interval: Duration,
    /// Silence after which an agent is alerted on.
    pub stale_after: SignedDuration,
    /// Time online without an event after which an agent is alerted on.
    pub silent_after: SignedDuration,
    /// Fewest denials within five minutes that can be a spike.
    pub deny_floor: u32,
    /// How many times the usual rate a spike is.
    pub deny_factor: f64,
    /// Whether webhooks may be `http` to other machines.
    pub allow_http: bool,
    /// Whether webhooks may lead to link-local addresses, where clouds keep their metadata services.
    pub allow_link_local: bool,
    /// PEM file with authorities to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(15),
            stale_after: SignedDuration::from_mins(5),
            silent_after: SignedDuration::from_hours(7 * 24),
            deny_floor: 20,
            deny_factor: 4.0,
            allow_http: false,
            allow_link_local: false,
            ca_file: None,
        }
    }
}

impl From<AlertArgs> for Settings {
    fn from(args: AlertArgs) -> Self {
        Self {
            interval: Duration::from_secs(args.alert_interval_s.into()),
            stale_after: SignedDuration::from_secs(args.alert_stale_after_s.into()),
            silent_after: SignedDuration::from_hours(24 * i64::from(args.alert_silent_after_d)),
            deny_floor: args.alert_deny_floor,
            deny_factor: args.alert_deny_factor.into(),
            allow_http: args.alert_allow_http,
            allow_link_local: args.alert_allow_link_local,
            ca_file: args.alert_ca_file.filter(|file| !file.as_os_str().is_empty()),
        }
    }
}

/// What this server keeps of alerts in memory.
#[derive(Debug)]
pub struct Alerts {
    /// Denials and drift that were stored and are not in the database's counts yet.
    pub tally: Tally,
    sender: Sender,
    changes: broadcast::Sender<Arc<Vec<Alert>>>,
    /// Something changed in the database: look now.
    changed: Notify,
    /// Messages wait: send now.
    waiting: Notify,
}

impl Alerts {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self {
            tally: Tally::default(),
            sender: Sender::default(),
            changes: broadcast::Sender::new(CHANGES_MAX),
            changed: Notify::new(),
            waiting: Notify::new(),
        }
    }

    /// Alerts as they change, on whichever server.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Vec<Alert>>> {
        self.changes.subscribe()
    }

    /// An alert was changed and committed.
    fn committed(&self) {
        self.changed.notify_one();
        self.waiting.notify_one();
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self::new()
    }
}
