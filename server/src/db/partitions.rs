//! Daily partitions of `events`, in UTC: made ahead of time, dropped when they are older than what is kept.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Span, Timestamp, ToSpan, tz::TimeZone};
use jiff_sqlx::ToSqlx;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use crate::db::DbError;

/// Days ahead for which partitions exist, so that a week of failing maintenance harms nothing.
const DAYS_AHEAD: i64 = 7;
/// Days back for which events are taken: what agents kept while they were cut off.
pub const DAYS_BACK: i64 = 8;
/// Hours by which an event may be ahead of the server's clock.
pub const HOURS_AHEAD: i64 = 24;
/// Advisory lock of this work: "tyrpart" in ASCII.
const LOCK_KEY: i64 = 0x0074_7972_7061_7274;

/// Which event times can be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Oldest event that is taken.
    pub oldest: Timestamp,
    /// Newest event that is taken.
    pub newest: Timestamp,
}

impl Window {
    /// The window at this moment: never further back than what is kept.
    pub fn at(now: Timestamp, retention_days: u32) -> Self {
        let oldest_day = day(now) - days(DAYS_BACK.min(i64::from(retention_days)));
        Self { oldest: midnight(oldest_day), newest: now + HOURS_AHEAD.hours() }
    }
}

/// What maintenance did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Partitions made.
    pub created: Vec<String>,
    /// Partitions dropped.
    pub dropped: Vec<String>,
}

/// Makes the partitions from eight days back to seven days ahead, and drops those older than `retention_days`.
///
/// # Errors
/// When a lock on `events` can't be had within two seconds (a long query holds it); nothing is half done, try again later.
pub async fn maintain(pool: &PgPool, now: Timestamp, retention_days: u32) -> Result<Done, DbError> {
    let mut done = Done::default();
    let mut tx = pool.begin().await?;
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", LOCK_KEY).fetch_one(&mut *tx).await?;
    // Making and dropping a partition locks its parent: rather give up than make ingest wait behind a long query.
    sqlx::query!("SET LOCAL lock_timeout = '2s'").execute(&mut *tx).await?;
    let there = existing(&mut tx).await?;
    let first = day(Window::at(now, retention_days).oldest);
    let last = day(now) + days(DAYS_AHEAD);
    let mut next = first;
    while next <= last {
        if !there.contains(&next) {
            let name = name(next);
            let (from, to) = (next, next + days(1));
            // Not a checked query: DDL takes no parameters. The text is made of dates alone.
            let sql = format!(
                "CREATE TABLE {name} PARTITION OF events FOR VALUES FROM ('{from} 00:00:00+00') TO ('{to} 00:00:00+00')"
            );
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *tx).await?;
            done.created.push(name);
        }
        next += days(1);
    }
    tx.commit().await?;

    let kept_from = day(now) - days(i64::from(retention_days));
    for old in there.into_iter().filter(|partition| *partition < kept_from) {
        let name = name(old);
        let mut tx = pool.begin().await?;
        sqlx::query!("SET LOCAL lock_timeout = '2s'").execute(&mut *tx).await?;
        sqlx::query(AssertSqlSafe(format!("DROP TABLE IF EXISTS {name}"))).execute(&mut *tx).await?;
        tx.commit().await?;
        done.dropped.push(name);
    }
    let kept_from = midnight(kept_from).to_sqlx();
    let mut conn = pool.acquire().await?;
    sqlx::query!("DELETE FROM events_minute WHERE minute < $1", kept_from).execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM rejected_events WHERE received_at < $1", kept_from).execute(&mut *conn).await?;
    Ok(done)
}

async fn existing(conn: &mut PgConnection) -> Result<BTreeSet<Date>, DbError> {
    let rows = sqlx::query!(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'events'::regclass"
    )
    .fetch_all(conn)
    .await?;
    // A partition with another name was made by somebody else and is left alone.
    Ok(rows.iter().filter_map(|row| Date::strptime("events_%Y%m%d", &row.relname).ok()).collect())
}

fn name(day: Date) -> String {
    day.strftime("events_%Y%m%d").to_string()
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn days(n: i64) -> Span {
    n.days()
}

fn midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).expect("UTC has every midnight").timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_ends_with_what_is_kept() {
        let now: Timestamp = "2026-11-22T13:00:00Z".parse().expect("an instant");
        assert_eq!(Window::at(now, 30).oldest, "2026-11-14T00:00:00Z".parse().expect("an instant"));
        assert_eq!(Window::at(now, 3).oldest, "2026-11-19T00:00:00Z".parse().expect("an instant"));
        assert_eq!(Window::at(now, 30).newest, "2026-11-23T13:00:00Z".parse().expect("an instant"));
    }
}
