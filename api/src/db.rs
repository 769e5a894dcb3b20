//! The database behind the server: connections, tables, partitions, indexes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// `GET /api/v1/db`. Sizes are in bytes on disk. Numbers of rows are PostgreSQL's estimates, exact to a few per cent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DbReport {
    /// The server's clock.
    pub now: Timestamp,
    /// Version of PostgreSQL, e.g. `15.18`.
    pub version: String,
    /// Name of the database.
    pub database: String,
    /// The whole database.
    pub size_bytes: u64,
    /// Days that events are kept.
    pub retention_days: u32,
    /// Events per day, over the last days that are complete (at most seven). Absent before the first such day.
    pub events_per_day: Option<u64>,
    /// Bytes that a day of events takes, over the same days.
    pub events_bytes_per_day: Option<u64>,
    /// `max_connections` of PostgreSQL.
    pub connections_max: u32,
    /// Connections to this database, by program and state.
    pub connections: Vec<ConnectionRow>,
    /// Tables, largest first; `events` stands for all its partitions.
    pub tables: Vec<TableRow>,
    /// Days of events, newest first.
    pub partitions: Vec<PartitionRow>,
    /// Indexes, largest first, at most 1,000.
    pub indexes: Vec<IndexRow>,
    /// What agents sent and is not among the events, the latest first, at most 1,000.
    pub apart: Vec<ApartRow>,
    /// Changes of the schema that this database has seen.
    pub migrations: Vec<MigrationRow>,
}

/// Connections of one program in one state, from `pg_stat_activity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionRow {
    /// `application_name`: `tyr-server`, `tyr-server ingest`, `tyr-server maintenance`, `psql`, …
    pub application: String,
    /// `active`, `idle`, `idle in transaction`, …; `hidden` where the server's role may not see it (needs `pg_monitor`).
    pub state: String,
    /// How many.
    pub connections: u32,
    /// Milliseconds since the oldest of their transactions began.
    pub oldest_transaction_ms: Option<u64>,
}

/// One table, its indexes and partitions included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableRow {
    /// Its name.
    pub table: String,
    /// Estimate.
    pub rows: u64,
    /// Everything.
    pub bytes: u64,
    /// Of them, indexes.
    pub index_bytes: u64,
    /// Bytes that it grows by per day: for `events` what a day of events takes, for others the change since the oldest size
    /// written down in the last eight days. Absent before there is a day to compare with.
    pub growth_bytes_per_day: Option<i64>,
}

/// One day of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartitionRow {
    /// Its table.
    pub partition: String,
    /// First instant; it holds one day in UTC.
    pub from: Timestamp,
    /// Estimate.
    pub rows: u64,
    /// Table and indexes.
    pub bytes: u64,
    /// Of them, indexes.
    pub index_bytes: u64,
    /// The oldest event in it.
    pub oldest_ts: Option<Timestamp>,
    /// The newest event in it.
    pub newest_ts: Option<Timestamp>,
}

/// One index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IndexRow {
    /// Its name.
    pub index: String,
    /// The table that it is on.
    pub table: String,
    /// Size on disk.
    pub bytes: u64,
    /// Estimate.
    pub rows: u64,
    /// How often a query used it since PostgreSQL's statistics began.
    pub scans: u64,
    /// Bytes beyond what its rows need in a freshly built index: an estimate, for the indexes on `events` by time and by key.
    pub bloat_bytes: Option<u64>,
    /// The same in per cent of its size.
    pub bloat_percent: Option<u32>,
}

/// How something that an agent sent ended elsewhere than among the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApartHow {
    /// Kept in `events_quarantine`: a well-formed event too far ahead of the server's clock.
    Quarantined,
    /// Kept in `rejected_events`: not well-formed, or refused by the database.
    Rejected,
    /// Counted alone: its day was dropped already.
    Expired,
}

impl ApartHow {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

/// What of one agent is apart for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApartRow {
    /// The agent.
    pub agent_id: Uuid,
    /// Its name.
    pub agent_name: String,
    /// Where it ended.
    pub how: ApartHow,
    /// Why.
    pub reason: String,
    /// How many.
    pub events: u64,
    /// The oldest time that they claim.
    pub oldest_ts: Option<Timestamp>,
    /// The newest time that they claim.
    pub newest_ts: Option<Timestamp>,
    /// When the last of them came.
    pub last_at: Timestamp,
}

/// A change of the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MigrationRow {
    /// Its number.
    pub version: i64,
    /// What it did.
    pub description: String,
    /// When it was made here.
    pub applied_at: Timestamp,
}
