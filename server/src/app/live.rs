//! The live stream of stored events: what was committed, in the order of `received_at`.
//!
//! Subscribe first, replay from the table second, follow third, and skip what was sent already: then nothing is missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use tokio::sync::broadcast;
use tyr_api::events::Event;

/// Batches that a subscriber may fall behind before it is told of a gap.
///
/// A batch holds at most 5,000 events but usually far fewer; 1,024 of them are minutes of a quiet fleet and seconds of a busy one.
const BATCHES_MAX: usize = 1024;

/// Events that one transaction stored.
#[derive(Debug)]
pub struct Stored {
    /// Events that this server stored before these: the difference to what a lagging subscriber saw is what it missed.
    pub ordinal: u64,
    /// Strictly greater than that of every batch before.
    pub received_at: Timestamp,
    /// In the order of `event_id`.
    pub events: Vec<Event>,
}

/// Where committed batches are announced.
#[derive(Debug)]
pub struct Live {
    sender: broadcast::Sender<Arc<Stored>>,
    ordinal: AtomicU64,
}

impl Live {
    /// A stream with no subscribers.
    pub fn new() -> Self {
        Self { sender: broadcast::Sender::new(BATCHES_MAX), ordinal: AtomicU64::new(0) }
    }

    /// Everything that is stored from now on. `RecvError::Lagged` counts batches; compare `ordinal`s to count events.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Stored>> {
        self.sender.subscribe()
    }

    /// How many events this server has stored: the `ordinal` of the next batch.
    pub fn ordinal(&self) -> u64 {
        self.ordinal.load(Ordering::Acquire)
    }

    /// Whether anybody listens; building the events for nobody can be skipped.
    pub fn has_subscribers(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Announces a committed batch. Called by the one ingest writer alone.
    pub fn publish(&self, received_at: Timestamp, stored: u64, events: Vec<Event>) {
        let ordinal = self.ordinal.fetch_add(stored, Ordering::AcqRel);
        // An error means that nobody listens.
        let _ = self.sender.send(Arc::new(Stored { ordinal, received_at, events }));
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}
