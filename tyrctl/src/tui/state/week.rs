//! A dashboard that is left open for a week: whatever comes and vanishes, no collection outgrows its limit.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use tyr_api::agents::DiscoveredAgent;
use tyr_api::alerts::{AlertRule, AlertState};
use tyr_api::events::{Event, EventKind, Verdict};
use tyr_api::stream::Gap;
use uuid::Uuid;

use super::alerts::ALERTS_MAX;
use super::drifts::DRIFTS_MAX;
use super::feed::{BATCH_COUNTS_MAX, BATCH_EVENTS_MAX, Batch, Feed};
use super::fleet::{AGENTS_MAX, AI_MAX};
use super::link::Now;
use super::msg::Msg;
use super::open::OPEN_GROUPS_MAX;
use super::rates::{AGENT_SECONDS_MAX, MINUTE_ROWS_MAX, SECONDS_MAX};
use super::ring::{EVENTS_BYTES_MAX, EVENTS_MAX};
use super::testing::{agent, agent_id, alert, at, drift, event, server_time, snapshot, stats};
use super::{BYTES_AT_MAX, Data, State};
use crate::tui::theme::Theme;

/// A week, in seconds.
const WEEK: u64 = 7 * 24 * 3_600;
/// Seconds that one batch covers here: counters come for each of them.
const STEP: u64 = 5;

