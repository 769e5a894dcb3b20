//! The hot queries read what they should read: plans, by EXPLAIN of the very text that the server runs.

use jiff::Timestamp;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use tyr_server::db::partitions;
use uuid::Uuid;

use crate::stack::{LIMIT, Stack};

const RATE: &str = include_str!("../../../src/db/sql/rate.sql");
const DRIFT: &str = include_str!("../../../src/db/sql/drift.sql");
const DRIFTS_SINCE: &str = include_str!("../../../src/db/sql/drifts_since.sql");
const AGENT_EVENTS: &str = include_str!("../../../src/db/sql/agent_events.sql");
const EVENTS_PAGE: &str = include_str!("../../../src/db/sql/events.sql");
const EVENTS_REPLAY: &str = include_str!("../../../src/db/sql/events_replay.sql");
const RECOUNT_DRIFT: &str = include_str!("../../../src/db/sql/recount_drift.sql");
const PARTITIONS: &str = include_str!("../../../src/db/sql/partitions.sql");
const DRIFT_BY: &str = include_str!("../../../src/db/sql/drift_by.sql");
const M6: &str = include_str!("../../../src/db/sql/documented/M6.sql");
const M8: &str = include_str!("../../../src/db/sql/documented/M8.sql");

/// A day of events, one in two hundred of which drifted, and statistics on them.
async fn filled() -> Stack {
    let stack = Stack::start().await;
    let mut filler = PgConnection::connect_with(&stack.db.options()).await.expect("connected");
    sqlx::raw_sql(
        "INSERT INTO events (event_id, agent_id, ts, received_at, pid, kind, verdict, severity, drift_detected, resource,
                             process_exe, cmdline)
         SELECT gen_random_uuid(), md5((n % 20)::text)::uuid, now() - n * interval '4 seconds', now(), 1, 'file_read', 'allow',
                'low', n % 200 = 0, '/etc/hostname', '/usr/bin/node', 'node cli.js'
           FROM generate_series(1, 20000) n;
         INSERT INTO events_minute (minute, shard, verdict, kind, events, drifts)
         SELECT date_trunc('minute', ts), 0, verdict, kind, count(*), 0 FROM events GROUP BY 1, 3, 4;
         INSERT INTO events_hour (hour, agent_id, verdict, events, drifts)
         SELECT date_trunc('hour', ts), agent_id, verdict, count(*), 0 FROM events GROUP BY 1, 2, 3;",
    )
    .execute(&mut filler)
    .await
    .expect("filled");
    filler.close().await.expect("closed");
    // A backend tells the statistics what it did when it ends; after the VACUUM, which counts by itself, it would count twice.
    let told =
        "SELECT sum(pg_stat_get_live_tuples(inhrelid))::bigint FROM pg_inherits WHERE inhparent = 'events'::regclass";
    tokio::time::timeout(LIMIT, async { while stack.count(told).await < 20_000 {} }).await.expect("told");
    sqlx::raw_sql("VACUUM ANALYZE events, events_minute, events_hour")
        .execute(&stack.app.pool)
        .await
        .expect("analysed");
    stack
}

async fn plan(
    stack: &Stack,
    sql: &str,
    bind: impl FnOnce(Query<'static, Postgres, PgArguments>) -> Query<'static, Postgres, PgArguments>,
) -> String {
    let query = sqlx::query(AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {sql}")));
    let mut tx = stack.app.pool.begin().await.expect("begun");
    // Early in the day there is little in its partition, and reading that from end to end would be right.
    sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *tx).await.expect("set");
    let rows = bind(query).fetch_all(&mut *tx).await.expect("explained");
    rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 0)).collect::<Vec<_>>().join("\n")
}

/// The partition that holds most of the events: today's or yesterday's.
async fn busiest(stack: &Stack) -> String {
    sqlx::query_scalar("SELECT tableoid::regclass::text FROM events GROUP BY tableoid ORDER BY count(*) DESC LIMIT 1")
        .fetch_one(&stack.app.pool)
        .await
        .expect("has events")
}

