//! Alerts, from their facts to the list.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tyr_api::events::{DriftReason, Event, EventKind, Verdict};
use tyr_server::app::alerts::engine::{Done, evaluate};
use tyr_server::db::losses;
use uuid::Uuid;

use super::harness::{Rest, event};

const ALERTS: &str = "/api/v1/alerts";
pub(super) const WEBHOOKS: &str = "/api/v1/webhooks";

/// Now, as exactly as the database keeps it.
fn begin() -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).expect("in range")
}

/// Evaluates each `every` seconds from `from` to `to`, and adds up what was done.
async fn evaluate_through(rest: &Rest, start: Timestamp, from: i64, to: i64, every: usize) -> Done {
    let mut sum = Done::default();
    for second in (from..=to).step_by(every) {
        let now = start + SignedDuration::from_secs(second);
        let done = evaluate(&rest.app, now).await.expect("evaluated").expect("nobody else evaluates");
        sum.pending += done.pending;
        sum.fired += done.fired;
        sum.resolved += done.resolved;
        sum.messages += done.messages;
    }
    sum
}

async fn execute(rest: &Rest, sql: &'static str, agent_id: Uuid, at: Timestamp) {
    sqlx::query(sql)
        .bind(agent_id)
        .bind(at.to_string())
        .execute(&rest.app.pool)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

pub(super) async fn heard(rest: &Rest, agent_id: Uuid, at: Timestamp) {
    execute(rest, "UPDATE agents SET last_seen = $2::text::timestamptz WHERE agent_id = $1", agent_id, at).await;
}

pub(super) async fn count(rest: &Rest, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&rest.app.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Rule and state of each alert of a list.
fn states(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| (text(&item["rule"]), text(&item["state"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(rule, state)| ((*rule).to_owned(), (*state).to_owned())).collect()
}

#[tokio::test]
async fn a_silent_agent_is_pending_then_fires_once_and_resolves() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let start = begin();
    heard(&rest, agent, start).await;
    rest.post(&rest.admin().await, WEBHOOKS, json!({"url": "http://127.0.0.1:9/"})).await.expect(201);
    // Nobody evaluated before: silence counts from here.
    assert_eq!(evaluate_through(&rest, start, 0, 300, 30).await, Done::default());
    let done = evaluate_through(&rest, start, 315, 315, 1).await;
    assert_eq!((done.pending, done.fired), (1, 0));
    assert_eq!(states(&rest.get(&viewer, ALERTS).await.expect(200)), pairs(&[("stale", "pending")]));
    // Many evaluations, also by another server: one alert, one message.
    let twin = rest.twin();
    let done = evaluate(&twin, start + SignedDuration::from_secs(330)).await.expect("evaluated").expect("its turn");
    assert_eq!((done.fired, done.messages), (1, 1));
    assert_eq!(evaluate_through(&rest, start, 345, 600, 15).await, Done::default());
    let list = rest.get(&viewer, &format!("{ALERTS}?state=firing&rule=stale&agent=one")).await.expect(200);
    assert_eq!(states(&list), pairs(&[("stale", "firing")]));
    let alert = &list["items"][0];
    assert_eq!(alert["agent_id"], json!(agent));
    assert!(alert["summary"].as_str().expect("text").starts_with("not heard from since "), "{alert}");
    // Heard again, but not for a minute yet.
    heard(&rest, agent, start + SignedDuration::from_secs(700)).await;
    assert_eq!(evaluate_through(&rest, start, 615, 660, 15).await, Done::default());
    let done = evaluate_through(&rest, start, 675, 675, 1).await;
    assert_eq!((done.resolved, done.messages), (1, 1));
    assert_eq!(states(&rest.get(&viewer, ALERTS).await.expect(200)), pairs(&[("stale", "resolved")]));
    assert_eq!(count(&rest, "SELECT count(*) FROM webhook_deliveries").await, 2);
    rest.stop().await;
}

#[tokio::test]
async fn of_two_servers_one_evaluates() {
    let rest = Rest::start().await;
    let twin = rest.twin();
    let start = begin();
    let both = tokio::join!(evaluate(&rest.app, start), evaluate(&twin, start));
    let evaluated = [both.0, both.1].into_iter().filter(|done| matches!(done, Ok(Some(_)))).count();
    assert_eq!(evaluated, 1, "the lock, or that the other one just did");
    let soon = evaluate(&twin, start + SignedDuration::from_secs(5)).await.expect("looked");
    assert_eq!(soon, None, "it is too soon");
    drop(twin);
    rest.stop().await;
}

#[tokio::test]
async fn a_break_of_the_servers_raises_nothing() {
    let rest = Rest::start().await;
    let agent = rest.agent("one").await;
    let start = begin();
    heard(&rest, agent, start).await;
    evaluate_through(&rest, start, 0, 30, 15).await;
    // All servers were away for two hours.
    assert_eq!(evaluate_through(&rest, start, 7_200, 7_500, 15).await, Done::default());
    let done = evaluate_through(&rest, start, 7_515, 7_530, 15).await;
    assert_eq!((done.pending, done.fired), (1, 1), "and now it is known to be silent");
    rest.stop().await;
}

#[tokio::test]
async fn archived_and_revoked_agents_end_their_alerts_and_raise_none() {
    let rest = Rest::start().await;
    let (one, two) = (rest.agent("one").await, rest.agent("two").await);
    let start = begin();
    heard(&rest, one, start).await;
    heard(&rest, two, start).await;
    execute(&rest, "UPDATE agents SET archived_at = $2::text::timestamptz WHERE agent_id = $1", two, start).await;
    evaluate_through(&rest, start, 0, 315, 15).await;
    assert_eq!(count(&rest, "SELECT count(*) FROM alerts").await, 1, "of the one that is watched");
    evaluate_through(&rest, start, 330, 330, 1).await;
    execute(&rest, "UPDATE agents SET revoked_at = $2::text::timestamptz WHERE agent_id = $1", one, start).await;
    let done = evaluate_through(&rest, start, 345, 345, 1).await;
    assert_eq!(done.resolved, 1);
    assert_eq!(evaluate_through(&rest, start, 360, 420, 15).await, Done::default());
    rest.stop().await;
}

fn denied(agent: Uuid, rule: &str) -> Event {
    Event { rule: Some(rule.to_owned()), ..event(agent, "one", EventKind::FileRead, Verdict::Deny) }
}

#[tokio::test]
async fn a_spike_of_denials_names_the_rule() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let mut events: Vec<Event> = (0..22).map(|_| denied(agent, "no-shadow")).collect();
    events.extend((0..3).map(|_| denied(agent, "other")));
    rest.store(events).await;
    let start = begin();
    heard(&rest, agent, start + SignedDuration::from_secs(3600)).await;
    let done = evaluate_through(&rest, start, 0, 15, 15).await;
    assert_eq!((done.pending, done.fired), (1, 1));
    let list = rest.get(&viewer, &format!("{ALERTS}?rule=deny_spike")).await.expect(200);
    let alert = &list["items"][0];
    assert_eq!(alert["value"], 25.0);
    assert_eq!((&alert["details"]["rule"], &alert["details"]["rule_denials"]), (&json!("no-shadow"), &json!("22")));
    // What was looked up stays while the alert fires.
    evaluate_through(&rest, start, 30, 60, 15).await;
    let list = rest.get(&viewer, &format!("{ALERTS}?rule=deny_spike")).await.expect(200);
    assert_eq!(list["items"][0]["details"]["rule"], "no-shadow");
    let done = evaluate_through(&rest, start, 75, 600, 15).await;
    assert_eq!(done.resolved, 1);
    rest.stop().await;
}

pub(super) fn drifting(agent: Uuid, reason: DriftReason, received_at: Timestamp) -> Event {
    Event {
        drift_detected: true,
        drift_reason: Some(reason),
        received_at,
        ..event(agent, "one", EventKind::Exec, Verdict::Allow)
    }
}

#[tokio::test]
async fn any_drift_fires_and_lasting_drift_is_told_apart() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let start = begin();
    heard(&rest, agent, start + SignedDuration::from_secs(3600)).await;
    let mut fired = Vec::new();
    for n in 0..25 {
        let now = start + SignedDuration::from_secs(60 * n);
        if n % 6 == 0 {
            let reason = if n == 0 { DriftReason::NotEnforcedHere } else { DriftReason::VerdictDiffers };
            rest.app.alerts.tally.stored(&[drifting(agent, reason, now)]);
        }
        let done = evaluate(&rest.app, now).await.expect("evaluated").expect("its turn");
        if done.fired > 0 {
            fired.push(n);
        }
    }
    // At once; and in the third window that holds more than what is only not enforced.
    assert_eq!(fired, [0, 18]);
    let list = rest.get(&viewer, &format!("{ALERTS}?rule=sustained_drift")).await.expect(200);
    assert_eq!(list["items"][0]["details"]["reason"], "verdict_differs");
    let list = rest.get(&viewer, &format!("{ALERTS}?rule=drift")).await.expect(200);
    assert_eq!(states(&list), pairs(&[("drift", "firing")]), "one alert, not one for each event");
    rest.stop().await;
}

#[tokio::test]
async fn drift_that_a_crash_left_uncounted_is_found_again() {
    let rest = Rest::start().await;
    let agent = rest.agent("one").await;
    let now = Timestamp::now();
    rest.store(vec![drifting(agent, DriftReason::StalePolicy, now)]).await;
    // As if the process had died before it wrote its counts.
    drop(rest.app.alerts.tally.take());
    let mut conn = rest.app.pool.acquire().await.expect("a connection");
    for _ in 0..2 {
        tyr_server::db::alerts::recount_drift(&mut conn, Timestamp::now()).await.expect("counted");
    }
    assert_eq!(count(&rest, "SELECT sum(drifts_stale)::bigint FROM alert_minutes").await, 1, "and not twice");
    drop(conn);
    rest.stop().await;
}

#[tokio::test]
async fn silence_of_a_week_is_looked_up_in_the_events() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let other = rest.agent("two").await;
    let start = begin();
    for agent in [agent, other] {
        heard(&rest, agent, start + SignedDuration::from_secs(3600)).await;
        let enrolled = start - SignedDuration::from_hours(24 * 8);
        execute(&rest, "UPDATE agents SET enrolled_at = $2::text::timestamptz WHERE agent_id = $1", agent, enrolled)
            .await;
    }
    rest.store(vec![event(other, "two", EventKind::Exec, Verdict::Allow)]).await;
    drop(rest.app.alerts.tally.take());
    let done = evaluate_through(&rest, start, 0, 15, 15).await;
    assert_eq!((done.pending, done.fired), (1, 1));
    let list = rest.get(&viewer, &format!("{ALERTS}?agent={agent}")).await.expect(200);
    assert_eq!(states(&list), pairs(&[("silent", "firing")]));
    assert_eq!(states(&rest.get(&viewer, &format!("{ALERTS}?agent=two")).await.expect(200)), []);
    rest.store(vec![event(agent, "one", EventKind::Exec, Verdict::Allow)]).await;
    assert_eq!(evaluate_through(&rest, start, 30, 30, 1).await.resolved, 1);
    rest.stop().await;
}

