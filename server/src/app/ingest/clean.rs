//! What an agent sends, checked: a host may be hostile, and PostgreSQL refuses some texts and times.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tyr_api::events::{Event, EventKind, Severity, Verdict};
use tyr_proto::v1;
use uuid::Uuid;

use crate::db::discovered_agents::Announced;
use crate::db::losses::Loss;
use crate::db::partitions::{HOURS_AHEAD, Window};

/// Longest text kept, in bytes: a path or command line of 4,096 bytes of which each needs an escape of four.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Longest name kept: agent types, rules, reasons.
const NAME_BYTES_MAX: usize = 256;
/// Metadata entries kept.
const METADATA_MAX: usize = 32;
/// Longest value of a metadata entry.
const METADATA_BYTES_MAX: usize = 1024;
/// Bytes of a spool epoch.
const EPOCH_BYTES: usize = 16;
/// Length of a policy digest in hex.
const POLICY_ID_BYTES: usize = 32;

/// Why a record can't be stored as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A record of a kind that this server doesn't know.
    #[error("unknown kind of record")]
    UnknownRecord,
    /// An id that is no UUID.
    #[error("an id is not a UUID")]
    Id,
    /// An enumeration's value that this server doesn't know.
    #[error("unknown kind or verdict")]
    Word,
    /// Before what is kept.
    #[error("older than what is kept")]
    TooOld {
        /// The time that it claims.
        ts: Timestamp,
    },
    /// Too far ahead of the server's clock, and well-formed otherwise.
    #[error("more than {HOURS_AHEAD} hours in the future")]
    Future {
        /// The time that it claims.
        ts: Timestamp,
        /// Its id.
        event_id: Uuid,
    },
    /// No time at all.
    #[error("the time is out of range")]
    Time,
    /// No process id.
    #[error("the process id is out of range")]
    Pid,
    /// An AI process without a type.
    #[error("the agent type is missing")]
    AgentType,
    /// A spool epoch of another length than 16 bytes.
    #[error("the spool epoch is not {EPOCH_BYTES} bytes")]
    Epoch,
}

/// An event as it will be stored, not judged yet.
pub(super) fn event(agent_id: Uuid, agent_name: &str, event: &v1::Event, window: &Window) -> Result<Event, Refused> {
    // The time comes last, so that what is set apart for it is well-formed.
    let event_id = uuid(&event.event_id)?;
    let (kind, verdict, pid) = (kind(event.kind)?, verdict(event.verdict)?, pid(event.pid)?);
    let ts = instant(event.timestamp_ns)?;
    let discovered_agent_id = match event.discovered_agent_id.as_deref() {
        None | Some("") => None,
        Some(id) => Some(uuid(id)?),
    };
    if ts < window.oldest {
        return Err(Refused::TooOld { ts });
    }
    if ts > window.newest {
        return Err(Refused::Future { ts, event_id });
    }
    let mut metadata: BTreeMap<String, String> = event
        .metadata
        .iter()
        .take(METADATA_MAX)
        .map(|(key, value)| (text(key, NAME_BYTES_MAX), text(value, METADATA_BYTES_MAX)))
        .collect();
    // These two have columns of their own.
    let rule = metadata.remove("rule").map(|rule| text(&rule, NAME_BYTES_MAX)).filter(|rule| !rule.is_empty());
    let policy_version = metadata
        .remove("rule_version")
        .and_then(|version| version.parse().ok())
        .filter(|version| i32::try_from(*version).is_ok());
    let is_digest = |id: &&String| id.len() == POLICY_ID_BYTES && id.bytes().all(|b| b.is_ascii_hexdigit());
    Ok(Event {
        event_id,
        agent_id,
        agent_name: agent_name.to_owned(),
        ts,
        received_at: ts,
        discovered_agent_id,
        agent_type: None,
        kind,
        resource: text(&event.resource, TEXT_BYTES_MAX),
        verdict,
        server_verdict: None,
        drift_detected: false,
        drift_reason: None,
        severity: severity(event.severity),
        rule,
        policy_id: Some(&event.policy_id).filter(is_digest).cloned(),
        policy_version,
        pid,
        process_exe: text(&event.process_exe, TEXT_BYTES_MAX),
        cmdline: text(&event.cmdline, TEXT_BYTES_MAX),
        metadata,
    })
}

