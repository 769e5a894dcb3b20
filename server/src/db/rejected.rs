//! Events that could not be stored as they came. They count as delivered.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::db::DbError;

/// A record that was refused.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// The agent that sent it.
    pub agent_id: Uuid,
    /// What is wrong with it.
    pub reason: String,
    /// The protobuf record as received.
    pub record: Vec<u8>,
}

/// Stores refused records.
pub async fn insert(conn: &mut PgConnection, rejected: &[Rejected]) -> Result<(), DbError> {
    for one in rejected {
        sqlx::query!(
            "INSERT INTO rejected_events (agent_id, reason, record) VALUES ($1, $2, $3)",
            one.agent_id,
            one.reason,
            one.record,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