/// Every collection of the state: its name, what it holds, what it may hold.
fn held(state: &State) -> Vec<(&'static str, usize, usize)> {
    fn data(data: &Data, out: &mut Vec<(&'static str, usize, usize)>) {
        let (bytes, known) = data.events.held();
        let [seconds, minutes, counts, agents, of_agent] = data.rates.held();
        let per_agent = usize::try_from(AGENT_SECONDS_MAX).unwrap();
        out.extend([
            ("agents", data.fleet.len(), AGENTS_MAX),
            ("AI processes", data.fleet.ai_len(), AI_MAX),
            ("rows of events", data.events.len(), EVENTS_MAX),
            ("bytes of events", bytes, EVENTS_BYTES_MAX),
            ("known events", known, EVENTS_MAX),
            ("drifts", data.drifts.len(), DRIFTS_MAX),
            ("known drifts", data.drifts.known_len(), DRIFTS_MAX),
            ("alerts", data.alerts.len(), ALERTS_MAX),
            ("seconds", seconds, SECONDS_MAX),
            ("rows of minutes", minutes, MINUTE_ROWS_MAX),
            ("seconds with their split", counts, per_agent),
            ("agents with rates", agents, AGENTS_MAX),
            ("seconds of an agent", of_agent, per_agent),
        ]);
    }
    let mut out = Vec::new();
    data(&state.live, &mut out);
    if let Some(frozen) = &state.frozen {
        data(&frozen.data, &mut out);
    }
    out.extend([
        ("listed agents", state.agents.rows().len(), AGENTS_MAX),
        ("listed events", state.events.rows().len(), EVENTS_MAX),
        ("listed drifts", state.drifts.rows().len(), DRIFTS_MAX),
        ("listed alerts", state.alerts.rows().len(), ALERTS_MAX),
        ("listed groups", state.groups.rows().len(), 2 * DRIFTS_MAX),
        ("open groups", state.open_groups.len(), OPEN_GROUPS_MAX),
        ("counters of bytes", state.traffic.bytes_at.len(), BYTES_AT_MAX),
        ("pages", state.pages.len(), 8),
        ("effects", state.effects.len(), 8),
    ]);
    out
}

fn check(state: &State, when: u64) {
    for (name, len, limit) in held(state) {
        assert!(len <= limit, "{name}: {len} of {limit} after {when} s");
    }
}

fn moment(start: Instant, second: u64) -> Now {
    at(start, second)
}

fn number(n: u64) -> u32 {
    u32::try_from(n).unwrap()
}

static PROCESS: LazyLock<DiscoveredAgent> = LazyLock::new(|| snapshot().discovered_agents.remove(0));

/// A process that lives for a minute; every tenth one's end is never told.
fn process(n: u64, end: Option<i64>) -> DiscoveredAgent {
    DiscoveredAgent {
        id: Uuid::from_u128(u128::from(n) + 1_000_000),
        first_seen: server_time(i64::try_from(n).unwrap()),
        ended_at: end.map(server_time),
        ..PROCESS.clone()
    }
}

/// What comes in the seconds from `second` on.
fn news(second: u64) -> Batch {
    let mut batch = Batch::default();
    let server_second = i64::try_from(second).unwrap();
    let n = number(second);
    for more in 0..i64::try_from(STEP).unwrap() {
        batch.count(stats(server_time(server_second + more), 3));
    }
    // Hosts that live for an hour: 12 a minute come, as many are archived or revoked, and one in a thousand vanishes in silence.
    let born = agent(n, &format!("job-{n}"), 0);
    for event_number in 0..3 {
        let mut one = event(n * 4 + event_number);
        one.agent_id = agent_id(n);
        one.received_at = server_time(server_second);
        batch.event(one);
    }
    if second.is_multiple_of(60) {
        let mut drifting: Event =
            drift(n * 4 + 3, &born, -server_second, Verdict::Allow, Verdict::Deny, EventKind::Exec, "/usr/bin/sudo");
        drifting.received_at = server_time(server_second);
        batch.event(drifting);
        batch.gap(Gap { missed: Some(1), since: server_time(server_second) });
    }
    if second > 3_600 && !second.is_multiple_of(1_000 * STEP) {
        let mut gone = agent(number(second - 3_600), "gone", 0);
        let end = Some(server_time(server_second));
        if second.is_multiple_of(2) {
            gone.archived_at = end;
        } else {
            gone.revoked_at = end;
        }
        batch.agents.insert(gone.agent_id, gone);
    }
    batch.agents.insert(born.agent_id, born);
    let begun = process(second, None);
    batch.ai.insert(begun.id, begun);
    if second > 60 && !second.is_multiple_of(10 * STEP) {
        let ended = process(second - 60, Some(server_second));
        batch.ai.insert(ended.id, ended);
    }
    // One alert in twenty is never resolved.
    let mut fired = alert(1, AlertRule::Stale, AlertState::Firing, 0);
    fired.alert_id = Uuid::from_u128(u128::from(second) + 5_000_000);
    fired.changed_at = server_time(server_second);
    batch.alerts.insert(fired.alert_id, fired.clone());
    if second > 300 && !second.is_multiple_of(20 * STEP) {
        fired.alert_id = Uuid::from_u128(u128::from(second - 300) + 5_000_000);
        fired.state = AlertState::Resolved;
        batch.alerts.insert(fired.alert_id, fired);
    }
    batch
}

#[test]
fn a_week_stays_within_all_limits() {
    let start = Instant::now();
    let mut state = State::new("prod", "https://x", Theme { color: false, ascii: false }, moment(start, 0));
    let fresh = || Feed::Snapshot { snapshot: Box::new(snapshot()), resumed: false };
    state.apply(Msg::Feed(fresh()), moment(start, 0));
    state.apply(Msg::Feed(Feed::Open), moment(start, 0));
    let mut full: HashSet<&str> = HashSet::new();
    for second in (0..WEEK).step_by(usize::try_from(STEP).unwrap()) {
        let now = moment(start, second);
        state.apply(Msg::Feed(Feed::Batch(Box::new(news(second)))), now);
        // Once an hour somebody looks: another view, a group opened, a picture held and let go.
        if second.is_multiple_of(3_600) {
            let keys = ["1", "2", "3", "4", "5"][usize::try_from(second / 3_600).unwrap() % 5];
            for key in keys.chars().chain(['\n', ' ', 'e', 'e', 'y']) {
                super::tests::press(&mut state, &key.to_string(), now);
                state.prepare(now);
            }
            check(&state, second);
            full.extend(held(&state).iter().filter(|(_, len, limit)| len == limit).map(|(name, ..)| *name));
            // Effects are what the loop takes out after each message.
            state.take_effects();
        }
        // Once a day the server is restarted.
        if second.is_multiple_of(24 * 3_600) {
            let cut = Feed::Waiting { attempt: 1, until: now.mono + Duration::from_secs(1), cause: "cut".to_owned() };
            state.apply(Msg::Feed(cut), now);
            state.apply(Msg::Feed(Feed::Connecting), now);
            state.apply(Msg::Feed(Feed::Open), now);
        }
    }
    check(&state, WEEK);
    // A limit that nothing reached would prove nothing.
    for name in ["rows of events", "drifts", "known drifts", "alerts", "seconds"] {
        assert!(full.contains(name), "{name} never reached its limit; full were {full:?}");
    }
    let later = server_time(i64::try_from(WEEK).unwrap()) + SignedDuration::from_hours(2);
    let mut last = Batch::default();
    last.count(stats(later, 0));
    state.apply(Msg::Feed(Feed::Batch(Box::new(last))), moment(start, WEEK + 7_200));
    assert_eq!(state.live.rates.held()[3], 0, "quiet agents have no rates any more");
    state.apply(Msg::Feed(fresh()), moment(start, WEEK + 7_200));
    assert_eq!(
        state.live.fleet.len(),
        snapshot().agents.len(),
        "who vanished in silence is gone with the next snapshot"
    );
}

#[test]
fn fleets_and_batches_beyond_all_measure_are_cut() {
    let start = Instant::now();
    let mut state = State::new("prod", "https://x", Theme { color: false, ascii: false }, moment(start, 0));
    let mut huge = snapshot();
    let one = agent(1, "x", 0);
    huge.agents = (0..number(AGENTS_MAX as u64) + 10)
        .map(|n| tyr_api::agents::Agent { agent_id: agent_id(n), ..one.clone() })
        .collect();
    huge.discovered_agents = (0..AI_MAX as u64 + 10).map(|n| process(n, None)).collect();
    huge.rates = vec![huge.rates[0].clone(); MINUTE_ROWS_MAX + 10];
    state.apply(Msg::Feed(Feed::Snapshot { snapshot: Box::new(huge), resumed: false }), moment(start, 0));
    state.prepare(moment(start, 0));
    check(&state, 0);

    let mut batch = Batch::default();
    for n in 0..number(BATCH_COUNTS_MAX as u64) + 10 {
        let mut one = event(n);
        one.agent_id = agent_id(n);
        batch.event(one);
        batch.gap(Gap { missed: None, since: server_time(0) });
        batch.count(stats(server_time(0), 0));
    }
    assert!(batch.arrivals.len() <= BATCH_EVENTS_MAX && batch.counts.len() <= BATCH_COUNTS_MAX);
    assert!(batch.stats.len() <= SECONDS_MAX);
    state.apply(Msg::Feed(Feed::Batch(Box::new(batch))), moment(start, 1));
    check(&state, 1);
}
