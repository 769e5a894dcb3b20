//! Days of events: made, dropped, gone; and what comes too late or too early.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Connection, PgConnection};
use tyr_api::db::ApartHow;
use tyr_server::db::partitions::{self, Keeper};
use tyr_server::db::{maintenance, stats, storage};

use crate::stack::{LIMIT, Stack, batch, event, event_at};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn late_events_are_stored_as_long_as_their_day_is_kept() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let mut session = stack.session(agent_id).await;
    let now = Timestamp::now();
    // The last has no partition yet, which is made for it.
    stack.store(&mut session, vec![event_at(now - DAY * 3), event(), event_at(now - DAY * 20)]).await;
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 3);
    assert_eq!(stack.count("SELECT sum(events)::bigint FROM events_minute").await, 3);
    assert_eq!(stack.count("SELECT sum(events)::bigint FROM events_hour").await, 3);

    // Dropped by hand to five days: from then on late events of older days are told that they are gone.
    let mut keeper = Keeper::new(&stack.app.owner).await.expect("nobody else");
    let done = maintenance::drop_old(&mut keeper, now, 5).await.expect("dropped");
    keeper.close().await;
    assert!(done.dropped.len() >= 3 && done.postponed.is_empty(), "{done:?}");
    stack.store(&mut session, vec![event_at(now - DAY * 20), event_at(now - DAY * 6), event()]).await;
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 3);
    assert_eq!(stack.count("SELECT events FROM events_expired").await, 2);
    // Neither are their partitions made again.
    let created = maintenance::run(&stack.app.owner, now, 30).await.expect("done").created;
    assert_eq!(created, Vec::<String>::new());
    stack.stop().await;
}

#[tokio::test]
async fn what_has_no_place_is_visible_and_stops_nothing() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let now = Timestamp::now();
    let sent = batch(vec![event_at(now + DAY * 3), event(), event_at(now - DAY * 40), event_at(now - DAY * 41)]);
    for _ in 0..2 {
        let mut session = stack.session(agent_id).await;
        let work = session.prepare(&stack.app, sent.clone()).await.expect("prepared");
        stack.app.ingest.store(work).await.expect("stored");
    }
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 1);
    let mut conn = stack.app.pool.acquire().await.expect("a connection");
    let report = storage::report(&mut conn, now, 30).await.expect("a report");
    let apart: Vec<_> =
        report.apart.iter().map(|row| (row.agent_name.as_str(), row.how, row.reason.as_str(), row.events)).collect();
    assert!(apart.contains(&("one", ApartHow::Quarantined, "more than 24 hours in the future", 1)), "{apart:?}");
    // Counted, not kept: so a replay counts again, as documented.
    assert!(apart.contains(&("one", ApartHow::Expired, "its day was dropped already", 4)), "{apart:?}");
    drop(conn);
    stack.stop().await;
}

#[tokio::test]
async fn events_ahead_of_all_partitions_are_set_apart() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let mut session = stack.session(agent_id).await;
    // Tomorrow, which is never more than 24 hours ahead when it begins, has no partition, and none can be made: something else
    // has its name.
    let tomorrow = partitions::day(Timestamp::now() + DAY);
    let mut ahead = event_at(partitions::midnight(tomorrow));
    let name = partitions::name(tomorrow);
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("DROP TABLE {name}; CREATE TABLE {name} (n int)")))
        .execute(&stack.app.pool)
        .await
        .expect("in the way");
    ahead.resource = "/ahead".to_owned();
    tokio::time::timeout(LIMIT, stack.store(&mut session, vec![event(), ahead])).await.expect("in time");
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 1);
    assert_eq!(
        stack.count("SELECT count(*) FROM events_quarantine WHERE reason LIKE 'there is no partition%'").await,
        1
    );
    stack.stop().await;
}

#[tokio::test]
async fn deleting_takes_events_out_of_every_count() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let mut session = stack.session(agent_id).await;
    let now = Timestamp::now();
    let old = (0..30).map(|n| event_at(now - DAY * 2 - Duration::from_secs(n * 30)));
    let new = (0..7).map(|_| event());
    stack.store(&mut session, old.chain(new).collect()).await;
    let deleted = sqlx::query("DELETE FROM events WHERE ts < now() - interval '1 day'").execute(&stack.app.pool).await;
    assert_eq!(deleted.expect("the documented DELETE works").rows_affected(), 30);
    let mut conn = stack.app.pool.acquire().await.expect("a connection");
    let rates = stats::rate(&mut conn, now - DAY * 4, now).await.expect("rates");
    assert_eq!(rates.iter().map(|row| row.events).sum::<u64>(), 7);
    assert!(rates.iter().all(|row| row.minute > now - DAY), "no row says zero");
    let agents = stats::agent_events(&mut conn, now - DAY * 4, now, 10).await.expect("agents");
    assert_eq!(agents.iter().map(|row| (row.agent_id, row.events, row.allow)).collect::<Vec<_>>(), [(agent_id, 7, 7)]);
    drop(conn);
    // The day is dropped as ever, and the counts of what was deleted go with it.
    maintenance::run(&stack.app.owner, now + DAY, 1).await.expect("done");
    assert_eq!(stack.count("SELECT coalesce(sum(events), 0)::bigint FROM events_minute").await, 7);
    stack.stop().await;
}

