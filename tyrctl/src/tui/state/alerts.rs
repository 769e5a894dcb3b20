//! Alerts that are pending or firing.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tyr_api::alerts::{Alert, AlertState};
use uuid::Uuid;

/// Open alerts that are kept; the longest unchanged go first. The server's snapshot has at most 1,000.
pub const ALERTS_MAX: usize = 5_000;

/// The open alerts, as the server said last.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    open: HashMap<Uuid, Arc<Alert>>,
}

impl Alerts {
    /// Begins anew with those of a snapshot.
    pub fn start(&mut self, alerts: Vec<Alert>) {
        self.open.clear();
        for alert in alerts {
            self.push(alert);
        }
    }

    /// Takes a change in.
    pub fn push(&mut self, alert: Alert) {
        if alert.is_open() {
            self.open.insert(alert.alert_id, Arc::new(alert));
        } else {
            self.open.remove(&alert.alert_id);
        }
        if self.open.len() > ALERTS_MAX
            && let Some(oldest) = self.open.values().min_by_key(|alert| alert.changed_at).map(|alert| alert.alert_id)
        {
            self.open.remove(&oldest);
        }
    }

    /// Those of them that had begun at an instant.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Self {
        let open = self.open.iter().filter(|(_, alert)| alert.since <= at);
        Self { open: open.map(|(id, alert)| (*id, Arc::clone(alert))).collect() }
    }

    /// Firing ones first, of these the ones that nobody knows of yet; within each the newest first.
    pub fn rows(&self) -> Vec<Arc<Alert>> {
        let mut rows: Vec<_> = self.open.values().cloned().collect();
        rows.sort_by(|a, b| {
            let rank = |alert: &Alert| (alert.state != AlertState::Firing, alert.acknowledged_by.is_some());
            rank(a).cmp(&rank(b)).then(b.changed_at.cmp(&a.changed_at)).then(a.alert_id.cmp(&b.alert_id))
        });
        rows
    }

    /// How many fire, and how many of these nobody has acknowledged.
    pub fn firing(&self) -> (usize, usize) {
        let firing = self.open.values().filter(|alert| alert.state == AlertState::Firing);
        let (mut all, mut unknown) = (0, 0);
        for alert in firing {
            all += 1;
            unknown += usize::from(alert.acknowledged_by.is_none());
        }
        (all, unknown)
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