fn span(hours: i64) -> (jiff_sqlx::Timestamp, jiff_sqlx::Timestamp) {
    use jiff_sqlx::ToSqlx;
    let now = Timestamp::now();
    ((now - jiff::SignedDuration::from_hours(hours)).to_sqlx(), now.to_sqlx())
}

#[tokio::test]
async fn rates_read_the_rollup_and_drift_reads_the_partial_index() {
    let stack = filled().await;
    let (since, until) = span(1);
    let rate = plan(&stack, RATE, |query| query.bind(since).bind(until)).await;
    assert!(rate.contains("events_minute") && !rate.contains("events_2"), "{rate}");

    let (since, until) = span(24);
    let nobody = None::<Uuid>;
    let drift = plan(&stack, DRIFT, |query| query.bind(since).bind(until).bind(nobody)).await;
    assert!(drift.contains("Index Only Scan"), "{drift}");
    let by_kind = plan(&stack, DRIFT_BY, |query| query.bind(since).bind(until).bind(nobody).bind("kind")).await;
    let drifts = plan(&stack, DRIFTS_SINCE, |query| query.bind(since)).await;
    let documented = plan(&stack, M8, |query| query).await;
    let partial = format!("{}_ts_agent_id_idx", busiest(&stack).await);
    for plan in [drift, by_kind, drifts, documented] {
        assert!(plan.contains(&partial), "{partial}: {plan}");
    }

    let agents = plan(&stack, AGENT_EVENTS, |query| query.bind(since).bind(until).bind(100_i64)).await;
    assert!(agents.contains("events_hour") && !agents.contains("events_2"), "{agents}");

    // The documented rate query, which no answer of ours uses, at least reads one hour alone.
    let documented = plan(&stack, M6, |query| query).await;
    let today = partitions::name(partitions::day(Timestamp::now()));
    assert!(documented.contains(&format!("{today}_ts_idx")), "{documented}");
    stack.stop().await;
}

#[tokio::test]
async fn lists_of_drift_read_the_partial_index_and_the_report_no_table_from_end_to_end() {
    let stack = filled().await;
    let (none, since, no_instant) = (None::<String>, span(24).0, None::<jiff_sqlx::Timestamp>);
    let page = plan(&stack, EVENTS_PAGE, |query| {
        let words = None::<Vec<String>>;
        let query = query.bind(None::<Uuid>).bind(None::<Uuid>).bind(words.clone()).bind(words);
        let query = query.bind(none.clone()).bind(none.clone()).bind(true);
        query.bind(since).bind(no_instant).bind(no_instant).bind(None::<Uuid>).bind(100_i64)
    });
    let page = page.await;
    let partial = format!("{}_ts_agent_id_idx", busiest(&stack).await);
    assert!(page.contains(&partial) && !page.contains("Seq Scan on events_"), "{partial}: {page}");

    // What has arrived since is read by its arrival; drift among it needs no other index.
    let arrived = format!("{}_received_at_idx", busiest(&stack).await);
    let (minute_ago, now) = span(0);
    let replay = plan(&stack, EVENTS_REPLAY, |query| {
        let query = query.bind(minute_ago).bind(Uuid::nil()).bind(None::<Uuid>).bind(none.clone());
        let query = query.bind(none.clone()).bind(none.clone()).bind(true);
        query.bind(no_instant).bind(no_instant).bind(none.clone()).bind(100_i64)
    });
    let replay = replay.await;
    assert!(replay.contains(&arrived) && !replay.contains("Seq Scan on events_"), "{arrived}: {replay}");

    let recount = plan(&stack, RECOUNT_DRIFT, |query| query.bind(now)).await;
    assert!(
        (recount.contains(&partial) || recount.contains(&arrived)) && !recount.contains("Seq Scan on events_"),
        "{recount}"
    );

    let report = plan(&stack, PARTITIONS, |query| query).await;
    assert!(report.contains("_ts_idx") && !report.contains("Seq Scan on events_"), "{report}");
    stack.stop().await;
}