/// An AI process as it will be stored.
pub(super) fn discovered(agent_id: Uuid, announced: &v1::DiscoveredAgent) -> Result<Announced, Refused> {
    let agent_type = text(&announced.agent_type, NAME_BYTES_MAX);
    if agent_type.is_empty() {
        return Err(Refused::AgentType);
    }
    Ok(Announced {
        id: uuid(&announced.discovered_agent_id)?,
        daemon_agent_id: agent_id,
        agent_type,
        pid: pid(announced.pid)?,
        process_signature: text(&announced.process_signature, NAME_BYTES_MAX),
        process_exe: text(&announced.process_exe, TEXT_BYTES_MAX),
        cmdline: text(&announced.cmdline, TEXT_BYTES_MAX),
        found_by: text(&announced.found_by, NAME_BYTES_MAX),
        first_seen: instant(announced.first_seen_ns)?,
        ended_at: announced.ended_ns.map(instant).transpose()?,
    })
}

/// A line of the loss ledger as it will be stored.
pub(super) fn loss(agent_id: Uuid, epoch: &[u8], loss: &v1::Loss) -> Result<Loss, Refused> {
    if epoch.len() != EPOCH_BYTES {
        return Err(Refused::Epoch);
    }
    Ok(Loss {
        agent_id,
        spool_epoch: epoch.to_vec(),
        kind: kind(loss.kind)?,
        verdict: verdict(loss.verdict)?,
        reason: text(&loss.reason, NAME_BYTES_MAX),
        events: i64::try_from(loss.count).unwrap_or(i64::MAX),
    })
}

/// Text without NUL, which PostgreSQL has no place for, cut between two characters.
pub(crate) fn text(given: &str, bytes_max: usize) -> String {
    let cut = &given[..given.floor_char_boundary(bytes_max)];
    if cut.contains('\0') { cut.replace('\0', "\\x00") } else { cut.to_owned() }
}

fn uuid(text: &str) -> Result<Uuid, Refused> {
    Uuid::try_parse(text).map_err(|_| Refused::Id)
}

/// Whole microseconds, as PostgreSQL keeps them, within a range that it and every reader can hold.
fn instant(ns: i64) -> Result<Timestamp, Refused> {
    if ns < 0 {
        return Err(Refused::Time);
    }
    Timestamp::from_microsecond(ns / 1_000).map_err(|_| Refused::Time)
}

fn pid(pid: i64) -> Result<i64, Refused> {
    if (0..=i64::from(u32::MAX)).contains(&pid) { Ok(pid) } else { Err(Refused::Pid) }
}

fn kind(kind: i32) -> Result<EventKind, Refused> {
    match v1::EventKind::try_from(kind) {
        Ok(v1::EventKind::FileRead) => Ok(EventKind::FileRead),
        Ok(v1::EventKind::FileWrite) => Ok(EventKind::FileWrite),
        Ok(v1::EventKind::Exec) => Ok(EventKind::Exec),
        Ok(v1::EventKind::NetConnect) => Ok(EventKind::NetConnect),
        Ok(v1::EventKind::Tls) => Ok(EventKind::TlsConnect),
        Ok(v1::EventKind::Unspecified) | Err(_) => Err(Refused::Word),
    }
}

fn verdict(verdict: i32) -> Result<Verdict, Refused> {
    match v1::Verdict::try_from(verdict) {
        Ok(v1::Verdict::Allow) => Ok(Verdict::Allow),
        Ok(v1::Verdict::Deny) => Ok(Verdict::Deny),
        Ok(v1::Verdict::Alert) => Ok(Verdict::Alert),
        Ok(v1::Verdict::Unspecified) | Err(_) => Err(Refused::Word),
    }
}

