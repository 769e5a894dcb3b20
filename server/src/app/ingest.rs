//! From batches of agents to rows, exactly once.
//!
//! Each stream cleans and judges its own batches ([`Session::prepare`]) and hands them to the one writer
//! ([`writer::run`]), which joins what waits into one transaction and answers after COMMIT. One writer gives
//! `received_at` a strict order, which the live stream and its replay rest on.

mod announce;
pub mod clean;
pub mod pulse;
pub mod writer;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use prost::Message;
use tokio::sync::{mpsc, oneshot, watch};
use tyr_api::events::Event;
use tyr_proto::v1;
use tyr_proto::v1::record::Record as Kind;
use uuid::Uuid;

use crate::app::App;
use crate::app::ingest::clean::Refused;
use crate::app::ingest::pulse::Pulse;
use crate::app::judge::Timeline;
use crate::db::apart::{Expired, Quarantined};
use crate::db::discovered_agents::Announced;
use crate::db::events::counts::Counts;
use crate::db::events::ingest::Rows;
use crate::db::losses::Loss;
use crate::db::partitions::Window;
use crate::db::rejected::Rejected;
use crate::db::{DbError, agents, discovered_agents};

/// Batches that may wait for the writer. An agent has one under way, so this is the number of agents that wait without
/// holding up their streams' heartbeats.
const QUEUE_BATCHES_MAX: usize = 256;
/// AI process types remembered per stream.
const TYPES_MAX: usize = 4096;

/// What is to be stored of one batch.
#[derive(Debug)]
pub struct Work {
    /// The agent, from its certificate.
    pub agent_id: Uuid,
    /// The first batch of a stream: likely a replay, so it goes through the slower way at once.
    pub may_be_replay: bool,
    /// AI processes, stored before the events.
    pub discovered: Vec<Announced>,
    /// The loss ledger.
    pub losses: Vec<Loss>,
    /// Cleaned and judged; `received_at` is the writer's to set.
    pub events: Vec<Event>,
    /// What can't be stored as it came.
    pub rejected: Vec<Rejected>,
    /// Events that claim a time too far ahead.
    pub quarantined: Vec<Quarantined>,
    /// Events whose days are gone.
    pub expired: Option<Expired>,
    /// What follows from `events`, made beforehand. `None`: the writer makes it.
    ready: Option<Ready>,
}

/// Events as the table takes them.
#[derive(Debug)]
struct Ready {
    rows: Rows,
    counts: Counts,
}

impl Ready {
    fn of(events: &[Event]) -> Self {
        Self { rows: Rows::encode(events), counts: Counts::of(events) }
    }
}

impl Work {
    /// A batch of an agent with nothing in it.
    fn empty(agent_id: Uuid, may_be_replay: bool) -> Self {
        Self {
            agent_id,
            may_be_replay,
            discovered: Vec::new(),
            losses: Vec::new(),
            events: Vec::new(),
            rejected: Vec::new(),
            quarantined: Vec::new(),
            expired: None,
            ready: None,
        }
    }
}

/// Why a batch was not stored. It is not lost: the agent sends it again.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The database refused or failed.
    #[error("the batch was not stored")]
    Db(#[source] Arc<DbError>),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

struct Job {
    work: Work,
    done: oneshot::Sender<Result<(), IngestError>>,
}

/// The way to the writer.
#[derive(Debug)]
pub struct Ingest {
    sender: mpsc::Sender<Job>,
    /// Taken by the writer when it starts.
    receiver: Mutex<Option<mpsc::Receiver<Job>>>,
    pulse: Pulse,
}

impl Ingest {
    /// A queue without a writer yet.
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_BATCHES_MAX);
        Self { sender, receiver: Mutex::new(Some(receiver)), pulse: Pulse::default() }
    }

    /// Stores a batch; returns after COMMIT.
    pub async fn store(&self, work: Work) -> Result<(), IngestError> {
        let (done, answer) = oneshot::channel();
        self.sender.send(Job { work, done }).await.map_err(|_| IngestError::Stopping)?;
        answer.await.map_err(|_| IngestError::Stopping)?
    }

    /// Whether the writer gets on.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Batches that wait for the writer.
    pub fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    fn take_receiver(&self) -> Option<mpsc::Receiver<Job>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Default for Ingest {
    fn default() -> Self {
        Self::new()
    }
}

