//! The way of events into the table: one binary COPY, and their counts in the same transaction.
//!
//! COPY can't skip rows that are there already. So it is tried straight into `events` first, which is twice as fast as
//! anything else, and only where that fails on the primary key (a replay) the batch goes through a temporary table with
//! `ON CONFLICT DO NOTHING`.
//!
//! Rows are encoded where their batch is prepared, which many streams do at a time. Only `received_at` is known later, to the
//! one writer, which stamps it into the encoded rows.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use sqlx::PgConnection;
use tyr_api::events::Event;
use uuid::Uuid;

use crate::db::DbError;
use crate::db::events::counts::Counts;

/// Microseconds between the Unix epoch and PostgreSQL's, 2000-01-01.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;
/// What every binary COPY begins with: signature, flags, length of the extension.
const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with: a row of -1 columns.
const COPY_TAIL: [u8; 2] = (-1_i16).to_be_bytes();
/// Bytes of encoded rows that are sent in one message.
const MESSAGE_BYTES: usize = 256 * 1024;
const COLUMNS: i16 = 20;
const COPY_EVENTS: &str = "COPY events (event_id, agent_id, ts, discovered_agent_id, received_at, pid, policy_version, kind, \
     verdict, server_verdict, severity, drift_reason, drift_detected, policy_id, rule, agent_type, resource, process_exe, \
     cmdline, metadata) FROM STDIN (FORMAT binary)";
const COPY_STAGING: &str = "COPY events_staging (event_id, agent_id, ts, discovered_agent_id, received_at, pid, \
     policy_version, kind, verdict, server_verdict, severity, drift_reason, drift_detected, policy_id, rule, agent_type, \
     resource, process_exe, cmdline, metadata) FROM STDIN (FORMAT binary)";

/// What makes an event unique: agent, time, id.
pub type Key = (Uuid, Timestamp, Uuid);

/// An event's key.
pub fn key(event: &Event) -> Key {
    (event.agent_id, event.ts, event.event_id)
}

/// Events in PostgreSQL's binary COPY format (its documentation, COPY, "Binary Format"), without head and tail.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    bytes: Vec<u8>,
    /// Where each row's `received_at` is.
    received_at: Vec<usize>,
}

/// Copies events straight into the table. A row that is there already fails the whole statement and the transaction with it.
pub async fn copy(conn: &mut PgConnection, events: &[Event]) -> Result<(), DbError> {
    copy_rows(conn, &[&Rows::encode(events)]).await
}

/// The same with rows that are encoded and stamped.
pub async fn copy_rows(conn: &mut PgConnection, rows: &[&Rows]) -> Result<(), DbError> {
    send(conn, COPY_EVENTS, rows).await
}

/// Stores those events that aren't there yet; the answer are their keys.
pub async fn copy_new(conn: &mut PgConnection, events: &[Event]) -> Result<HashSet<Key>, DbError> {
    copy_new_rows(conn, &[&Rows::encode(events)]).await
}

/// The same with rows that are encoded and stamped.
pub async fn copy_new_rows(conn: &mut PgConnection, rows: &[&Rows]) -> Result<HashSet<Key>, DbError> {
    // Not checked queries: the table exists only within this transaction.
    sqlx::raw_sql("CREATE TEMPORARY TABLE events_staging (LIKE events) ON COMMIT DROP").execute(&mut *conn).await?;
    send(conn, COPY_STAGING, rows).await?;
    let stored: Vec<(Uuid, jiff_sqlx::Timestamp, Uuid)> = sqlx::query_as(
        "INSERT INTO events (event_id, agent_id, ts, discovered_agent_id, received_at, pid, policy_version, kind, verdict,
                             server_verdict, severity, drift_reason, drift_detected, policy_id, rule, agent_type, resource,
                             process_exe, cmdline, metadata)
         SELECT event_id, agent_id, ts, discovered_agent_id, received_at, pid, policy_version, kind, verdict,
                server_verdict, severity, drift_reason, drift_detected, policy_id, rule, agent_type, resource,
                process_exe, cmdline, metadata
           FROM events_staging
         ON CONFLICT DO NOTHING
         RETURNING agent_id, ts, event_id",
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(stored.into_iter().map(|(agent_id, ts, event_id)| (agent_id, ts.to_jiff(), event_id)).collect())
}

