//! The one writer: joins waiting batches into a transaction, and answers after COMMIT.
//!
//! A batch that the database refuses is stored apart from the others; of a refused batch the events are halved until the one
//! that can't be stored stands alone, and that one goes to `rejected_events`. So one poison event never stops the rest.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use prost::Message;
use sqlx::{Postgres, Transaction};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tyr_api::events::{Event, EventKind, Severity, Verdict};
use tyr_proto::v1;

use super::announce::{self, Done, Stored};
use super::pulse::Stage;
use super::{IngestError, Job, Ready, Work};
use crate::app::App;
use crate::db::apart::{self, Expired, Quarantined};
use crate::db::events::counts::Counts;
use crate::db::events::ingest::{self as table, Key, Rows, key};
use crate::db::partitions::{self, Keeper};
use crate::db::rejected::Rejected;
use crate::db::{DbError, discovered_agents, events, losses, rejected};
use crate::metrics::ingest::Way;

/// Batches that are joined into one transaction, as many as wait: each transaction costs six round trips and a flush to disk, during
/// which nothing else is stored.
const JOINED_MAX: usize = 128;
/// Transactions that wait to be announced.
const TOLD_MAX: usize = 1;
/// Tries of a transaction that lost against another one.
const TRIES_MAX: u32 = 5;

/// Wait between two tries to find out where the table ends.
const RESUME_PAUSE: Duration = Duration::from_secs(1);

/// What to do about a transaction that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// A row is there already.
    Stage,
    /// Try the same again.
    Again,
    /// There is no partition for a row: make it, or take the row out.
    Partitions,
    /// A value that the database can't store.
    Isolate,
    /// Nothing; the agents will send it again.
    GiveUp,
}

fn remedy(error: &DbError) -> Remedy {
    let Some(state) = error.sqlstate() else { return Remedy::GiveUp };
    match (state.as_str(), error) {
        ("23505", _) => Remedy::Stage,
        // The last: the transaction before holds the rows of the counts, and its COMMIT takes long.
        ("40001" | "40P01" | "55P03", _) => Remedy::Again,
        // check_violation without a constraint's name is what a row outside all partitions gives.
        ("23514", DbError::Query(_)) => Remedy::Partitions,
        (state, _) if ["22", "23", "54"].contains(&&state[..2]) => Remedy::Isolate,
        _ => Remedy::GiveUp,
    }
}

/// Runs until `shutdown`, then stores what waits and takes no more.
///
/// While one transaction is committed, which is mostly waiting for the disk, the next one is filled. Its own COMMIT comes after: who
/// reads in the order of `received_at` must not find a row behind the place where they are.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let Some(mut jobs) = app.ingest.take_receiver() else { return };
    let kept = Arc::clone(&app);
    let _life = kept.ingest.pulse().begin();
    let Some(last_received_at) = resume(&app, &shutdown).await else { return };
    let (told, done) = mpsc::channel(TOLD_MAX);
    let announcer = tokio::spawn(announce::run(Arc::clone(&app), done));
    let mut writer = Writer { app, last_received_at, shutdown };
    let mut filled = None;
    // It ends early only when the announcer panicked: the agents send again what was not answered, to the next server.
    while !told.is_closed() {
        // Both to their ends: neither is cut off by the other.
        let ((), next) = tokio::join!(commit(&kept, filled.take(), &told), writer.fill(&mut jobs));
        match next {
            None => break,
            Some(Next::Filled(next)) => filled = Some(next),
            Some(Next::Refused(jobs)) => tell(&told, writer.store_apart(jobs).await).await,
            Some(Next::Failed(done)) => tell(&told, done).await,
        }
    }
    drop(told);
    if let Err(error) = announcer.await {
        tracing::error!(%error, "stored events could not be announced");
    }
}

/// What came of the batches that waited.
enum Next {
    /// All of them are in a transaction that lacks its COMMIT.
    Filled(Filled),
    /// The database refuses something in them.
    Refused(Vec<Job>),
    /// They are not stored.
    Failed(Done),
}

/// A transaction that lacks its COMMIT, and who waits for it.
struct Filled {
    open: Open,
    works: Vec<Work>,
    answers: Vec<oneshot::Sender<Result<(), IngestError>>>,
}

