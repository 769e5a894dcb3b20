//! The audit log: append and read. The schema refuses the rest, but for the removal of entries older than 90 days.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use sqlx::types::Json;
use tyr_api::audit::AuditEntry;
use uuid::Uuid;

use super::DbError;

/// An entry to be written; its time and number are the database's.
#[derive(Debug)]
pub struct NewEntry<'a> {
    /// Who, 1-256 characters.
    pub actor: &'a str,
    /// Whose id that is.
    pub actor_id: Option<Uuid>,
    /// From where.
    pub source: Option<String>,
    /// `area.verb`.
    pub action: &'static str,
    /// To what.
    pub target: &'a str,
    /// Further facts.
    pub details: BTreeMap<String, String>,
    /// The request.
    pub request_id: Option<Uuid>,
}

/// Which entries to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what this user did.
    pub actor: Option<String>,
    /// Only this action.
    pub action: Option<String>,
    /// Only actions of this area, the word before the dot.
    pub area: Option<String>,
    /// At or after this instant.
    pub since: Option<Timestamp>,
    /// Strictly before this instant.
    pub before: Option<Timestamp>,
}

/// The place of an entry in the list, written `{µs since the epoch}-{audit id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Whole microseconds.
    pub at: Timestamp,
    /// The entry there.
    pub audit_id: i64,
}

impl Position {
    /// Where an entry stands.
    pub fn of(entry: &AuditEntry) -> Self {
        Self { at: entry.ts, audit_id: entry.audit_id }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.as_microsecond(), self.audit_id)
    }
}

/// A text that is no [`Position`].
#[derive(Debug, thiserror::Error)]
#[error("not a cursor of this server")]
pub struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let (micros, id) = text.split_once('-').ok_or(NotAPosition)?;
        let at = micros.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok()).ok_or(NotAPosition)?;
        Ok(Self { at, audit_id: id.parse().ok().filter(|id| *id >= 0).ok_or(NotAPosition)? })
    }
}

/// Writes an entry.
pub async fn insert(conn: impl PgExecutor<'_>, entry: NewEntry<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO audit_log (actor, actor_id, source, action, target, details, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        entry.actor,
        entry.actor_id,
        entry.source,
        entry.action,
        entry.target,
        Json(entry.details) as Json<BTreeMap<String, String>>,
        entry.request_id
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Entries that match, newest first, after `cursor`, at most `limit`.
pub async fn page(
    conn: impl PgExecutor<'_>,
    filter: &Filter,
    cursor: Option<Position>,
    limit: u32,
) -> Result<Vec<AuditEntry>, DbError> {
    let rows = sqlx::query_file!(
        "src/db/sql/audit.sql",
        filter.actor,
        filter.action,
        filter.area,
        filter.since.map(ToSqlx::to_sqlx) as Option<jiff_sqlx::Timestamp>,
        filter.before.map(ToSqlx::to_sqlx) as Option<jiff_sqlx::Timestamp>,
        cursor.map(|cursor| cursor.at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        cursor.map(|cursor| cursor.audit_id),
        i64::from(limit),
    )
    .fetch_all(conn)
    .await?;
    let entries = rows.into_iter().map(|row| AuditEntry {
        audit_id: row.audit_id,
        ts: row.ts.to_jiff(),
        actor: row.actor,
        actor_id: row.actor_id,
        source: row.source,
        action: row.action,
        target: row.target,
        details: row.details.0,
        request_id: row.request_id,
    });
    Ok(entries.collect())
}

/// Removes entries older than `before`, at most `limit`, and says how many. The schema refuses this for entries of the last 90 days.
pub async fn remove_older(conn: impl PgExecutor<'_>, before: Timestamp, limit: u32) -> Result<u64, DbError> {
    let done = sqlx::query!(
        "DELETE FROM audit_log WHERE audit_id IN
           (SELECT audit_id FROM audit_log WHERE ts < $1 ORDER BY ts LIMIT $2)",
        before.to_sqlx() as jiff_sqlx::Timestamp,
        i64::from(limit)
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn positions_read_back_and_nonsense_does_not() {
        let position: Position = "1790000000123456-42".parse().expect("a position");
        assert_eq!(position.to_string(), "1790000000123456-42");
        for text in ["", "-", "1", "1-", "1-x", "1--1", "x-1", "99999999999999999999-1", "1-99999999999999999999"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
