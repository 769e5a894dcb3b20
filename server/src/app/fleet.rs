//! All agents as this server sees them now: who is connected, when it was heard from, and news for dashboards.
//!
//! `last_seen` lives here and is written to the table once a second for all agents that were heard from, so that a
//! heartbeat costs no transaction of its own.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{broadcast, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tyr_api::agents::{Agent, DiscoveredAgent, Liveness};
use tyr_api::events::{Event, EventKind, Verdict};
use tyr_api::stream::StreamStats;
use uuid::Uuid;

use crate::app::App;
use crate::app::liveness::Limits;
use crate::db::agents::{Beat, Refusal, Vitals, Which};
use crate::db::{DbError, agents, discovered_agents, losses, stats};

/// Seconds of news that a subscriber may fall behind.
const NEWS_MAX: usize = 64;
/// How often news are made and `last_seen` is written.
const TICK: Duration = Duration::from_secs(1);
/// How often the database is asked which of the connected agents were archived or revoked, perhaps at another server.
const REFUSALS_INTERVAL: Duration = Duration::from_millis(500);
/// Each this many times it is asked about all agents, so that counts by liveness leave out those of other servers too.
const REFUSALS_OF_ALL: u64 = 20;
/// How often the counts over a day are read again; in between they are carried on.
const RECOUNT_TICKS: u64 = 10;

/// What changed within one second; made once, sent to every dashboard.
#[derive(Debug)]
pub struct News {
    /// Counters.
    pub stats: StreamStats,
    /// Agents that changed, as REST shows them.
    pub agents: Vec<Agent>,
    /// AI processes that changed.
    pub discovered_agents: Vec<DiscoveredAgent>,
    /// The three as they are sent, made by the door once for all dashboards: agents, AI processes, counters.
    pub rendered: OnceLock<[bytes::Bytes; 3]>,
}

/// All agents that this server knows of.
#[derive(Debug)]
pub struct Fleet {
    limits: Limits,
    agents: Mutex<HashMap<Uuid, State>>,
    discovered: Mutex<HashSet<Uuid>>,
    /// Archived and revoked since the last news: not among `agents` any more, but dashboards are to hear of it.
    removed: Mutex<HashSet<Uuid>>,
    counters: Counters,
    connections: AtomicU64,
    news: broadcast::Sender<Arc<News>>,
    policies: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    last_seen: Timestamp,
    /// What the last heartbeat said; `None` since the server's start.
    vitals: Option<Vitals>,
    connection: Option<(u64, watch::Sender<Option<Ended>>)>,
    /// What dashboards were told last.
    shown: Liveness,
    unsaved: bool,
    changed: bool,
}

/// Events stored since the last news.
#[derive(Debug, Default)]
struct Counters {
    by_verdict: [AtomicU64; Verdict::ALL.len()],
    by_kind: [AtomicU64; EventKind::ALL.len()],
    drifts: AtomicU64,
}

/// Why a stream is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Another stream of the same agent takes its place.
    Replaced,
    /// An admin shut the agent out.
    Refused(Refusal),
}

/// An agent's open stream. Dropping it says that the stream ended.
#[derive(Debug)]
pub struct Connection {
    app: Arc<App>,
    agent_id: Uuid,
    number: u64,
    ended: watch::Receiver<Option<Ended>>,
}

impl Connection {
    /// Waits until the stream has to end, and says why.
    pub async fn ended(&self) -> Ended {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(why) => why.expect("waited for"),
            // Whoever takes the sender away sends first.
            Err(_) => Ended::Replaced,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut agents = self.app.fleet.lock();
        if let Some(state) = agents.get_mut(&self.agent_id)
            && state.connection.as_ref().is_some_and(|(number, _)| *number == self.number)
        {
            state.connection = None;
            state.changed = true;
        }
    }
}

