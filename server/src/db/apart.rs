//! What agents sent and is not among the events: set apart, as its time is too far ahead, or counted, as its day is gone.
//! Both count as delivered.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use tyr_api::db::{ApartHow, ApartRow};
use uuid::Uuid;

use crate::db::DbError;

/// Most rows of an answer.
const ROWS_MAX: i64 = 1_000;

/// A well-formed event that claims a time for which there is no place.
#[derive(Clone, Debug)]
pub struct Quarantined {
    /// The agent that sent it.
    pub agent_id: Uuid,
    /// The time that it claims.
    pub ts: Timestamp,
    /// Its id.
    pub event_id: Uuid,
    /// Why it has no place.
    pub reason: String,
    /// The protobuf record as received.
    pub record: Vec<u8>,
}

/// Events of an agent that came when their days were gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// How many.
    pub events: i64,
    /// The oldest of them.
    pub oldest_ts: Timestamp,
    /// The newest of them.
    pub newest_ts: Timestamp,
}

impl Expired {
    /// Adds an event of that time.
    pub fn add(sum: &mut Option<Self>, ts: Timestamp) {
        let sum = sum.get_or_insert(Self { events: 0, oldest_ts: ts, newest_ts: ts });
        sum.events += 1;
        sum.oldest_ts = sum.oldest_ts.min(ts);
        sum.newest_ts = sum.newest_ts.max(ts);
    }
}

/// Sets events apart. A replay changes nothing.
pub async fn quarantine(conn: &mut PgConnection, events: &[Quarantined]) -> Result<(), DbError> {
    for event in events {
        sqlx::query!(
            "INSERT INTO events_quarantine (agent_id, ts, event_id, reason, record) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING",
            event.agent_id,
            event.ts.to_sqlx(),
            event.event_id,
            event.reason,
            event.record,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Counts events whose days are gone.
pub async fn expire(conn: &mut PgConnection, agent_id: Uuid, expired: &Expired) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO events_expired AS e (agent_id, events, oldest_ts, newest_ts) VALUES ($1, $2, $3, $4)
         ON CONFLICT (agent_id) DO UPDATE
         SET events = e.events + excluded.events, oldest_ts = least(e.oldest_ts, excluded.oldest_ts),
             newest_ts = greatest(e.newest_ts, excluded.newest_ts), updated_at = now()",
        agent_id,
        expired.events,
        expired.oldest_ts.to_sqlx(),
        expired.newest_ts.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// All that is apart, by agent and reason, the latest first.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<ApartRow>, DbError> {
    let rows = sqlx::query_file!("src/db/sql/apart.sql", ROWS_MAX).fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| ApartRow {
            agent_id: row.agent_id,
            agent_name: row.agent_name,
            how: match row.how.as_str() {
                "quarantined" => ApartHow::Quarantined,
                "expired" => ApartHow::Expired,
                _ => ApartHow::Rejected,
            },
            reason: row.reason,
            events: u64::try_from(row.events).unwrap_or(0),
            oldest_ts: row.oldest_ts.map(jiff_sqlx::Timestamp::to_jiff),
            newest_ts: row.newest_ts.map(jiff_sqlx::Timestamp::to_jiff),
            last_at: row.last_at.to_jiff(),
        })
        .collect())
}
