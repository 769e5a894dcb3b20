//! What the database says about itself: sizes, connections, partitions, indexes.

use jiff::Timestamp;
use sqlx::PgConnection;
use tyr_api::db::{ConnectionRow, DbReport, IndexRow, MigrationRow, PartitionRow, TableRow};

use crate::db::{DbError, apart, partitions};

/// Most indexes of an answer.
const INDEXES_MAX: i64 = 1_000;
/// Complete days that growth is taken from.
const GROWTH_DAYS: usize = 7;

/// Everything about the database. Cheap: nothing here reads tables from end to end.
pub async fn report(conn: &mut PgConnection, now: Timestamp, retention_days: u32) -> Result<DbReport, DbError> {
    let facts = sqlx::query_file!("src/db/sql/database.sql").fetch_one(&mut *conn).await?;
    let partitions = partitions(conn).await?;
    let today = partitions::midnight(partitions::day(now));
    // Days without events say nothing about those with.
    let complete: Vec<&PartitionRow> =
        partitions.iter().filter(|day| day.from < today && day.rows > 0).take(GROWTH_DAYS).collect();
    let events: u64 = complete.iter().map(|day| day.rows).sum();
    let events_per_day = (!complete.is_empty()).then(|| events / complete.len() as u64);
    let tables = tables(conn).await?;
    let growth = tables.iter().find(|table| table.table == "events").and_then(|table| table.growth_bytes_per_day);
    Ok(DbReport {
        now,
        // "15.18 (Debian 15.18-0+deb12u1)": the number alone.
        version: facts.version.split(' ').next().unwrap_or_default().to_owned(),
        database: facts.database,
        size_bytes: unsigned(facts.size_bytes),
        retention_days,
        events_per_day,
        events_bytes_per_day: growth.and_then(|bytes| u64::try_from(bytes).ok()),
        connections_max: u32::try_from(facts.connections_max).unwrap_or(0),
        connections: connections(conn).await?,
        tables,
        partitions,
        indexes: indexes(conn).await?,
        apart: apart::list(conn).await?,
        migrations: migrations(conn).await?,
    })
}

async fn connections(conn: &mut PgConnection) -> Result<Vec<ConnectionRow>, DbError> {
    let rows = sqlx::query_file!("src/db/sql/connections.sql").fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| ConnectionRow {
            application: row.application,
            state: row.state,
            connections: u32::try_from(row.connections).unwrap_or(u32::MAX),
            oldest_transaction_ms: row.oldest_transaction_ms.and_then(|ms| u64::try_from(ms).ok()),
        })
        .collect())
}

async fn tables(conn: &mut PgConnection) -> Result<Vec<TableRow>, DbError> {
    let rows = sqlx::query_file!("src/db/sql/tables.sql").fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| TableRow {
            table: row.table,
            rows: unsigned(row.rows),
            bytes: unsigned(row.bytes),
            index_bytes: unsigned(row.index_bytes),
            growth_bytes_per_day: row.growth_bytes_per_day,
        })
        .collect())
}

/// Days of events, newest first.
pub async fn partitions(conn: &mut PgConnection) -> Result<Vec<PartitionRow>, DbError> {
    let rows = sqlx::query_file!("src/db/sql/partitions.sql").fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| PartitionRow {
            partition: row.partition,
            from: row.from.to_jiff(),
            rows: unsigned(row.rows),
            bytes: unsigned(row.bytes),
            index_bytes: unsigned(row.index_bytes),
            oldest_ts: row.oldest_ts.map(jiff_sqlx::Timestamp::to_jiff),
            newest_ts: row.newest_ts.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// Indexes, largest first.
pub async fn indexes(conn: &mut PgConnection) -> Result<Vec<IndexRow>, DbError> {
    let rows = sqlx::query_file!("src/db/sql/indexes.sql", INDEXES_MAX).fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| IndexRow {
            index: row.index,
            table: row.table,
            bytes: unsigned(row.bytes),
            rows: unsigned(row.rows),
            scans: unsigned(row.scans),
            bloat_bytes: row.bloat_bytes.map(unsigned),
            bloat_percent: row.bloat_percent.and_then(|percent| u32::try_from(percent).ok()),
        })
        .collect())
}

async fn migrations(conn: &mut PgConnection) -> Result<Vec<MigrationRow>, DbError> {
    // Not a checked query: the table is the migrator's own, and isn't there where something else made the schema.
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut *conn).await?;
    if !there {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, String, jiff_sqlx::Timestamp)> = sqlx::query_as(
        "SELECT version, description, installed_on FROM _sqlx_migrations WHERE success ORDER BY version",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(version, description, at)| MigrationRow { version, description, applied_at: at.to_jiff() })
        .collect())
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
