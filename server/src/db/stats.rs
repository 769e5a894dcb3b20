//! Counts over events.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use tyr_api::stats::{AgentEventsRow, DriftBy, DriftRow, RateGroup, RateRow};
use uuid::Uuid;

use crate::db::DbError;
use crate::db::events::word;

/// Events per minute, verdict and kind, newest minute first: from the roll-up, so at any volume about a millisecond.
/// The minutes that `since` and `until` fall into are included whole.
pub async fn rate(conn: &mut PgConnection, since: Timestamp, until: Timestamp) -> Result<Vec<RateRow>, DbError> {
    let rows = sqlx::query_file!("src/db/sql/rate.sql", since.to_sqlx(), until.to_sqlx()).fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            Ok(RateRow {
                minute: row.minute.to_jiff(),
                verdict: word(&row.verdict)?,
                kind: word(&row.kind)?,
                events: count(row.events),
                drifts: count(row.drifts),
            })
        })
        .collect()
}

/// Events per minute and verdict, newest minute first.
pub async fn rate_by_verdict(
    conn: &mut PgConnection,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<RateGroup>, DbError> {
    let query = sqlx::query_file!("src/db/sql/rate_by_verdict.sql", since.to_sqlx(), until.to_sqlx());
    let rows = query.fetch_all(conn).await?.into_iter().map(|row| {
        let verdict = Some(word(&row.verdict)?);
        let (minute, events, drifts) = (Some(row.minute.to_jiff()), count(row.events), count(row.drifts));
        Ok(RateGroup { minute, verdict, events, drifts, ..RateGroup::default() })
    });
    rows.collect()
}

/// Events per minute and kind, newest minute first.
pub async fn rate_by_kind(
    conn: &mut PgConnection,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<RateGroup>, DbError> {
    let query = sqlx::query_file!("src/db/sql/rate_by_kind.sql", since.to_sqlx(), until.to_sqlx());
    let rows = query.fetch_all(conn).await?.into_iter().map(|row| {
        let kind = Some(word(&row.kind)?);
        let (minute, events, drifts) = (Some(row.minute.to_jiff()), count(row.events), count(row.drifts));
        Ok(RateGroup { minute, kind, events, drifts, ..RateGroup::default() })
    });
    rows.collect()
}

/// Events per minute, newest first.
pub async fn rate_by_minute(
    conn: &mut PgConnection,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<RateGroup>, DbError> {
    let query = sqlx::query_file!("src/db/sql/rate_by_minute.sql", since.to_sqlx(), until.to_sqlx());
    let rows = query.fetch_all(conn).await?.into_iter().map(|row| {
        let (minute, events, drifts) = (Some(row.minute.to_jiff()), count(row.events), count(row.drifts));
        RateGroup { minute, events, drifts, ..RateGroup::default() }
    });
    Ok(rows.collect())
}

/// Events per hour and agent, newest hour first and in it the busiest agent, at most `limit` rows. The hours that `since` and
/// `until` fall into are included whole.
pub async fn rate_by_agent(
    conn: &mut PgConnection,
    since: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<RateGroup>, DbError> {
    let (since, until, limit) = (since.to_sqlx(), until.to_sqlx(), i64::from(limit));
    let query = sqlx::query_file!("src/db/sql/rate_by_agent.sql", since, until, limit);
    let rows = query.fetch_all(conn).await?.into_iter().map(|row| RateGroup {
        hour: Some(row.hour.to_jiff()),
        agent_id: Some(row.agent_id),
        agent_name: Some(row.agent_name),
        events: count(row.events),
        drifts: count(row.drifts),
        ..RateGroup::default()
    });
    Ok(rows.collect())
}

/// Drift between two instants, counted by agent or by what it has in common, most first. By agent it is an index-only scan of
/// the partial index, with the rows of the documented query; by anything else the drifting events are read through it.
pub async fn drift(
    conn: &mut PgConnection,
    since: Timestamp,
    until: Timestamp,
    by: DriftBy,
    agent_id: Option<Uuid>,
) -> Result<Vec<DriftRow>, DbError> {
    let (since, until) = (since.to_sqlx(), until.to_sqlx());
    if by == DriftBy::Agent {
        let rows = sqlx::query_file!("src/db/sql/drift.sql", since, until, agent_id).fetch_all(conn).await?;
        let rows = rows.into_iter().map(|row| DriftRow {
            agent_id: Some(row.agent_id),
            agent_name: Some(row.agent_name),
            group: None,
            drifts: count(row.drifts),
            severe: count(row.severe),
            agents: None,
            last_ts: row.last_ts.to_jiff(),
            sustained: row.sustained,
        });
        return Ok(rows.collect());
    }
    let query = sqlx::query_file!("src/db/sql/drift_by.sql", since, until, agent_id, by.as_str());
    let rows = query.fetch_all(conn).await?.into_iter().map(|row| DriftRow {
        agent_id: None,
        agent_name: None,
        group: Some(row.group),
        drifts: count(row.drifts),
        severe: count(row.severe),
        agents: Some(count(row.agents)),
        last_ts: row.last_ts.to_jiff(),
        sustained: row.sustained,
    });
    Ok(rows.collect())
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// How many events drifted since then.
pub async fn drifts_since(conn: &mut PgConnection, since: Timestamp) -> Result<u64, DbError> {
    let row = sqlx::query_file!("src/db/sql/drifts_since.sql", since.to_sqlx()).fetch_one(conn).await?;
    Ok(count(row.drifts))
}

/// The agents with most events, from the roll-up by hour. The hours that `since` and `until` fall into are included whole.
pub async fn agent_events(
    conn: &mut PgConnection,
    since: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<AgentEventsRow>, DbError> {
    let rows = sqlx::query_file!("src/db/sql/agent_events.sql", since.to_sqlx(), until.to_sqlx(), i64::from(limit))
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| AgentEventsRow {
            agent_id: row.agent_id,
            agent_name: row.agent_name,
            events: count(row.events),
            allow: count(row.allow),
            deny: count(row.deny),
            alert: count(row.alert),
            drifts: count(row.drifts),
        })
        .collect())
}

/// When each of these agents last reported an event: newest first per agent; agents without events are absent.
pub async fn last_event(conn: &mut PgConnection, agent_ids: &[Uuid]) -> Result<Vec<(Uuid, Timestamp)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT i.agent_id AS "agent_id!", e.ts AS "ts!"
             FROM unnest($1::uuid[]) AS i (agent_id)
             CROSS JOIN LATERAL (SELECT ts FROM events WHERE events.agent_id = i.agent_id ORDER BY ts DESC LIMIT 1) e"#,
        agent_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.agent_id, row.ts.to_jiff())).collect())
}
