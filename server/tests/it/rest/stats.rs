//! Counts by one thing or another, and the questions about agents that rest on them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tyr_api::events::{DriftReason, Event, EventKind, Severity, Verdict};
use tyr_server::db::alerts;
use uuid::Uuid;

use super::harness::{Rest, event};

/// What the named fields of each row are.
fn fields(answer: &Value, names: &[&str]) -> Vec<Vec<Value>> {
    let rows = answer["items"].as_array().expect("a list");
    rows.iter().map(|row| names.iter().map(|name| row[*name].clone()).collect()).collect()
}

fn drifting(agent: Uuid, name: &str, kind: EventKind, server: Verdict, reason: DriftReason) -> Event {
    let mut event = event(agent, name, kind, Verdict::Alert);
    event.server_verdict = Some(server);
    (event.drift_detected, event.drift_reason) = (true, Some(reason));
    event
}

async fn sql(rest: &Rest, statement: &'static str) {
    sqlx::raw_sql(statement).execute(&rest.app.pool).await.expect(statement);
}

#[tokio::test]
async fn drift_is_counted_by_what_it_has_in_common() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let (one, two) = (rest.agent("one").await, rest.agent("two").await);
    let mut with_rule = drifting(one, "one", EventKind::Exec, Verdict::Deny, DriftReason::StalePolicy);
    (with_rule.rule, with_rule.policy_version) = (Some("no-sudo".to_owned()), Some(3));
    let unenforced = drifting(one, "one", EventKind::FileRead, Verdict::Deny, DriftReason::NotEnforcedHere);
    let differs = drifting(two, "two", EventKind::FileRead, Verdict::Allow, DriftReason::VerdictDiffers);
    let plain = event(two, "two", EventKind::Exec, Verdict::Allow);
    rest.store(vec![with_rule, unenforced, differs, plain]).await;
    for (by, expected) in [
        ("kind", json!([["file_read", 2, 2], ["exec", 1, 1]])),
        ("policy", json!([["none", 2, 2], ["v3", 1, 1]])),
        ("rule", json!([["none", 2, 2], ["no-sudo", 1, 1]])),
        ("reason", json!([["not_enforced_here", 1, 1], ["stale_policy", 1, 1], ["verdict_differs", 1, 1]])),
        ("verdicts", json!([["alert→deny", 2, 1], ["alert→allow", 1, 1]])),
    ] {
        let answer = rest.get(&viewer, &format!("/api/v1/stats/drift?by={by}")).await.expect(200);
        assert_eq!(json!(fields(&answer, &["group", "drifts", "agents"])), expected, "by {by}");
    }
    let answer = rest.get(&viewer, "/api/v1/stats/drift?by=agent").await.expect(200);
    assert_eq!(json!(fields(&answer, &["agent_name", "drifts"])), json!([["one", 2], ["two", 1]]));
    assert_eq!(answer, rest.get(&viewer, "/api/v1/stats/drift").await.expect(200), "as it is unless told");
    let of_two = format!("/api/v1/stats/drift?by=kind&agent_id={two}");
    let answer = rest.get(&viewer, &of_two).await.expect(200);
    assert_eq!(json!(fields(&answer, &["group", "drifts"])), json!([["file_read", 1]]));
    let error = rest.get(&viewer, "/api/v1/stats/drift?by=reasn").await.error(400, "invalid_parameter");
    assert_eq!(error.hint.as_deref(), Some("did you mean `reason`?"));
    rest.stop().await;
}

