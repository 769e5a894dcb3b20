//! Events that agents declare lost: emitted = stored + lost.

use sqlx::PgConnection;
use tyr_api::events::{EventKind, Verdict};
use uuid::Uuid;

use crate::db::DbError;

/// One line of an agent's loss ledger, cumulative within its spool epoch.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The agent.
    pub agent_id: Uuid,
    /// 16 random bytes of the spool.
    pub spool_epoch: Vec<u8>,
    /// What the lost events were.
    pub kind: EventKind,
    /// Their verdict.
    pub verdict: Verdict,
    /// Where they went.
    pub reason: String,
    /// How many since the spool began.
    pub events: i64,
}

/// Stores a line. Counts only grow, so a replay changes nothing.
pub async fn record(conn: &mut PgConnection, loss: &Loss) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO event_losses AS l (agent_id, spool_epoch, kind, verdict, reason, events)
         VALUES ($1, $2, $3::text::event_kind, $4::text::event_verdict, $5, $6)
         ON CONFLICT (agent_id, spool_epoch, kind, verdict, reason)
         DO UPDATE SET events = greatest(l.events, excluded.events), updated_at = now()",
        loss.agent_id,
        loss.spool_epoch,
        loss.kind.as_str(),
        loss.verdict.as_str(),
        loss.reason,
        loss.events,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Events declared lost, over all agents and spools.
pub async fn total(conn: &mut PgConnection) -> Result<u64, DbError> {
    let row = sqlx::query!(r#"SELECT coalesce(sum(events), 0)::bigint AS "events!" FROM event_losses"#)
        .fetch_one(conn)
        .await?;
    Ok(u64::try_from(row.events).unwrap_or(0))
}
