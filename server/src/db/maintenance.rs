//! What is done once an hour: partitions made and dropped, counts and refused records trimmed, sizes written down.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;

use crate::db::partitions::{self, Done, Keeper};
use crate::db::{DbError, Owner};

/// Most refused and most set-apart records that are kept: about a gigabyte of each at most.
const RECORDS_MAX: i64 = 1_000_000;
/// Days for which table sizes are kept.
const SIZES_DAYS: i32 = 400;

/// Makes partitions ahead, drops those older than `retention_days`, and trims what goes with them.
///
/// A day that a query looks at is postponed, not waited for.
///
/// # Errors
/// When the database fails or doesn't let us; what is done stays done, and the next run does the rest.
pub async fn run(owner: &Owner, now: Timestamp, retention_days: u32) -> Result<Done, DbError> {
    let mut keeper = Keeper::new(owner).await?;
    let result = all(&mut keeper, now, retention_days).await;
    keeper.close().await;
    result
}

async fn all(keeper: &mut Keeper, now: Timestamp, retention_days: u32) -> Result<Done, DbError> {
    // First what ingest depends on.
    let created = keeper.make_ahead(now, retention_days).await?;
    let done = drop_old(keeper, now, retention_days).await?;
    trim(keeper.conn(), now, retention_days).await?;
    write_down_sizes(keeper.conn()).await?;
    Ok(Done { created, ..done })
}

/// Drops all days before what is kept, those of an earlier run that was cut short included.
pub async fn drop_old(keeper: &mut Keeper, now: Timestamp, retention_days: u32) -> Result<Done, DbError> {
    let (mut dropped, mut postponed) = keeper.take_up().await?;
    for day in keeper.old(now, retention_days).await? {
        // Of one table, one partition at a time may be half detached: behind one that waits, all wait.
        if postponed.is_empty() && keeper.drop_day(day).await? {
            dropped.push(partitions::name(day));
        } else {
            postponed.push(partitions::name(day));
        }
    }
    Ok(Done { created: Vec::new(), dropped, postponed })
}

/// Removes counts of days that are gone, and records that were kept apart, when they are as old or too many.
pub async fn trim(conn: &mut PgConnection, now: Timestamp, retention_days: u32) -> Result<(), DbError> {
    let kept_from = partitions::midnight(partitions::kept_from(now, retention_days)).to_sqlx();
    sqlx::query!("DELETE FROM events_minute WHERE minute < $1", kept_from).execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM events_hour WHERE hour < $1", kept_from).execute(&mut *conn).await?;
    sqlx::query!(
        "DELETE FROM rejected_events
          WHERE received_at < $1 OR rejected_id <= (SELECT max(rejected_id) FROM rejected_events) - $2",
        kept_from,
        RECORDS_MAX,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM events_quarantine
          WHERE received_at < greatest($1, (SELECT received_at FROM events_quarantine ORDER BY received_at DESC OFFSET $2 LIMIT 1))",
        kept_from,
        RECORDS_MAX,
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Writes down how large each table is now; the last of a day stays.
pub async fn write_down_sizes(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query_file!("src/db/sql/write_down_sizes.sql").execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM table_sizes WHERE day < (now() AT TIME ZONE 'UTC')::date - $1::integer", SIZES_DAYS)
        .execute(conn)
        .await?;
    Ok(())
}