/// What one stream has to know to prepare its batches.
#[derive(Debug)]
pub struct Session {
    agent_id: Uuid,
    agent_name: String,
    timeline: Timeline,
    generation: watch::Receiver<u64>,
    /// Types of this agent's AI processes.
    types: HashMap<Uuid, String>,
    may_be_replay: bool,
}

impl Session {
    /// For one stream of an admitted agent, whose effective policy has been settled.
    pub async fn open(app: &App, agent_id: Uuid) -> Result<Self, DbError> {
        let mut generation = app.fleet.policy_generation();
        generation.mark_unchanged();
        let agent_name = agents::name(&mut *app.pool.acquire().await?, agent_id).await?.unwrap_or_default();
        let timeline = Timeline::load(app, agent_id).await?;
        Ok(Self { agent_id, agent_name, timeline, generation, types: HashMap::new(), may_be_replay: true })
    }

    /// Cleans and judges a batch.
    pub async fn prepare(&mut self, app: &App, batch: v1::EventBatch) -> Result<Work, DbError> {
        if self.generation.has_changed().unwrap_or(false) {
            self.generation.mark_unchanged();
            self.timeline = Timeline::load(app, self.agent_id).await?;
        }
        let window = Window::at(Timestamp::now(), app.config.retention_days);
        let mut work = Work::empty(self.agent_id, std::mem::take(&mut self.may_be_replay));
        work.events.reserve(batch.records.len());
        for record in batch.records {
            let Err(refused) = self.take(&mut work, &batch.spool_epoch, &window, &record) else { continue };
            let (agent_id, reason) = (self.agent_id, refused.to_string());
            match refused {
                Refused::TooOld { ts } => Expired::add(&mut work.expired, ts),
                Refused::Future { ts, event_id } => {
                    let record = record.encode_to_vec();
                    work.quarantined.push(Quarantined { agent_id, ts, event_id, reason, record });
                }
                _ => work.rejected.push(Rejected { agent_id, reason, record: record.encode_to_vec() }),
            }
        }
        self.learn_types(app, &work.events).await?;
        for event in &mut work.events {
            event.agent_type = event.discovered_agent_id.and_then(|id| self.types.get(&id).cloned());
            self.timeline.judge(event);
        }
        work.ready = Some(Ready::of(&work.events));
        Ok(work)
    }

    fn take(&mut self, work: &mut Work, epoch: &[u8], window: &Window, record: &v1::Record) -> Result<(), Refused> {
        match record.record.as_ref().ok_or(Refused::UnknownRecord)? {
            Kind::Event(event) => work.events.push(clean::event(self.agent_id, &self.agent_name, event, window)?),
            Kind::DiscoveredAgent(announced) => {
                let announced = clean::discovered(self.agent_id, announced)?;
                if self.types.len() >= TYPES_MAX {
                    self.types.clear();
                }
                self.types.insert(announced.id, announced.agent_type.clone());
                work.discovered.push(announced);
            }
            Kind::Loss(loss) => work.losses.push(clean::loss(self.agent_id, epoch, loss)?),
        }
        Ok(())
    }

    /// Looks up the types of AI processes that were announced on an earlier stream.
    async fn learn_types(&mut self, app: &App, events: &[Event]) -> Result<(), DbError> {
        let unknown: HashSet<Uuid> = events
            .iter()
            .filter_map(|event| event.discovered_agent_id)
            .filter(|id| !self.types.contains_key(id))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let unknown: Vec<Uuid> = unknown.into_iter().collect();
        let mut conn = app.pool.acquire().await?;
        self.types.extend(discovered_agents::types(&mut conn, self.agent_id, &unknown).await?);
        Ok(())
    }
}
