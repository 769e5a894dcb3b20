//! From batches to rows: exactly once, nothing stopped by one bad event, counts that agree with the documented SQL.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;
use tyr_api::stats::DriftBy;
use tyr_proto::v1;
use tyr_server::app::audit::Actor;
use tyr_server::app::live::Next;
use tyr_server::app::{assignments, ingest::Work, policies};
use tyr_server::db::events::{Filter, Position};
use tyr_server::db::{events, maintenance, partitions, stats};
use uuid::Uuid;

use crate::stack::{LIMIT, Stack, batch, event, event_at};

/// The documented queries, word for word.
const M3: &str = include_str!("../../src/db/sql/documented/M3.sql");
const M6: &str = "SELECT date_trunc('minute', ts) AS minute, count(*) AS events, verdict::text
FROM events
WHERE ts > now() - interval '1 hour'
GROUP BY 1, 3 ORDER BY 1 DESC;";
const M6_VERBATIM: &str = include_str!("../../src/db/sql/documented/M6.sql");
const M8: &str = include_str!("../../src/db/sql/documented/M8.sql");
const M11: &str = include_str!("../../src/db/sql/documented/M11.sql");

const DENY_SECRETS: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: secrets
spec:
  rules:
    - name: no-shadow
      action: file_read
      resource_pattern: /etc/shadow
      verdict: deny
      severity: high
";

#[tokio::test]
async fn a_replay_stores_nothing_twice() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let mut live = stack.app.live.subscribe();
    let events: Vec<v1::Event> = (0..50).map(|_| event()).collect();
    let mut session = stack.session(agent_id).await;
    stack.store(&mut session, events.clone()).await;
    // On the same stream (COPY fails on the key and goes the slower way), and on a new one (the slower way at once).
    stack.store(&mut session, events.clone()).await;
    let mut longer = events.clone();
    longer.extend((0..7).map(|_| event()));
    let mut again = stack.session(agent_id).await;
    stack.store(&mut again, longer).await;

    assert_eq!(stack.count("SELECT count(*) FROM events").await, 57);
    assert_eq!(stack.count("SELECT sum(events)::bigint FROM events_minute").await, 57);
    let (Next::Batch(first), Next::Batch(second)) = (live.next().await, live.next().await) else {
        panic!("nothing can be missed here");
    };
    assert_eq!((first.events.len(), second.events.len()), (50, 7), "a replay is announced once");
    assert!(first.received_at < second.received_at);
    assert!(live.try_next().is_none());
    stack.stop().await;
}

#[tokio::test]
async fn concurrent_replays_store_once() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let events: Vec<v1::Event> = (0..100).map(|_| event()).collect();
    let mut works = Vec::new();
    for _ in 0..8 {
        let mut session = stack.session(agent_id).await;
        let mut work: Work = session.prepare(&stack.app, batch(events.clone())).await.expect("prepared");
        work.may_be_replay = works.len() % 2 == 0;
        works.push(work);
    }
    let stores = works.into_iter().map(|work| stack.app.ingest.store(work));
    for result in futures_util::future::join_all(stores).await {
        result.expect("stored");
    }
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 100);
    assert_eq!(stack.count("SELECT sum(events)::bigint FROM events_minute").await, 100);
    stack.stop().await;
}

#[tokio::test]
async fn two_agents_may_send_the_same_event_id() {
    let stack = Stack::start().await;
    let sent = event();
    for name in ["one", "two"] {
        let agent_id = stack.agent(name).await;
        // Whatever an agent says of itself, its certificate counts.
        let forged = v1::Event { agent_id: Uuid::nil().to_string(), ..sent.clone() };
        stack.store(&mut stack.session(agent_id).await, vec![forged]).await;
    }
    assert_eq!(stack.count("SELECT count(DISTINCT agent_id) FROM events").await, 2);
    stack.stop().await;
}

