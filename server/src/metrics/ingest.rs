//! From batches of agents to rows.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tyr_api::events::{Event, EventKind, Verdict};

use super::{Counters, SECONDS};

/// Upper bounds, in seconds, of an event's age: from what is live to what waited in a spool for days.
const AGES: [f64; 13] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 3600.0, 21_600.0, 86_400.0];

/// How a transaction wrote its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// COPY straight into the table.
    Copy,
    /// Through a temporary table that leaves out what is stored already.
    Staged,
}

impl Way {
    const fn word(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Staged => "staged",
        }
    }
}

/// Counters of the way from batches to rows.
#[derive(Debug)]
pub struct IngestMetrics {
    /// By verdict and kind, in the order of their enumerations, so that counting an event hashes nothing.
    events: [[Counter; EventKind::ALL.len()]; Verdict::ALL.len()],
    drifts: Counter,
    batches: Counters<1>,
    replayed: Counter,
    rejected: Counter,
    quarantined: Counter,
    expired: Counter,
    transactions: Family<super::Labels<1>, Histogram, fn() -> Histogram>,
    batch_seconds: Histogram,
    age_seconds: Histogram,
}

impl IngestMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let by_word = Counters::<2>::default();
        let events = std::array::from_fn(|verdict| {
            std::array::from_fn(|kind| {
                let labels = [("verdict", Verdict::ALL[verdict].as_str()), ("kind", EventKind::ALL[kind].as_str())];
                by_word.get_or_create_owned(&labels)
            })
        });
        registry.register("tyr_events", "Events stored, by the agent's verdict and by kind", by_word);
        let drifts = Counter::default();
        registry.register(
            "tyr_drift_detected",
            "Events stored whose verdict differs from what the server says it should have been",
            drifts.clone(),
        );
        let batches = Counters::<1>::default();
        for result in ["stored", "failed"] {
            let _ = batches.get_or_create(&[("result", result)]);
        }
        registry.register(
            "tyr_ingest_batches",
            "Batches of agents, by result; a failed one is sent again by its agent",
            batches.clone(),
        );
        let replayed = Counter::default();
        registry.register(
            "tyr_ingest_replayed_events",
            "Events that came a second time and were left out",
            replayed.clone(),
        );
        let rejected = Counter::default();
        registry.register(
            "tyr_ingest_rejected_records",
            "Records that can not be stored as they came; they are in the table rejected_events",
            rejected.clone(),
        );
        let quarantined = Counter::default();
        registry.register(
            "tyr_ingest_quarantined_events",
            "Events that have no place in the table yet, such as those from the future, set apart",
            quarantined.clone(),
        );
        let expired = Counter::default();
        registry.register(
            "tyr_ingest_expired_events",
            "Events that came when their day was dropped already, counted and not stored",
            expired.clone(),
        );
        let transactions: Family<_, _, fn() -> Histogram> = Family::new_with_constructor(|| Histogram::new(SECONDS));
        for way in [Way::Copy, Way::Staged] {
            let _ = transactions.get_or_create(&[("way", way.word())]);
        }
        registry.register(
            "tyr_ingest_transaction_duration_seconds",
            "Time from BEGIN to COMMIT of the transactions that store batches",
            transactions.clone(),
        );
        let batch_seconds = Histogram::new(SECONDS);
        registry.register(
            "tyr_ingest_batch_duration_seconds",
            "Time from a batch's arrival to its acknowledgement: checking, judging, waiting for the writer, COMMIT",
            batch_seconds.clone(),
        );
        let age_seconds = Histogram::new(AGES);
        registry.register(
            "tyr_ingest_batch_age_seconds",
            "Age of the oldest event of each batch when it was stored, by the clock of its host",
            age_seconds.clone(),
        );
        Self {
            events,
            drifts,
            batches,
            replayed,
            rejected,
            quarantined,
            expired,
            transactions,
            batch_seconds,
            age_seconds,
        }
    }

    /// Events were committed that were not there before.
    pub fn stored<'a>(&self, events: impl IntoIterator<Item = &'a Event>) {
        let mut counts = [[0_u64; EventKind::ALL.len()]; Verdict::ALL.len()];
        let mut drifts = 0;
        for event in events {
            counts[event.verdict as usize][event.kind as usize] += 1;
            drifts += u64::from(event.drift_detected);
        }
        for (counters, counts) in self.events.iter().zip(counts) {
            for (counter, count) in counters.iter().zip(counts) {
                if count > 0 {
                    counter.inc_by(count);
                }
            }
        }
        self.drifts.inc_by(drifts);
    }

    /// So many events were there already.
    pub fn replayed(&self, events: usize) {
        self.replayed.inc_by(events as u64);
    }

    /// So many records went to `rejected_events`.
    pub fn rejected(&self, records: usize) {
        self.rejected.inc_by(records as u64);
    }

    /// So many events came after their day was dropped.
    pub fn expired(&self, events: i64) {
        self.expired.inc_by(u64::try_from(events).unwrap_or(0));
    }

    /// So many events were set apart, as those from the future are.
    pub fn quarantined(&self, events: usize) {
        self.quarantined.inc_by(events as u64);
    }

    /// A transaction was committed that stored so many batches.
    pub fn transaction(&self, way: Way, batches: usize, took: Duration) {
        self.transactions.get_or_create(&[("way", way.word())]).observe(took.as_secs_f64());
        self.batches.get_or_create(&[("result", "stored")]).inc_by(batches as u64);
    }

    /// So many batches were not stored; their agents will send them again.
    pub fn failed(&self, batches: usize) {
        self.batches.get_or_create(&[("result", "failed")]).inc_by(batches as u64);
    }

    /// A batch was acknowledged this long after it arrived.
    pub fn acknowledged(&self, took: Duration) {
        self.batch_seconds.observe(took.as_secs_f64());
    }

    /// The oldest event of a batch was this old when it was stored; a host whose clock is ahead counts as zero.
    pub fn age(&self, age: Duration) {
        self.age_seconds.observe(age.as_secs_f64());
    }
}
