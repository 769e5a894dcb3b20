//! The way of events into the table: one binary COPY, and the per-minute counts in the same transaction.
//!
//! COPY can't skip rows that are there already. So it is tried straight into `events` first, which is twice as fast as
//! anything else, and only where that fails on the primary key (a replay) the batch goes through a temporary table with
//! `ON CONFLICT DO NOTHING`.

use std::collections::{BTreeMap, HashSet};

use bytes::{BufMut, BytesMut};
use jiff::Timestamp;
use sqlx::PgConnection;
use tyr_api::events::{Event, EventKind, Verdict};
use uuid::Uuid;

use crate::db::DbError;

/// Writer number in `events_minute`: one writer per server, one server per database so far.
const SHARD: i16 = 0;
/// Microseconds between the Unix epoch and PostgreSQL's, 2000-01-01.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;
const COLUMNS: i16 = 20;
const COPY_EVENTS: &str = "COPY events (event_id, agent_id, ts, discovered_agent_id, received_at, pid, policy_version, kind, \
     verdict, server_verdict, severity, drift_reason, drift_detected, policy_id, rule, agent_type, resource, process_exe, \
     cmdline, metadata) FROM STDIN (FORMAT binary)";
const COPY_STAGING: &str = "COPY events_staging (event_id, agent_id, ts, discovered_agent_id, received_at, pid, \
     policy_version, kind, verdict, server_verdict, severity, drift_reason, drift_detected, policy_id, rule, agent_type, \
     resource, process_exe, cmdline, metadata) FROM STDIN (FORMAT binary)";

/// What makes an event unique: agent, time, id.
pub type Key = (Uuid, Timestamp, Uuid);

/// Copies events straight into the table. A row that is there already fails the whole statement and the transaction with it.
pub async fn copy(conn: &mut PgConnection, events: &[Event]) -> Result<(), DbError> {
    send(conn, COPY_EVENTS, events).await
}

/// Stores those events that aren't there yet; the answer are their keys.
pub async fn copy_new(conn: &mut PgConnection, events: &[Event]) -> Result<HashSet<Key>, DbError> {
    // Not checked queries: the table exists only within this transaction.
    sqlx::raw_sql("CREATE TEMPORARY TABLE events_staging (LIKE events) ON COMMIT DROP").execute(&mut *conn).await?;
    send(conn, COPY_STAGING, events).await?;
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

/// Adds stored events to the counts per minute.
pub async fn count(conn: &mut PgConnection, events: impl IntoIterator<Item = &Event>) -> Result<(), DbError> {
    let mut counts: BTreeMap<(i64, Verdict, EventKind), (i64, i64)> = BTreeMap::new();
    for event in events {
        let entry = counts.entry((event.ts.as_second().div_euclid(60) * 60, event.verdict, event.kind)).or_default();
        entry.0 += 1;
        entry.1 += i64::from(event.drift_detected);
    }
    if counts.is_empty() {
        return Ok(());
    }
    let minutes: Vec<i64> = counts.keys().map(|key| key.0).collect();
    let verdicts: Vec<String> = counts.keys().map(|key| key.1.to_string()).collect();
    let kinds: Vec<String> = counts.keys().map(|key| key.2.to_string()).collect();
    let stored: Vec<i64> = counts.values().map(|count| count.0).collect();
    let drifts: Vec<i64> = counts.values().map(|count| count.1).collect();
    sqlx::query!(
        "INSERT INTO events_minute AS m (minute, shard, verdict, kind, events, drifts)
         SELECT to_timestamp(c.minute), $1, c.verdict::event_verdict, c.kind::event_kind, c.events, c.drifts
           FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
                AS c (minute, verdict, kind, events, drifts)
         ON CONFLICT (minute, shard, verdict, kind)
         DO UPDATE SET events = m.events + excluded.events, drifts = m.drifts + excluded.drifts",
        SHARD,
        &minutes,
        &verdicts,
        &kinds,
        &stored,
        &drifts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn send(conn: &mut PgConnection, statement: &str, events: &[Event]) -> Result<(), DbError> {
    let bytes = encode(events);
    let mut copy = conn.copy_in_raw(statement).await?;
    copy.send(&bytes[..]).await?;
    copy.finish().await?;
    Ok(())
}

/// The events in PostgreSQL's binary COPY format (its documentation, COPY, "Binary Format").
fn encode(events: &[Event]) -> BytesMut {
    // 330 bytes is what a usual event takes.
    let mut out = BytesMut::with_capacity(events.len() * 400 + 32);
    out.put_slice(b"PGCOPY\n\xff\r\n\0");
    out.put_i32(0);
    out.put_i32(0);
    for event in events {
        out.put_i16(COLUMNS);
        field(&mut out, event.event_id.as_bytes());
        field(&mut out, event.agent_id.as_bytes());
        instant(&mut out, event.ts);
        optional(&mut out, event.discovered_agent_id.as_ref().map(|id| &id.as_bytes()[..]));
        instant(&mut out, event.received_at);
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
    out.put_i16(-1);
    out
}

fn field(out: &mut BytesMut, bytes: &[u8]) {
    out.put_i32(i32::try_from(bytes.len()).expect("a message has at most a megabyte"));
    out.put_slice(bytes);
}

fn optional(out: &mut BytesMut, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => field(out, bytes),
        None => out.put_i32(-1),
    }
}

fn instant(out: &mut BytesMut, at: Timestamp) {
    field(out, &(at.as_microsecond() - POSTGRES_EPOCH_US).to_be_bytes());
}

/// `jsonb` travels as version 1 and text.
fn json(out: &mut BytesMut, metadata: &BTreeMap<String, String>) {
    let text = serde_json::to_vec(metadata).expect("a map of strings is JSON");
    out.put_i32(i32::try_from(text.len() + 1).expect("a message has at most a megabyte"));
    out.put_u8(1);
    out.put_slice(&text);
}
