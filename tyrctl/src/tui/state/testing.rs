//! A small fleet with fixed ids and a fixed clock, for tests.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use tyr_api::agents::{Agent, DenialTrial, DiscoveredAgent, Liveness, Posture, TablesState};
use tyr_api::alerts::{Alert, AlertRule, AlertState};
use tyr_api::events::{DriftReason, Event, EventKind, Severity, Verdict};
use tyr_api::stats::RateRow;
use tyr_api::stream::{Snapshot, StreamStats};
use uuid::Uuid;

use crate::tui::state::State;
use crate::tui::state::link::Now;
use crate::tui::state::msg::Msg;
use crate::tui::theme::Theme;

/// The server's time of all fixtures.
pub const SERVER_NOW: &str = "2026-11-22T17:02:41Z";

/// The server's time, moved by seconds.
pub fn server_time(seconds: i64) -> Timestamp {
    SERVER_NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// Both clocks of this machine: that many seconds after `start`, and a tenth of a second ahead of the server.
pub fn at(start: Instant, seconds: u64) -> Now {
    Now {
        mono: start + std::time::Duration::from_secs(seconds),
        wall: server_time(i64::try_from(seconds).unwrap()) + SignedDuration::from_millis(140),
    }
}

/// Id of the agent with that number.
pub fn agent_id(n: u32) -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(n))
}

/// An online agent, last seen that many seconds before the server's time.
pub fn agent(n: u32, name: &str, age_s: i64) -> Agent {
    Agent {
        agent_id: agent_id(n),
        name: name.to_owned(),
        last_seen: server_time(-age_s),
        staleness_ms: u64::try_from(age_s).unwrap() * 1_000,
        liveness: if age_s > 300 {
            Liveness::Offline
        } else if age_s > 90 {
            Liveness::Stale
        } else {
            Liveness::Online
        },
        connected: age_s < 90,
        kernel: "6.8.0-45".to_owned(),
        arch: "x86_64".to_owned(),
        agent_version: "0.1.0".to_owned(),
        capabilities: vec!["observe".to_owned(), "net_enforce".to_owned()],
        hooks: vec!["cgroup/connect4".to_owned(), "cgroup/connect6".to_owned(), "tp_btf/sched_process_exec".to_owned()],
        posture: Posture::Partial,
        posture_reason: "the kernel has no BPF LSM".to_owned(),
        denial: DenialTrial::NotTried,
        denial_at: None,
        tables: TablesState::AsExpected,
        tables_digest: "1-9f86d081884c7d659a2feaa0c55ad015".to_owned(),
        unregistered_agents: "audit".to_owned(),
        scope: String::new(),
        policy_id: Some("5f2c9d1e00aa41b7".to_owned()),
        policy_version: Some(41),
        assigned_policy_id: Some("5f2c9d1e00aa41b7".to_owned()),
        policy_error: String::new(),
        clock_skew_ms: 40,
        spool_records: 0,
        events_lost: 0,
        last_event_at: None,
        ai_processes: 1,
        enrolled_at: server_time(-864_000),
        cert_not_after: server_time(864_000),
        archived_at: None,
        revoked_at: None,
    }
}

/// An event of the first agent, that many seconds before the server's time.
pub fn event(n: u32) -> Event {
    Event {
        event_id: Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0000 + u128::from(n)),
        agent_id: agent_id(1),
        agent_name: "build-017".to_owned(),
        ts: server_time(-1),
        received_at: server_time(0),
        discovered_agent_id: Some(Uuid::from_u128(7)),
        agent_type: Some("claude-code".to_owned()),
        kind: EventKind::FileRead,
        resource: format!("/home/b/proj/src/file{n}.rs"),
        verdict: Verdict::Allow,
        server_verdict: Some(Verdict::Allow),
        drift_detected: false,
        drift_reason: None,
        severity: Severity::Low,
        rule: None,
        policy_id: Some("5f2c9d1e00aa41b7".to_owned()),
        policy_version: Some(41),
        pid: 8_841,
        process_exe: "/usr/bin/node".to_owned(),
        cmdline: "node /usr/bin/claude -p".to_owned(),
        metadata: BTreeMap::new(),
    }
}

/// A drifting event of that agent, that many seconds before the server's time.
pub fn drift(n: u32, agent: &Agent, age_s: i64, from: Verdict, to: Verdict, kind: EventKind, resource: &str) -> Event {
    Event {
        agent_id: agent.agent_id,
        agent_name: agent.name.clone(),
        ts: server_time(-age_s),
        received_at: server_time(-age_s),
        kind,
        resource: resource.to_owned(),
        verdict: from,
        server_verdict: Some(to),
        drift_detected: true,
        drift_reason: Some(if from == Verdict::Alert {
            DriftReason::NotEnforcedHere
        } else {
            DriftReason::StalePolicy
        }),
        severity: Severity::High,
        rule: Some("deny-system".to_owned()),
        ..event(n)
    }
}

/// An alert on the agent of that number, open for so many seconds.
pub fn alert(n: u32, rule: AlertRule, state: AlertState, age_s: i64) -> Alert {
    let names = ["build-017", "review-002", "docs-009"];
    let (value, summary) = match rule {
        AlertRule::Stale => (301.0, "not heard from since 2026-11-22T16:53:02Z, for more than 5 min"),
        AlertRule::DenySpike => (42.0, "42 denials within 5 min, 2.5 is usual"),
        _ => (2.0, "observing, was partial: the program was refused"),
    };
    let details: &[(&str, &str)] =
        if rule == AlertRule::PostureFell { &[("posture", "observing"), ("expected", "partial")] } else { &[] };
    Alert {
        alert_id: Uuid::from_u128(0x019b_0000_0000_7000_8000_0000_0000_0000 + u128::from(n)),
        rule,
        agent_id: agent_id(n),
        agent_name: names[usize::try_from(n).unwrap() - 1].to_owned(),
        state,
        since: server_time(-age_s),
        changed_at: server_time(-age_s),
        fired_at: (state == AlertState::Firing).then(|| server_time(-age_s)),
        resolved_at: None,
        value,
        threshold: 1.0,
        summary: summary.to_owned(),
        details: details.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        flapping: false,
        acknowledged_by: None,
        acknowledged_at: None,
        note: None,
    }
}