/// An unknown severity is no reason to lose an event.
fn severity(severity: i32) -> Severity {
    match v1::Severity::try_from(severity) {
        Ok(v1::Severity::Medium) => Severity::Medium,
        Ok(v1::Severity::High) => Severity::High,
        Ok(v1::Severity::Critical) => Severity::Critical,
        Ok(v1::Severity::Low | v1::Severity::Unspecified) | Err(_) => Severity::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        Window::at("2026-11-22T12:00:00Z".parse().expect("an instant"), 30)
    }

    fn sent() -> v1::Event {
        let ts: Timestamp = "2026-11-22T11:59:59.123456789Z".parse().expect("an instant");
        v1::Event {
            event_id: Uuid::now_v7().to_string(),
            kind: v1::EventKind::Exec.into(),
            verdict: v1::Verdict::Alert.into(),
            severity: v1::Severity::High.into(),
            resource: "/usr/bin/git".to_owned(),
            timestamp_ns: i64::try_from(ts.as_nanosecond()).expect("in range"),
            pid: 7,
            ..v1::Event::default()
        }
    }

    fn clean(sent: &v1::Event) -> Result<Event, Refused> {
        event(Uuid::nil(), "host", sent, &window())
    }

    #[test]
    fn keeps_whole_microseconds_and_moves_rules_to_their_columns() {
        let mut sent = sent();
        sent.metadata = [("rule", "no-git"), ("rule_version", "3"), ("errno", "0")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let event = clean(&sent).expect("clean");
        assert_eq!(event.ts.to_string(), "2026-11-22T11:59:59.123456Z");
        assert_eq!((event.rule.as_deref(), event.policy_version), (Some("no-git"), Some(3)));
        assert_eq!(event.metadata.keys().collect::<Vec<_>>(), ["errno"]);
    }

    #[test]
    fn nul_becomes_an_escape_everywhere() {
        let mut sent = sent();
        sent.resource = "/a\0b".to_owned();
        sent.cmdline = "\0".to_owned();
        sent.metadata.insert("k\0".to_owned(), "v\0".to_owned());
        let event = clean(&sent).expect("clean");
        assert_eq!((event.resource.as_str(), event.cmdline.as_str()), ("/a\\x00b", "\\x00"));
        assert_eq!(event.metadata.get("k\\x00").map(String::as_str), Some("v\\x00"));
    }

    #[test]
    fn refuses_what_has_no_place() {
        type Change = fn(&mut v1::Event);
        let changes: [(Change, Refused); 7] = [
            (|e| e.event_id = "x".to_owned(), Refused::Id),
            (|e| e.discovered_agent_id = Some("x".to_owned()), Refused::Id),
            (|e| e.kind = 0, Refused::Word),
            (|e| e.verdict = 99, Refused::Word),
            (|e| e.timestamp_ns = -1, Refused::Time),
            (|e| e.pid = -1, Refused::Pid),
            (|e| e.pid = i64::MAX, Refused::Pid),
        ];
        for (number, (change, refused)) in changes.into_iter().enumerate() {
            let mut sent = sent();
            change(&mut sent);
            assert_eq!(clean(&sent).expect_err("refused"), refused, "change {number}");
        }
    }

    #[test]
    fn tells_what_is_too_old_and_what_is_not_yet() {
        let mut sent = sent();
        sent.timestamp_ns = 0;
        assert_eq!(clean(&sent).expect_err("refused"), Refused::TooOld { ts: Timestamp::UNIX_EPOCH });
        sent.timestamp_ns = i64::MAX;
        let refused = clean(&sent).expect_err("refused");
        assert!(matches!(refused, Refused::Future { event_id, .. } if event_id.to_string() == sent.event_id));
        // Whatever its time: what is not well-formed is not well-formed.
        sent.event_id = "x".to_owned();
        assert_eq!(clean(&sent).expect_err("refused"), Refused::Id);
    }

    #[test]
    fn cuts_long_texts_between_characters() {
        assert_eq!(text("aé", 2), "a");
        let mut sent = sent();
        sent.resource = "é".repeat(TEXT_BYTES_MAX);
        assert_eq!(clean(&sent).expect("clean").resource.len(), TEXT_BYTES_MAX);
    }
}
