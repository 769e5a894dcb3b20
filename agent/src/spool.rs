//! What was made and not yet acknowledged, in order, in memory.
//!
//! Records get consecutive sequence numbers when they are appended; they are handed out in batches, and forgotten when the
//! server has committed them. A connection that breaks is followed by [`Spool::rewind`], after which everything that was
//! not acknowledged is handed out again, with the same numbers and the same bytes.
//!
//! - **Bound.** Records take at most `bytes_max` together. When they would take more, allowed events go first, oldest first;
//!   denials and alerts only go when no allowed event is left. What goes is counted by kind and verdict.
//! - **Never half gone.** A record that was sent once is not dropped until it is acknowledged, since the server may hold
//!   it: dropping it would count it as stored *and* as lost. The in-flight window bounds how much that can be.
//! - **Never stuck.** When the server says that it can't take what it was sent, less goes into a batch, down to one record; a
//!   record that is refused alone [`REFUSALS_MAX`] times is given up, and counted.
//! - **Losses** are cumulative totals per (kind, verdict, reason) within the epoch. They travel as records of the spool,
//!   behind the events that are already in it, and only when the report before them has left.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prost::Message;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use tyr_proto::BATCH_RECORDS_MAX;
use tyr_proto::v1::record::Record as Payload;
use tyr_proto::v1::{DiscoveredAgent, Event, EventBatch, Loss, Record, Verdict};

mod losses;

use losses::{Losses, REFUSED, SPOOL_FULL, TOO_LARGE};

/// A batch is handed out once its records take this many bytes.
pub const BATCH_BYTES: usize = 512 * 1024;
/// Longest that a record waits for others to share its batch.
pub const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// Longest that a denial or an alert waits.
pub const FLUSH_URGENT_AFTER: Duration = Duration::from_millis(50);
/// Most records that are sent and not acknowledged: 32 full batches, enough for 50,000 records/s over a 60 ms round trip.
pub const IN_FLIGHT_RECORDS_MAX: usize = 32 * BATCH_RECORDS_MAX;

/// Largest record that is kept, in bytes. Events are cut to far less when they are made; with this, no batch can be larger than a
/// message may be.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
/// So often a record is sent alone to a server that refuses it.
pub const REFUSALS_MAX: u32 = 3;
/// After a refusal a batch holds this much less; after an acknowledgement this much more.
const BATCH_FACTOR: usize = 10;

/// What a record costs besides its bytes, in bytes: its entry and the allocator's share.
const ENTRY_BYTES: usize = size_of::<Entry>() + 16;

/// The spool; see the module.
#[derive(Debug)]
pub struct Spool {
    epoch: [u8; 16],
    bytes_max: usize,
    state: Mutex<State>,
    /// Something happened that may make a batch due.
    changed: Notify,
    /// Something was acknowledged.
    drained: watch::Sender<()>,
}

/// How the spool stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Records appended and not acknowledged.
    pub records: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Events made since the epoch began, those lost included.
    pub emitted: u64,
    /// Events lost since the epoch began, wherever.
    pub lost: u64,
    /// Events that the server acknowledged.
    pub acknowledged: u64,
    /// Announcements of AI processes for which there was no room.
    pub announcements_lost: u64,
}

/// Which records give way to which when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Allowed events.
    Ordinary,
    /// Denials and alerts.
    Urgent,
    /// Announcements and loss reports: small, few, and others refer to them.
    Kept,
}

#[derive(Debug)]
struct Entry {
    sequence: u64,
    rank: Rank,
    /// Kind and verdict of an event.
    event: Option<(i32, i32)>,
    /// The encoded [`Record`].
    bytes: Box<[u8]>,
}

impl Entry {
    fn cost(&self) -> usize {
        self.bytes.len() + ENTRY_BYTES
    }
}