/// Counters of a second with that many allowed reads.
pub fn stats(now: Timestamp, events: u64) -> StreamStats {
    StreamStats {
        now,
        events_by_verdict: BTreeMap::from([("allow".to_owned(), events)]),
        events_by_kind: BTreeMap::from([("file_read".to_owned(), events)]),
        drifts: 0,
        drifts_1d: 4,
        agents_by_liveness: BTreeMap::from([("online".to_owned(), 1)]),
        events_lost: 0,
    }
}

/// Six agents, of which three are silent and one runs an old policy; events, drift and an hour of rates.
pub fn snapshot() -> Snapshot {
    let mut agents = vec![
        agent(1, "build-017", 579),
        agent(2, "review-002", 301),
        agent(3, "docs-009", 95),
        agent(4, "review-101", 2),
        agent(5, "docs-102", 3),
        agent(6, "triage-103", 1),
    ];
    agents[0].policy_id = Some("00aa11bb22cc33dd".to_owned());
    agents[0].policy_version = Some(39);
    agents[4].policy_id = None;
    agents[4].policy_version = None;
    agents[1].kernel = "6.1.0-26".to_owned();
    let drifts = vec![
        drift(901, &agents[0], 583, Verdict::Alert, Verdict::Deny, EventKind::FileWrite, "/etc/cron.d/x"),
        drift(902, &agents[0], 600, Verdict::Allow, Verdict::Deny, EventKind::Exec, "/usr/bin/sudo"),
        drift(903, &agents[0], 6_754, Verdict::Allow, Verdict::Deny, EventKind::NetConnect, "203.0.113.9:443"),
        drift(904, &agents[1], 9_046, Verdict::Deny, Verdict::Allow, EventKind::FileRead, "/home/a/proj/.env"),
    ];
    let mut events: Vec<Event> =
        (0..20).rev().map(|n| Event { ts: server_time(i64::from(n) - 20), ..event(n) }).collect();
    events[1].kind = EventKind::NetConnect;
    events[1].verdict = Verdict::Deny;
    events[1].server_verdict = Some(Verdict::Deny);
    events[1].resource = "203.0.113.9:443".to_owned();
    events[1].rule = Some("no-exfiltration".to_owned());
    events[1].severity = Severity::High;
    events[2].kind = EventKind::Exec;
    events[2].resource = "/usr/bin/rg".to_owned();
    events[2].cmdline = "rg --json TODO".to_owned();
    events[3].metadata = BTreeMap::from([("count".to_owned(), "12".to_owned())]);
    Snapshot {
        now: server_time(0),
        version: "0.1.0".to_owned(),
        stale_after_s: 90,
        discovered_agents: vec![DiscoveredAgent {
            id: Uuid::from_u128(7),
            daemon_agent_id: agents[0].agent_id,
            agent_name: "build-017".to_owned(),
            agent_type: "claude-code".to_owned(),
            display_name: "claude-code".to_owned(),
            pid: 8_840,
            process_signature: "ab".repeat(32),
            process_exe: "/usr/bin/node".to_owned(),
            cmdline: "node /usr/bin/claude".to_owned(),
            registered: true,
            found_by: "fingerprint".to_owned(),
            first_seen: server_time(-3_600),
            ended_at: None,
        }],
        agents,
        events,
        drifts,
        drifts_1d: 4,
        alerts: vec![
            alert(1, AlertRule::Stale, AlertState::Firing, 279),
            alert(2, AlertRule::DenySpike, AlertState::Pending, 12),
            Alert {
                acknowledged_by: Some("alice".to_owned()),
                acknowledged_at: Some(server_time(-60)),
                note: Some("kernel upgrade".to_owned()),
                ..alert(3, AlertRule::PostureFell, AlertState::Firing, 3_700)
            },
        ],
        rates: vec![RateRow {
            minute: server_time(-41 - 120),
            verdict: Verdict::Allow,
            kind: EventKind::FileRead,
            events: 1_200,
            drifts: 0,
        }],
        cursor: "1".to_owned(),
    }
}

/// A state that is live since `start`, with a minute of counters behind it.
pub fn live(theme: Theme, size: (u16, u16), start: Instant) -> State {
    use crate::tui::state::feed::{Batch, Feed};

    let mut state = State::new("prod", "https://tyr.example:7701", theme, at(start, 0));
    state.size = size;
    state.apply(Msg::Feed(Feed::Snapshot { snapshot: Box::new(snapshot()), resumed: false }), at(start, 0));
    state.apply(Msg::Feed(Feed::Open), at(start, 0));
    let mut batch = Batch { alive: true, ..Batch::default() };
    for second in 0..60_i64 {
        let mut one = stats(server_time(second - 59), u64::try_from((second * 7) % 40 + 1).unwrap());
        one.events_by_verdict.insert("deny".to_owned(), u64::from(second == 50));
        one.events_by_kind.insert("net_connect".to_owned(), u64::from(second == 50));
        batch.stats.push(one);
    }
    let mut fresh = event(500);
    fresh.agent_id = agent_id(4);
    fresh.agent_name = "review-101".to_owned();
    batch.event(fresh);
    state.apply(Msg::Feed(Feed::Batch(Box::new(batch))), at(start, 0));
    state.prepare(at(start, 0));
    state
}
