//! Counts over events.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use tyr_api::stats::{AgentEventsRow, DriftRow, RateRow};
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
                events: u64::try_from(row.events).unwrap_or(0),
                drifts: u64::try_from(row.drifts).unwrap_or(0),
            })
        })
        .collect()
}

/// Drift per agent, most first: an index-only scan of the partial index. The same rows as the documented query.
pub async fn drift(conn: &mut PgConnection, since: Timestamp, until: Timestamp) -> Result<Vec<DriftRow>, DbError> {
    let rows = sqlx::query_file!("src/db/sql/drift.sql", since.to_sqlx(), until.to_sqlx()).fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| DriftRow {
            agent_id: row.agent_id,
            agent_name: row.agent_name,
            drifts: u64::try_from(row.drifts).unwrap_or(0),
            last_ts: row.last_ts.to_jiff(),
        })
        .collect())
}

/// How many events drifted since then.
pub async fn drifts_since(conn: &mut PgConnection, since: Timestamp) -> Result<u64, DbError> {
    let row = sqlx::query_file!("src/db/sql/drifts_since.sql", since.to_sqlx()).fetch_one(conn).await?;
    Ok(u64::try_from(row.drifts).unwrap_or(0))
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
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
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
