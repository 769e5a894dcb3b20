//! The live stream of stored events: what was committed, in the order of `received_at`.
//!
//! Subscribe first, replay from the table second, follow third, and skip what was sent already: then nothing is missed.
//!
//! The newest batches lie in one ring for all subscribers, bounded in events and bytes; a subscriber is no more than a place in
//! it. One that falls behind the ring's end is told how many events it missed, so the slowest costs nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::watch;
use tyr_api::events::Event;

use crate::db::events::Filter;

/// Events in the ring: a second of the fastest ingest, minutes of a usual one.
const EVENTS_MAX: usize = 65_536;
/// What they may take in memory, estimated; their rendered form takes up to as much again.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// What an event takes beside its texts.
const EVENT_BYTES: usize = 512;

/// Events that one transaction stored.
#[derive(Debug)]
pub struct Stored {
    /// Events that this server stored before these.
    pub ordinal: u64,
    /// Strictly greater than that of every batch before.
    pub received_at: Timestamp,
    /// In the order of `event_id`.
    pub events: Vec<Event>,
    /// What doors made of these events, once for all subscribers.
    pub rendered: Rendered,
}

/// A batch as it is sent. Made by the door, kept here as long as the batch is.
#[derive(Debug, Default)]
pub struct Rendered {
    /// Each event.
    pub events: OnceLock<Vec<Bytes>>,
    /// All events, in pieces.
    pub whole: OnceLock<Pieces>,
    /// Those that a filter lets through, in pieces.
    pub selected: Mutex<HashMap<Filter, Pieces>>,
}

/// Events on their way to readers.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    /// In order, to be sent one after the other.
    pub bytes: Arc<[Bytes]>,
    /// How many events they hold.
    pub events: u64,
}

/// What comes next for a subscriber.
#[derive(Debug)]
pub enum Next {
    /// A batch.
    Batch(Arc<Stored>),
    /// So many events were stored that this subscriber will not get: it was too slow.
    Missed(u64),
}

/// Where committed batches are announced.
#[derive(Debug)]
pub struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    /// Number of the newest batch.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    batches: VecDeque<Arc<Stored>>,
    /// Number of the oldest batch here.
    oldest: u64,
    events: usize,
    bytes: usize,
    /// Events stored so far.
    ordinal: u64,
}

impl Shared {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Every update leaves the ring whole before anything can panic.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn next(&self) -> u64 {
        self.oldest + self.batches.len() as u64
    }

    fn push(&mut self, stored: Arc<Stored>) {
        self.events += stored.events.len();
        self.bytes += bytes(&stored.events);
        self.batches.push_back(stored);
        while self.batches.len() > 1 && (self.events > EVENTS_MAX || self.bytes > BYTES_MAX) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(gone) = self.batches.pop_front() {
            self.oldest += 1;
            self.events -= gone.events.len();
            self.bytes -= bytes(&gone.events);
        }
    }
}

/// An estimate; the texts are what can be large.
fn bytes(events: &[Event]) -> usize {
    events
        .iter()
        .map(|event| {
            let metadata: usize = event.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
            EVENT_BYTES + event.resource.len() + event.process_exe.len() + event.cmdline.len() + metadata
        })
        .sum()
}

impl Live {
    /// A stream with no subscribers.
    pub fn new() -> Self {
        Self(Arc::new(Shared { ring: Mutex::default(), newest: watch::Sender::new(0) }))
    }

    /// Everything that is stored from now on.
    pub fn subscribe(&self) -> Subscription {
        // Under the ring's lock, so that no batch is announced in between.
        let ring = self.0.ring();
        Subscription {
            newest: self.0.newest.subscribe(),
            shared: Arc::clone(&self.0),
            next: ring.next(),
            ordinal: ring.ordinal,
        }
    }

    /// How many events this server has stored: the `ordinal` of the next batch.
    pub fn ordinal(&self) -> u64 {
        self.0.ring().ordinal
    }

    /// Whether anybody listens; building the events for nobody can be skipped.
    pub fn has_subscribers(&self) -> bool {
        self.0.newest.receiver_count() > 0
    }

    /// Announces a committed batch. Called by the one ingest writer alone.
    pub fn publish(&self, received_at: Timestamp, stored: u64, events: Vec<Event>) {
        let mut ring = self.0.ring();
        let ordinal = ring.ordinal;
        ring.ordinal += stored;
        if !self.has_subscribers() {
            while !ring.batches.is_empty() {
                ring.pop();
            }
            return;
        }
        ring.push(Arc::new(Stored { ordinal, received_at, events, rendered: Rendered::default() }));
        let newest = ring.next();
        drop(ring);
        self.0.newest.send_replace(newest);
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

/// A subscriber's place in the stream.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
    newest: watch::Receiver<u64>,
    /// Number of the batch that comes next.
    next: u64,
    /// Ordinal that it has if nothing was missed.
    ordinal: u64,
}

impl Subscription {
    /// Waits for what comes next. Loses nothing when it is dropped before its end.
    pub async fn next(&mut self) -> Next {
        loop {
            if let Some(next) = self.try_next() {
                return next;
            }
            // The sender lives in what `shared` holds.
            self.newest.changed().await.expect("the stream lives as long as its subscribers");
        }
    }