/// Commits what was filled, if anything was, and hands it on.
async fn commit(app: &App, filled: Option<Filled>, told: &mpsc::Sender<Done>) {
    let Some(Filled { open, works, answers }) = filled else { return };
    let batches = works.len();
    let committed = {
        let _work = app.ingest.pulse().work(Stage::Committing);
        open.commit(app, works).await
    };
    let done = match committed {
        Ok(stored) => {
            Done { stored: vec![stored], answers: answers.into_iter().map(|answer| (answer, Ok(()))).collect() }
        }
        Err(error) => failed(app, error, answers, batches),
    };
    tell(told, done).await;
}

/// A receiver that has gone is seen by [`run`].
async fn tell(told: &mpsc::Sender<Done>, done: Done) {
    let _ = told.send(done).await;
}

/// Nothing is stored, and everybody hears why.
fn failed(app: &App, error: DbError, answers: Vec<oneshot::Sender<Result<(), IngestError>>>, batches: usize) -> Done {
    tracing::error!(error = &error as &dyn std::error::Error, batches, "batches were not stored");
    app.metrics.ingest.failed(batches);
    let error = Arc::new(error);
    let answers = answers.into_iter().map(|answer| (answer, Err(IngestError::Db(Arc::clone(&error))))).collect();
    Done { stored: Vec::new(), answers }
}

/// The newest `received_at` in the table, asked for until the database answers; `None` at `shutdown`.
async fn resume(app: &App, shutdown: &CancellationToken) -> Option<Timestamp> {
    loop {
        let newest = async { events::newest_position(&mut *app.writes.acquire().await?).await };
        match newest.await {
            Ok(newest) => return Some(newest.map_or(Timestamp::UNIX_EPOCH, |newest| newest.at)),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "events can't be stored yet");
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return None,
            () = tokio::time::sleep(RESUME_PAUSE) => {}
        }
    }
}

