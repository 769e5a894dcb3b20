//! Evaluates the rules, stores what changed together with its messages, and tells subscribers of every server.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tyr_api::alerts::{AlertRule, AlertState};
use uuid::Uuid;

use crate::app::App;
use crate::app::alerts::damping::{self, Damping, FLAPPING_SPAN};
use crate::app::alerts::rules::{self, Observation};
use crate::app::alerts::{list, message};
use crate::db::DbError;
use crate::db::alerts::rows::{Facts, Measured, Memory, Open, Standing};
use crate::db::alerts::{self, Filter};
use crate::db::webhooks;

/// Longest time between two evaluations that is no break.
const BREAK: SignedDuration = SignedDuration::from_secs(60);
/// An evaluation that comes earlier than this part of the interval after another server's is left out.
const TOO_SOON: f64 = 0.7;
/// Agents whose newest event is looked up in one evaluation.
const LOOKUPS_MAX: usize = 200;
/// How often the newest event of an agent that reports none is looked up.
const LOOKUP_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How often a server looks for alerts that changed elsewhere.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Alerts that are told of at once.
const WATCHED_MAX: u32 = 1000;
/// How often old rows are removed.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// What an evaluation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Alerts that became pending.
    pub pending: usize,
    /// Alerts that began to fire.
    pub fired: usize,
    /// Alerts that had fired and resolved.
    pub resolved: usize,
    /// Messages written to the outbox.
    pub messages: usize,
}

/// Evaluates the rules until `shutdown`, and then writes the counts that are left.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(app.config.alerts.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweeps = tokio::time::interval(SWEEP_EVERY);
    sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut recounted = false;
    let mut failing = false;
    loop {
        let sweep = tokio::select! {
            () = shutdown.cancelled() => break,
            _ = ticks.tick() => false,
            _ = sweeps.tick() => true,
        };
        let result = async {
            if sweep {
                return alerts::sweep(&app.pool, Timestamp::now(), app.config.retention_days).await;
            }
            if !recounted {
                // What was stored and not counted when the last run ended.
                alerts::recount_drift(&mut *app.pool.acquire().await?, Timestamp::now()).await?;
                recounted = true;
            }
            evaluate(&app, Timestamp::now()).await.map(|_| ())
        };
        // Said once, not each time.
        match (result.await, failing) {
            (Ok(()), true) => {
                tracing::info!("alert rules are evaluated again");
                failing = false;
            }
            (Err(error), false) => {
                tracing::error!(error = &error as &dyn Error, "alert rules could not be evaluated");
                failing = true;
            }
            (Ok(()), false) | (Err(_), true) => {}
        }
    }
    if let Err(error) = flush(&app).await {
        tracing::warn!(error = &error as &dyn Error, "the last denials are not counted for alerts");
    }
}

/// Adds what this server counted to the database's counts.
async fn flush(app: &App) -> Result<(), DbError> {
    let counted = app.alerts.tally.take();
    if counted.minutes.is_empty() && counted.last_events.is_empty() {
        return Ok(());
    }
    let result = async {
        let mut tx = app.pool.begin().await?;
        alerts::add_counts(&mut tx, &counted).await?;
        tx.commit().await?;
        Ok(())
    }
    .await;
    if result.is_err() {
        app.alerts.tally.give_back(counted);
    }
    result
}

