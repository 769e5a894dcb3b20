//! How long does it take to drop a day while events are stored, and how much longer do batches wait for their acknowledgement?
//!
//! `cargo bench -p tyr-server --bench retention` (ROWS=50_000 per day, DAYS=5, AGENTS=16, SECONDS=10, PACE=5_000 events/s). The
//! full size: `ROWS=1_600_000 SECONDS=30`. The days are left as a day is that has passed: vacuumed, written to disk, and no longer in the
//! page cache.

mod common;

use std::time::{Duration, Instant};

use common::{Bench, ms, paced, quantile, say, size};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, PgPool};
use tyr_server::db::partitions::{self, Keeper};

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let (rows, days, agents, seconds, pace) =
        (size("ROWS", 50_000), size("DAYS", 5), size("AGENTS", 16), size("SECONDS", 10), size("PACE", 5_000));
    let bench = Bench::start().await;
    let pool = bench.pool().await;
    let today = partitions::day(Timestamp::now());
    let mut old = Vec::new();
    for back in 1..=days {
        let day = today.checked_sub(jiff::Span::new().days(i64::try_from(back).expect("few"))).expect("in range");
        let sql = format!(
            "INSERT INTO events (event_id, agent_id, ts, received_at, pid, kind, verdict, severity, resource, process_exe, cmdline)
             SELECT gen_random_uuid(), md5((n % 100)::text)::uuid, '{day} 00:00:00+00'::timestamptz + n * interval '1 day' / {},
                    now(), 1, 'file_read', 'allow', 'low', '/home/alice/projects/web/package-' || n, '/usr/bin/node', 'node cli.js'
               FROM generate_series(1, {rows}) n",
            rows + 1
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.expect("filled");
        old.push(day);
    }
    for day in &old {
        let vacuum = format!("VACUUM (FREEZE, ANALYZE) {}", partitions::name(*day));
        sqlx::raw_sql(AssertSqlSafe(vacuum)).execute(&pool).await.expect("vacuumed");
    }
    sqlx::raw_sql("CHECKPOINT").execute(&pool).await.expect("written");
    for day in &old {
        forget(&pool, &partitions::name(*day)).await;
    }
    let span = Duration::from_secs(seconds as u64);
    let fleet = bench.agents(agents).await;
    // Twice without: the first warms up.
    let (fleet, _) = paced(fleet, pace, span / 2).await;
    let (fleet, quiet) = paced(fleet, pace, span).await;
    let drops = tokio::spawn({
        let owner = bench.app.owner.clone();
        let mut ticks = tokio::time::interval(span / u32::try_from(days + 1).expect("few"));
        async move {
            let mut times = Vec::new();
            ticks.tick().await;
            for day in old {
                ticks.tick().await;
                let mut keeper = Keeper::new(&owner).await.expect("nobody else");
                let begun = Instant::now();
                assert!(keeper.drop_day(day).await.expect("dropped"), "postponed");
                times.push(begun.elapsed());
                keeper.close().await;
            }
            times
        }
    });
    let (fleet, busy) = paced(fleet, pace, span).await;
    let mut times = drops.await.expect("no panic");
    times.sort_unstable();
    say(&format!(
        "retention: a day of {rows} rows is dropped in p50 {:.1} ms, at most {:.1} ms (aim <= 100)",
        ms(quantile(&times, 0.5)),
        ms(times[times.len() - 1])
    ));
    let (without, with) = (ms(quantile(&quiet, 0.99)), ms(quantile(&busy, 0.99)));
    say(&format!(
        "retention: acknowledgements at {pace} events/s: p99 {without:.1} ms without, {with:.1} ms while days are dropped: {:.2} times (aim < 1.5)",
        with / without
    ));
    drop(fleet);
    pool.close().await;
    bench.stop().await;
}

/// Takes a table and its indexes out of the page cache.
async fn forget(pool: &PgPool, table: &str) {
    let files: Vec<String> = sqlx::query_scalar(
        "SELECT current_setting('data_directory') || '/' || pg_relation_filepath(c.oid) FROM pg_class c
          WHERE c.oid = $1::regclass OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = $1::regclass)",
    )
    .bind(table)
    .fetch_all(pool)
    .await
    .expect("asked");
    assert!(files.len() > 1, "a table and its indexes");
    for name in files {
        let file = std::fs::File::open(&name).expect("opened");
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("forgotten");
    }
}
