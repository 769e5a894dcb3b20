//! What is a state and not an event: looked at when somebody asks for metrics.
//!
//! What the server knows by itself is always there. What only the database knows is read at most each [`SURVEY_AGE_MAX`],
//! whoever asks how often, and left out while the database is away: an old figure would look like a fresh one.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Counters, Labels, process};
use crate::app::App;
use crate::db::DbError;
use crate::db::failures::FAILURES;
use crate::db::survey::{self, Posture};
use crate::db::writes::Count;
use crate::{VERSION, pki};

/// How old figures from the database may be.
const SURVEY_AGE_MAX: Duration = Duration::from_secs(5);
/// The same for the search for silent agents, which costs a look into each day per agent.
const SILENT_AGE_MAX: Duration = Duration::from_mins(1);
/// A database that takes longer is away, as far as a scrape is concerned (Prometheus gives up after ten).
const SURVEY_TIMEOUT: Duration = Duration::from_secs(3);
/// Documented: an agent that was online for this long without an event is likely broken.
const SILENT_DAYS: i64 = 7;
/// What agents give as the reason of a loss; others count as `other`, as the text comes from a host.
const LOSS_REASONS: [&str; 6] =
    ["spool_full", "kernel_ring", "kernel_memory", "kernel_marks", "tried_limit", "fanotify_queue"];
/// Postures in the database's words.
const POSTURES: [&str; 5] = ["enforcing", "partial", "observing", "blind", "unknown"];

/// The figures from the database, kept for a while.
#[derive(Debug, Default)]
pub struct Surveys {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    survey: Option<(Instant, Survey)>,
    silent: Option<(Instant, i64)>,
}

#[derive(Clone, Debug)]
struct Survey {
    postures: Vec<Posture>,
    policy_pending: i64,
    unheard: Vec<(Uuid, Timestamp)>,
    losses: Vec<(String, u64)>,
    partitions: Vec<jiff::civil::Date>,
    bytes: i64,
    silent: i64,
}

impl Surveys {
    /// At most [`SURVEY_AGE_MAX`] old; `None` while the database is away.
    async fn survey(&self, app: &App) -> Option<Survey> {
        let mut kept = self.kept.lock().await;
        if let Some((_, survey)) = kept.survey.as_ref().filter(|(at, _)| at.elapsed() < SURVEY_AGE_MAX) {
            return Some(survey.clone());
        }
        let silent = kept.silent.filter(|(at, _)| at.elapsed() < SILENT_AGE_MAX);
        let result = tokio::time::timeout(SURVEY_TIMEOUT, take(app, silent.map(|(_, agents)| agents))).await;
        let survey = match result {
            Ok(Ok(survey)) => Some(survey),
            Ok(Err(error)) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "metrics without the database");
                None
            }
            Err(_) => {
                tracing::debug!(
                    timeout_s = SURVEY_TIMEOUT.as_secs(),
                    "metrics without the database, which is too slow"
                );
                None
            }
        };
        kept.survey = survey.clone().map(|survey| (Instant::now(), survey));
        kept.silent = silent.or_else(|| survey.as_ref().map(|survey| (Instant::now(), survey.silent)));
        survey
    }
}

async fn take(app: &App, silent: Option<i64>) -> Result<Survey, DbError> {
    let now = Timestamp::now();
    let ago = |ago: Duration| now - SignedDuration::try_from(ago).unwrap_or_default();
    let limits = app.liveness;
    let mut conn = app.pool.acquire().await?;
    let silent = if let Some(agents) = silent {
        agents
    } else {
        let since = now - SignedDuration::from_hours(24 * SILENT_DAYS);
        survey::silent(&mut conn, ago(limits.stale_after), since).await?
    };
    Ok(Survey {
        postures: survey::postures(&mut conn).await?,
        policy_pending: survey::policy_pending(&mut conn).await?,
        unheard: survey::unheard(&mut conn, ago(limits.stale_after), app.config.metrics_agents_max.into()).await?,
        losses: survey::losses(&mut conn).await?,
        partitions: survey::partitions(&mut conn).await?,
        bytes: survey::size(&mut conn).await?,
        silent,
    })
}

