//! What `/metrics` asks the database for: few rows, none by agent but those that went silent.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::db::DbError;

/// Agents of one posture, archived and revoked ones left out.
#[derive(Clone, Debug)]
pub struct Posture {
    /// The database's word.
    pub word: String,
    /// How many.
    pub agents: i64,
    /// Records that wait on their hosts.
    pub spool_records: i64,
    /// The most that wait on one host.
    pub spool_records_max: i64,
    /// Those whose newest policy could not be loaded.
    pub policy_failed: i64,
    /// End of the client certificate that ends first, among agents heard from in the last five minutes.
    pub cert_not_after: Option<Timestamp>,
}

/// Agents by posture.
pub async fn postures(conn: &mut PgConnection) -> Result<Vec<Posture>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT posture::text AS "word!", count(*) AS "agents!",
                  coalesce(sum(spool_records), 0)::bigint AS "spool_records!", max(spool_records) AS "spool_records_max!",
                  count(*) FILTER (WHERE policy_error <> '') AS "policy_failed!",
                  min(cert_not_after) FILTER (WHERE last_seen > now() - interval '5 minutes') AS cert_not_after
             FROM agents
            WHERE archived_at IS NULL AND revoked_at IS NULL
            GROUP BY posture"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Posture {
            word: row.word,
            agents: row.agents,
            spool_records: row.spool_records,
            spool_records_max: row.spool_records_max,
            policy_failed: row.policy_failed,
            cert_not_after: row.cert_not_after.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// Agents that run another policy than the one that is assigned to them.
pub async fn policy_pending(conn: &mut PgConnection) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "agents!"
             FROM agents a
            CROSS JOIN LATERAL (SELECT p.policy_id FROM agent_policies p
                                 WHERE p.agent_id = a.agent_id ORDER BY p.effective_from DESC LIMIT 1) assigned
            WHERE a.archived_at IS NULL AND a.revoked_at IS NULL AND a.policy_id IS DISTINCT FROM assigned.policy_id"#
    )
    .fetch_one(conn)
    .await?)
}

/// Agents heard from since `heard`, enrolled before `since`, of which no event is newer than `since`: something is broken
/// there. One look into the primary key of each day per agent.
pub async fn silent(conn: &mut PgConnection, heard: Timestamp, since: Timestamp) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "agents!"
             FROM agents a
            WHERE a.archived_at IS NULL AND a.revoked_at IS NULL AND a.last_seen > $1 AND a.enrolled_at < $2
              AND NOT EXISTS (SELECT 1 FROM events e WHERE e.agent_id = a.agent_id AND e.ts > $2)"#,
        heard.to_sqlx(),
        since.to_sqlx(),
    )
    .fetch_one(conn)
    .await?)
}

/// Agents not heard from since `heard`, the longest silent first.
pub async fn unheard(conn: &mut PgConnection, heard: Timestamp, limit: i64) -> Result<Vec<(Uuid, Timestamp)>, DbError> {
    let rows = sqlx::query!(
        "SELECT agent_id, last_seen FROM agents
          WHERE archived_at IS NULL AND revoked_at IS NULL AND last_seen < $1
          ORDER BY last_seen, agent_id LIMIT $2",
        heard.to_sqlx(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.agent_id, row.last_seen.to_jiff())).collect())
}

/// Events declared lost, by reason, over all agents and spools.
pub async fn losses(conn: &mut PgConnection) -> Result<Vec<(String, u64)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT reason, coalesce(sum(events), 0)::bigint AS "events!" FROM event_losses GROUP BY reason"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.reason, u64::try_from(row.events).unwrap_or(0))).collect())
}

/// Days that have a partition of `events`, in order.
pub async fn partitions(conn: &mut PgConnection) -> Result<Vec<Date>, DbError> {
    let rows = sqlx::query!(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = 'events'::regclass ORDER BY c.relname"
    )
    .fetch_all(conn)
    .await?;
    // A partition with another name was made by somebody else.
    Ok(rows.iter().filter_map(|row| Date::strptime("events_%Y%m%d", &row.relname).ok()).collect())
}

/// Bytes on disk.
pub async fn size(conn: &mut PgConnection) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(r#"SELECT pg_database_size(current_database()) AS "bytes!""#).fetch_one(conn).await?)
}