type Uncommitted = (Transaction<'static, Postgres>, Option<HashSet<Key>>);

struct Writer {
    app: Arc<App>,
    last_received_at: Timestamp,
    shutdown: CancellationToken,
}

/// All is in the transaction but its COMMIT.
struct Open {
    tx: Transaction<'static, Postgres>,
    /// Which of the events are new; `None`: all of them.
    new: Option<HashSet<Key>>,
    received_at: Timestamp,
    way: Way,
    began: Instant,
}

impl Open {
    async fn commit(self, app: &App, mut works: Vec<Work>) -> Result<Stored, DbError> {
        self.tx.commit().await?;
        app.metrics.ingest.transaction(self.way, works.len(), self.began.elapsed());
        // The rows as the database takes them are the larger half of a batch.
        for work in &mut works {
            work.ready = None;
        }
        Ok(Stored { works, new: self.new, received_at: self.received_at })
    }
}

impl Writer {
    /// What waits; `None` when nothing will come any more.
    async fn next(&self, jobs: &mut mpsc::Receiver<Job>) -> Option<Vec<Job>> {
        let mut waiting = Vec::with_capacity(JOINED_MAX);
        tokio::select! {
            _ = jobs.recv_many(&mut waiting, JOINED_MAX) => return Some(waiting).filter(|waiting| !waiting.is_empty()),
            () = self.shutdown.cancelled() => jobs.close(),
        }
        jobs.recv_many(&mut waiting, JOINED_MAX).await;
        Some(waiting).filter(|waiting| !waiting.is_empty())
    }

    /// Puts what waits into one transaction; `None` when nothing will come any more.
    async fn fill(&mut self, jobs: &mut mpsc::Receiver<Job>) -> Option<Next> {
        let waiting = self.next(jobs).await?;
        let app = Arc::clone(&self.app);
        let _work = app.ingest.pulse().work(Stage::Filling);
        let (mut works, answers): (Vec<Work>, Vec<_>) = waiting.into_iter().map(|job| (job.work, job.done)).unzip();
        Some(match self.open(&mut works).await {
            Ok(open) => Next::Filled(Filled { open, works, answers }),
            Err(error) if remedy(&error) == Remedy::Isolate => {
                Next::Refused(works.into_iter().zip(answers).map(|(work, done)| Job { work, done }).collect())
            }
            Err(error) => Next::Failed(failed(&app, error, answers, works.len())),
        })
    }

    /// Stores batches of which something is refused, each apart.
    async fn store_apart(&mut self, jobs: Vec<Job>) -> Done {
        let app = Arc::clone(&self.app);
        let _work = app.ingest.pulse().work(Stage::Filling);
        let mut done = Done { stored: Vec::new(), answers: Vec::with_capacity(jobs.len()) };
        for job in jobs {
            let result = self.store_halves(job.work, &mut done.stored).await;
            app.metrics.ingest.failed(usize::from(result.is_err()));
            done.answers.push((job.done, result.map_err(|error| IngestError::Db(Arc::new(error)))));
        }
        done
    }

    /// Stores a batch, halving it around what is refused.
    async fn store_halves(&mut self, work: Work, stored: &mut Vec<Stored>) -> Result<(), DbError> {
        let agent_id = work.agent_id;
        let mut halves = vec![work];
        while let Some(work) = halves.pop() {
            let mut only = vec![work];
            let error = match self.open(&mut only).await {
                Ok(open) => {
                    stored.push(open.commit(&self.app, only).await?);
                    continue;
                }
                Err(error) => error,
            };
            let mut work = only.remove(0);
            if remedy(&error) != Remedy::Isolate || work.events.is_empty() {
                return Err(error);
            }
            work.ready = None;
            if work.events.len() > 1 {
                let tail = work.events.split_off(work.events.len() / 2);
                // The last one is stored first: the half that carries all that is no event.
                halves.push(Work { events: tail, ..Work::empty(agent_id, work.may_be_replay) });
            } else {
                let reason = format!("refused by the database ({})", error.sqlstate().unwrap_or_default());
                tracing::warn!(agent.id = %agent_id, reason, "an event can't be stored");
                let record = work.events.drain(..).map(|event| Rejected {
                    agent_id,
                    reason: reason.clone(),
                    record: record_of(&event),
                });
                work.rejected.extend(record);
            }
            halves.push(work);
        }
        Ok(())
    }

    /// Puts all into one transaction.
    async fn open(&mut self, works: &mut [Work]) -> Result<Open, DbError> {
        let mut staged = works.iter().any(|work| work.may_be_replay);
        let mut partitions_made = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let received_at = self.next_received_at();
            for work in &mut *works {
                for event in &mut work.events {
                    event.received_at = received_at;
                }
                match &mut work.ready {
                    Some(ready) => ready.rows.stamp(received_at),
                    None => work.ready = Some(Ready::of(&work.events)),
                }
            }
            let began = Instant::now();
            let error = match self.transaction(works, staged).await {
                Ok((tx, new)) => {
                    let way = if staged { Way::Staged } else { Way::Copy };
                    return Ok(Open { tx, new, received_at, way, began });
                }
                Err(error) => error,
            };
            match remedy(&error) {
                Remedy::Stage if !staged => staged = true,
                Remedy::Again if tries < TRIES_MAX => {}
                Remedy::Partitions if !partitions_made => {
                    partitions_made = true;
                    self.find_places(works).await?;
                }
                _ => return Err(error),
            }
        }
    }

    /// Makes the partitions that are missing, and takes those events out that have no place.
    async fn find_places(&self, works: &mut [Work]) -> Result<(), DbError> {
        let wanted: BTreeSet<_> =
            works.iter().flat_map(|work| &work.events).map(|event| partitions::day(event.ts)).collect();
        // May be another role's work, and impossible: then what is there decides.
        let made = async {
            let mut keeper = Keeper::new(&self.app.owner).await?;
            let made = keeper.make(&wanted).await;
            keeper.close().await;
            made
        };
        match made.await {
            Ok(made) => tracing::info!(partitions.created = ?made, "partitions for late events"),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a missing partition could not be made");
            }
        }
        let mut conn = self.app.writes.acquire().await?;
        let there = partitions::existing(&mut conn).await?;
        let floor = partitions::floor(&mut conn).await?;
        drop(conn);
        let tomorrow = partitions::day(Timestamp::now() + SignedDuration::from_hours(24));
        for work in works {
            let (agent_id, before) = (work.agent_id, work.events.len());
            let (expired, quarantined) = (&mut work.expired, &mut work.quarantined);
            work.events.retain(|event| {
                let day = partitions::day(event.ts);
                if there.contains(&day) {
                    return true;
                }
                if floor.is_some_and(|floor| day <= floor) {
                    Expired::add(expired, event.ts);
                    return false;
                }
                if day >= tomorrow {
                    let reason = "there is no partition for its day yet".to_owned();
                    let (ts, event_id, record) = (event.ts, event.event_id, record_of(event));
                    quarantined.push(Quarantined { agent_id, ts, event_id, reason, record });
                    return false;
                }
                // Today or before, and it must have a place: the agent keeps it until there is one.
                true
            });
            if work.events.len() < before {
                work.ready = None;
            }
        }
        Ok(())
    }

    /// All or nothing, without the COMMIT. Answers which of the events are new; `None`: all of them.
    async fn transaction(&self, works: &[Work], staged: bool) -> Result<Uncommitted, DbError> {
        let mut tx = self.app.writes.begin().await?;
        for work in works {
            for announced in &work.discovered {
                discovered_agents::upsert(&mut tx, announced).await?;
            }
            for loss in &work.losses {
                losses::record(&mut tx, loss).await?;
            }
            rejected::insert(&mut tx, &work.rejected).await?;
            apart::quarantine(&mut tx, &work.quarantined).await?;
            if let Some(expired) = &work.expired {
                apart::expire(&mut tx, work.agent_id, expired).await?;
            }
        }
        let ready = || works.iter().filter_map(|work| work.ready.as_ref()).filter(|ready| !ready.rows.is_empty());
        let rows: Vec<&Rows> = ready().map(|ready| &ready.rows).collect();
        let new = if rows.is_empty() {
            None
        } else if staged {
            let new = table::copy_new_rows(&mut tx, &rows).await?;
            let mut left = new.clone();
            // `remove`, so that of a pair within the batch one counts.
            let stored = works.iter().flat_map(|work| &work.events).filter(|event| left.remove(&key(event)));
            Counts::of(stored).store(&mut tx).await?;
            Some(new)
        } else {
            table::copy_rows(&mut tx, &rows).await?;
            let mut counts = Counts::default();
            ready().for_each(|ready| counts.add(&ready.counts));
            counts.store(&mut tx).await?;
            None
        };
        Ok((tx, new))
    }

    /// Now, or a microsecond after the batch before, should the clock stand still or go back.
    fn next_received_at(&mut self) -> Timestamp {
        let now = Timestamp::from_microsecond(Timestamp::now().as_microsecond()).expect("now is in range");
        self.last_received_at = now.max(self.last_received_at + SignedDuration::from_micros(1));
        self.last_received_at
    }
}