#[tokio::test]
async fn a_loss_is_alerted_on_when_it_grows() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let start = begin();
    heard(&rest, agent, start + SignedDuration::from_secs(3600)).await;
    assert_eq!(evaluate_through(&rest, start, 0, 0, 1).await, Done::default());
    let mut loss = losses::Loss {
        agent_id: agent,
        spool_epoch: vec![1; 16],
        kind: EventKind::FileRead,
        verdict: Verdict::Allow,
        reason: "ring_full".to_owned(),
        events: 7,
    };
    losses::record(&mut rest.app.pool.acquire().await.expect("a connection"), &loss).await.expect("recorded");
    assert_eq!(evaluate_through(&rest, start, 15, 15, 1).await.fired, 1);
    loss.events = 9;
    losses::record(&mut rest.app.pool.acquire().await.expect("a connection"), &loss).await.expect("recorded");
    assert_eq!(evaluate_through(&rest, start, 30, 30, 1).await, Done::default());
    let list = rest.get(&viewer, ALERTS).await.expect(200);
    assert_eq!(list["items"][0]["summary"], "9 events declared lost, 9 since it enrolled");
    assert_eq!(evaluate_through(&rest, start, 60, 960, 30).await.resolved, 1);
    rest.stop().await;
}

#[tokio::test]
async fn an_acknowledged_fall_of_posture_is_accepted() {
    let rest = Rest::start().await;
    let (admin, viewer) = (rest.admin().await, rest.session("viewer").await.1);
    let agent = rest.agent("one").await;
    let start = begin();
    heard(&rest, agent, start + SignedDuration::from_secs(3600)).await;
    let set = |posture: &'static str| sqlx::query(posture).execute(&rest.app.pool);
    set("UPDATE agents SET posture = 'enforcing'").await.expect("set");
    assert_eq!(evaluate_through(&rest, start, 0, 0, 1).await, Done::default());
    set("UPDATE agents SET posture = 'observing', posture_reason = 'no BPF LSM'").await.expect("set");
    assert_eq!(evaluate_through(&rest, start, 15, 30, 15).await.fired, 1);
    let list = rest.get(&viewer, ALERTS).await.expect(200);
    assert_eq!(list["items"][0]["summary"], "observing, was enforcing: no BPF LSM");
    let id = list["items"][0]["alert_id"].as_str().expect("an id").to_owned();
    let path = format!("{ALERTS}/{id}/acknowledge");
    rest.post(&viewer, &path, json!({})).await.error(403, "admin_only");
    rest.post(&admin, &path, json!({"note": "a\u{1b}b"})).await.error(400, "invalid_note");
    rest.post(&admin, &path, json!({"note": "x".repeat(1001)})).await.error(400, "invalid_note");
    let known = rest.post(&admin, &path, json!({"note": " old kernel "})).await.expect(200);
    assert_eq!(known["note"], "old kernel");
    assert!(known["acknowledged_by"].as_str().expect("a name").starts_with("admin-"));
    assert_eq!(evaluate_through(&rest, start, 45, 120, 15).await.resolved, 1);
    rest.post(&admin, &path, json!({})).await.error(409, "alert_resolved");
    rest.post(&admin, &format!("{ALERTS}/{}/acknowledge", Uuid::nil()), json!({})).await.error(404, "not_found");
    let entry = rest.get(&admin, "/api/v1/audit?action=alert.acknowledge").await.expect(200);
    assert_eq!(
        (&entry["items"][0]["target"], &entry["items"][0]["details"]["rule"]),
        (&json!(id), &json!("posture_fell"))
    );
    rest.stop().await;
}