#[derive(Debug)]
struct State {
    /// Sorted by sequence number; dropped records leave gaps.
    entries: VecDeque<Entry>,
    bytes: usize,
    next_sequence: u64,
    /// First sequence number that was not handed out on this connection.
    cursor: u64,
    /// First sequence number that was never handed out.
    never_sent: u64,
    /// Events that may be dropped: never sent, by rank (ordinary, urgent).
    droppable: [usize; 2],
    unsent_bytes: usize,
    /// When what is not sent yet is to be sent at the latest.
    due: Option<Instant>,
    losses: Losses,
    /// Sequence number of the last loss report.
    losses_reported_at: Option<u64>,
    /// Events given to the spool.
    appended: u64,
    acknowledged: u64,
    announcements_lost: u64,
    /// Nothing waits for others any more.
    draining: bool,
    /// Most records in one batch: fewer while the server refuses what it is sent.
    batch_records_max: usize,
    /// The record that was refused alone, and how often.
    refused: Option<(u64, u32)>,
}

impl Spool {
    /// An empty spool of a new epoch that takes at most `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            epoch: rand::random(),
            bytes_max,
            state: Mutex::new(State {
                entries: VecDeque::new(),
                bytes: 0,
                next_sequence: 1,
                cursor: 1,
                never_sent: 1,
                droppable: [0; 2],
                unsent_bytes: 0,
                due: None,
                losses: Losses::default(),
                losses_reported_at: None,
                appended: 0,
                acknowledged: 0,
                announcements_lost: 0,
                draining: false,
                batch_records_max: BATCH_RECORDS_MAX,
                refused: None,
            }),
            changed: Notify::new(),
            drained: watch::Sender::new(()),
        }
    }

    /// 16 random bytes: a sequence number means something only within them.
    pub fn epoch(&self) -> [u8; 16] {
        self.epoch
    }

    /// Keeps an event until it is acknowledged; what has to give way is counted.
    pub fn append_event(&self, event: Event) {
        let rank = if event.verdict == i32::from(Verdict::Allow) { Rank::Ordinary } else { Rank::Urgent };
        let key = (event.kind, event.verdict);
        let bytes = encode(Payload::Event(event));
        let mut state = self.lock();
        state.appended += 1;
        state.append(rank, Some(key), bytes, self.bytes_max);
        drop(state);
        self.changed.notify_one();
    }

    /// Keeps the announcement of an AI process, or of its end.
    pub fn append_discovered(&self, discovered: DiscoveredAgent) {
        let bytes = encode(Payload::DiscoveredAgent(discovered));
        self.lock().append(Rank::Kept, None, bytes, self.bytes_max);
        self.changed.notify_one();
    }

    /// Sets the total of events that were lost before they came here, such as `kernel_ring`; totals only grow.
    pub fn set_lost(&self, kind: i32, verdict: i32, reason: &'static str, total: u64) {
        let mut state = self.lock();
        if state.losses.raise(kind, verdict, reason, total) {
            state.due_within(FLUSH_AFTER);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// The next consecutive records, as soon as a batch is due: 100 records, [`BATCH_BYTES`], [`FLUSH_AFTER`] after the
    /// first, or [`FLUSH_URGENT_AFTER`] after a denial or an alert.
    ///
    /// Waits for ever while there is nothing to send, and while [`IN_FLIGHT_RECORDS_MAX`] records are unacknowledged.
    /// Dropping the future loses nothing.
    pub async fn next_batch(&self) -> EventBatch {
        loop {
            let changed = self.changed.notified();
            let due = {
                let mut state = self.lock();
                match state.next_due() {
                    Some(due) if due <= Instant::now() => {
                        let batch = state.take(self.epoch);
                        if !batch.records.is_empty() {
                            return batch;
                        }
                        // What was due has been dropped since.
                        state.due
                    }
                    due => due,
                }
            };
            match due {
                Some(due) => tokio::select! { () = changed => {} () = sleep_until(due) => {} },
                None => changed.await,
            }
        }
    }

    /// Goes back to the first record that is not acknowledged: for the start of a connection.
    pub fn rewind(&self) {
        let mut state = self.lock();
        state.cursor = state.entries.front().map_or(state.next_sequence, |entry| entry.sequence);
        state.unsent_bytes = state.bytes;
        state.due = (!state.entries.is_empty() || state.losses.changed()).then(Instant::now);
        drop(state);
        self.changed.notify_one();
    }

    /// Forgets all records up to and including `sequence`, as the server holds them.
    ///
    /// A number that was never sent, or one of another epoch, acknowledges nothing: false.
    pub fn acknowledge(&self, epoch: &[u8], sequence: u64) -> bool {
        let mut state = self.lock();
        if epoch != self.epoch || sequence >= state.never_sent {
            return false;
        }
        while let Some(entry) = state.entries.pop_front_if(|entry| entry.sequence <= sequence) {
            state.bytes -= entry.cost();
            if entry.sequence >= state.cursor {
                state.unsent_bytes -= entry.cost();
            }
            state.acknowledged += u64::from(entry.event.is_some());
        }
        state.cursor = state.cursor.max(sequence + 1);
        state.batch_records_max = (state.batch_records_max * BATCH_FACTOR).min(BATCH_RECORDS_MAX);
        state.refused = None;
        drop(state);
        self.changed.notify_one();
        self.drained.send_replace(());
        true
    }

    /// The server ended the connection because it can't take what it was sent. Sent again as it is, it would be refused again, for
    /// ever: so less goes into a batch from now on, and what was refused alone often enough is given up. Says whether something was.
    pub fn refused(&self) -> bool {
        let mut state = self.lock();
        let Some(first) = state.entries.front().map(|entry| entry.sequence) else { return false };
        // What was not sent on this connection can't be the reason.
        if first >= state.cursor {
            return false;
        }
        if state.batch_records_max > 1 {
            state.batch_records_max = (state.batch_records_max / BATCH_FACTOR).max(1);
            return false;
        }
        let times = match state.refused {
            Some((sequence, times)) if sequence == first => times + 1,
            _ => 1,
        };
        state.refused = Some((first, times));
        if times < REFUSALS_MAX {
            return false;
        }
        let entry = state.entries.pop_front().expect("looked at above");
        state.bytes -= entry.cost();
        state.refused = None;
        match entry.event {
            Some((kind, verdict)) => state.losses.add(kind, verdict, REFUSED, 1),
            None => state.announcements_lost += 1,
        }
        state.due_within(FLUSH_AFTER);
        drop(state);
        self.changed.notify_one();
        self.drained.send_replace(());
        true
    }

    /// Hands out everything at once from now on, and waits until all of it is acknowledged: for the end of the agent.
    pub async fn drained(&self) {
        let mut acknowledged = {
            let mut state = self.lock();
            state.draining = true;
            state.due = Some(Instant::now());
            self.drained.subscribe()
        };
        self.changed.notify_one();
        // The sender lives in `self`.
        let _ = acknowledged.wait_for(|()| self.lock().is_delivered()).await;
    }

    /// How it stands now.
    pub fn counters(&self) -> Counters {
        let state = self.lock();
        Counters {
            records: state.entries.len() as u64,
            bytes: state.bytes as u64,
            emitted: state.appended + state.losses.total_before_spool(),
            lost: state.losses.total(),
            acknowledged: state.acknowledged,
            announcements_lost: state.announcements_lost,
        }
    }

    /// What was lost in this epoch, by kind, verdict and reason.
    pub fn losses(&self) -> Vec<Loss> {
        self.lock().losses.all()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every method leaves the state whole before anything in it can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, rank: Rank, event: Option<(i32, i32)>, bytes: Box<[u8]>, bytes_max: usize) {
        if bytes.len() > RECORD_BYTES_MAX {
            match event {
                Some((kind, verdict)) => self.losses.add(kind, verdict, TOO_LARGE, 1),
                None => self.announcements_lost += 1,
            }
            self.due_within(FLUSH_AFTER);
            return;
        }
        let entry = Entry { sequence: self.next_sequence, rank, event, bytes };
        if !self.make_room(entry.cost(), rank, bytes_max) {
            match event {
                Some((kind, verdict)) => self.losses.add(kind, verdict, SPOOL_FULL, 1),
                None => self.announcements_lost += 1,
            }
            self.due_within(FLUSH_AFTER);
            return;
        }
        self.next_sequence += 1;
        self.bytes += entry.cost();
        self.unsent_bytes += entry.cost();
        if rank != Rank::Kept {
            self.droppable[rank as usize] += 1;
        }
        self.entries.push_back(entry);
        self.due_within(if rank == Rank::Urgent { FLUSH_URGENT_AFTER } else { FLUSH_AFTER });
    }

    /// Drops what ranks lower, or the same and is older, until `cost` more bytes fit.
    fn make_room(&mut self, cost: usize, rank: Rank, bytes_max: usize) -> bool {
        if self.bytes + cost <= bytes_max {
            return true;
        }
        // Some more than is needed right now, so that a full spool isn't swept for each record.
        let target = (bytes_max - bytes_max / 16).saturating_sub(cost);
        for victim in [Rank::Ordinary, Rank::Urgent] {
            if victim > rank || self.bytes <= target || self.droppable[victim as usize] == 0 {
                continue;
            }
            let never_sent = self.never_sent;
            let Self { entries, bytes, unsent_bytes, losses, droppable, .. } = self;
            entries.retain(|entry| {
                let keep = *bytes <= target || entry.rank != victim || entry.sequence < never_sent;
                if !keep {
                    *bytes -= entry.cost();
                    *unsent_bytes -= entry.cost();
                    droppable[victim as usize] -= 1;
                    let (kind, verdict) = entry.event.expect("only events have these ranks");
                    losses.add(kind, verdict, SPOOL_FULL, 1);
                }
                keep
            });
        }
        self.bytes + cost <= bytes_max
    }

    fn is_delivered(&self) -> bool {
        self.entries.is_empty() && !self.losses.changed()
    }

    fn due_within(&mut self, delay: Duration) {
        let due = Instant::now() + if self.draining { Duration::ZERO } else { delay };
        self.due = Some(self.due.map_or(due, |old| old.min(due)));
    }

    /// Index of the first record that was not handed out on this connection.
    fn first_unsent(&self) -> usize {
        self.entries.partition_point(|entry| entry.sequence < self.cursor)
    }

    fn next_due(&self) -> Option<Instant> {
        let sent = self.first_unsent();
        if sent >= IN_FLIGHT_RECORDS_MAX {
            return None;
        }
        let unsent = self.entries.len() - sent;
        if unsent >= self.batch_records_max || (unsent > 0 && self.unsent_bytes >= BATCH_BYTES) {
            return Some(Instant::now());
        }
        self.due
    }

    /// Hands out the next consecutive records.
    fn take(&mut self, epoch: [u8; 16]) -> EventBatch {
        self.report_losses();
        let start = self.first_unsent();
        let mut batch = EventBatch { spool_epoch: epoch.to_vec(), ..EventBatch::default() };
        let mut bytes = 0;
        for entry in self.entries.range(start..).take(self.batch_records_max) {
            let consecutive = batch.first_sequence + batch.records.len() as u64;
            if !batch.records.is_empty() && (entry.sequence != consecutive || bytes + entry.bytes.len() > BATCH_BYTES) {
                break;
            }
            if batch.records.is_empty() {
                batch.first_sequence = entry.sequence;
            }
            bytes += entry.bytes.len();
            self.unsent_bytes -= entry.cost();
            if entry.sequence >= self.never_sent && entry.rank != Rank::Kept {
                self.droppable[entry.rank as usize] -= 1;
            }
            batch.records.push(Record::decode(&*entry.bytes).expect("encoded by append"));
        }
        if !batch.records.is_empty() {
            self.cursor = batch.first_sequence + batch.records.len() as u64;
            self.never_sent = self.never_sent.max(self.cursor);
        }
        // More than one batch was due at once: the rest is as late as this one was.
        let rest = start + batch.records.len() < self.entries.len();
        self.due = if rest {
            Some(Instant::now())
        } else if self.losses.changed() {
            Some(Instant::now() + if self.draining { Duration::ZERO } else { FLUSH_AFTER })
        } else {
            None
        };
        batch
    }

    /// Puts changed totals at the end, unless the report before them is still here unsent: it will be followed soon enough.
    fn report_losses(&mut self) {
        if self.losses_reported_at.is_some_and(|sequence| sequence >= self.cursor) {
            return;
        }
        for loss in self.losses.take_changed() {
            let entry = Entry {
                sequence: self.next_sequence,
                rank: Rank::Kept,
                event: None,
                bytes: encode(Payload::Loss(loss)),
            };
            self.next_sequence += 1;
            self.bytes += entry.cost();
            self.unsent_bytes += entry.cost();
            self.losses_reported_at = Some(entry.sequence);
            self.entries.push_back(entry);
        }
    }
}

fn encode(payload: Payload) -> Box<[u8]> {
    Record { record: Some(payload) }.encode_to_vec().into_boxed_slice()
}

#[cfg(test)]
mod tests;
