//! Daily partitions of `events`, in UTC: made ahead of time, dropped when they are older than what is kept.
//!
//! Neither waits for readers nor makes writers wait. A partition is made as a table of its own and attached, which takes a lock
//! that ingest doesn't mind (`CREATE TABLE … PARTITION OF` would take the strongest one). It is dropped in three steps: marked
//! by a comment, detached with `CONCURRENTLY`, which waits for queries that may look at it without anybody queueing behind it,
//! and dropped as a table that nobody knows any more. A crash between the steps leaves a marked table, which the next run
//! takes up where it was left. A table that somebody detached by hand bears no mark and is left alone.
//!
//! Measured (`cargo bench -p tyr-server --bench retention`): a plain DROP waits for every query on any partition, and ingest
//! waits behind it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::{Span, Timestamp, ToSpan, tz::TimeZone};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::db::{DbError, Owner};

/// Days ahead for which partitions exist, so that a week of failing maintenance harms nothing.
const DAYS_AHEAD: i64 = 7;
/// Days back for which partitions are made before anything asks for them.
const DAYS_BACK: i64 = 8;
/// Most days back for which events are taken: what agents kept while they were cut off or switched off.
pub const LATE_DAYS_MAX: i64 = 30;
/// Hours by which an event may be ahead of the server's clock.
pub const HOURS_AHEAD: i64 = 24;
/// Advisory lock of this work: "tyrpart" in ASCII.
const LOCK_KEY: i64 = 0x0074_7972_7061_7274;
/// Longest wait for another server's maintenance.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// Pause between two looks at the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// What a partition's comment says between detaching and dropping.
const MARK: &str = "tyr-server is dropping this table";

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
        let oldest_day = day(now) - days(LATE_DAYS_MAX.min(i64::from(retention_days)));
        Self { oldest: midnight(oldest_day), newest: now + HOURS_AHEAD.hours() }
    }
}

/// What was done to partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Partitions made.
    pub created: Vec<String>,
    /// Partitions dropped.
    pub dropped: Vec<String>,
    /// Partitions that are too old and could not be dropped yet, as a query looks at them.
    pub postponed: Vec<String>,
}

/// A connection of the owner that alone works on partitions, until it is closed.
#[derive(Debug)]
pub struct Keeper {
    conn: PgConnection,
}