/// Evaluates all rules for all agents once; `None`: another server does, or just did.
///
/// # Errors
/// When the database fails; nothing is changed then, and no message is lost or sent.
pub async fn evaluate(app: &App, now: Timestamp) -> Result<Option<Done>, DbError> {
    flush(app).await?;
    let settings = &app.config.alerts;
    let mut tx = app.pool.begin().await?;
    if !alerts::try_lock_evaluation(&mut tx).await? {
        return Ok(None);
    }
    let (evaluated_at, unbroken_since) = alerts::last_evaluation(&mut tx).await?;
    let since_last = now.duration_since(evaluated_at);
    if !since_last.is_negative() && since_last.as_secs_f64() < settings.interval.as_secs_f64() * TOO_SOON {
        return Ok(None);
    }
    let broken = since_last > BREAK.max(SignedDuration::try_from(settings.interval * 3).unwrap_or(BREAK));
    let known_from = if broken { now } else { unbroken_since };

    let mut known: Vec<(Facts, Memory, bool)> = alerts::facts(&mut tx, now)
        .await?
        .into_iter()
        .map(|(facts, stored)| {
            let is_stored = stored.is_some();
            let memory = stored.unwrap_or_else(|| Memory::first(&facts));
            (facts, memory, is_stored)
        })
        .collect();
    remember(app, &mut tx, now, known_from, &mut known).await?;
    let open = alerts::open(&mut tx).await?;
    let fires = alerts::fires(&mut tx, now.checked_sub(FLAPPING_SPAN).unwrap_or(Timestamp::MIN)).await?;

    let changes: Vec<Change> = known
        .iter()
        .flat_map(|(facts, memory, _)| {
            rules::observe(settings, now, known_from, facts, memory)
                .into_iter()
                .filter_map(|observation| change(now, facts.agent_id, observation, &open, &fires))
                .collect::<Vec<_>>()
        })
        .collect();
    let done = store(&mut tx, now, changes).await?;
    alerts::set_last_evaluation(&mut tx, now, known_from).await?;
    tx.commit().await?;
    if done != Done::default() {
        tracing::info!(
            alerts.pending = done.pending,
            alerts.fired = done.fired,
            alerts.resolved = done.resolved,
            messages = done.messages,
            "alerts changed"
        );
    }
    app.alerts.committed();
    Ok(Some(done))
}

/// Takes in what is known now, and writes what is remembered of agents that changed.
async fn remember(
    app: &App,
    conn: &mut PgConnection,
    now: Timestamp,
    known_from: Timestamp,
    known: &mut [(Facts, Memory, bool)],
) -> Result<(), DbError> {
    let settings = &app.config.alerts;
    let mut changed = Vec::new();
    for (facts, memory, is_stored) in known.iter_mut() {
        let before = memory.clone();
        memory.take_in(settings, now, known_from, facts);
        if !*is_stored || *memory != before {
            changed.push(facts.agent_id);
        }
    }
    let due = |memory: &Memory| memory.events_checked_at.is_none_or(|at| now.duration_since(at) > LOOKUP_EVERY);
    let mut suspects: Vec<_> = known
        .iter_mut()
        .filter(|(facts, memory, _)| rules::is_silence_suspected(settings, now, facts, memory) && due(memory))
        .collect();
    suspects.sort_by_key(|(_, memory, _)| memory.events_checked_at);
    suspects.truncate(LOOKUPS_MAX);
    if !suspects.is_empty() {
        let ids: Vec<Uuid> = suspects.iter().map(|(facts, ..)| facts.agent_id).collect();
        let since = now.checked_sub(settings.silent_after).unwrap_or(Timestamp::MIN);
        let found: HashMap<Uuid, Timestamp> = alerts::last_events(conn, &ids, since).await?.into_iter().collect();
        for (facts, memory, _) in suspects {
            memory.events_checked_at = Some(now);
            memory.last_event_at = memory.last_event_at.max(found.get(&facts.agent_id).copied());
            changed.push(facts.agent_id);
        }
    }
    let changed: std::collections::HashSet<Uuid> = changed.into_iter().collect();
    let rows: Vec<(Uuid, &Memory)> = known
        .iter()
        .filter(|(facts, ..)| changed.contains(&facts.agent_id))
        .map(|(facts, memory, _)| (facts.agent_id, memory))
        .collect();
    alerts::remember(conn, &rows).await
}

/// An alert that is to be written.
struct Change {
    alert_id: Uuid,
    agent_id: Uuid,
    before: Option<AlertState>,
    after: Standing,
    measured: Measured,
}

fn change(
    now: Timestamp,
    agent_id: Uuid,
    observation: Observation,
    open: &HashMap<(AlertRule, Uuid), Open>,
    fires: &HashMap<(AlertRule, Uuid), u64>,
) -> Option<Change> {
    let key = (observation.rule, agent_id);
    let open = open.get(&key);
    let before = open.map(|open| open.standing);
    let fires = fires.get(&key).copied().unwrap_or(0);
    let after = damping::next(Damping::of(observation.rule), now, observation.condition, before, fires)?;
    // What was measured last while it held is what people want to know; afterwards there is nothing to see.
    let holds = observation.condition == rules::Condition::Holds;
    let measured = match open {
        Some(open) if !holds => open.measured.clone(),
        _ => Measured {
            rule: observation.rule,
            value: observation.value,
            threshold: observation.threshold,
            details: observation.details,
        },
    };
    // Silence grows at each evaluation, which clients count by themselves.
    let is_time = matches!(observation.rule, AlertRule::Stale | AlertRule::Silent);
    let told = |open: &Open| is_time || open.measured.says_the_same(&measured);
    if let Some(open) = open
        && before == Some(after)
        && told(open)
    {
        return None;
    }
    Some(Change {
        alert_id: open.map_or_else(Uuid::now_v7, |open| open.alert_id),
        agent_id,
        before: before.map(|before| before.state),
        after,
        measured,
    })
}