impl Fleet {
    /// An empty fleet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            agents: Mutex::default(),
            discovered: Mutex::default(),
            removed: Mutex::default(),
            counters: Counters::default(),
            connections: AtomicU64::new(0),
            news: broadcast::Sender::new(NEWS_MAX),
            policies: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, State>> {
        // Every update is a few plain assignments, so a panic elsewhere leaves nothing half done.
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// News once a second.
    pub fn news(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.subscribe()
    }

    /// Says that assignments were changed and committed: every stream looks whether its agent's effective policy is another.
    pub fn policies_changed(&self) {
        self.policies.send_modify(|generation| *generation += 1);
        for state in self.lock().values_mut() {
            // What is assigned to an agent is part of what dashboards show of it.
            state.changed = true;
        }
    }

    /// Generation of assignments, for streams.
    pub fn policy_generation(&self) -> watch::Receiver<u64> {
        self.policies.subscribe()
    }

    /// Takes in agents from the database, at the start and at enrollment.
    pub fn add(&self, agent_id: Uuid, last_seen: Timestamp) {
        let shown = self.limits.liveness(silence(Timestamp::now(), last_seen));
        self.lock().entry(agent_id).or_insert(State {
            last_seen,
            vitals: None,
            connection: None,
            shown,
            unsaved: false,
            changed: true,
        });
    }

    /// Opens an agent's stream; one that it had is told to end.
    pub fn connect(app: &Arc<App>, agent_id: Uuid) -> Connection {
        let fleet = &app.fleet;
        let number = fleet.connections.fetch_add(1, Ordering::Relaxed);
        let (ended_in, ended) = watch::channel(None);
        fleet.add(agent_id, Timestamp::now());
        fleet.seen(agent_id, None);
        let earlier = fleet.lock().get_mut(&agent_id).and_then(|state| {
            state.changed = true;
            state.connection.replace((number, ended_in))
        });
        if let Some((_, earlier)) = earlier {
            earlier.send_replace(Some(Ended::Replaced));
        }
        Connection { app: Arc::clone(app), agent_id, number, ended }
    }

    /// An agent was archived or revoked, and is so in the database: its stream ends now.
    pub fn refuse(&self, agent_id: Uuid, refusal: Refusal) {
        let state = self.lock().remove(&agent_id);
        self.removed.lock().unwrap_or_else(PoisonError::into_inner).insert(agent_id);
        if let Some((_, connection)) = state.and_then(|state| state.connection) {
            connection.send_replace(Some(Ended::Refused(refusal)));
        }
    }

    /// An agent was heard from; a heartbeat brings its vitals.
    pub fn seen(&self, agent_id: Uuid, vitals: Option<Vitals>) {
        if let Some(state) = self.lock().get_mut(&agent_id) {
            state.last_seen = state.last_seen.max(Timestamp::now());
            state.unsaved = true;
            if vitals.is_some() {
                // Dashboards age agents by themselves; each heartbeat tells them from when.
                state.changed = true;
                state.vitals = vitals;
            }
        }
    }

    /// Something else that is shown of an agent changed, and is in the database.
    pub fn changed(&self, agent_id: Uuid) {
        if let Some(state) = self.lock().get_mut(&agent_id) {
            state.changed = true;
        }
    }

    /// AI processes of an agent changed, and are in the database.
    pub fn discovered(&self, agent_id: Uuid, ids: impl IntoIterator<Item = Uuid>) {
        self.discovered.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
        self.changed(agent_id);
    }

    /// Counts events that were committed.
    pub fn stored(&self, events: &[Event]) {
        for event in events {
            self.counters.by_verdict[event.verdict as usize].fetch_add(1, Ordering::Relaxed);
            self.counters.by_kind[event.kind as usize].fetch_add(1, Ordering::Relaxed);
            self.counters.drifts.fetch_add(event.drift_detected.into(), Ordering::Relaxed);
        }
    }

    /// Fills in what the database doesn't know of these agents: liveness, staleness, whether they are connected.
    pub fn present(&self, agents: &mut [Agent]) {
        let now = Timestamp::now();
        let states = self.lock();
        for agent in agents {
            if let Some(state) = states.get(&agent.agent_id) {
                agent.last_seen = agent.last_seen.max(state.last_seen);
                agent.connected = state.connection.is_some();
                if let Some(vitals) = &state.vitals {
                    agent.clock_skew_ms = vitals.clock_skew_ms;
                    agent.spool_records = u64::try_from(vitals.spool_records).unwrap_or(0);
                    agent.events_lost = u64::try_from(vitals.events_lost).unwrap_or(0);
                    agent.denial = vitals.denial;
                    agent.denial_at = vitals.denial_at;
                    agent.tables = vitals.tables;
                    agent.tables_digest.clone_from(&vitals.tables_digest);
                }
            }
            let silence = silence(now, agent.last_seen);
            agent.staleness_ms = u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
            agent.liveness = self.limits.liveness(silence);
        }
    }

    /// Agents by liveness, all words present.
    pub fn by_liveness(&self) -> std::collections::BTreeMap<String, u64> {
        let now = Timestamp::now();
        let mut counts: std::collections::BTreeMap<String, u64> =
            ["online", "late", "stale", "offline"].map(|word| (word.to_owned(), 0)).into();
        for state in self.lock().values() {
            let word = liveness_word(self.limits.liveness(silence(now, state.last_seen)));
            *counts.entry(word.to_owned()).or_default() += 1;
        }
        counts
    }
}

fn silence(now: Timestamp, last_seen: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(last_seen)).unwrap_or_default()
}

fn liveness_word(liveness: Liveness) -> &'static str {
    match liveness {
        Liveness::Online => "online",
        Liveness::Late => "late",
        Liveness::Stale => "stale",
        Liveness::Offline => "offline",
    }
}

/// Reads all agents from the database. Called once, before the doors open.
pub async fn load(app: &App) -> Result<(), DbError> {
    let mut conn = app.pool.acquire().await?;
    for agent in agents::list(&mut conn, Which::Active).await? {
        app.fleet.add(agent.agent_id, agent.last_seen);
    }
    Ok(())
}

/// Counts that the news carry on between two looks into the database.
#[derive(Debug, Default)]
struct Day {
    /// Nobody listened for a while, so the counts are old.
    known: bool,
    drifts: u64,
    lost: u64,
}

