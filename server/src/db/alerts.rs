//! Alerts, what rules remember of agents, and the counts that they rest on.

pub mod rows;

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use tyr_api::agents::doubt;
use tyr_api::alerts::{Alert, AlertFilter, AlertRule, AlertState};
use uuid::Uuid;

use crate::db::DbError;
use crate::db::agents::{posture, posture_word};
use crate::db::alerts::rows::{Counted, DriftCounts, Facts, Measured, Memory, Open, Standing};
use crate::db::events::word;

/// Advisory lock of an evaluation: "tyralert" in ASCII.
const EVALUATION_LOCK: i64 = 0x7479_7261_6c65_7274;
/// Advisory lock around changes of alerts, so that revisions become visible in their order: "tyralrev".
const WRITE_LOCK: i64 = 0x7479_7261_6c72_6576;
/// How long counts by minute are kept.
const MINUTES_KEPT: SignedDuration = SignedDuration::from_hours(2);
/// How long an alert that never fired is kept, for subscribers that are told of its end.
const UNFIRED_KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Newest event of an agent: written again when it moved by this much.
const LAST_EVENT_STEP: SignedDuration = SignedDuration::from_hours(1);

/// Takes the lock of an evaluation until the transaction ends; false: another server has it.
pub async fn try_lock_evaluation(conn: &mut PgConnection) -> Result<bool, DbError> {
    let query = sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "locked!""#, EVALUATION_LOCK);
    Ok(query.fetch_one(conn).await?)
}

/// Waits for the right to change alerts; held until the transaction ends.
pub async fn lock_writes(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", WRITE_LOCK).fetch_one(conn).await?;
    Ok(())
}

/// When rules were evaluated last, and since when without a break.
pub async fn last_evaluation(conn: &mut PgConnection) -> Result<(Timestamp, Timestamp), DbError> {
    let row = sqlx::query!("SELECT evaluated_at, unbroken_since FROM alert_evaluation").fetch_one(conn).await?;
    Ok((row.evaluated_at.to_jiff(), row.unbroken_since.to_jiff()))
}

