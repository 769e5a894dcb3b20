//! Readers of the event stream, and how far behind they are.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::Counters;

/// Counters of streams to readers.
#[derive(Debug)]
pub struct SseMetrics {
    readers: Arc<Readers>,
    events: Counter,
    gaps: Counter,
    missed: Counter,
    refused: Counters<1>,
}

/// Where each reader is.
#[derive(Debug, Default)]
struct Readers {
    next: AtomicU64,
    /// Ordinal of the live channel up to which each reader has taken events.
    reached: Mutex<HashMap<u64, Arc<AtomicU64>>>,
}

impl Readers {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<AtomicU64>>> {
        // Every update is one insertion or removal.
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open stream; dropping it says that it ended.
#[derive(Debug)]
pub struct Reader {
    readers: Arc<Readers>,
    number: u64,
    reached: Arc<AtomicU64>,
    events: Counter,
    gaps: Counter,
    missed: Counter,
}

impl SseMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (events, gaps, missed) = (Counter::default(), Counter::default(), Counter::default());
        registry.register("tyr_sse_events_sent", "Events written to readers of the event stream", events.clone());
        registry.register("tyr_sse_gaps", "Times that a reader was told that it missed events", gaps.clone());
        registry.register(
            "tyr_sse_events_missed",
            "Events that readers missed because they were too slow, where their number is known",
            missed.clone(),
        );
        let refused = Counters::<1>::default();
        for reason in ["server_limit", "user_limit"] {
            let _ = refused.get_or_create(&[("reason", reason)]);
        }
        registry.register("tyr_sse_refused", "Streams refused because there were too many, by limit", refused.clone());
        Self { readers: Arc::default(), events, gaps, missed, refused }
    }

    /// A reader subscribed when the live channel was at that ordinal.
    pub fn subscribed(&self, ordinal: u64) -> Reader {
        let number = self.readers.next.fetch_add(1, Ordering::Relaxed);
        let reached = Arc::new(AtomicU64::new(ordinal));
        self.readers.lock().insert(number, Arc::clone(&reached));
        Reader {
            readers: Arc::clone(&self.readers),
            number,
            reached,
            events: self.events.clone(),
            gaps: self.gaps.clone(),
            missed: self.missed.clone(),
        }
    }

    /// A stream was refused; `server_limit` or `user_limit`.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// Open streams, and the number of events by which the slowest is behind `ordinal`.
    pub fn readers(&self, ordinal: u64) -> (usize, u64) {
        let readers = self.readers.lock();
        let slowest = readers.values().map(|reached| reached.load(Ordering::Relaxed)).min().unwrap_or(ordinal);
        (readers.len(), ordinal.saturating_sub(slowest))
    }
}

impl Reader {
    /// It took everything before that ordinal.
    pub fn reached(&self, ordinal: u64) {
        self.reached.store(ordinal, Ordering::Relaxed);
    }

    /// So many events were written to it.
    pub fn sent(&self, events: u64) {
        self.events.inc_by(events);
    }

    /// It was told of a gap, and of how many events where that is known.
    pub fn gap(&self, missed: Option<u64>) {
        self.gaps.inc();
        self.missed.inc_by(missed.unwrap_or(0));
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.readers.lock().remove(&self.number);
    }
}