#[tokio::test]
async fn the_report_counts_sizes_and_rebuilding_takes_air_out() {
    let stack = filled().await;
    let mut conn = stack.app.pool.acquire().await.expect("a connection");
    tyr_server::db::maintenance::write_down_sizes(&mut conn).await.expect("written");
    sqlx::query("UPDATE table_sizes SET day = day - 2, bytes = bytes - 8192 * 2 WHERE table_name = 'agents'")
        .execute(&mut *conn)
        .await
        .expect("two days ago");
    let report = tyr_server::db::storage::report(&mut conn, Timestamp::now(), 30).await.expect("a report");
    let events = report.tables.iter().find(|table| table.table == "events").expect("listed");
    assert!((19_000..=21_000).contains(&events.rows), "{events:?}");
    assert_eq!(events.bytes, report.partitions.iter().map(|day| day.bytes).sum::<u64>());
    let today = partitions::midnight(partitions::day(Timestamp::now()));
    let over: Vec<u64> =
        report.partitions.iter().filter(|day| day.from < today && day.rows > 0).map(|day| day.bytes).collect();
    let mean = over.iter().sum::<u64>().checked_div(over.len() as u64);
    assert_eq!(events.growth_bytes_per_day, mean.map(u64::cast_signed), "a day of events, as those that are over had");
    assert_eq!(report.events_bytes_per_day, mean);
    let agents = report.tables.iter().find(|table| table.table == "agents").expect("listed");
    assert_eq!(agents.growth_bytes_per_day, Some(8192));
    assert!(report.connections.iter().any(|row| row.application == "tyr-server"), "{:?}", report.connections);
    assert_eq!(report.migrations.len(), std::fs::read_dir("../migrations").expect("there").count());
    let newest = report.partitions.iter().find(|day| day.newest_ts.is_some()).expect("has events");
    assert!(newest.oldest_ts <= newest.newest_ts && newest.rows > 0);

    // Every second row goes: half of the index is air until it is built anew.
    let day = partitions::name(partitions::day(Timestamp::now()));
    let index = format!("{day}_ts_idx");
    sqlx::raw_sql(AssertSqlSafe(format!(
        "INSERT INTO {day} SELECT gen_random_uuid(), agent_id, date_trunc('day', now(), 'UTC') + n * interval '1 second', discovered_agent_id,
                received_at, pid, policy_version, kind, verdict, server_verdict, severity, drift_reason, drift_detected,
                policy_id, rule, agent_type, resource, process_exe, cmdline, metadata
           FROM (SELECT * FROM events LIMIT 1) e, generate_series(1, 40000) n;
         DELETE FROM events WHERE ts >= date_trunc('day', now(), 'UTC') AND extract(second FROM ts)::int % 10 <> 0"
    )))
    .execute(&mut *conn)
    .await
    .expect("thinned out");
    sqlx::raw_sql(AssertSqlSafe(format!("VACUUM ANALYZE {day}"))).execute(&mut *conn).await.expect("vacuumed");
    let size = |rows: Vec<tyr_api::db::IndexRow>| rows.into_iter().find(|row| row.index == index).expect("listed");
    let before = size(tyr_server::db::storage::indexes(&mut conn).await.expect("indexes"));
    assert!(before.bloat_percent.is_some_and(|percent| percent > 50), "{before:?}");
    let mut owner = stack.app.owner.connect().await.expect("connected");
    let bytes = tyr_server::db::reindex::rebuild(&mut owner, &index).await.expect("rebuilt");
    let after = size(tyr_server::db::storage::indexes(&mut conn).await.expect("indexes"));
    assert_eq!(after.bytes, bytes);
    assert!(after.bytes * 2 < before.bytes && after.bloat_percent.is_some_and(|percent| percent < 20), "{after:?}");
    assert_eq!(tyr_server::db::reindex::clean_up(&mut owner).await.expect("looked"), Vec::<String>::new());
    drop(conn);
    stack.stop().await;
}
