//! What the database says about itself: sizes, connections, partitions, indexes.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use tyr_api::db::{ConnectionRow, DbReport, IndexRow, MigrationRow, PartitionRow, TableRow};

use crate::db::{DbError, apart, partitions};

/// Most indexes of an answer.
const INDEXES_MAX: i64 = 1_000;
/// Complete days that growth is taken from.
const GROWTH_DAYS: usize = 7;

/// Bytes of a page, and of a leaf page those that entries can use: less its head (24) and the b-tree's own part (16).
const PAGE_BYTES: u64 = 8192;
const LEAF_BYTES: u64 = PAGE_BYTES - 24 - 16;
/// Per cent of a leaf page that a build fills.
const FILL_PERCENT: u64 = 90;

/// Everything about the database. Cheap: nothing here reads tables from end to end.
pub async fn report(conn: &mut PgConnection, now: Timestamp, retention_days: u32) -> Result<DbReport, DbError> {
    let facts = sqlx::query!(
        r#"SELECT current_setting('server_version') AS "version!", current_database() AS "database!",
                  pg_database_size(current_database()) AS "size_bytes!",
                  current_setting('max_connections')::int AS "connections_max!""#
    )
    .fetch_one(&mut *conn)
    .await?;
    let partitions = partitions(conn).await?;
    let today = partitions::midnight(partitions::day(now));
    // Days without events say nothing about those with.
    let complete: Vec<&PartitionRow> =
        partitions.iter().filter(|day| day.from < today && day.rows > 0).take(GROWTH_DAYS).collect();
    let average = |sum: u64| (!complete.is_empty()).then(|| sum / complete.len() as u64);
    let events_per_day = average(complete.iter().map(|day| day.rows).sum());
    let events_bytes_per_day = average(complete.iter().map(|day| day.bytes).sum());
    let mut tables = tables(conn).await?;
    if let Some(events) = tables.iter_mut().find(|table| table.table == "events") {
        // What retention drops at the other end would hide it.
        events.growth_bytes_per_day = events_bytes_per_day.and_then(|bytes| i64::try_from(bytes).ok());
    }
    Ok(DbReport {
        now,
        // "15.18 (Debian 15.18-0+deb12u1)": the number alone.
        version: facts.version.split(' ').next().unwrap_or_default().to_owned(),
        database: facts.database,
        size_bytes: unsigned(facts.size_bytes),
        retention_days,
        events_per_day,
        events_bytes_per_day,
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
            growth_bytes_per_day: row.growth,
        })
        .collect())
}

/// Days of events, newest first.
pub async fn partitions(conn: &mut PgConnection) -> Result<Vec<PartitionRow>, DbError> {
    let days = partitions::existing(conn).await?;
    let names: Vec<String> = days.iter().map(|day| partitions::name(*day)).collect();
    let from: Vec<jiff_sqlx::Timestamp> = days.iter().map(|day| partitions::midnight(*day).to_sqlx()).collect();
    let rows = sqlx::query_file!("src/db/sql/partitions.sql", &names, &from as &[jiff_sqlx::Timestamp])
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| PartitionRow {
            partition: row.partition,
            from: row.from_ts.to_jiff(),
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
        .map(|row| {
            let (bytes, rows) = (unsigned(row.bytes), unsigned(row.rows));
            let bloat = entry_bytes(&row.index).filter(|_| row.of_events).map(|entry| bloat(bytes, rows, entry));
            IndexRow {
                index: row.index,
                table: row.table,
                bytes,
                rows,
                scans: unsigned(row.scans),
                bloat_bytes: bloat,
                bloat_percent: bloat
                    .map(|bloat| u32::try_from(bloat * 100 / bytes.max(1)).expect("bloat is a part of the size")),
            }
        })
        .collect())
}

/// Bytes that an entry takes: a line pointer of 4, a head of 8 and the key. Where many rows share a key nothing can be said.
fn entry_bytes(index: &str) -> Option<u64> {
    if index.ends_with("_pkey") {
        // uuid, timestamptz, uuid
        Some(4 + 8 + 40)
    } else if index.ends_with("_ts_idx") {
        Some(4 + 8 + 8)
    } else {
        None
    }
}

/// What an index holds beyond the size that a build of it would have.
fn bloat(bytes: u64, rows: u64, entry: u64) -> u64 {
    let per_leaf = LEAF_BYTES * FILL_PERCENT / 100 / entry;
    let leaves = rows.div_ceil(per_leaf);
    // A first page that holds facts alone, and inner pages: one for each two hundred below it at the very least.
    bytes.saturating_sub((1 + leaves + leaves.div_ceil(200)) * PAGE_BYTES)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_index_has_no_bloat_and_one_of_twice_its_size_has_half() {
        // 1,000,000 rows of (ts), built: 2,733 leaves of 366 entries and a few inner pages.
        let built = 22_487_040;
        assert_eq!(bloat(built, 1_000_000, 20), 0);
        let percent = bloat(2 * built, 1_000_000, 20) * 100 / (2 * built);
        assert!((48..=51).contains(&percent), "{percent}");
        assert_eq!(bloat(8192, 0, 20), 0, "an empty index");
    }
}
