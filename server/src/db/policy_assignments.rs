//! Which policy is for whom.

use sqlx::PgExecutor;
use tyr_api::policies::{Assignment, NewAssignment, TargetType};
use uuid::Uuid;

use super::DbError;

/// Constraint that names an unknown policy version.
pub const UNKNOWN_VERSION: &str = "policy_assignments_version_fkey";

/// The word of the type `assignment_target`.
pub fn word(target: TargetType) -> &'static str {
    match target {
        TargetType::All => "all",
        TargetType::Agent => "agent",
        TargetType::AgentType => "agent_type",
    }
}

fn target_of(word: &str) -> TargetType {
    match word {
        "agent" => TargetType::Agent,
        "agent_type" => TargetType::AgentType,
        _ => TargetType::All,
    }
}

/// Ends the assignment that a target has; false: it had none.
pub async fn end_of_target(conn: impl PgExecutor<'_>, target: TargetType, target_id: &str) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE policy_assignments SET ended_at = clock_timestamp()
         WHERE target_type = $1::text::assignment_target AND target_id = $2 AND ended_at IS NULL",
        word(target),
        target_id
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends an assignment; false: there is none of that id in force.
pub async fn end(conn: impl PgExecutor<'_>, assignment_id: Uuid) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE policy_assignments SET ended_at = clock_timestamp() WHERE assignment_id = $1 AND ended_at IS NULL",
        assignment_id
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Stores an assignment. Its target must have none in force, its version must exist ([`UNKNOWN_VERSION`]).
pub async fn insert(
    conn: impl PgExecutor<'_>,
    assignment_id: Uuid,
    new: &NewAssignment,
    version: i32,
    assigned_by: &str,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO policy_assignments (assignment_id, version, target_type, target_id, assigned_at, assigned_by)
         VALUES ($1, $2, $3::text::assignment_target, $4, clock_timestamp(), $5)",
        assignment_id,
        version,
        word(new.target_type),
        new.target_id,
        assigned_by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether there is or was an assignment of that id.
pub async fn is_known(conn: impl PgExecutor<'_>, assignment_id: Uuid) -> Result<bool, DbError> {
    let known = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM policy_assignments WHERE assignment_id = $1) AS "known!""#,
        assignment_id
    );
    Ok(known.fetch_one(conn).await?)
}

/// Which assignments to read.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// This one.
    One(Uuid),
    /// At most `limit`, behind the named one.
    Page {
        /// The last one of the page before; it may have ended since.
        after: Option<Uuid>,
        /// Most of them.
        limit: u32,
    },
}

/// Assignments in force, by target.
pub async fn list(conn: impl PgExecutor<'_>, which: Which) -> Result<Vec<Assignment>, DbError> {
    let (assignment_id, after, limit) = match which {
        Which::One(assignment_id) => (Some(assignment_id), None, 1),
        Which::Page { after, limit } => (None, after, limit),
    };
    let rows = sqlx::query!(
        r#"SELECT a.assignment_id, a.version, v.name, a.target_type::text AS "target_type!", a.target_id,
                  a.assigned_at, a.assigned_by
           FROM policy_assignments a JOIN policy_versions v USING (version)
           WHERE a.ended_at IS NULL AND ($1::uuid IS NULL OR a.assignment_id = $1)
             AND ($2::uuid IS NULL
                  OR (a.target_type, a.target_id) >
                     (SELECT c.target_type, c.target_id FROM policy_assignments c WHERE c.assignment_id = $2))
           ORDER BY a.target_type, a.target_id
           LIMIT $3"#,
        assignment_id,
        after,
        i64::from(limit)
    )
    .fetch_all(conn)
    .await?;
    let assignments = rows.into_iter().map(|row| Assignment {
        assignment_id: row.assignment_id,
        version: row.version.unsigned_abs(),
        policy_name: row.name,
        target_type: target_of(&row.target_type),
        target_id: row.target_id,
        assigned_at: row.assigned_at.to_jiff(),
        assigned_by: row.assigned_by,
    });
    Ok(assignments.collect())
}
