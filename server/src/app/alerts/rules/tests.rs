use tyr_api::agents::Doubt;
use uuid::Uuid;

use super::*;
use crate::db::alerts::rows::WINDOWS;

fn at(s: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + s).expect("an instant")
}

const DAY: i64 = 24 * 3600;

fn facts() -> Facts {
    Facts {
        agent_id: Uuid::nil(),
        watched: true,
        last_seen: at(0),
        denials: 0,
        denials_before: 0,
        drift: DriftCounts::default(),
        drift_windows: [0; WINDOWS],
        drift_sustained: DriftCounts::default(),
        events_lost: 0,
        events_lost_before: 0,
        posture: Posture::Partial,
        posture_reason: String::new(),
        doubt: None,
        enrolled_at: at(-DAY),
    }
}

fn conditions(now: i64, known_from: i64, facts: &Facts) -> Vec<AlertRule> {
    let settings = Settings::default();
    let mut memory = Memory::first(facts);
    memory.take_in(&settings, at(now), at(known_from), facts);
    holding(&observe(&settings, at(now), at(known_from), facts, &memory))
}

fn holding(observations: &[Observation]) -> Vec<AlertRule> {
    observations.iter().filter(|seen| seen.condition == Condition::Holds).map(|seen| seen.rule).collect()
}

fn of(rule: AlertRule, observations: [Observation; 7]) -> Observation {
    observations.into_iter().find(|seen| seen.rule == rule).expect("each rule is observed")
}

#[test]
fn an_agent_that_is_well_raises_nothing() {
    assert_eq!(conditions(10, -DAY, &facts()), []);
}

#[test]
fn stale_begins_after_five_minutes() {
    assert_eq!(conditions(300, -DAY, &facts()), []);
    assert_eq!(conditions(301, -DAY, &facts()), [AlertRule::Stale]);
}

#[test]
fn silence_counts_from_the_end_of_a_break() {
    let settings = Settings::default();
    let facts = facts();
    let memory = Memory::first(&facts);
    let seen =
        |now, known_from| of(AlertRule::Stale, observe(&settings, at(now), at(known_from), &facts, &memory)).condition;
    // The server was away from second 100 to second 7,200.
    assert_eq!(seen(7_210, 7_200), Condition::Unknown);
    assert_eq!(seen(7_500, 7_200), Condition::Unknown);
    assert_eq!(seen(7_501, 7_200), Condition::Holds);
}

#[test]
fn archived_and_revoked_agents_raise_nothing() {
    let gone = Facts { watched: false, denials: 1000, events_lost: 5, last_seen: at(-DAY), ..facts() };
    let settings = Settings::default();
    let observations = observe(&settings, at(0), at(-DAY), &gone, &Memory::first(&gone));
    assert!(observations.iter().all(|seen| seen.condition == Condition::Gone));
}

#[test]
fn a_spike_is_above_the_floor_and_above_what_is_usual() {
    let spikes = |denials, denials_before| {
        conditions(0, -DAY, &Facts { denials, denials_before, ..facts() }).contains(&AlertRule::DenySpike)
    };
    assert!(!spikes(19, 0), "below the floor");
    assert!(spikes(20, 0));
    // 120 in the hour before are 10 in five minutes: a spike is 40.
    assert!(!spikes(39, 120));
    assert!(spikes(40, 120));
    assert!(!spikes(3_000, 36_000), "as always");
}

#[test]
fn silent_needs_seven_days_online_and_a_look_into_the_table() {
    let settings = Settings::default();
    let now = at(8 * DAY);
    let facts = Facts { last_seen: now, enrolled_at: at(0), ..facts() };
    let mut memory = Memory::first(&facts);
    let seen = |memory: &Memory| of(AlertRule::Silent, observe(&settings, now, at(0), &facts, memory)).condition;
    assert_eq!(seen(&memory), Condition::Unknown, "not looked for yet");
    memory.events_checked_at = Some(now);
    assert_eq!(seen(&memory), Condition::Holds);
    memory.last_event_at = Some(at(2 * DAY));
    assert_eq!(seen(&memory), Condition::Clear, "six days ago");
    memory.last_event_at = Some(at(DAY - 1));
    assert_eq!(seen(&memory), Condition::Holds, "more than seven");
    memory.online_since = Some(at(7 * DAY));
    assert_eq!(seen(&memory), Condition::Clear, "back for a day");
}

#[test]
fn time_online_begins_anew_after_a_longer_absence() {
    let settings = Settings::default();
    let mut memory = Memory::first(&facts());
    let mut see = |now: i64, last_seen: i64, known_from: i64| {
        let facts = Facts { last_seen: at(last_seen), ..facts() };
        memory.take_in(&settings, at(now), at(known_from), &facts);
        memory.online_since
    };
    assert_eq!(see(100, 0, -DAY), Some(at(-DAY)), "since it enrolled");
    assert_eq!(see(7_200, 0, 7_190), Some(at(-DAY)), "the server was away, not the agent");
    assert_eq!(see(7_600, 0, 7_190), None);
    assert_eq!(see(9_000, 8_999, 7_190), Some(at(9_000)));
}

