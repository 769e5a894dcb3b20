//! Immutable, numbered policies.

use sqlx::PgExecutor;
use tyr_api::policies::{PolicyDocument, PolicyVersion};

use super::DbError;

/// Stores a policy under the next number.
pub async fn insert(
    conn: impl PgExecutor<'_>,
    name: &str,
    rules: i32,
    yaml: &str,
    created_by: &str,
) -> Result<PolicyVersion, DbError> {
    let row = sqlx::query!(
        "INSERT INTO policy_versions (name, rules, yaml, created_by) VALUES ($1, $2, $3, $4) RETURNING version, created_at",
        name,
        rules,
        yaml,
        created_by
    )
    .fetch_one(conn)
    .await?;
    Ok(PolicyVersion {
        version: row.version.unsigned_abs(),
        name: name.to_owned(),
        rules: rules.unsigned_abs(),
        created_at: row.created_at.to_jiff(),
        created_by: created_by.to_owned(),
    })
}

/// Versions without their text, newest first, at most `limit`; only those `below` a number, if one is given.
pub async fn list(conn: impl PgExecutor<'_>, below: Option<i32>, limit: u32) -> Result<Vec<PolicyVersion>, DbError> {
    let rows = sqlx::query_file!("src/db/sql/policies.sql", below, i64::from(limit)).fetch_all(conn).await?;
    let versions = rows.into_iter().map(|row| PolicyVersion {
        version: row.version.unsigned_abs(),
        name: row.name,
        rules: row.rules.unsigned_abs(),
        created_at: row.created_at.to_jiff(),
        created_by: row.created_by,
    });
    Ok(versions.collect())
}

/// One version with its text; warnings are not stored, as they follow from the text.
pub async fn by_version(conn: impl PgExecutor<'_>, version: i32) -> Result<Option<PolicyDocument>, DbError> {
    let row = sqlx::query!(
        "SELECT version, name, rules, yaml, created_at, created_by FROM policy_versions WHERE version = $1",
        version
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| PolicyDocument {
        version: PolicyVersion {
            version: row.version.unsigned_abs(),
            name: row.name,
            rules: row.rules.unsigned_abs(),
            created_at: row.created_at.to_jiff(),
            created_by: row.created_by,
        },
        yaml: row.yaml,
        warnings: Vec::new(),
    }))
}
