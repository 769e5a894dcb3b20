//! Events: the queries on them here, their way into the table in [`ingest`].

pub mod counts;
pub mod ingest;

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use sqlx::types::Json;
use tyr_api::events::{Event, EventKind, EventQuery, Severity, UnknownWord, Verdict};
use uuid::Uuid;

use crate::db::DbError;

/// Which events to read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only this agent's.
    pub agent_id: Option<Uuid>,
    /// Only this one.
    pub event_id: Option<Uuid>,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only this verdict of the agent.
    pub verdict: Option<Verdict>,
    /// Only this severity or worse.
    pub severity: Option<Severity>,
    /// Only events of AI processes of this type.
    pub agent_type: Option<String>,
    /// Only events with (or without) drift.
    pub drift_detected: Option<bool>,
    /// At or after this instant.
    pub since: Option<Timestamp>,
    /// Strictly before this instant.
    pub before: Option<Timestamp>,
}

impl Filter {
    /// The filters of a REST query; of `until` and `before_ts` the earlier holds.
    pub fn new(query: &EventQuery) -> Self {
        Self {
            agent_id: query.agent_id,
            event_id: None,
            kind: query.kind,
            verdict: query.verdict,
            severity: query.severity,
            agent_type: query.agent_type.clone(),
            drift_detected: query.drift_detected,
            since: query.since,
            before: query.until.into_iter().chain(query.before_ts).min(),
        }
    }

    /// The same decision for an event that is in memory.
    pub fn matches(&self, event: &Event) -> bool {
        self.agent_id.is_none_or(|id| id == event.agent_id)
            && self.kind.is_none_or(|kind| kind == event.kind)
            && self.event_id.is_none_or(|id| id == event.event_id)
            && self.verdict.is_none_or(|verdict| verdict == event.verdict)
            && self.severity.is_none_or(|least| event.severity >= least)
            && self.agent_type.as_ref().is_none_or(|wanted| event.agent_type.as_ref() == Some(wanted))
            && self.drift_detected.is_none_or(|drift| drift == event.drift_detected)
            && self.since.is_none_or(|since| event.ts >= since)
            && self.before.is_none_or(|before| event.ts < before)
    }
}

/// A place in an ordered list of events, written `{µs since the epoch}-{event id}`.
///
/// In lists the instant is `ts`; in the live stream and its replay it is `received_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Whole microseconds.
    pub at: Timestamp,
    /// The event there.
    pub event_id: Uuid,
}

impl Position {
    /// Place of an event in a list ordered by `ts`.
    pub fn in_list(event: &Event) -> Self {
        Self { at: event.ts, event_id: event.event_id }
    }

    /// Place of an event in the live stream.
    pub fn in_stream(event: &Event) -> Self {
        Self { at: event.received_at, event_id: event.event_id }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.as_microsecond(), self.event_id)
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
        Ok(Self { at, event_id: Uuid::try_parse(id).map_err(|_| NotAPosition)? })
    }
}

/// An enumeration's value from the database's word for it.
pub(crate) fn word<T: FromStr<Err = UnknownWord>>(text: &str) -> Result<T, DbError> {
    text.parse().map_err(|error: UnknownWord| sqlx::Error::Decode(error.into()).into())
}

struct Row {
    event_id: Uuid,
    agent_id: Uuid,
    agent_name: String,
    ts: jiff_sqlx::Timestamp,
    received_at: jiff_sqlx::Timestamp,
    discovered_agent_id: Option<Uuid>,
    agent_type: Option<String>,
    kind: String,
    resource: String,
    verdict: String,
    server_verdict: Option<String>,
    drift_detected: bool,
    drift_reason: Option<String>,
    severity: String,
    rule: Option<String>,
    policy_id: Option<String>,
    policy_version: Option<i32>,
    pid: i64,
    process_exe: String,
    cmdline: String,
    metadata: Json<std::collections::BTreeMap<String, String>>,
}