/// Looks at everything.
pub async fn sample(app: &App) -> Registry {
    let survey = app.surveys.survey(app).await;
    let mut registry = Registry::default();
    let build = Family::<Labels<1>, Gauge>::default();
    build.get_or_create(&[("version", VERSION)]).set(1);
    registry.register("tyr_build_info", "Always 1; the version of this server as a label", build);
    agents(&mut registry, app);
    database(&mut registry, app, survey.is_some());
    streams(&mut registry, app);
    certificates(&mut registry, app);
    if let Some(survey) = survey {
        surveyed(&mut registry, &survey);
    }
    process::register(&mut registry);
    registry
}

fn agents(registry: &mut Registry, app: &App) {
    let liveness = Family::<[(&'static str, String); 1], Gauge>::default();
    let mut online = 0;
    for (word, agents) in app.fleet.by_liveness() {
        let agents = i64::try_from(agents).unwrap_or(i64::MAX);
        if word == "online" {
            online = agents;
        }
        liveness.get_or_create(&[("liveness", word)]).set(agents);
    }
    registry.register(
        "tyr_agents",
        "Agents by liveness: late missed a heartbeat, stale is over 90 s (TYR_STALE_AFTER_S), offline over 5 minutes",
        liveness,
    );
    gauge(registry, "tyr_agents_online", "Agents heard from in time", online);
}

fn database(registry: &mut Registry, app: &App, answers: bool) {
    let up_help = "1 when the database answered the last look at it, else 0";
    gauge(registry, "tyr_database_up", up_help, i64::from(answers));
    let connections = Family::<Labels<2>, Gauge>::default();
    let max = Family::<Labels<1>, Gauge>::default();
    let requests =
        Count { idle: app.pool.num_idle(), open: app.pool.size(), max: app.pool.options().get_max_connections() };
    for (name, count) in [("requests", requests), ("ingest", app.writes.count())] {
        let idle = i64::try_from(count.idle).unwrap_or(i64::MAX);
        connections.get_or_create(&[("pool", name), ("state", "idle")]).set(idle);
        connections.get_or_create(&[("pool", name), ("state", "used")]).set((i64::from(count.open) - idle).max(0));
        max.get_or_create(&[("pool", name)]).set(count.max.into());
    }
    registry.register("tyr_database_connections", "Connections to the database, by pool and state", connections);
    registry.register("tyr_database_connections_max", "Most connections that each pool opens", max);
    let failures = Counters::<1>::default();
    for (kind, count) in FAILURES.counts() {
        failures.get_or_create(&[("kind", kind)]).inc_by(count);
    }
    registry.register(
        "tyr_database_errors",
        "Failures of the database: unavailable, timeout (no free connection in time), constraint, query",
        failures,
    );
}

fn streams(registry: &mut Registry, app: &App) {
    let (readers, behind) = app.metrics.sse.readers(app.live.ordinal());
    gauge(registry, "tyr_sse_subscribers", "Readers of the event stream", i64::try_from(readers).unwrap_or(i64::MAX));
    gauge(
        registry,
        "tyr_sse_lag_events",
        "Events by which the slowest reader of the event stream is behind",
        i64::try_from(behind).unwrap_or(i64::MAX),
    );
    gauge(
        registry,
        "tyr_ingest_queue_batches",
        "Batches that wait for the writer",
        i64::try_from(app.ingest.waiting()).unwrap_or(i64::MAX),
    );
}

fn certificates(registry: &mut Registry, app: &App) {
    let ends = Family::<Labels<1>, Gauge>::default();
    let chain = app.pki.server_chain();
    for (name, certificate) in ["server", "ca"].into_iter().zip(&chain) {
        if let Some(end) = pki::not_after(certificate) {
            ends.get_or_create(&[("certificate", name)]).set(end.as_second());
        }
    }
    registry.register(
        "tyr_certificate_expiry_timestamp_seconds",
        "End of this server's certificate and of its CA's, in seconds since the epoch",
        ends,
    );
}

fn surveyed(registry: &mut Registry, survey: &Survey) {
    let postures = Family::<Labels<1>, Gauge>::default();
    for word in POSTURES {
        let agents = survey.postures.iter().find(|posture| posture.word == word).map_or(0, |posture| posture.agents);
        postures.get_or_create(&[("posture", word)]).set(agents);
    }
    registry.register("tyr_agents_posture", "Agents by how much is enforced on their hosts", postures);
    let sum = |of: fn(&Posture) -> i64| survey.postures.iter().map(of).sum();
    gauge(registry, "tyr_agents_spool_records", "Records that wait on all hosts", sum(|posture| posture.spool_records));
    let most = survey.postures.iter().map(|posture| posture.spool_records_max).max().unwrap_or(0);
    gauge(registry, "tyr_agents_spool_records_max", "The most records that wait on one host", most);
    gauge(
        registry,
        "tyr_agents_policy_failed",
        "Agents that could not load the newest policy which they were sent",
        sum(|posture| posture.policy_failed),
    );
    gauge(
        registry,
        "tyr_agents_policy_pending",
        "Agents that run another policy than the one which is assigned to them",
        survey.policy_pending,
    );
    gauge(
        registry,
        "tyr_agents_silent",
        "Agents that are heard from, enrolled over 7 days ago and without any event for 7 days; looked for once a minute",
        survey.silent,
    );
    if let Some(end) = survey.postures.iter().filter_map(|posture| posture.cert_not_after).min() {
        gauge(
            registry,
            "tyr_agents_certificate_expiry_timestamp_seconds",
            "End of the client certificate that ends first, among agents heard from in 5 minutes",
            end.as_second(),
        );
    }
    let unheard = Family::<[(&'static str, String); 1], Gauge>::default();
    for (agent_id, last_seen) in &survey.unheard {
        unheard.get_or_create(&[("agent_id", agent_id.to_string())]).set(last_seen.as_second());
    }
    registry.register(
        "tyr_agent_last_seen_timestamp_seconds",
        "When a stale agent was heard from last, in seconds since the epoch; agents that are not stale are left out",
        unheard,
    );
    let losses = Counters::<1>::default();
    for reason in LOSS_REASONS {
        let _ = losses.get_or_create(&[("reason", reason)]);
    }
    for (reason, events) in &survey.losses {
        let reason = LOSS_REASONS.into_iter().find(|known| known == reason).unwrap_or("other");
        losses.get_or_create(&[("reason", reason)]).inc_by(*events);
    }
    registry.register(
        "tyr_events_lost",
        "Events that agents declared lost, by reason; from the database, so the same on every server that uses it",
        losses,
    );
    partitions(registry, &survey.partitions);
    gauge(registry, "tyr_database_size_bytes", "Size of the database on disk", survey.bytes);
}

fn partitions(registry: &mut Registry, days: &[jiff::civil::Date]) {
    let count = i64::try_from(days.len()).unwrap_or(i64::MAX);
    gauge(registry, "tyr_partitions", "Daily partitions of the events", count);
    let midnight = |day: &jiff::civil::Date| day.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp().as_second());
    if let Some(oldest) = days.first().and_then(midnight) {
        gauge(registry, "tyr_partitions_oldest_timestamp_seconds", "Begin of the oldest partition", oldest);
    }
    if let Some(newest) = days.last().and_then(midnight) {
        gauge(registry, "tyr_partitions_newest_timestamp_seconds", "Begin of the newest partition", newest);
    }
    // Counted without a hole, as events of the first day that lacks one can't be stored.
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let mut day = today;
    let mut ahead = -1;
    while days.binary_search(&day).is_ok() {
        ahead += 1;
        match day.tomorrow() {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    let help = "Days after today that have a partition; -1 when today has none";
    gauge(registry, "tyr_partitions_ahead", help, ahead);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: i64) {
    registry.register(name, help, ConstGauge::new(value));
}
