//! The schema, brought up to date at the start.
//!
//! Two versions of the server may run on one database: the newer one migrates, and migrations only add, so the older one
//! goes on, and starts again on the newer schema too. A migration that takes something away raises `schema_floor`; servers
//! that don't know the migration named there refuse to start.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection, PgConnection};

use crate::db::{DbError, Owner};

static MIGRATOR: Migrator = {
    let mut migrator = sqlx::migrate!("../migrations");
    // What a newer server has added does not disturb this one; what it took away is `schema_floor`'s to tell.
    migrator.ignore_missing = true;
    migrator
};

/// Why the schema can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A migration failed; its transaction is rolled back.
    #[error("a migration failed")]
    Migrate(#[source] MigrateError),
    /// The schema can't be asked for its version.
    #[error("the schema's version can't be read")]
    Query(#[source] DbError),
    /// A newer server took something away that this one needs. Nothing was changed.
    #[error("the schema needs a server that knows migration {needs}, and the newest that this one knows is {knows}")]
    TooNew {
        /// What a server must know.
        needs: i64,
        /// The newest that is built in.
        knows: i64,
    },
}

/// Versions of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Newest migration that it has seen.
    pub newest: i64,
    /// Newest migration that a server must know to work on it.
    pub floor: i64,
}

/// Runs the migrations that this database hasn't seen, under an advisory lock: several servers may start together.
///
/// # Errors
/// When a migration fails, or the schema is too new for this binary.
pub async fn run(owner: &Owner) -> Result<(), SchemaError> {
    let mut conn = owner.connect().await.map_err(SchemaError::Query)?;
    if let Some(versions) = versions(&mut conn).await.map_err(SchemaError::Query)? {
        check(versions.floor)?;
        if versions.newest > newest() {
            tracing::info!(
                schema.newest = versions.newest,
                server.newest = newest(),
                "the schema is of a newer tyr-server; it has only additions, and this one goes on with it"
            );
        }
    }
    // Another server that migrates may take its time.
    sqlx::query("SET lock_timeout = 0").execute(&mut conn).await.map_err(|error| SchemaError::Query(error.into()))?;
    MIGRATOR.run(&mut conn).await.map_err(SchemaError::Migrate)?;
    // What is done is done.
    let _ = conn.close().await;
    Ok(())
}

/// Whether this binary works on a schema with that floor.
///
/// # Errors
/// [`SchemaError::TooNew`].
pub fn check(floor: i64) -> Result<(), SchemaError> {
    let knows = newest();
    if floor > knows { Err(SchemaError::TooNew { needs: floor, knows }) } else { Ok(()) }
}

/// Version of the newest migration that is built in.
pub fn newest() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// The versions of the schema in the database; `None` when there is none, or one from before they were kept.
///
/// # Errors
/// When the database doesn't answer.
pub async fn versions(conn: &mut PgConnection) -> Result<Option<Versions>, DbError> {
    let known = sqlx::query_scalar!(
        r#"SELECT to_regclass('schema_floor') IS NOT NULL AND to_regclass('_sqlx_migrations') IS NOT NULL AS "known!""#
    )
    .fetch_one(&mut *conn)
    .await?;
    if !known {
        return Ok(None);
    }
    // Not checked at build time: sqlx makes the table of migrations by itself.
    let (newest, floor) = sqlx::query_as(
        "SELECT (SELECT coalesce(max(version), 0) FROM _sqlx_migrations), (SELECT max(oldest_known) FROM schema_floor)",
    )
    .fetch_one(conn)
    .await?;
    Ok(Some(Versions { newest, floor }))
}

/// Hex digits that change whenever a migration does: names template databases of tests.
pub fn fingerprint() -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for migration in MIGRATOR.iter() {
        digest.update(&migration.checksum);
    }
    hex::encode(&digest.finalize()[..6])
}