#[tokio::test]
async fn bad_records_are_kept_apart_and_stop_nothing() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let day = Duration::from_hours(24);
    let old = event_at(Timestamp::now() - day * 40);
    let future = event_at(Timestamp::now() + day * 3);
    let no_id = v1::Event { event_id: "x".to_owned(), ..event() };
    let nul = v1::Event { resource: "/tmp/a\0b".to_owned(), cmdline: "a\0b".to_owned(), ..event() };
    let mut sent = batch(vec![event(), old, nul, future, no_id, event()]);
    sent.records.push(v1::Record { record: None });
    let mut session = stack.session(agent_id).await;
    let work = session.prepare(&stack.app, sent).await.expect("prepared");
    stack.app.ingest.store(work).await.expect("stored");

    assert_eq!(stack.count("SELECT count(*) FROM events").await, 3);
    assert_eq!(stack.count("SELECT count(*) FROM events WHERE resource = '/tmp/a\\x00b'").await, 1);
    let reasons: Vec<String> = sqlx::query_scalar("SELECT reason FROM rejected_events ORDER BY rejected_id")
        .fetch_all(&stack.app.pool)
        .await
        .expect("read");
    assert_eq!(reasons, ["an id is not a UUID", "unknown kind of record"]);
    stack.stop().await;
}

#[tokio::test]
async fn an_event_that_the_database_refuses_stands_alone() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let other = stack.agent("two").await;
    // Something that no check of ours foresees.
    sqlx::raw_sql("ALTER TABLE events ADD CONSTRAINT no_poison CHECK (resource <> 'poison')")
        .execute(&stack.app.pool)
        .await
        .expect("altered");
    let mut events: Vec<v1::Event> = (0..20).map(|_| event()).collect();
    events[13].resource = "poison".to_owned();
    let mut session = stack.session(agent_id).await;
    let mut other_session = stack.session(other).await;
    let poisoned = session.prepare(&stack.app, batch(events)).await.expect("prepared");
    let clean = other_session.prepare(&stack.app, batch(vec![event()])).await.expect("prepared");
    let (one, two) = futures_util::future::join(stack.app.ingest.store(poisoned), stack.app.ingest.store(clean)).await;
    one.expect("stored");
    two.expect("stored");
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 20);
    assert_eq!(stack.count("SELECT sum(events)::bigint FROM events_minute").await, 20);
    let reason: String =
        sqlx::query_scalar("SELECT reason FROM rejected_events").fetch_one(&stack.app.pool).await.expect("one row");
    assert_eq!(reason, "refused by the database (23514)");
    stack.stop().await;
}

#[tokio::test]
async fn the_rollup_and_stats_agree_with_the_documented_sql() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let quiet = stack.agent("quiet").await;
    let mut session = stack.session(agent_id).await;
    let now = Timestamp::now();
    let mut sent = Vec::new();
    for n in 0_u32..90 {
        // Half an hour, so that neither end of the window is near.
        let mut event = event_at(now - Duration::from_secs(20) * n);
        // Nothing is assigned, so the server would allow all of them.
        if n % 3 == 0 {
            event.verdict = v1::Verdict::Alert.into();
        }
        if n % 2 == 0 {
            event.kind = v1::EventKind::Exec.into();
        }
        sent.push(event);
    }
    stack.store(&mut session, sent).await;

    let documented = sqlx::query(M6).fetch_all(&stack.app.pool).await.expect("M6 runs");
    let mut documented: Vec<(i64, String, i64)> = documented
        .iter()
        .map(|row| {
            let minute: jiff_sqlx::Timestamp = row.get("minute");
            (minute.to_jiff().as_second(), row.get("verdict"), row.get("events"))
        })
        .collect();
    let mut conn = stack.app.pool.acquire().await.expect("a connection");
    let hour = Duration::from_hours(1);
    let mut rolled: std::collections::BTreeMap<(i64, String), i64> = std::collections::BTreeMap::new();
    for row in stats::rate(&mut conn, now - hour, now).await.expect("rates") {
        *rolled.entry((row.minute.as_second(), row.verdict.to_string())).or_default() +=
            i64::try_from(row.events).expect("few");
    }
    documented.sort();
    let rolled: Vec<(i64, String, i64)> =
        rolled.into_iter().map(|((minute, verdict), n)| (minute, verdict, n)).collect();
    assert_eq!(rolled, documented);
    assert_eq!(sqlx::query(M6_VERBATIM).fetch_all(&stack.app.pool).await.expect("runs").len(), documented.len());

    let documented: Vec<(Uuid, i64)> = sqlx::query_as(M8).fetch_all(&stack.app.pool).await.expect("M8 runs");
    let drift = stats::drift(&mut conn, now - hour * 24, now, DriftBy::Agent, None).await.expect("drift");
    let drift: Vec<(Uuid, i64)> =
        drift.iter().map(|row| (row.agent_id.expect("by agent"), i64::try_from(row.drifts).expect("few"))).collect();
    assert_eq!(drift, documented);
    assert_eq!(documented, [(agent_id, 30)]);

    sqlx::query("UPDATE agents SET last_seen = now() - interval '5 minutes' WHERE agent_id = $1")
        .bind(quiet)
        .execute(&stack.app.pool)
        .await
        .expect("updated");
    let stale = sqlx::query(M3).fetch_all(&stack.app.pool).await.expect("M3 runs");
    assert_eq!(stale.iter().map(|row| row.get::<Uuid, _>("agent_id")).collect::<Vec<_>>(), [quiet]);

    let deleted = sqlx::query(M11).execute(&stack.app.pool).await.expect("M11 runs");
    assert_eq!(deleted.rows_affected(), 0);
    drop(conn);
    stack.stop().await;
}