#[test]
fn drift_says_which_kind_it_is() {
    let drifting = Facts {
        drift: DriftCounts { stale: 2, differing: 0, unenforced: 1 },
        drift_windows: [1, 0, 1, 0, 0],
        ..facts()
    };
    assert_eq!(conditions(0, -DAY, &drifting), [AlertRule::Drift]);
    let settings = Settings::default();
    let seen = of(AlertRule::Drift, observe(&settings, at(0), at(-DAY), &drifting, &Memory::first(&drifting)));
    assert!((seen.value - 3.0).abs() < f64::EPSILON);
    assert_eq!(seen.details["stale_policy"], "2");
    assert_eq!(seen.details["not_enforced_here"], "1");
    assert!(!seen.details.contains_key("verdict_differs"));
}

#[test]
fn drift_is_sustained_in_three_windows_of_five() {
    let sustained = |windows, stale, differing| {
        let facts = Facts {
            drift_windows: windows,
            drift_sustained: DriftCounts { stale, differing, unenforced: 0 },
            ..facts()
        };
        let seen = observe(&Settings::default(), at(0), at(-DAY), &facts, &Memory::first(&facts));
        let seen = of(AlertRule::SustainedDrift, seen);
        (seen.condition == Condition::Holds).then(|| seen.details["reason"].clone())
    };
    assert_eq!(sustained([9, 9, 0, 0, 0], 18, 0), None);
    assert_eq!(sustained([1, 0, 1, 0, 1], 3, 0).as_deref(), Some("stale_policy"));
    assert_eq!(sustained([0, 0, 4, 1, 1], 2, 4).as_deref(), Some("verdict_differs"));
}

#[test]
fn a_loss_is_news_for_a_quarter_of_an_hour() {
    let settings = Settings::default();
    let mut memory = Memory::first(&Facts { events_lost: 7, events_lost_before: 7, ..facts() });
    let mut see = |now: i64, events_lost: u64| {
        let facts = Facts { last_seen: at(now), events_lost, ..facts() };
        memory.take_in(&settings, at(now), at(-DAY), &facts);
        let seen = of(AlertRule::Loss, observe(&settings, at(now), at(-DAY), &facts, &memory));
        (seen.condition == Condition::Holds).then_some(seen.value)
    };
    assert_eq!(see(0, 7), None, "lost before anybody looked");
    assert_eq!(see(15, 10), Some(3.0));
    assert_eq!(see(300, 12), Some(5.0), "of the same run");
    assert_eq!(see(300 + 900, 12), Some(5.0));
    assert_eq!(see(300 + 901, 12), None);
    assert_eq!(see(3_600, 13), Some(1.0), "another run");
    assert_eq!(see(3_615, 2), Some(1.0), "the ledger of an old spool went");
    assert_eq!(see(3_630, 4), Some(3.0));
}

#[test]
fn posture_is_compared_with_the_best() {
    let settings = Settings::default();
    let mut memory = Memory::first(&Facts { posture: Posture::Unknown, ..facts() });
    let mut see = |posture| {
        let facts = Facts { posture, posture_reason: "no BPF LSM".to_owned(), ..facts() };
        memory.take_in(&settings, at(0), at(-DAY), &facts);
        of(AlertRule::PostureFell, observe(&settings, at(0), at(-DAY), &facts, &memory))
    };
    assert_eq!(see(Posture::Observing).condition, Condition::Clear);
    assert_eq!(see(Posture::Enforcing).condition, Condition::Clear);
    let fell = see(Posture::Partial);
    assert_eq!(fell.condition, Condition::Holds);
    assert_eq!((&*fell.details["posture"], &*fell.details["expected"]), ("partial", "enforcing"));
    assert_eq!(fell.details["reason"], "no BPF LSM");
    assert_eq!(see(Posture::Unknown).condition, Condition::Clear, "an agent that says nothing did not fall");
    assert_eq!(see(Posture::Enforcing).condition, Condition::Clear);
    for doubt in [Doubt::WentThrough, Doubt::NotKnown, Doubt::Old, Doubt::TablesDiffer] {
        let facts = Facts { posture: Posture::Enforcing, doubt: Some(doubt), ..facts() };
        let fell = of(AlertRule::PostureFell, observe(&settings, at(0), at(-DAY), &facts, &memory));
        assert_eq!(fell.condition, Condition::Holds, "{doubt:?}");
        assert_eq!((&*fell.details["posture"], &fell.details["reason"]), ("observing", &doubt.to_string()));
    }
}