#[tokio::test]
async fn lists_are_paged_and_refuse_what_they_do_not_know() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let start = begin();
    for n in 0..5 {
        heard(&rest, rest.agent(&format!("agent-{n}")).await, start).await;
    }
    evaluate_through(&rest, start, 0, 330, 15).await;
    let mut seen = Vec::new();
    let mut path = format!("{ALERTS}?limit=2");
    loop {
        let page = rest.get(&viewer, &path).await.expect(200);
        seen.extend(page["items"].as_array().expect("items").iter().map(|item| item["alert_id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{ALERTS}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen.len(), 5);
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let snapshot = rest.get(&viewer, "/api/v1/snapshot").await.expect(200);
    assert_eq!(snapshot["alerts"].as_array().expect("alerts").len(), 5);
    for (query, code) in [
        ("state=fireing", "invalid_parameter"),
        ("rule=x", "invalid_parameter"),
        ("agent=", "invalid_parameter"),
        ("agent=%00", "invalid_parameter"),
        ("cursor=x", "invalid_parameter"),
        ("limit=0", "invalid_parameter"),
        ("colour=red", "unknown_parameter"),
    ] {
        rest.get(&viewer, &format!("{ALERTS}?{query}")).await.error(400, code);
    }
    rest.stop().await;
}