/// Adds stored events to the counts.
pub async fn count(conn: &mut PgConnection, events: impl IntoIterator<Item = &Event>) -> Result<(), DbError> {
    Counts::of(events).store(conn).await
}

async fn send(conn: &mut PgConnection, statement: &str, rows: &[&Rows]) -> Result<(), DbError> {
    let mut copy = conn.copy_in_raw(statement).await?;
    // Small pieces are put together: each message is a system call of its own.
    let mut message =
        Vec::with_capacity(MESSAGE_BYTES.min(rows.iter().map(|rows| rows.bytes.len()).sum::<usize>() + 32));
    message.extend_from_slice(COPY_HEAD);
    for rows in rows {
        if !message.is_empty() && message.len() + rows.bytes.len() > MESSAGE_BYTES {
            copy.send(&message[..]).await?;
            message.clear();
        }
        message.extend_from_slice(&rows.bytes);
    }
    message.extend_from_slice(&COPY_TAIL);
    copy.send(&message[..]).await?;
    copy.finish().await?;
    Ok(())
}

impl Rows {
    /// Encodes events, their `received_at` included.
    pub fn encode(events: &[Event]) -> Self {
        // 330 bytes is what a usual event takes.
        let mut out = Vec::with_capacity(events.len() * 400);
        let mut received_at = Vec::with_capacity(events.len());
        for event in events {
            out.extend_from_slice(&COLUMNS.to_be_bytes());
            field(&mut out, event.event_id.as_bytes());
            field(&mut out, event.agent_id.as_bytes());
            field(&mut out, &instant(event.ts));
            optional(&mut out, event.discovered_agent_id.as_ref().map(|id| &id.as_bytes()[..]));
            field(&mut out, &instant(event.received_at));
            received_at.push(out.len() - 8);
            field(&mut out, &event.pid.to_be_bytes());
            let version = event.policy_version.and_then(|version| i32::try_from(version).ok()).map(i32::to_be_bytes);
            optional(&mut out, version.as_ref().map(|bytes| &bytes[..]));
            field(&mut out, event.kind.as_str().as_bytes());
            field(&mut out, event.verdict.as_str().as_bytes());
            optional(&mut out, event.server_verdict.map(|verdict| verdict.as_str().as_bytes()));
            field(&mut out, event.severity.as_str().as_bytes());
            optional(&mut out, event.drift_reason.map(|reason| reason.as_str().as_bytes()));
            field(&mut out, &[u8::from(event.drift_detected)]);
            optional(&mut out, event.policy_id.as_ref().map(String::as_bytes));
            optional(&mut out, event.rule.as_ref().map(String::as_bytes));
            optional(&mut out, event.agent_type.as_ref().map(String::as_bytes));
            field(&mut out, event.resource.as_bytes());
            field(&mut out, event.process_exe.as_bytes());
            field(&mut out, event.cmdline.as_bytes());
            json(&mut out, &event.metadata);
        }
        Self { bytes: out, received_at }
    }

    /// Gives all rows this `received_at`.
    pub fn stamp(&mut self, received_at: Timestamp) {
        let bytes = instant(received_at);
        for &at in &self.received_at {
            self.bytes[at..at + bytes.len()].copy_from_slice(&bytes);
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.received_at.len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.received_at.is_empty()
    }
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = i32::try_from(bytes.len()).expect("a message has at most a megabyte");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

fn optional(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => field(out, bytes),
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
}

fn instant(at: Timestamp) -> [u8; 8] {
    (at.as_microsecond() - POSTGRES_EPOCH_US).to_be_bytes()
}

/// `jsonb` travels as version 1 and text.
fn json(out: &mut Vec<u8>, metadata: &BTreeMap<String, String>) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, 1]);
    serde_json::to_writer(&mut *out, metadata).expect("a map of strings is JSON");
    let length = i32::try_from(out.len() - start - 4).expect("a message has at most a megabyte");
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}