/// Notes an evaluation.
pub async fn set_last_evaluation(
    conn: &mut PgConnection,
    evaluated_at: Timestamp,
    unbroken_since: Timestamp,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE alert_evaluation SET evaluated_at = $1, unbroken_since = $2",
        evaluated_at.to_sqlx(),
        unbroken_since.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds what a server counted.
pub async fn add_counts(conn: &mut PgConnection, counted: &Counted) -> Result<(), DbError> {
    // In one order on all servers, so that none waits for another that waits for it.
    let mut minutes: Vec<_> = counted.minutes.iter().collect();
    minutes.sort_unstable_by_key(|((agent_id, minute), _)| (*minute, *agent_id));
    let ids: Vec<Uuid> = minutes.iter().map(|((agent_id, _), _)| *agent_id).collect();
    let starts: Vec<i64> = minutes.iter().map(|((_, minute), _)| minute * 60).collect();
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let denials: Vec<i64> = minutes.iter().map(|(_, counts)| count(counts.denials)).collect();
    let stale: Vec<i64> = minutes.iter().map(|(_, counts)| count(counts.drifts_stale)).collect();
    let differing: Vec<i64> = minutes.iter().map(|(_, counts)| count(counts.drifts_differing)).collect();
    let unenforced: Vec<i64> = minutes.iter().map(|(_, counts)| count(counts.drifts_unenforced)).collect();
    sqlx::query!(
        "INSERT INTO alert_minutes AS m (agent_id, minute, denials, drifts_stale, drifts_differing, drifts_unenforced)
         SELECT agent_id, 'epoch'::timestamptz + start * interval '1 second', denials, stale, differing, unenforced
           FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
                AS c (agent_id, start, denials, stale, differing, unenforced)
         ON CONFLICT (minute, agent_id) DO UPDATE
            SET denials = m.denials + excluded.denials,
                drifts_stale = m.drifts_stale + excluded.drifts_stale,
                drifts_differing = m.drifts_differing + excluded.drifts_differing,
                drifts_unenforced = m.drifts_unenforced + excluded.drifts_unenforced",
        &ids,
        &starts,
        &denials,
        &stale,
        &differing,
        &unenforced,
    )
    .execute(&mut *conn)
    .await?;
    let mut last: Vec<_> = counted.last_events.iter().collect();
    last.sort_unstable();
    let ids: Vec<Uuid> = last.iter().map(|(agent_id, _)| **agent_id).collect();
    let micros: Vec<i64> = last.iter().map(|(_, at)| at.as_microsecond()).collect();
    sqlx::query!(
        "UPDATE alert_agents m
            SET last_event_at = l.at
           FROM (SELECT agent_id, 'epoch'::timestamptz + micros * interval '1 microsecond' AS at
                   FROM unnest($1::uuid[], $2::bigint[]) AS u (agent_id, micros)) l
          WHERE m.agent_id = l.agent_id
            AND (m.last_event_at IS NULL OR m.last_event_at < l.at - make_interval(secs => $3))",
        &ids,
        &micros,
        LAST_EVENT_STEP.as_secs_f64(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Counts the drift that arrived within the last half hour anew, from its partial index: after a crash some may be uncounted.
pub async fn recount_drift(conn: &mut PgConnection, now: Timestamp) -> Result<(), DbError> {
    sqlx::query_file!("src/db/sql/recount_drift.sql", now.to_sqlx(),).execute(conn).await?;
    Ok(())
}

/// What is known of each agent that is watched or has an open alert, and what is remembered of it.
pub async fn facts(conn: &mut PgConnection, now: Timestamp) -> Result<Vec<(Facts, Option<Memory>)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT a.agent_id, a.last_seen, a.enrolled_at, a.posture::text AS "posture!", a.posture_reason,
                  a.denial::text AS "denial!", a.denial_at, a.tables::text AS "tables!",
                  (a.archived_at IS NULL AND a.revoked_at IS NULL) AS "watched!",
                  coalesce(l.lost, 0) AS "lost!", coalesce(l.lost_before, 0) AS "lost_before!",
                  coalesce(t.denials, 0) AS "denials!", coalesce(t.denials_before, 0) AS "denials_before!",
                  coalesce(t.stale, 0) AS "stale!", coalesce(t.differing, 0) AS "differing!",
                  coalesce(t.unenforced, 0) AS "unenforced!",
                  coalesce(t.stale_sustained, 0) AS "stale_sustained!",
                  coalesce(t.differing_sustained, 0) AS "differing_sustained!",
                  coalesce(t.window_0, 0) AS "window_0!", coalesce(t.window_1, 0) AS "window_1!",
                  coalesce(t.window_2, 0) AS "window_2!", coalesce(t.window_3, 0) AS "window_3!",
                  coalesce(t.window_4, 0) AS "window_4!",
                  m.agent_id IS NOT NULL AS "remembered!", m.online_since, m.last_event_at, m.events_checked_at,
                  m.events_lost AS "events_lost?", m.lost_at, m.lost_recently AS "lost_recently?",
                  m.posture_expected::text
             FROM agents a
             LEFT JOIN alert_agents m USING (agent_id)
             LEFT JOIN (SELECT agent_id, sum(events)::bigint AS lost,
                               sum(events) FILTER (WHERE updated_at < $1::timestamptz - interval '15 minutes')::bigint
                                   AS lost_before
                          FROM event_losses GROUP BY agent_id) l USING (agent_id)
             LEFT JOIN (SELECT agent_id,
                               sum(denials) FILTER (WHERE minute > $1 - interval '5 minutes')::bigint AS denials,
                               sum(denials) FILTER (WHERE minute <= $1 - interval '5 minutes')::bigint AS denials_before,
                               sum(drifts_stale) FILTER (WHERE minute > $1 - interval '15 minutes')::bigint AS stale,
                               sum(drifts_differing) FILTER (WHERE minute > $1 - interval '15 minutes')::bigint AS differing,
                               sum(drifts_unenforced) FILTER (WHERE minute > $1 - interval '15 minutes')::bigint
                                   AS unenforced,
                               sum(drifts_stale) FILTER (WHERE minute > $1 - interval '25 minutes')::bigint
                                   AS stale_sustained,
                               sum(drifts_differing) FILTER (WHERE minute > $1 - interval '25 minutes')::bigint
                                   AS differing_sustained,
                               sum(drifts_stale + drifts_differing)
                                   FILTER (WHERE minute > $1 - interval '5 minutes')::bigint AS window_0,
                               sum(drifts_stale + drifts_differing)
                                   FILTER (WHERE minute <= $1 - interval '5 minutes'
                                             AND minute > $1 - interval '10 minutes')::bigint AS window_1,
                               sum(drifts_stale + drifts_differing)
                                   FILTER (WHERE minute <= $1 - interval '10 minutes'
                                             AND minute > $1 - interval '15 minutes')::bigint AS window_2,
                               sum(drifts_stale + drifts_differing)
                                   FILTER (WHERE minute <= $1 - interval '15 minutes'
                                             AND minute > $1 - interval '20 minutes')::bigint AS window_3,
                               sum(drifts_stale + drifts_differing)
                                   FILTER (WHERE minute <= $1 - interval '20 minutes'
                                             AND minute > $1 - interval '25 minutes')::bigint AS window_4
                          FROM alert_minutes
                         WHERE minute > $1 - interval '65 minutes' AND minute <= $1
                         GROUP BY agent_id) t USING (agent_id)
            WHERE (a.archived_at IS NULL AND a.revoked_at IS NULL)
               OR EXISTS (SELECT FROM alerts x WHERE x.agent_id = a.agent_id AND x.state <> 'resolved')"#,
        now.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let at = |at: Option<jiff_sqlx::Timestamp>| at.map(jiff_sqlx::Timestamp::to_jiff);
    let known = rows.into_iter().map(|row| {
        let facts = Facts {
            agent_id: row.agent_id,
            watched: row.watched,
            last_seen: row.last_seen.to_jiff(),
            denials: count(row.denials),
            denials_before: count(row.denials_before),
            drift: DriftCounts {
                stale: count(row.stale),
                differing: count(row.differing),
                unenforced: count(row.unenforced),
            },
            drift_windows: [row.window_0, row.window_1, row.window_2, row.window_3, row.window_4].map(count),
            drift_sustained: DriftCounts {
                stale: count(row.stale_sustained),
                differing: count(row.differing_sustained),
                unenforced: 0,
            },
            events_lost: count(row.lost),
            events_lost_before: count(row.lost_before),
            posture: posture(&row.posture),
            posture_reason: row.posture_reason,
            doubt: doubt(
                row.denial.parse().unwrap_or_default(),
                at(row.denial_at),
                row.tables.parse().unwrap_or_default(),
                row.last_seen.to_jiff(),
            ),
            enrolled_at: row.enrolled_at.to_jiff(),
        };
        let memory = row.remembered.then(|| Memory {
            online_since: at(row.online_since),
            last_event_at: at(row.last_event_at),
            events_checked_at: at(row.events_checked_at),
            events_lost: count(row.events_lost.unwrap_or(0)),
            lost_at: at(row.lost_at),
            lost_recently: count(row.lost_recently.unwrap_or(0)),
            posture_expected: posture(row.posture_expected.as_deref().unwrap_or_default()),
        });
        (facts, memory)
    });
    Ok(known.collect())
}

/// The newest event after `since` of each of these agents; agents without one are absent.
pub async fn last_events(
    conn: &mut PgConnection,
    agent_ids: &[Uuid],
    since: Timestamp,
) -> Result<Vec<(Uuid, Timestamp)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT i.agent_id AS "agent_id!", e.ts AS "ts!"
             FROM unnest($1::uuid[]) AS i (agent_id)
             CROSS JOIN LATERAL (SELECT ts FROM events WHERE events.agent_id = i.agent_id AND ts > $2
                                  ORDER BY ts DESC LIMIT 1) e"#,
        agent_ids,
        since.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.agent_id, row.ts.to_jiff())).collect())
}

