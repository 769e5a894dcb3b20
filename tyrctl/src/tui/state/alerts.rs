//! Alerts that are pending or firing.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tyr_api::alerts::{Alert, AlertState};
use uuid::Uuid;

/// The open alerts, as the server said last.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    open: HashMap<Uuid, Arc<Alert>>,
}

impl Alerts {
    /// Begins anew with those of a snapshot.
    pub fn start(&mut self, alerts: Vec<Alert>) {
        self.open = alerts.into_iter().map(|alert| (alert.alert_id, Arc::new(alert))).collect();
    }

    /// Takes a change in.
    pub fn push(&mut self, alert: Alert) {
        if alert.is_open() {
            self.open.insert(alert.alert_id, Arc::new(alert));
        } else {
            self.open.remove(&alert.alert_id);
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

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
