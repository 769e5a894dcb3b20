//! Effective policies by digest, and which agent should have run which from when on.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::DbError;

/// Key of the advisory lock around everything that decides effective policies ("tyrp" in ASCII).
const LOCK: i64 = 0x7479_7270;

/// One layer with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRow {
    /// Which version.
    pub version: i32,
    /// Its name.
    pub name: String,
    /// The agent type that it overlays; none: the base.
    pub agent_type: Option<String>,
    /// Its text.
    pub yaml: String,
}

/// A policy version as base of some agents.
#[derive(Debug)]
pub struct BaseRow {
    /// Which version.
    pub version: i32,
    /// Its name.
    pub name: String,
    /// Its text.
    pub yaml: String,
    /// Whether it is the base of agents without an own one.
    pub for_all: bool,
}

/// Held to the end of the transaction by those who change assignments: one after the other.
pub async fn lock_for_change(conn: impl PgExecutor<'_>) -> Result<(), DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", LOCK).execute(conn).await?;
    Ok(())
}

/// Held to the end of the transaction by those who need assignments to stay as they are: many at once.
pub async fn lock_for_reading(conn: impl PgExecutor<'_>) -> Result<(), DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock_shared($1)", LOCK).execute(conn).await?;
    Ok(())
}

/// Overlays in force, in the order of evaluation. An event has one agent type at most, so any fixed order will do.
pub async fn overlays(conn: impl PgExecutor<'_>) -> Result<Vec<LayerRow>, DbError> {
    let query = sqlx::query_as!(
        LayerRow,
        r#"SELECT v.version, v.name, a.target_id AS "agent_type?", v.yaml
           FROM policy_assignments a JOIN policy_versions v USING (version)
           WHERE a.target_type = 'agent_type' AND a.ended_at IS NULL ORDER BY a.target_id COLLATE "C""#
    );
    Ok(query.fetch_all(conn).await?)
}

/// Versions that are somebody's base, or those that could be the base of one agent.
pub async fn bases(conn: impl PgExecutor<'_>, agent_id: Option<Uuid>) -> Result<Vec<BaseRow>, DbError> {
    let query = sqlx::query_as!(
        BaseRow,
        r#"SELECT v.version, v.name, v.yaml, a.for_all AS "for_all!"
           FROM (SELECT version, bool_or(target_type = 'all') AS for_all FROM policy_assignments
                 WHERE ended_at IS NULL AND (target_type = 'all'
                       OR target_type = 'agent' AND ($1::uuid IS NULL OR target_id = $1::uuid::text))
                 GROUP BY version) a
           JOIN policy_versions v USING (version)"#,
        agent_id
    );
    Ok(query.fetch_all(conn).await?)
}

/// Stores effective policies under their digests; those that are there already stay.
pub async fn insert(
    conn: impl PgExecutor<'_>,
    policy_ids: &[String],
    layers: &[serde_json::Value],
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO effective_policies (policy_id, layers)
         SELECT * FROM unnest($1::text[], $2::jsonb[]) ON CONFLICT (policy_id) DO NOTHING",
        policy_ids,
        layers
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records what each agent (or the one) should run from now on, where that is another policy than before, and gives the
/// agents for which it is.
///
/// `base_versions[i]` as an agent's own base makes `policy_ids[i]`; an agent without an own base gets `policy_id_for_all`.
pub async fn settle(
    conn: &mut PgConnection,
    agent_id: Option<Uuid>,
    base_versions: &[i32],
    policy_ids: &[String],
    policy_id_for_all: Option<&str>,
) -> Result<Vec<Uuid>, DbError> {
    // clock_timestamp(), as now() is the start of a transaction that may have waited for the lock; and never at or before
    // the row that it follows, should the clock have been set back.
    let query = sqlx::query_scalar!(
        r#"WITH want AS (
             SELECT g.agent_id, CASE WHEN own.version IS NULL THEN $4::text ELSE made.policy_id END AS policy_id
             FROM agents g
             LEFT JOIN policy_assignments own
               ON own.target_type = 'agent' AND own.target_id = g.agent_id::text AND own.ended_at IS NULL
             LEFT JOIN unnest($2::integer[], $3::text[]) AS made (version, policy_id) ON made.version = own.version
             WHERE g.revoked_at IS NULL AND ($1::uuid IS NULL OR g.agent_id = $1)
           )
           INSERT INTO agent_policies (agent_id, effective_from, policy_id)
           SELECT want.agent_id, greatest(clock_timestamp(), had.effective_from + interval '1 microsecond'), want.policy_id
           FROM want LEFT JOIN LATERAL (
             SELECT p.policy_id, p.effective_from FROM agent_policies p
             WHERE p.agent_id = want.agent_id ORDER BY p.effective_from DESC LIMIT 1
           ) had ON true
           WHERE want.policy_id IS DISTINCT FROM had.policy_id
           RETURNING agent_id"#,
        agent_id,
        base_versions,
        policy_ids,
        policy_id_for_all
    );
    Ok(query.fetch_all(conn).await?)
}

/// What an agent should run now: the digest, or nothing; none: that was never written down.
pub async fn current(conn: impl PgExecutor<'_>, agent_id: Uuid) -> Result<Option<Option<String>>, DbError> {
    let query = sqlx::query_scalar!(
        "SELECT policy_id FROM agent_policies WHERE agent_id = $1 ORDER BY effective_from DESC LIMIT 1",
        agent_id
    );
    Ok(query.fetch_optional(conn).await?)
}

/// The layers of an effective policy, in the order of evaluation; empty: there is no such policy.
pub async fn layers(conn: impl PgExecutor<'_>, policy_id: &str) -> Result<Vec<LayerRow>, DbError> {
    let query = sqlx::query_as!(
        LayerRow,
        r#"SELECT v.version, v.name, l.layer ->> 'agent_type' AS "agent_type?", v.yaml
           FROM effective_policies e
           CROSS JOIN LATERAL jsonb_array_elements(e.layers) WITH ORDINALITY AS l (layer, place)
           JOIN policy_versions v ON v.version = (l.layer ->> 'version')::integer
           WHERE e.policy_id = $1 ORDER BY l.place"#,
        policy_id
    );
    Ok(query.fetch_all(conn).await?)
}