/// Writes what is remembered of agents. The newest event may have been moved on meanwhile, and never moves back.
pub async fn remember(conn: &mut PgConnection, rows: &[(Uuid, &Memory)]) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let instants = |of: fn(&Memory) -> Option<Timestamp>| -> Vec<Option<i64>> {
        rows.iter().map(|(_, memory)| of(memory).map(Timestamp::as_microsecond)).collect()
    };
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let ids: Vec<Uuid> = rows.iter().map(|(agent_id, _)| *agent_id).collect();
    let lost: Vec<i64> = rows.iter().map(|(_, memory)| count(memory.events_lost)).collect();
    let recently: Vec<i64> = rows.iter().map(|(_, memory)| count(memory.lost_recently)).collect();
    let postures: Vec<String> =
        rows.iter().map(|(_, memory)| posture_word(memory.posture_expected).to_owned()).collect();
    sqlx::query!(
        "INSERT INTO alert_agents AS m (agent_id, online_since, last_event_at, events_checked_at, events_lost, lost_at,
                                        lost_recently, posture_expected)
         SELECT agent_id, 'epoch'::timestamptz + online * interval '1 microsecond',
                'epoch'::timestamptz + event * interval '1 microsecond',
                'epoch'::timestamptz + checked * interval '1 microsecond', lost,
                'epoch'::timestamptz + lost_at * interval '1 microsecond', recently, posture::agent_posture
           FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                       $8::text[])
                AS r (agent_id, online, event, checked, lost, lost_at, recently, posture)
         ON CONFLICT (agent_id) DO UPDATE
            SET online_since = excluded.online_since,
                last_event_at = greatest(m.last_event_at, excluded.last_event_at),
                events_checked_at = excluded.events_checked_at,
                events_lost = excluded.events_lost,
                lost_at = excluded.lost_at,
                lost_recently = excluded.lost_recently,
                posture_expected = excluded.posture_expected",
        &ids,
        &instants(|memory| memory.online_since) as &[Option<i64>],
        &instants(|memory| memory.last_event_at) as &[Option<i64>],
        &instants(|memory| memory.events_checked_at) as &[Option<i64>],
        &lost,
        &instants(|memory| memory.lost_at) as &[Option<i64>],
        &recently,
        &postures,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Compares a host with its present posture from now on.