    /// Events before this place, of all that this server stored.
    pub fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// What is there already, if anything is.
    pub fn try_next(&mut self) -> Option<Next> {
        let ring = self.shared.ring();
        self.next = self.next.max(ring.oldest);
        let index = usize::try_from(self.next - ring.oldest).unwrap_or(usize::MAX);
        let stored = ring.batches.get(index)?;
        let missed = stored.ordinal.saturating_sub(self.ordinal);
        if missed > 0 {
            self.ordinal = stored.ordinal;
            return Some(Next::Missed(missed));
        }
        self.next += 1;
        self.ordinal = stored.ordinal + stored.events.len() as u64;
        Some(Next::Batch(Arc::clone(stored)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tyr_api::events::{Event, EventKind, Severity, Verdict};
    use uuid::Uuid;

    use super::{BYTES_MAX, EVENTS_MAX, Live, Next, Subscription};

    fn event(cmdline: &str) -> Event {
        Event {
            event_id: Uuid::now_v7(),
            agent_id: Uuid::nil(),
            agent_name: String::new(),
            ts: Timestamp::UNIX_EPOCH,
            received_at: Timestamp::UNIX_EPOCH,
            discovered_agent_id: None,
            agent_type: None,
            kind: EventKind::Exec,
            resource: String::new(),
            verdict: Verdict::Allow,
            server_verdict: None,
            drift_detected: false,
            drift_reason: None,
            severity: Severity::Low,
            rule: None,
            policy_id: None,
            policy_version: None,
            pid: 1,
            process_exe: String::new(),
            cmdline: cmdline.to_owned(),
            metadata: std::collections::BTreeMap::new(),
        }
    }

    fn publish(live: &Live, count: usize, cmdline: &str) {
        live.publish(Timestamp::UNIX_EPOCH, count as u64, vec![event(cmdline); count]);
    }

    /// Events received and missed, as far as there is something.
    fn drain(subscription: &mut Subscription) -> (u64, u64) {
        let (mut received, mut missed) = (0, 0);
        while let Some(next) = subscription.try_next() {
            match next {
                Next::Batch(stored) => received += stored.events.len() as u64,
                Next::Missed(count) => missed += count,
            }
        }
        (received, missed)
    }

    #[test]
    fn a_subscriber_gets_what_comes_after_it() {
        let live = Live::new();
        publish(&live, 3, "");
        let mut early = live.subscribe();
        publish(&live, 2, "");
        let mut late = live.subscribe();
        publish(&live, 1, "");
        assert_eq!((drain(&mut early), drain(&mut late)), ((3, 0), (1, 0)));
        assert_eq!(live.ordinal(), 6);
        drop((early, late));
        publish(&live, 4, "");
        assert_eq!(drain(&mut live.subscribe()), (0, 0), "what nobody heard is gone");
    }

    #[test]
    fn the_slow_learn_how_much_they_missed_and_the_ring_stays_bounded() {
        let live = Live::new();
        let mut slow = live.subscribe();
        let mut quick = live.subscribe();
        let (mut published, mut read) = (0, 0);
        for _ in 0..EVENTS_MAX / 1000 + 10 {
            publish(&live, 1000, "");
            published += 1000;
            read += drain(&mut quick).0;
        }
        let (received, missed) = drain(&mut slow);
        assert_eq!((read, received + missed), (published, published));
        assert!(
            missed > 0 && usize::try_from(received).is_ok_and(|received| received <= EVENTS_MAX),
            "{received} {missed}"
        );
        // Large ones are bounded by what they take.
        let large = "x".repeat(1024 * 1024);
        for _ in 0..100 {
            publish(&live, 1, &large);
        }
        let ring = live.0.ring();
        assert!(ring.bytes <= BYTES_MAX && ring.batches.len() >= 50, "{} {}", ring.bytes, ring.batches.len());
        drop(ring);
        let (received, missed) = drain(&mut slow);
        assert_eq!(received + missed, 100);
    }

    #[tokio::test]
    async fn one_that_waits_is_woken() {
        let live = Live::new();
        let mut waiting = live.subscribe();
        let task = tokio::spawn(async move { waiting.next().await });
        tokio::task::yield_now().await;
        publish(&live, 1, "");
        assert!(matches!(task.await.expect("no panic"), Next::Batch(_)));
    }
}
