//! The schema, brought up to date at the start.

use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};

static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Runs the migrations that this database hasn't seen, under an advisory lock: several servers may start together.
///
/// # Errors
/// When a migration fails (its transaction is rolled back), or the database has seen migrations that this binary doesn't know.
pub async fn run(pool: &PgPool) -> Result<(), MigrateError> {
    MIGRATOR.run(pool).await
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