pub async fn accept_posture(conn: &mut PgConnection, agent_id: Uuid) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE alert_agents m SET posture_expected = a.posture FROM agents a WHERE a.agent_id = $1 AND m.agent_id = $1",
        agent_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The rule behind most denials of an agent since then, and how many they are.
pub async fn denying_rule(
    conn: &mut PgConnection,
    agent_id: Uuid,
    since: Timestamp,
) -> Result<Option<(String, i64)>, DbError> {
    let row = sqlx::query!(
        r#"SELECT rule AS "rule!", count(*) AS "denials!"
             FROM events
            WHERE agent_id = $1 AND ts > $2 AND verdict = 'deny' AND rule IS NOT NULL
            GROUP BY rule ORDER BY 2 DESC, 1 LIMIT 1"#,
        agent_id,
        since.to_sqlx(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.rule, row.denials)))
}

/// Alerts that are pending or firing, by rule and agent.
pub async fn open(conn: &mut PgConnection) -> Result<HashMap<(AlertRule, Uuid), Open>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT alert_id, rule::text AS "rule!", agent_id, state::text AS "state!", since, changed_at, fired_at,
                  clear_since, evaluations, value, threshold,
                  details AS "details: Json<BTreeMap<String, String>>", flapping
             FROM alerts WHERE state <> 'resolved'"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let rule: AlertRule = word(&row.rule)?;
            let standing = Standing {
                state: word(&row.state)?,
                since: row.since.to_jiff(),
                changed_at: row.changed_at.to_jiff(),
                fired_at: row.fired_at.map(jiff_sqlx::Timestamp::to_jiff),
                resolved_at: None,
                clear_since: row.clear_since.map(jiff_sqlx::Timestamp::to_jiff),
                evaluations: row.evaluations.unsigned_abs(),
                flapping: row.flapping,
            };
            let measured = Measured { rule, value: row.value, threshold: row.threshold, details: row.details.0 };
            Ok(((rule, row.agent_id), Open { alert_id: row.alert_id, standing, measured }))
        })
        .collect()
}