/// Writes the changes, and the messages that follow from them.
async fn store(conn: &mut PgConnection, now: Timestamp, changes: Vec<Change>) -> Result<Done, DbError> {
    let mut done = Done::default();
    if changes.is_empty() {
        return Ok(done);
    }
    alerts::lock_writes(conn).await?;
    let mut told = Vec::new();
    for mut change in changes {
        let state = change.after.state;
        let is_new_state = change.before != Some(state);
        if is_new_state && state == AlertState::Firing && change.measured.rule == AlertRule::DenySpike {
            change.measured.details.extend(denying_rule(conn, change.agent_id, now).await?);
        }
        if change.before.is_none() {
            alerts::insert(conn, change.alert_id, change.agent_id, &change.after, &change.measured).await?;
        } else {
            alerts::update(conn, change.alert_id, &change.after, &change.measured).await?;
        }
        match state {
            AlertState::Pending if is_new_state => done.pending += 1,
            AlertState::Firing if is_new_state => done.fired += 1,
            AlertState::Resolved if change.after.fired_at.is_some() => done.resolved += 1,
            _ => continue,
        }
        if state != AlertState::Pending {
            told.push(change.alert_id);
        }
    }
    if !told.is_empty() {
        done.messages = enqueue(conn, now, &told).await?;
    }
    Ok(done)
}

/// The rule behind most of an agent's denials.
async fn denying_rule(
    conn: &mut PgConnection,
    agent_id: Uuid,
    now: Timestamp,
) -> Result<BTreeMap<String, String>, DbError> {
    let since = now.checked_sub(SignedDuration::from_mins(5)).unwrap_or(Timestamp::MIN);
    let Some((rule, denials)) = alerts::denying_rule(conn, agent_id, since).await? else { return Ok(BTreeMap::new()) };
    Ok([("rule".to_owned(), rule), ("rule_denials".to_owned(), denials.to_string())].into())
}

/// Puts one message for each webhook that wants to know into the outbox.
async fn enqueue(conn: &mut PgConnection, now: Timestamp, told: &[Uuid]) -> Result<usize, DbError> {
    let targets = webhooks::enabled(conn).await?;
    if targets.is_empty() {
        return Ok(0);
    }
    let limit = u32::try_from(told.len()).unwrap_or(u32::MAX);
    let told = list::read(conn, &Filter { ids: Some(told.to_vec()), ..Filter::everything() }, None, limit).await?;
    let mut messages = 0;
    for (webhook_id, format, rules) in targets {
        if let Some(body) = message::body(format, &rules, now, &told, false) {
            webhooks::enqueue(conn, webhook_id, Uuid::now_v7(), now, &body).await?;
            messages += 1;
        }
    }
    Ok(messages)
}

/// Tells this server's subscribers of alerts that changed, on whichever server, until `shutdown`.
pub async fn watch(app: Arc<App>, shutdown: CancellationToken) {
    let mut looks = tokio::time::interval(WATCH_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut revision = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = looks.tick() => {}
            () = app.alerts.changed.notified() => {}
        }
        // Evaluation and maintenance say in the log when the database is away.
        let _ = look(&app, &mut revision).await;
    }
}

/// Reads what changed since a revision. The first look only learns where things stand: what a subscriber begins with is its own to read.
async fn look(app: &App, revision: &mut Option<i64>) -> Result<(), DbError> {
    let mut conn = app.pool.acquire().await?;
    let Some(seen) = *revision else {
        *revision = Some(alerts::newest_revision(&mut conn).await?);
        return Ok(());
    };
    let newest = alerts::newest_revision(&mut conn).await?;
    if newest == seen {
        return Ok(());
    }
    let filter = Filter { revisions: Some((seen, newest)), ..Filter::everything() };
    let changed = list::read(&mut conn, &filter, None, WATCHED_MAX).await?;
    *revision = Some(newest);
    // An error means that nobody listens.
    let _ = app.alerts.changes.send(Arc::new(changed));
    Ok(())
}
