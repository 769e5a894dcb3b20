//! Which agent types are registered: approved by an admin, or with an overlay assigned.

use sqlx::PgExecutor;
use tyr_api::agents::AgentType;

use super::DbError;

/// Those that are registered, in order.
pub async fn registered(conn: impl PgExecutor<'_>) -> Result<Vec<String>, DbError> {
    let query = sqlx::query_scalar!(
        r#"SELECT r.agent_type AS "agent_type!" FROM (
             SELECT agent_type FROM approved_agent_types
             UNION SELECT target_id FROM policy_assignments WHERE target_type = 'agent_type' AND ended_at IS NULL
           ) r ORDER BY r.agent_type COLLATE "C""#
    );
    Ok(query.fetch_all(conn).await?)
}

/// All that are registered or live somewhere, or the one; in order of name.
pub async fn list(conn: impl PgExecutor<'_>, one: Option<&str>) -> Result<Vec<AgentType>, DbError> {
    let query = sqlx::query!(
        r#"WITH overlays AS (
               SELECT target_id AS agent_type, version FROM policy_assignments
                WHERE target_type = 'agent_type' AND ended_at IS NULL),
           live AS (
               SELECT agent_type, count(*) AS ai_processes FROM discovered_agents WHERE ended_at IS NULL GROUP BY agent_type)
           SELECT t.agent_type AS "agent_type!", (p.agent_type IS NOT NULL OR o.version IS NOT NULL) AS "registered!",
                  p.approved_at AS "approved_at?", p.approved_by AS "approved_by?", o.version AS "overlay_version?",
                  coalesce(l.ai_processes, 0) AS "ai_processes!"
             FROM (SELECT agent_type FROM approved_agent_types
                   UNION SELECT agent_type FROM overlays
                   UNION SELECT agent_type FROM live) t
             LEFT JOIN approved_agent_types p USING (agent_type)
             LEFT JOIN overlays o USING (agent_type)
             LEFT JOIN live l USING (agent_type)
            WHERE ($1::text IS NULL OR t.agent_type = $1)
            ORDER BY t.agent_type"#,
        one
    );
    let rows = query.fetch_all(conn).await?;
    let rows = rows.into_iter().map(|row| AgentType {
        agent_type: row.agent_type,
        registered: row.registered,
        approved_at: row.approved_at.map(jiff_sqlx::Timestamp::to_jiff),
        approved_by: row.approved_by,
        overlay_version: row.overlay_version.and_then(|version| u32::try_from(version).ok()),
        ai_processes: u32::try_from(row.ai_processes).unwrap_or(u32::MAX),
    });
    Ok(rows.collect())
}

/// How many are approved.
pub async fn approved(conn: impl PgExecutor<'_>) -> Result<u32, DbError> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM approved_agent_types"#).fetch_one(conn).await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Approves one; false: it was approved already.
pub async fn approve(conn: impl PgExecutor<'_>, agent_type: &str, by: &str) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "INSERT INTO approved_agent_types (agent_type, approved_by) VALUES ($1, $2) ON CONFLICT (agent_type) DO NOTHING",
        agent_type,
        by
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes an approval back; false: there was none.
pub async fn withdraw(conn: impl PgExecutor<'_>, agent_type: &str) -> Result<bool, DbError> {
    let done = sqlx::query!("DELETE FROM approved_agent_types WHERE agent_type = $1", agent_type).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