#[tokio::test]
async fn drift_is_sustained_exactly_where_the_alert_rule_says_so() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    // Minutes before now in which drift arrived, and whether that is sustained.
    let patterns: [(&str, &[u8], bool); 6] = [
        ("three-windows", &[1, 7, 13], true),
        ("one-window", &[1, 2, 3, 4], false),
        ("far-apart", &[2, 12, 22], true),
        ("two-windows", &[1, 7, 8], false),
        ("long-ago", &[26, 31, 36], false),
        ("unenforced", &[1, 7, 13], false),
    ];
    let mut stored = Vec::new();
    for (name, minutes, _) in patterns {
        let agent = rest.agent(name).await;
        stored.push(drifting(agent, name, EventKind::Exec, Verdict::Deny, DriftReason::VerdictDiffers));
        for minute in minutes {
            // Half a minute in, so that the windows of the rule and of the answer, a moment later, are the same.
            sqlx::query(
                "INSERT INTO alert_minutes (agent_id, minute, drifts_differing, drifts_unenforced)
                 VALUES ($1, now() - $2 * interval '1 minute' - interval '30 seconds', $3, $4)",
            )
            .bind(agent)
            .bind(f64::from(*minute))
            .bind(i64::from(name != "unenforced"))
            .bind(i64::from(name == "unenforced"))
            .execute(&rest.app.pool)
            .await
            .expect("inserted");
        }
    }
    rest.store(stored).await;
    let facts = alerts::facts(&mut rest.app.pool.acquire().await.expect("a connection"), Timestamp::now()).await;
    let facts = facts.expect("facts");
    let answer = rest.get(&viewer, "/api/v1/stats/drift").await.expect(200);
    for (name, _, is_sustained) in patterns {
        let row = answer["items"].as_array().expect("rows").iter().find(|row| row["agent_name"] == name).expect(name);
        let (known, _) = facts.iter().find(|(facts, _)| json!(facts.agent_id) == row["agent_id"]).expect(name);
        let windows = known.drift_windows.iter().filter(|drifts| **drifts > 0).count();
        let by_rule = windows >= tyr_server::app::alerts::rules::WINDOWS_WITH_DRIFT;
        assert_eq!(by_rule, is_sustained, "{name}: {:?}", known.drift_windows);
        assert_eq!(row["sustained"], json!(by_rule), "{name}: {:?}", known.drift_windows);
    }
    let answer = rest.get(&viewer, "/api/v1/stats/drift?by=kind").await.expect(200);
    assert_eq!(json!(fields(&answer, &["group", "sustained"])), json!([["exec", true]]));
    rest.stop().await;
}

#[tokio::test]
async fn rates_are_counted_by_one_thing() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let (one, two) = (rest.agent("one").await, rest.agent("two").await);
    let hour: Timestamp = "2026-11-20T10:00:00Z".parse().expect("a time");
    let made = |agent, kind, verdict, minutes| {
        let mut event = event(agent, "x", kind, verdict);
        event.ts = hour + SignedDuration::from_mins(minutes);
        event
    };
    sql(&rest, "CREATE TABLE IF NOT EXISTS events_20261120 PARTITION OF events FOR VALUES FROM ('2026-11-20 00:00+00') TO ('2026-11-21 00:00+00')").await;
    rest.store(vec![
        made(one, EventKind::Exec, Verdict::Allow, 5),
        made(one, EventKind::FileRead, Verdict::Allow, 5),
        made(two, EventKind::Exec, Verdict::Deny, 5),
        made(two, EventKind::Exec, Verdict::Deny, 65),
    ])
    .await;
    let ask = async |by: &str, names: &[&str]| {
        let path = format!("/api/v1/stats/rate?since=2026-11-20T10:00:30Z&until=2026-11-20T11:30:00Z&by={by}");
        json!(fields(&rest.get(&viewer, &path).await.expect(200), names))
    };
    let (first, second) = ("2026-11-20T10:05:00Z", "2026-11-20T11:05:00Z");
    assert_eq!(
        ask("verdict", &["minute", "verdict", "events"]).await,
        json!([[second, "deny", 1], [first, "allow", 2], [first, "deny", 1]])
    );
    assert_eq!(
        ask("kind", &["minute", "kind", "events"]).await,
        json!([[second, "exec", 1], [first, "exec", 2], [first, "file_read", 1]])
    );
    assert_eq!(ask("minute", &["minute", "events", "drifts"]).await, json!([[second, 1, 0], [first, 3, 0]]));
    assert_eq!(
        ask("agent", &["hour", "agent_name", "events"]).await,
        json!([
            ["2026-11-20T11:00:00Z", "two", 1],
            ["2026-11-20T10:00:00Z", "one", 2],
            ["2026-11-20T10:00:00Z", "two", 1]
        ])
    );
    rest.get(&viewer, "/api/v1/stats/rate?by=host").await.error(400, "invalid_parameter");
    rest.stop().await;
}