#[tokio::test]
async fn a_long_query_holds_up_neither_ingest_nor_the_days_that_come() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let mut session = stack.session(agent_id).await;
    let now = Timestamp::now();
    stack.store(&mut session, vec![event_at(now - DAY * 3), event()]).await;
    let mut report = PgConnection::connect_with(&stack.db.options()).await.expect("connected");
    let mut tx = report.begin().await.expect("begun");
    sqlx::query("SELECT count(*) FROM events").execute(&mut *tx).await.expect("looked at every day");

    let owner = stack.app.owner.clone();
    let maintain = tokio::spawn(async move { maintenance::run(&owner, now + DAY * 2, 2).await });
    // While a day waits to be dropped, events go on being stored.
    let mut stored = 0;
    while !maintain.is_finished() {
        tokio::time::timeout(Duration::from_secs(2), stack.store(&mut session, vec![event()])).await.expect("at once");
        stored += 1;
    }
    let done = maintain.await.expect("no panic").expect("no failure");
    assert!(stored > 5, "{stored}");
    assert!(!done.postponed.is_empty() && done.dropped.is_empty(), "{done:?}");
    assert_eq!(done.created.len(), 2, "days that come don't wait for it either");
    assert_eq!(stack.count("SELECT count(*) FROM pg_inherits WHERE inhdetachpending").await, 1);

    tx.rollback().await.expect("the report ends");
    let done = maintenance::run(&stack.app.owner, now + DAY * 2, 2).await.expect("done");
    assert!(done.postponed.is_empty() && !done.dropped.is_empty(), "{done:?}");
    assert_eq!(stack.count("SELECT count(*) FROM events WHERE ts < now() - interval '2 days'").await, 0);
    report.close().await.expect("closed");
    stack.stop().await;
}

#[tokio::test]
async fn a_crash_between_the_steps_is_taken_up_and_foreign_tables_are_left_alone() {
    let stack = Stack::start().await;
    let now = Timestamp::now();
    let day = |back: i32| partitions::name(partitions::day(now - DAY * back.unsigned_abs()));
    let (marked, detached, foreign) = (day(6), day(7), day(8));
    let sql = format!(
        "COMMENT ON TABLE {marked} IS 'tyr-server is dropping this table';
         COMMENT ON TABLE {detached} IS 'tyr-server is dropping this table';
         ALTER TABLE events DETACH PARTITION {detached};
         ALTER TABLE events DETACH PARTITION {foreign};"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&stack.app.pool).await.expect("as a crash leaves it");
    let done = maintenance::run(&stack.app.owner, now, 5).await.expect("done");
    assert_eq!(done.dropped, [detached, marked], "the day that was only marked is too old, so it goes too");
    let archived = format!("SELECT count(*) FROM {foreign}");
    let kept: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(archived)).fetch_one(&stack.app.pool).await.expect("there");
    assert_eq!(kept, 0, "what somebody detached to keep is kept");
    stack.stop().await;
}

#[tokio::test]
async fn a_crash_before_the_answer_stores_nothing_twice() {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let events: Vec<_> = (0..200).map(|_| event()).collect();
    for round in 0..4 {
        let mut session = stack.session(agent_id).await;
        let work = session.prepare(&stack.app, batch(events.clone())).await.expect("prepared");
        // The agent is gone before it hears of it; its backend may be killed in the middle of the COPY.
        let app = std::sync::Arc::clone(&stack.app);
        let store = tokio::spawn(async move { app.ingest.store(work).await });
        if round % 2 == 1 {
            sqlx::query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE datname = current_database() AND application_name = 'tyr-server ingest'",
            )
            .execute(&stack.app.pool)
            .await
            .expect("killed");
        }
        // Stored or not stored: the agent can't know.
        let _ = store.await.expect("no panic");
    }
    let mut session = stack.session(agent_id).await;
    stack.store(&mut session, events).await;
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 200);
    assert_eq!(stack.count("SELECT sum(events)::bigint FROM events_minute").await, 200);
    assert_eq!(stack.count("SELECT sum(events)::bigint FROM events_hour").await, 200);
    assert_eq!(stack.count("SELECT count(*) FROM (SELECT DISTINCT received_at FROM events) d").await, 1);
    stack.stop().await;
}
