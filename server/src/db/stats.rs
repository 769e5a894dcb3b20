//! Counts over events.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use tyr_api::stats::{DriftRow, RateRow};
use uuid::Uuid;

use crate::db::DbError;
use crate::db::events::word;

/// Events per minute, verdict and kind, newest minute first: from the roll-up, so at any volume about a millisecond.
/// The minutes that `since` and `until` fall into are included whole.
pub async fn rate(conn: &mut PgConnection, since: Timestamp, until: Timestamp) -> Result<Vec<RateRow>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT minute, verdict::text AS "verdict!", kind::text AS "kind!",
                  sum(events)::bigint AS "events!", sum(drifts)::bigint AS "drifts!"
             FROM events_minute
            WHERE minute >= date_trunc('minute', $1::timestamptz) AND minute <= $2
            GROUP BY minute, verdict, kind
            ORDER BY minute DESC, verdict, kind"#,
        since.to_sqlx(),
        until.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
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
    let rows = sqlx::query!(
        r#"SELECT d.agent_id, coalesce(a.name, '') AS "agent_name!", d.drifts AS "drifts!", d.last_ts AS "last_ts!"
             FROM (SELECT agent_id, count(*) AS drifts, max(ts) AS last_ts
                     FROM events
                    WHERE drift_detected = true AND ts > $1 AND ts <= $2
                    GROUP BY agent_id) d
             LEFT JOIN agents a USING (agent_id)
            ORDER BY d.drifts DESC, d.agent_id"#,
        since.to_sqlx(),
        until.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
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
    let row = sqlx::query!(
        r#"SELECT count(*) AS "drifts!" FROM events WHERE drift_detected = true AND ts > $1"#,
        since.to_sqlx(),
    )
    .fetch_one(conn)
    .await?;
    Ok(u64::try_from(row.drifts).unwrap_or(0))
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