impl Keeper {
    /// Waits until no other server works on partitions.
    ///
    /// # Errors
    /// When another one does for longer than half a minute.
    pub async fn new(owner: &Owner) -> Result<Self, DbError> {
        let mut conn = owner.connect().await?;
        let begun = Instant::now();
        loop {
            // Tried again and again, as a statement that waits would hold a snapshot, which DETACH CONCURRENTLY and REINDEX
            // CONCURRENTLY of the one who has the lock wait for.
            let ours = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "ours!""#, LOCK_KEY);
            if ours.fetch_one(&mut conn).await? {
                return Ok(Self { conn });
            }
            if begun.elapsed() > LOCK_WAIT {
                return Err(sqlx::Error::PoolTimedOut.into());
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }

    /// The connection, for further work under the same lock.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.conn
    }

    /// Gives the lock back. A keeper that is only dropped does so too, as its connection ends.
    pub async fn close(self) {
        let _ = self.conn.close().await;
    }

    /// Makes the partitions from eight days back to seven days ahead.
    pub async fn make_ahead(&mut self, now: Timestamp, retention_days: u32) -> Result<Vec<String>, DbError> {
        let first = day(now) - days(DAYS_BACK.min(i64::from(retention_days)));
        let last = day(now) + days(DAYS_AHEAD);
        let mut wanted = BTreeSet::new();
        let mut next = first;
        while next <= last {
            wanted.insert(next);
            next += days(1);
        }
        self.make(&wanted).await
    }

    /// Makes partitions for these days, but not for those that were dropped before.
    pub async fn make(&mut self, wanted: &BTreeSet<Date>) -> Result<Vec<String>, DbError> {
        let there = existing(&mut self.conn).await?;
        let floor = floor(&mut self.conn).await?;
        let mut created = Vec::new();
        for &day in wanted.iter().filter(|day| !there.contains(day) && floor.is_none_or(|floor| **day > floor)) {
            let name = name(day);
            let (from, to) = (day, day + days(1));
            let mut tx = self.conn.begin().await?;
            // Not checked queries: DDL takes no parameters. The text is made of dates alone.
            let make =
                format!("CREATE TABLE {name} (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)");
            sqlx::query(AssertSqlSafe(make)).execute(&mut *tx).await?;
            let attach = format!(
                "ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ('{from} 00:00:00+00') TO ('{to} 00:00:00+00')"
            );
            sqlx::query(AssertSqlSafe(attach)).execute(&mut *tx).await?;
            tx.commit().await?;
            created.push(name);
        }
        Ok(created)
    }

    /// Days before what is kept, oldest first.
    pub async fn old(&mut self, now: Timestamp, retention_days: u32) -> Result<Vec<Date>, DbError> {
        let kept_from = kept_from(now, retention_days);
        Ok(existing(&mut self.conn).await?.into_iter().filter(|day| *day < kept_from).collect())
    }

    /// Drops one day. `Ok(false)`: a query looks at it, and it is postponed; the next run goes on with it.
    pub async fn drop_day(&mut self, day: Date) -> Result<bool, DbError> {
        let name = name(day);
        // Each step is durable once a later one is, and the last one, which removes files, waits for the disk in any case. So a
        // crash loses the last steps at most, as if it had come earlier.
        sqlx::raw_sql("SET synchronous_commit = off").execute(&mut self.conn).await?;
        // From here on late events of that day are told that it is gone.
        sqlx::query!(
            "INSERT INTO events_floor (day) VALUES ($1::text::date)
             ON CONFLICT (only_row) DO UPDATE SET day = greatest(events_floor.day, excluded.day)",
            day.to_string(),
        )
        .execute(&mut self.conn)
        .await?;
        let steps = [
            format!("COMMENT ON TABLE {name} IS '{MARK}'"),
            format!("ALTER TABLE events DETACH PARTITION {name} CONCURRENTLY"),
            format!("DROP TABLE {name}"),
        ];
        for step in steps {
            if !self.step(step).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes up what an earlier run left: a day that is half detached, or detached and not dropped. Answers what was dropped and
    /// what a query still looks at.
    pub async fn take_up(&mut self) -> Result<(Vec<String>, Vec<String>), DbError> {
        let marked = sqlx::query!(
            r#"SELECT c.relname AS "name!", i.inhdetachpending AS "pending?"
                 FROM pg_class c
                 LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'events'::regclass
                WHERE c.relkind = 'r'
                  AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'events'::regclass)
                  AND obj_description(c.oid, 'pg_class') = $1
                ORDER BY c.relname"#,
            MARK,
        )
        .fetch_all(&mut self.conn)
        .await?;
        let (mut dropped, mut postponed) = (Vec::new(), Vec::new());
        for row in marked {
            // Only names of our form go into statements.
            let Some(name) = parse(&row.name).map(name) else { continue };
            let steps = match row.pending {
                // Marked, and nothing more: a later run will see whether it is still too old.
                Some(false) => {
                    self.step(format!("COMMENT ON TABLE {name} IS NULL")).await?;
                    continue;
                }
                Some(true) => {
                    vec![format!("ALTER TABLE events DETACH PARTITION {name} FINALIZE"), format!("DROP TABLE {name}")]
                }
                None => vec![format!("DROP TABLE {name}")],
            };
            let mut done = true;
            for step in steps {
                done = done && self.step(step).await?;
            }
            if done { dropped.push(name) } else { postponed.push(name) }
        }
        Ok((dropped, postponed))
    }

    /// One statement; false where it had to wait for a lock for too long, or met a query that made it a victim.
    async fn step(&mut self, sql: String) -> Result<bool, DbError> {
        // Sent as it is: DETACH CONCURRENTLY can't run in a transaction, which a prepared statement's text may share.
        match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.conn).await.map_err(DbError::from) {
            Ok(_) => Ok(true),
            Err(error) => match error.sqlstate().as_deref() {
                // lock_not_available, deadlock_detected.
                Some("55P03" | "40P01") => Ok(false),
                _ => Err(error),
            },
        }
    }
}

/// First day that is kept.
pub fn kept_from(now: Timestamp, retention_days: u32) -> Date {
    day(now) - days(i64::from(retention_days))
}

/// Days that have a partition. One with another name than ours was made by somebody else and is left alone.
pub async fn existing(conn: &mut PgConnection) -> Result<BTreeSet<Date>, DbError> {
    let rows = sqlx::query!(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = 'events'::regclass AND NOT i.inhdetachpending"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.iter().filter_map(|row| parse(&row.relname)).collect())
}

/// The newest day that was dropped, if any was.
pub async fn floor(conn: &mut PgConnection) -> Result<Option<Date>, DbError> {
    let day = sqlx::query_scalar!(r#"SELECT day::text AS "day!" FROM events_floor"#).fetch_optional(conn).await?;
    // What PostgreSQL calls a date reads back.
    Ok(day.and_then(|day| day.parse().ok()))
}

/// Name of a day's partition.
pub fn name(day: Date) -> String {
    day.strftime("events_%Y%m%d").to_string()
}

/// The day of a partition of ours.
pub fn parse(name: &str) -> Option<Date> {
    Date::strptime("events_%Y%m%d", name).ok()
}

/// The day of an instant, in UTC.
pub fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn days(n: i64) -> Span {
    n.days()
}

/// The first instant of a day, in UTC.
pub fn midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).expect("UTC has every midnight").timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_ends_with_what_is_kept() {
        let now: Timestamp = "2026-11-22T13:00:00Z".parse().expect("an instant");
        assert_eq!(Window::at(now, 90).oldest, "2026-10-23T00:00:00Z".parse().expect("an instant"));
        assert_eq!(Window::at(now, 3).oldest, "2026-11-19T00:00:00Z".parse().expect("an instant"));
        assert_eq!(Window::at(now, 3).newest, "2026-11-23T13:00:00Z".parse().expect("an instant"));
    }
}