/// How often each rule fired for each agent since then.
pub async fn fires(conn: &mut PgConnection, since: Timestamp) -> Result<HashMap<(AlertRule, Uuid), u64>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT rule::text AS "rule!", agent_id, count(*) AS "fires!"
             FROM alerts WHERE fired_at > $1 GROUP BY rule, agent_id"#,
        since.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok(((word(&row.rule)?, row.agent_id), u64::try_from(row.fires).unwrap_or(0)))).collect()
}

fn evaluations(standing: &Standing) -> i32 {
    i32::try_from(standing.evaluations).unwrap_or(i32::MAX)
}

/// Adds an alert. Call [`lock_writes`] before.
pub async fn insert(
    conn: &mut PgConnection,
    alert_id: Uuid,
    agent_id: Uuid,
    standing: &Standing,
    measured: &Measured,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO alerts (alert_id, rule, agent_id, state, since, changed_at, fired_at, evaluations, value, threshold,
                             details, flapping)
         VALUES ($1, $2::text::alert_rule, $3, $4::text::alert_state, $5, $6, $7, $8, $9, $10, $11, $12)",
        alert_id,
        measured.rule.as_str(),
        agent_id,
        standing.state.as_str(),
        standing.since.to_sqlx(),
        standing.changed_at.to_sqlx(),
        standing.fired_at.map(ToSqlx::to_sqlx) as Option<jiff_sqlx::Timestamp>,
        evaluations(standing),
        measured.value,
        measured.threshold,
        Json(&measured.details) as Json<&BTreeMap<String, String>>,
        standing.flapping,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes an alert. Call [`lock_writes`] before. What was looked up when it fired stays.
pub async fn update(
    conn: &mut PgConnection,
    alert_id: Uuid,
    standing: &Standing,
    measured: &Measured,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE alerts
            SET state = $2::text::alert_state, changed_at = $3, fired_at = $4, resolved_at = $5, clear_since = $6,
                evaluations = $7, value = $8, threshold = $9, details = details || $10::jsonb, flapping = $11,
                revision = nextval('alerts_revision')
          WHERE alert_id = $1",
        alert_id,
        standing.state.as_str(),
        standing.changed_at.to_sqlx(),
        standing.fired_at.map(ToSqlx::to_sqlx) as Option<jiff_sqlx::Timestamp>,
        standing.resolved_at.map(ToSqlx::to_sqlx) as Option<jiff_sqlx::Timestamp>,
        standing.clear_since.map(ToSqlx::to_sqlx) as Option<jiff_sqlx::Timestamp>,
        evaluations(standing),
        measured.value,
        measured.threshold,
        Json(&measured.details) as Json<&BTreeMap<String, String>>,
        standing.flapping,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes who knows of an alert. Call [`lock_writes`] before.
pub async fn acknowledge(
    conn: &mut PgConnection,
    alert_id: Uuid,
    by: &str,
    at: Timestamp,
    note: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE alerts
            SET acknowledged_by = $2, acknowledged_at = $3, note = $4, revision = nextval('alerts_revision')
          WHERE alert_id = $1",
        alert_id,
        by,
        at.to_sqlx(),
        note,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest revision of all alerts; 0 without any.
pub async fn newest_revision(conn: &mut PgConnection) -> Result<i64, DbError> {
    let query = sqlx::query_scalar!(r#"SELECT coalesce(max(revision), 0) AS "revision!" FROM alerts"#);
    Ok(query.fetch_one(conn).await?)
}

/// Which alerts to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// In one of these states.
    pub states: Vec<AlertState>,
    /// Only of this rule.
    pub rule: Option<AlertRule>,
    /// Only of this agent.
    pub agent_id: Option<Uuid>,
    /// Only of agents of this name.
    pub agent_name: Option<String>,
    /// Only these.
    pub ids: Option<Vec<Uuid>>,
    /// Changed after the first and up to the second revision.
    pub revisions: Option<(i64, i64)>,
    /// Whose state changed after this instant.
    pub changed_after: Option<Timestamp>,
    /// Also those that resolved without having fired.
    pub unfired: bool,
}

impl Filter {
    /// All alerts, also those that resolved without having fired.
    pub fn everything() -> Self {
        Self {
            states: AlertState::ALL.to_vec(),
            rule: None,
            agent_id: None,
            agent_name: None,
            ids: None,
            revisions: None,
            changed_after: None,
            unfired: true,
        }
    }

    /// Those that are pending or firing.
    pub fn open() -> Self {
        Self { states: vec![AlertState::Pending, AlertState::Firing], ..Self::everything() }
    }

    /// That one.
    pub fn one(alert_id: Uuid) -> Self {
        Self { ids: Some(vec![alert_id]), ..Self::everything() }
    }

    /// Those that people mean.
    pub fn state(filter: Option<AlertFilter>) -> Self {
        let states = match filter {
            None => AlertState::ALL.to_vec(),
            Some(AlertFilter::Open) => vec![AlertState::Pending, AlertState::Firing],
            Some(AlertFilter::Pending) => vec![AlertState::Pending],
            Some(AlertFilter::Firing) => vec![AlertState::Firing],
            Some(AlertFilter::Resolved) => vec![AlertState::Resolved],
        };
        Self { states, unfired: false, ..Self::everything() }
    }
}

/// Alerts that match: firing ones first, then pending, then resolved; within each the newest change first. `summary` is for
/// [`crate::app::alerts::summary`] to fill in.
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    after: Option<(i32, Timestamp, Uuid)>,
    limit: u32,
) -> Result<Vec<Alert>, DbError> {
    let states: Vec<String> = filter.states.iter().map(ToString::to_string).collect();
    let rows = sqlx::query_file!(
        "src/db/sql/alerts.sql",
        &states,
        filter.rule.map(AlertRule::as_str),
        filter.agent_id,
        filter.agent_name,
        filter.ids.as_deref(),
        filter.revisions.map(|(after, _)| after),
        filter.revisions.map(|(_, upto)| upto),
        filter.changed_after.map(ToSqlx::to_sqlx) as Option<jiff_sqlx::Timestamp>,
        filter.unfired,
        after.map(|(rank, ..)| rank),
        after.map(|(_, at, _)| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|(.., id)| id),
        i64::from(limit),
    )
    .fetch_all(conn)
    .await?;
    let at = |at: Option<jiff_sqlx::Timestamp>| at.map(jiff_sqlx::Timestamp::to_jiff);
    rows.into_iter()
        .map(|row| {
            Ok(Alert {
                alert_id: row.alert_id,
                rule: word(&row.rule)?,
                agent_id: row.agent_id,
                agent_name: row.agent_name,
                state: word(&row.state)?,
                since: row.since.to_jiff(),
                changed_at: row.changed_at.to_jiff(),
                fired_at: at(row.fired_at),
                resolved_at: at(row.resolved_at),
                value: row.value,
                threshold: row.threshold,
                summary: String::new(),
                details: row.details.0,
                flapping: row.flapping,
                acknowledged_by: row.acknowledged_by,
                acknowledged_at: at(row.acknowledged_at),
                note: row.note,
            })
        })
        .collect()
}

/// Removes what nobody needs any more: alerts as old as events may be, counts of hours ago, messages that ended.
pub async fn sweep(pool: &PgPool, now: Timestamp, retention_days: u32) -> Result<(), DbError> {
    let before = |span: SignedDuration| now.checked_sub(span).unwrap_or(Timestamp::MIN).to_sqlx();
    let kept = SignedDuration::from_hours(24 * i64::from(retention_days));
    let mut conn = pool.acquire().await?;
    sqlx::query!(
        "DELETE FROM alerts WHERE state = 'resolved' AND resolved_at < CASE WHEN fired_at IS NULL THEN $1::timestamptz ELSE $2::timestamptz END",
        before(UNFIRED_KEPT) as jiff_sqlx::Timestamp,
        before(kept) as jiff_sqlx::Timestamp,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("DELETE FROM alert_minutes WHERE minute < $1", before(MINUTES_KEPT) as jiff_sqlx::Timestamp)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "DELETE FROM webhook_deliveries
          WHERE (state = 'delivered' AND ended_at < $1) OR (state = 'dead' AND ended_at < $2)",
        before(SignedDuration::from_hours(24)) as jiff_sqlx::Timestamp,
        before(SignedDuration::from_hours(24 * 30)) as jiff_sqlx::Timestamp,
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}