impl Row {
    fn into_event(self) -> Result<Event, DbError> {
        Ok(Event {
            event_id: self.event_id,
            agent_id: self.agent_id,
            agent_name: self.agent_name,
            ts: self.ts.to_jiff(),
            received_at: self.received_at.to_jiff(),
            discovered_agent_id: self.discovered_agent_id,
            agent_type: self.agent_type,
            kind: word(&self.kind)?,
            resource: self.resource,
            verdict: word(&self.verdict)?,
            server_verdict: self.server_verdict.as_deref().map(word).transpose()?,
            drift_detected: self.drift_detected,
            drift_reason: self.drift_reason.as_deref().map(word).transpose()?,
            severity: word(&self.severity)?,
            rule: self.rule,
            policy_id: self.policy_id,
            policy_version: self.policy_version.and_then(|version| u32::try_from(version).ok()),
            pid: self.pid,
            process_exe: self.process_exe,
            cmdline: self.cmdline,
            metadata: self.metadata.0,
        })
    }
}

/// Events that match, newest first, after `cursor` (an [`Position::in_list`]), at most `limit`.
///
/// Names are joined after the limit. `ts <= …` stands beside the row comparison because partitions are pruned by it alone.
pub async fn page(
    conn: &mut PgConnection,
    filter: &Filter,
    cursor: Option<Position>,
    limit: u32,
) -> Result<Vec<Event>, DbError> {
    let kinds = filter.kind.map(|kind| vec![kind.to_string()]);
    let verdicts = filter.verdict.map(|verdict| vec![verdict.to_string()]);
    let rows = sqlx::query_file_as!(
        Row,
        "src/db/sql/events.sql",
        filter.agent_id,
        filter.event_id,
        kinds.as_deref(),
        verdicts.as_deref(),
        filter.severity.map(Severity::as_str),
        filter.agent_type.as_deref(),
        filter.drift_detected,
        filter.since.map(ToSqlx::to_sqlx),
        filter.before.map(ToSqlx::to_sqlx),
        cursor.map(|cursor| cursor.at.to_sqlx()),
        cursor.map(|cursor| cursor.event_id),
        i64::from(limit),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_event).collect()
}

/// One event. Its id holds the millisecond of its `ts`, so one partition is looked into; an id of another form is nobody's.
pub async fn get(conn: &mut PgConnection, event_id: Uuid) -> Result<Option<Event>, DbError> {
    let Some(since) = made_at(event_id) else { return Ok(None) };
    let before = since.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
    let filter = Filter { event_id: Some(event_id), since: Some(since), before: Some(before), ..Filter::default() };
    Ok(page(conn, &filter, None, 1).await?.pop())
}

/// The millisecond in which an event was made, as its id has it.
fn made_at(event_id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = event_id.get_timestamp().filter(|_| event_id.get_version_num() == 7)?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}

/// Stored events that match in the order of the live stream, after `position` (an [`Position::in_stream`]), at most `limit`.
pub async fn replay(
    conn: &mut PgConnection,
    filter: &Filter,
    position: Position,
    limit: u32,
) -> Result<Vec<Event>, DbError> {
    let rows = sqlx::query_file_as!(
        Row,
        "src/db/sql/events_replay.sql",
        position.at.to_sqlx(),
        position.event_id,
        filter.agent_id,
        filter.kind.map(EventKind::as_str),
        filter.verdict.map(Verdict::as_str),
        filter.agent_type.as_deref(),
        filter.drift_detected,
        filter.since.map(ToSqlx::to_sqlx),
        filter.before.map(ToSqlx::to_sqlx),
        filter.severity.map(Severity::as_str),
        i64::from(limit),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_event).collect()
}

/// The end of the live stream as stored: where a client that has read everything stands. `None` without events.
pub async fn newest_position(conn: &mut PgConnection) -> Result<Option<Position>, DbError> {
    let row = sqlx::query!("SELECT received_at, event_id FROM events ORDER BY received_at DESC, event_id DESC LIMIT 1")
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| Position { at: row.received_at.to_jiff(), event_id: row.event_id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_read_back() {
        let position = Position {
            at: Timestamp::from_microsecond(1_790_000_000_123_456).expect("in range"),
            event_id: Uuid::nil(),
        };
        assert_eq!(position.to_string(), "1790000000123456-00000000-0000-0000-0000-000000000000");
        assert_eq!(position.to_string().parse::<Position>().expect("own text"), position);
    }

    #[test]
    fn refuses_what_is_no_position() {
        for text in ["", "-", "x", "12", "12-", "12-xyz", "99999999999999999999-00000000-0000-0000-0000-000000000000"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