#[tokio::test]
async fn drift_is_judged_by_the_policy_in_force() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let before = event_at(Timestamp::now() - Duration::from_mins(1));
    let policy = policies::apply(&stack.app, DENY_SECRETS.to_owned(), &Actor::environment()).await.expect("applied");
    let assignment = tyr_api::policies::NewAssignment {
        version: policy.version.version,
        target_type: tyr_api::policies::TargetType::All,
        target_id: String::new(),
    };
    assignments::create(&stack.app, assignment, &Actor::environment()).await.expect("assigned");
    let push = tyr_server::app::effective::effective_for(&stack.app, agent_id).await.expect("settled");
    let mut session = stack.session(agent_id).await;

    let shadow = |event: v1::Event, policy_id: &str, verdict: v1::Verdict| v1::Event {
        resource: "/etc/shadow".to_owned(),
        policy_id: policy_id.to_owned(),
        verdict: verdict.into(),
        ..event
    };
    let mut not_enforced = shadow(event(), &push.policy_id, v1::Verdict::Alert);
    not_enforced.metadata.insert("not_enforced".to_owned(), "true".to_owned());
    let sent = vec![
        shadow(before, "", v1::Verdict::Allow),
        shadow(event(), &push.policy_id, v1::Verdict::Deny),
        not_enforced,
        shadow(event(), &push.policy_id, v1::Verdict::Allow),
        // Within the grace of the change, the policy before it is right too.
        shadow(event(), "", v1::Verdict::Allow),
        shadow(event_at(Timestamp::now() + Duration::from_mins(1)), "", v1::Verdict::Allow),
    ];
    let ids: Vec<Uuid> = sent.iter().map(|event| event.event_id.parse().expect("a UUID")).collect();
    stack.store(&mut session, sent).await;
    let mut found = Vec::new();
    for id in ids {
        let row: (Option<String>, bool, Option<String>) = sqlx::query_as(
            "SELECT server_verdict::text, drift_detected, drift_reason::text FROM events WHERE event_id = $1",
        )
        .bind(id)
        .fetch_one(&stack.app.pool)
        .await
        .expect("stored");
        found.push((row.0.unwrap_or_default(), row.1, row.2.unwrap_or_default()));
    }
    let expected = [
        ("allow", false, ""),
        ("deny", false, ""),
        ("deny", true, "not_enforced_here"),
        ("deny", true, "verdict_differs"),
        ("allow", false, ""),
        ("deny", true, "stale_policy"),
    ]
    .map(|(verdict, drift, reason)| (verdict.to_owned(), drift, reason.to_owned()));
    assert_eq!(found, expected);
    stack.stop().await;
}