/// Writes `last_seen` and makes the news, once a second, until `shutdown`.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut day = Day::default();
    let mut database_away = false;
    for tick in 0_u64.. {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = ticks.tick() => {}
        }
        let result = async {
            save(&app).await?;
            news(&app, &mut day, tick % RECOUNT_TICKS == 0).await
        };
        // Said once, not each second.
        match (result.await, database_away) {
            (Ok(()), true) => {
                tracing::info!("the database is back");
                database_away = false;
            }
            (Err(error), false) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the state of the fleet can't be written");
                database_away = true;
            }
            (Ok(()), false) | (Err(_), true) => {}
        }
    }
    // What was heard in the last second.
    if let Err(error) = save(&app).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the last heartbeats are not in the database");
    }
}

/// Ends the streams of agents that were archived or revoked at another server of the same database, until `shutdown`.
pub async fn watch_refusals(app: Arc<App>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(REFUSALS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    for tick in 0_u64.. {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match refuse_among(&app, tick % REFUSALS_OF_ALL == 0).await {
            Ok(()) => failing = false,
            // Said once, not each half second.
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "whether agents were revoked can't be asked now; those that are connected stay so"
                );
            }
            Err(_) => {}
        }
    }
}

async fn refuse_among(app: &App, all: bool) -> Result<(), DbError> {
    let ids: Vec<Uuid> = {
        let states = app.fleet.lock();
        let asked = states.iter().filter(|(_, state)| all || state.connection.is_some());
        asked.map(|(&agent_id, _)| agent_id).collect()
    };
    if ids.is_empty() {
        return Ok(());
    }
    let refused = agents::refused_among(&mut *app.pool.acquire().await?, &ids).await?;
    for (agent_id, refusal) in refused {
        app.fleet.refuse(agent_id, refusal);
    }
    Ok(())
}

/// Writes what was heard since the last time.
async fn save(app: &App) -> Result<(), DbError> {
    let beats: Vec<Beat> = app
        .fleet
        .lock()
        .iter_mut()
        .filter_map(|(&agent_id, state)| {
            std::mem::take(&mut state.unsaved).then_some(Beat {
                agent_id,
                last_seen: state.last_seen,
                vitals: state.vitals.clone(),
            })
        })
        .collect();
    if beats.is_empty() {
        return Ok(());
    }
    let result = async { agents::record_beats(&mut *app.pool.acquire().await?, &beats).await }.await;
    if result.is_err() {
        let mut states = app.fleet.lock();
        for beat in &beats {
            if let Some(state) = states.get_mut(&beat.agent_id) {
                state.unsaved = true;
            }
        }
    }
    result
}

/// Makes the news, if anybody listens.
async fn news(app: &App, day: &mut Day, recount: bool) -> Result<(), DbError> {
    let fleet = &app.fleet;
    let now = Timestamp::now();
    let mut changed = Vec::new();
    changed.extend(std::mem::take(&mut *fleet.removed.lock().unwrap_or_else(PoisonError::into_inner)));
    for (&agent_id, state) in fleet.lock().iter_mut() {
        let liveness = fleet.limits.liveness(silence(now, state.last_seen));
        if liveness != state.shown || state.changed {
            state.changed = false;
            state.shown = liveness;
            changed.push(agent_id);
        }
    }
    let discovered: Vec<Uuid> =
        std::mem::take(&mut *fleet.discovered.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect();
    let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
    let events_by_verdict =
        Verdict::ALL.iter().map(|word| (word.to_string(), take(&fleet.counters.by_verdict[*word as usize]))).collect();
    let events_by_kind =
        EventKind::ALL.iter().map(|word| (word.to_string(), take(&fleet.counters.by_kind[*word as usize]))).collect();
    let drifts = take(&fleet.counters.drifts);
    day.drifts += drifts;
    if fleet.news.receiver_count() == 0 {
        day.known = false;
        return Ok(());
    }
    let mut conn = app.pool.acquire().await?;
    if recount || !day.known {
        day.known = true;
        day.drifts = stats::drifts_since(&mut conn, now - SignedDuration::from_hours(24)).await?;
        day.lost = losses::total(&mut conn).await?;
    }
    let mut agents =
        if changed.is_empty() { Vec::new() } else { agents::list(&mut conn, Which::Ids(&changed)).await? };
    fleet.present(&mut agents);
    let filter = discovered_agents::Filter { ids: Some(&discovered), ..Default::default() };
    let limit = u32::try_from(discovered.len()).unwrap_or(u32::MAX);
    let discovered_agents =
        if discovered.is_empty() { Vec::new() } else { discovered_agents::list(&mut conn, &filter, limit).await? };
    drop(conn);
    let stats = StreamStats {
        now,
        events_by_verdict,
        events_by_kind,
        drifts,
        drifts_1d: day.drifts,
        agents_by_liveness: fleet.by_liveness(),
        events_lost: day.lost,
    };
    // An error means that the last listener has gone meanwhile.
    let _ = fleet.news.send(Arc::new(News { stats, agents, discovered_agents, rendered: OnceLock::new() }));
    Ok(())
}