#[tokio::test]
async fn agents_are_found_by_how_alive_and_how_silent_they_are() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    for name in ["online", "late", "stale", "offline", "silent", "back-again", "talks", "away"] {
        rest.agent(name).await;
    }
    sql(
        &rest,
        "UPDATE agents SET last_seen = now() - CASE name WHEN 'late' THEN interval '60 s' WHEN 'stale' THEN interval '150 s'
                                                         WHEN 'offline' THEN interval '1 h' WHEN 'away' THEN interval '9 d'
                                                         ELSE interval '0 s' END,
                           enrolled_at = now() - CASE WHEN name IN ('silent', 'back-again', 'talks', 'away')
                                                      THEN interval '20 d' ELSE interval '0 s' END;
         INSERT INTO alert_agents (agent_id, online_since, last_event_at)
         SELECT agent_id, CASE name WHEN 'back-again' THEN now() - interval '1 h' WHEN 'talks' THEN enrolled_at END,
                CASE WHEN name = 'talks' THEN now() - interval '1 d' END
           FROM agents WHERE name IN ('back-again', 'talks', 'away');",
    )
    .await;
    let ask = async |query: &str| {
        let answer = rest.get(&viewer, &format!("/api/v1/agents?{query}")).await.expect(200);
        fields(&answer, &["name"])
            .concat()
            .iter()
            .map(|name| name.as_str().expect("text").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ask("liveness=late").await, ["late"]);
    assert_eq!(ask("liveness=stale,offline").await, ["away", "offline", "stale"]);
    assert_eq!(ask("liveness=online,late").await, ["back-again", "late", "online", "silent", "talks"]);
    assert_eq!(ask("unheard_for_s=100").await, ["away", "offline", "stale"]);
    assert_eq!(ask("unheard_for_s=149&limit=1").await, ["away"]);
    assert_eq!(ask("silent_for_s=604800").await, ["silent"], "not one that was away meanwhile, nor one that talks");
    assert_eq!(ask("silent_for_s=604800&liveness=stale").await, Vec::<String>::new());
    // An event that nobody remembers is found in the table.
    let silent = rest.get(&viewer, "/api/v1/agents?silent_for_s=604800").await.expect(200)["items"][0].clone();
    let id: Uuid = silent["agent_id"].as_str().expect("an id").parse().expect("a UUID");
    rest.store(vec![event(id, "silent", EventKind::Exec, Verdict::Allow)]).await;
    assert_eq!(ask("silent_for_s=604800").await, Vec::<String>::new());
    let talks = rest.get(&viewer, "/api/v1/agents").await.expect(200);
    let heard = fields(&talks, &["name", "last_event_at"]);
    assert!(heard.iter().any(|row| row[0] == "talks" && row[1].is_string()), "{heard:?}");
    for wrong in ["liveness=alive", "liveness=", "liveness=online,", "unheard_for_s=0", "silent_for_s=1000000001"] {
        rest.get(&viewer, &format!("/api/v1/agents?{wrong}")).await.error(400, "invalid_parameter");
    }
    rest.stop().await;
}

#[tokio::test]
async fn one_event_is_found_by_its_id_and_events_by_severity() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let low = event(agent, "one", EventKind::Exec, Verdict::Allow);
    let mut high = event(agent, "one", EventKind::Exec, Verdict::Deny);
    high.severity = Severity::High;
    // As an agent makes them: time and id from one reading.
    let (seconds, nanos) = high.event_id.get_timestamp().expect("version 7").to_unix();
    high.ts = Timestamp::new(seconds.cast_signed(), nanos.cast_signed()).expect("in range");
    let stored = rest.store(vec![low, high.clone()]).await;
    let shown = rest.get(&viewer, &format!("/api/v1/events/{}", high.event_id)).await.expect(200);
    let expected = stored.iter().find(|event| event.event_id == high.event_id).expect("stored");
    assert_eq!(shown, serde_json::to_value(expected).expect("JSON"));
    for nobody in [Uuid::now_v7(), Uuid::nil(), Uuid::from_u128(u128::MAX)] {
        rest.get(&viewer, &format!("/api/v1/events/{nobody}")).await.error(404, "not_found");
    }
    rest.get(&viewer, "/api/v1/events/x").await.error(400, "invalid_id");
    for (least, found) in [("low", 2), ("medium", 1), ("high", 1), ("critical", 0)] {
        let answer = rest.get(&viewer, &format!("/api/v1/events?severity={least}")).await.expect(200);
        assert_eq!(answer["items"].as_array().map(Vec::len), Some(found), "{least}");
    }
    rest.stop().await;
}