#[tokio::test]
async fn ai_processes_give_their_events_a_type() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let stranger = stack.agent("two").await;
    let id = Uuid::now_v7();
    let announced = v1::DiscoveredAgent {
        discovered_agent_id: id.to_string(),
        agent_type: "claude-code".to_owned(),
        pid: 42,
        found_by: "fingerprint".to_owned(),
        first_seen_ns: event().timestamp_ns,
        ..v1::DiscoveredAgent::default()
    };
    let of = |id: Uuid| v1::Event { discovered_agent_id: Some(id.to_string()), ..event() };
    let mut sent = batch(vec![of(id)]);
    let record = v1::record::Record::DiscoveredAgent(announced.clone());
    sent.records.insert(0, v1::Record { record: Some(record) });
    let loss = v1::Loss {
        kind: v1::EventKind::Exec.into(),
        verdict: v1::Verdict::Deny.into(),
        reason: "kernel_ring".to_owned(),
        count: 3,
    };
    for count in [3, 5, 4] {
        let record = v1::record::Record::Loss(v1::Loss { count, ..loss.clone() });
        sent.records.push(v1::Record { record: Some(record) });
    }
    let mut session = stack.session(agent_id).await;
    let work = session.prepare(&stack.app, sent).await.expect("prepared");
    stack.app.ingest.store(work).await.expect("stored");
    // A later stream knows the type from the table; another agent's AI process is nobody else's.
    stack.store(&mut stack.session(agent_id).await, vec![of(id)]).await;
    stack.store(&mut stack.session(stranger).await, vec![of(id)]).await;
    assert_eq!(stack.count("SELECT count(*) FROM events WHERE agent_type = 'claude-code'").await, 2);
    assert_eq!(stack.count("SELECT count(*) FROM events WHERE agent_type IS NULL").await, 1);
    assert_eq!(stack.count("SELECT events FROM event_losses").await, 5, "cumulative, so a repeat changes nothing");
    stack.stop().await;
}

#[tokio::test]
async fn pages_and_replays_give_every_event_once() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let mut session = stack.session(agent_id).await;
    let same = Timestamp::now() - Duration::from_secs(5);
    for _ in 0..4 {
        // Many at the same instant: only the id tells them apart.
        stack.store(&mut session, (0..10).map(|_| event_at(same)).collect()).await;
    }
    let mut conn = stack.app.pool.acquire().await.expect("a connection");
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = events::page(&mut conn, &Filter::default(), cursor, 7).await.expect("a page");
        let Some(last) = page.last() else { break };
        cursor = Some(Position::in_list(last));
        seen.extend(page.iter().map(|event| event.event_id));
    }
    let mut sorted = seen.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    assert_eq!((seen.len(), &seen), (40, &sorted));

    let mut position = Position { at: Timestamp::UNIX_EPOCH, event_id: Uuid::nil() };
    let mut replayed: Vec<(Timestamp, Uuid)> = Vec::new();
    loop {
        let page = events::replay(&mut conn, &Filter::default(), position, 7).await.expect("a page");
        let Some(last) = page.last() else { break };
        position = Position::in_stream(last);
        replayed.extend(page.iter().map(|event| (event.received_at, event.event_id)));
    }
    assert_eq!(replayed.len(), 40);
    assert!(replayed.is_sorted());
    assert_eq!(events::newest_position(&mut conn).await.expect("read"), Some(position));
    drop(conn);
    stack.stop().await;
}

#[tokio::test]
async fn partitions_are_made_ahead_and_dropped_behind() {
    let stack = Stack::start().await;
    let now = Timestamp::now();
    let day = Duration::from_hours(24);
    let again = maintenance::run(&stack.app.owner, now, 30).await.expect("done");
    assert_eq!(again, partitions::Done::default(), "nothing is left to do");
    let later = maintenance::run(&stack.app.owner, now + day * 10, 5).await.expect("done");
    // From five days before then to seven after: the first three of them are there already.
    assert_eq!(later.created.len(), 10);
    // From eight days before today to four after it.
    assert_eq!(later.dropped.len(), 13);
    assert_eq!(stack.count("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass").await, 13);
    stack.stop().await;
}

#[tokio::test]
async fn an_event_without_a_partition_makes_it() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    sqlx::raw_sql(
        "DO $$ DECLARE part text; BEGIN FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits
                     WHERE inhparent = 'events'::regclass LOOP EXECUTE 'DROP TABLE ' || part; END LOOP; END $$",
    )
    .execute(&stack.app.pool)
    .await
    .expect("dropped");
    let mut session = stack.session(agent_id).await;
    tokio::time::timeout(LIMIT, stack.store(&mut session, vec![event()])).await.expect("in time");
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 1);
    stack.stop().await;
}
