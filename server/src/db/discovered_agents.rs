//! AI processes that agents found.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use tyr_api::agents::DiscoveredAgent;
use uuid::Uuid;

use crate::db::DbError;
use crate::db::events::Position;

/// Which AI processes to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only these.
    pub ids: Option<&'a [Uuid]>,
    /// Only those of this agent.
    pub daemon_agent_id: Option<Uuid>,
    /// Only those of this type.
    pub agent_type: Option<&'a str>,
    /// Only those that live, or ended after this instant.
    pub alive_after: Option<Timestamp>,
    /// Only those behind this place in the list, whose instant is `first_seen`.
    pub behind: Option<Position>,
}

struct Row {
    id: Uuid,
    daemon_agent_id: Uuid,
    agent_name: String,
    agent_type: String,
    display_name: String,
    pid: i64,
    process_signature: String,
    process_exe: String,
    cmdline: String,
    registered: bool,
    found_by: String,
    first_seen: jiff_sqlx::Timestamp,
    ended_at: Option<jiff_sqlx::Timestamp>,
}

/// Reads AI processes, newest first, at most `limit`.
pub async fn list(conn: &mut PgConnection, filter: &Filter<'_>, limit: u32) -> Result<Vec<DiscoveredAgent>, DbError> {
    let rows = sqlx::query_file_as!(
        Row,
        "src/db/sql/ai.sql",
        filter.ids,
        filter.daemon_agent_id,
        filter.agent_type,
        filter.alive_after.map(ToSqlx::to_sqlx),
        filter.behind.map(|place| place.at.to_sqlx()),
        filter.behind.map(|place| place.event_id),
        i64::from(limit),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Row::into_api).collect())
}

/// One AI process.
pub async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<DiscoveredAgent>, DbError> {
    Ok(list(conn, &Filter { ids: Some(&[id]), ..Filter::default() }, 1).await?.pop())
}

impl Row {
    fn into_api(self) -> DiscoveredAgent {
        DiscoveredAgent {
            id: self.id,
            daemon_agent_id: self.daemon_agent_id,
            agent_name: self.agent_name,
            agent_type: self.agent_type,
            display_name: self.display_name,
            pid: self.pid,
            process_signature: self.process_signature,
            process_exe: self.process_exe,
            cmdline: self.cmdline,
            registered: self.registered,
            found_by: self.found_by,
            first_seen: self.first_seen.to_jiff(),
            ended_at: self.ended_at.map(jiff_sqlx::Timestamp::to_jiff),
        }
    }
}

/// An AI process as an agent announces it, checked.
#[derive(Clone, Debug)]
pub struct Announced {
    /// Minted by the agent.
    pub id: Uuid,
    /// The agent, from its certificate.
    pub daemon_agent_id: Uuid,
    /// Type.
    pub agent_type: String,
    /// Process id.
    pub pid: i64,
    /// Hex SHA-256.
    pub process_signature: String,
    /// Executable.
    pub process_exe: String,
    /// Arguments.
    pub cmdline: String,
    /// How it was recognised.
    pub found_by: String,
    /// Agent's clock.
    pub first_seen: Timestamp,
    /// Agent's clock.
    pub ended_at: Option<Timestamp>,
}

/// Adds or updates an AI process. An id that belongs to another agent is left as it is, and the answer is `false`.
///
/// An end that the agent tells takes the place of one that was inferred by [`end_others`].
pub async fn upsert(conn: &mut PgConnection, announced: &Announced) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "INSERT INTO discovered_agents AS d (id, daemon_agent_id, agent_type, display_name, pid, process_signature,
                                             process_exe, cmdline, found_by, first_seen, ended_at)
         VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (id) DO UPDATE SET ended_at = coalesce(excluded.ended_at, d.ended_at)
          WHERE d.daemon_agent_id = excluded.daemon_agent_id",
        announced.id,
        announced.daemon_agent_id,
        announced.agent_type,
        announced.pid,
        announced.process_signature,
        announced.process_exe,
        announced.cmdline,
        announced.found_by,
        announced.first_seen.to_sqlx(),
        announced.ended_at.map(ToSqlx::to_sqlx),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all AI processes of an agent that are held for living, but for these; gives those that it ended.
///
/// Nobody saw their ends: they are put at `last_seen`, when the agent that watched them was heard from for the last time.
pub async fn end_others(
    conn: &mut PgConnection,
    daemon_agent_id: Uuid,
    living: &[Uuid],
    last_seen: Timestamp,
) -> Result<Vec<Uuid>, DbError> {
    let rows = sqlx::query_scalar!(
        "UPDATE discovered_agents SET ended_at = greatest(first_seen, $3)
          WHERE daemon_agent_id = $1 AND ended_at IS NULL AND NOT id = ANY ($2)
      RETURNING id",
        daemon_agent_id,
        living,
        last_seen.to_sqlx(),
    );
    Ok(rows.fetch_all(conn).await?)
}

/// Names an AI process; false: there is none of that id.
pub async fn rename(conn: &mut PgConnection, id: Uuid, display_name: &str) -> Result<bool, DbError> {
    let done = sqlx::query!("UPDATE discovered_agents SET display_name = $2 WHERE id = $1", id, display_name);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// Types of these AI processes of one agent.
pub async fn types(
    conn: &mut PgConnection,
    daemon_agent_id: Uuid,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, String)>, DbError> {
    let rows = sqlx::query!(
        "SELECT id, agent_type FROM discovered_agents WHERE daemon_agent_id = $1 AND id = ANY ($2)",
        daemon_agent_id,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.agent_type)).collect())
}