/// The record of an event, made from what was to be stored.
fn record_of(event: &Event) -> Vec<u8> {
    let mut metadata = event.metadata.clone();
    metadata.extend(event.rule.clone().map(|rule| ("rule".to_owned(), rule)));
    metadata.extend(event.policy_version.map(|version| ("rule_version".to_owned(), version.to_string())));
    let event = v1::Event {
        event_id: event.event_id.to_string(),
        agent_id: event.agent_id.to_string(),
        discovered_agent_id: event.discovered_agent_id.map(|id| id.to_string()),
        kind: match event.kind {
            EventKind::FileRead => v1::EventKind::FileRead,
            EventKind::FileWrite => v1::EventKind::FileWrite,
            EventKind::Exec => v1::EventKind::Exec,
            EventKind::NetConnect => v1::EventKind::NetConnect,
            EventKind::TlsConnect => v1::EventKind::Tls,
        }
        .into(),
        resource: event.resource.clone(),
        verdict: match event.verdict {
            Verdict::Allow => v1::Verdict::Allow,
            Verdict::Deny => v1::Verdict::Deny,
            Verdict::Alert => v1::Verdict::Alert,
        }
        .into(),
        severity: match event.severity {
            Severity::Low => v1::Severity::Low,
            Severity::Medium => v1::Severity::Medium,
            Severity::High => v1::Severity::High,
            Severity::Critical => v1::Severity::Critical,
        }
        .into(),
        policy_id: event.policy_id.clone().unwrap_or_default(),
        pid: event.pid,
        process_exe: event.process_exe.clone(),
        cmdline: event.cmdline.clone(),
        timestamp_ns: i64::try_from(event.ts.as_nanosecond()).unwrap_or(i64::MAX),
        metadata,
    };
    v1::Record { record: Some(v1::record::Record::Event(event)) }.encode_to_vec()
}
