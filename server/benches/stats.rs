//! How long do rates, drift and agents take at many stored events, beside the documented SQL in psql, and `/health` meanwhile?
//!
//! `cargo bench -p tyr-server --bench stats` (EVENTS=200_000 stored over 30 days, HOUR=20_000 more in the last hour,
//! AGENTS=1_000, RUNS=50). The full size, in a folder with 30 GB of room (kept when TYR_BENCH_DIR names it):
//!
//! `EVENTS=50_000_000 HOUR=1_800_000 TYR_BENCH_DIR=/some/where cargo bench -p tyr-server --bench stats`

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::{Bench, ms, quantile, say, size};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;

const M3: &str = include_str!("../src/db/sql/documented/M3.sql");
const M6: &str = include_str!("../src/db/sql/documented/M6.sql");
const M8: &str = include_str!("../src/db/sql/documented/M8.sql");
const DAYS: usize = 30;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let (events, hour, agents, runs) =
        (size("EVENTS", 200_000), size("HOUR", 20_000), size("AGENTS", 1_000), size("RUNS", 50));
    let bench = Bench::start().await;
    let pool = bench.pool().await;
    fill(&pool, events, hour, agents).await;
    let http = reqwest::Client::new();
    let password = json!({"username": "bench", "password": "a password for benches"});
    let session: Value = ask(http.post(format!("{}/api/v1/auth/setup", bench.rest)).json(&password)).await;
    let token = session["token"].as_str().expect("a token").to_owned();
    let get = |path: &str| http.get(format!("{}{path}", bench.rest)).bearer_auth(&token);

    say(&format!("stats: {events} events in {DAYS} days, {hour} more in the last hour, {agents} agents"));
    for (name, path, sql, aim) in [
        ("rate", "/api/v1/stats/rate", M6, Some(5.0)),
        ("drift", "/api/v1/stats/drift", M8, None),
        ("agents", "/api/v1/agents", M3, None),
    ] {
        let psql = psql(&bench.database, sql, runs.min(11));
        let mut times = Vec::new();
        for _ in 0..runs {
            let begun = Instant::now();
            let _: Value = ask(get(path)).await;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let p50 = ms(quantile(&times, 0.5));
        let aim = aim.unwrap_or(ms(psql) + 5.0);
        say(&format!(
            "stats: {name} p50 {p50:.1} ms, p99 {:.1} ms (aim: p50 <= {aim:.1}); documented SQL in psql {:.1} ms",
            ms(quantile(&times, 0.99)),
            ms(psql)
        ));
    }
    let mut times = Vec::new();
    for _ in 0..runs {
        let begun = Instant::now();
        let _: Value = ask(get("/api/v1/stats/agents")).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    say(&format!(
        "stats: events by agent p50 {:.1} ms, p99 {:.1} ms",
        ms(quantile(&times, 0.5)),
        ms(quantile(&times, 0.99))
    ));

    let stop = CancellationToken::new();
    let paths = ["/api/v1/stats/rate", "/api/v1/stats/drift", "/api/v1/agents", "/api/v1/events?limit=100"];
    let load: Vec<_> = paths
        .iter()
        .map(|path| {
            let (request, stop) = (get(path), stop.clone());
            tokio::spawn(async move {
                let mut answers = 0_u64;
                while !stop.is_cancelled() {
                    let _: Value = ask(request.try_clone().expect("no body")).await;
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    let mut times = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..runs * 20 {
        ticks.tick().await;
        let begun = Instant::now();
        let _: Value = ask(http.get(format!("{}/health", bench.rest))).await;
        times.push(begun.elapsed());
    }
    stop.cancel();
    let mut answers = 0;
    for task in load {
        answers += task.await.expect("no panic");
    }
    times.sort_unstable();
    say(&format!(
        "stats: /health p50 {:.1} ms, p99 {:.1} ms (aim: p99 <= 5.0) beside {answers} answers of four clients without a pause",
        ms(quantile(&times, 0.5)),
        ms(quantile(&times, 0.99))
    ));
    pool.close().await;
    bench.stop().await;
}

async fn ask(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.expect("an answer");
    assert!(response.status().is_success(), "{}", response.status());
    response.json().await.expect("JSON")
}

/// Median of what psql's `\timing` says.
fn psql(url: &str, sql: &str, runs: usize) -> Duration {
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-o", "/dev/null", url, "-c", "\\timing on"]);
    // The first is cold.
    for _ in 0..=runs {
        command.args(["-c", sql]);
    }
    let output = command.output().expect("psql");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let mut times: Vec<Duration> = text
        .lines()
        .filter_map(|line| line.strip_prefix("Time: ")?.split(' ').next()?.parse::<f64>().ok())
        .skip(1)
        .map(|ms| Duration::from_secs_f64(ms / 1e3))
        .collect();
    assert!(!times.is_empty(), "psql says no times: {text}");
    times.sort_unstable();
    quantile(&times, 0.5)
}

/// Agents, and events over all days with one drift in five thousand, unless an earlier run left them.
async fn fill(pool: &PgPool, events: usize, hour: usize, agents: usize) {
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM agents)").fetch_one(pool).await.expect("asked");
    if there {
        return;
    }
    let run = |sql: String| async move {
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    };
    run(format!(
        "INSERT INTO agents (agent_id, name, last_seen, client_cert, cert_serial, cert_not_after)
         SELECT md5(n::text)::uuid, 'host-' || n, now() - (n % 10) * interval '1 minute', '-', '-', now() FROM generate_series(1, {agents}) n"
    ))
    .await;
    for back in 0..DAYS {
        run(format!(
            "DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date - {back}; name text := 'events_' || to_char(day, 'YYYYMMDD');
             BEGIN
               IF to_regclass(name) IS NULL THEN
                 EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)', name,
                                day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
               END IF;
             END $$"
        ))
        .await;
        // In order of time, as events come; none of today's is ahead of now.
        let count = events / DAYS;
        run(insert(
            agents,
            count,
            &format!(
                "greatest((now() AT TIME ZONE 'UTC')::date - {back}, date '2000-01-01')::timestamp AT TIME ZONE 'UTC' \
             + n * (least(now(), ((now() AT TIME ZONE 'UTC')::date - {back} + 1)::timestamp AT TIME ZONE 'UTC') \
             - ((now() AT TIME ZONE 'UTC')::date - {back})::timestamp AT TIME ZONE 'UTC') / {}",
                count + 1
            ),
        ))
        .await;
    }
    run(insert(agents, hour, &format!("now() - interval '1 hour' + n * interval '1 hour' / {}", hour + 1))).await;
    run("INSERT INTO events_minute (minute, shard, verdict, kind, events, drifts)
         SELECT date_trunc('minute', ts), 0, verdict, kind, count(*), count(*) FILTER (WHERE drift_detected) FROM events GROUP BY 1, 3, 4"
        .to_owned())
    .await;
    run("INSERT INTO events_hour (hour, agent_id, verdict, events, drifts)
         SELECT date_trunc('hour', ts, 'UTC'), agent_id, verdict, count(*), count(*) FILTER (WHERE drift_detected) FROM events GROUP BY 1, 2, 3"
        .to_owned())
    .await;
    run("VACUUM ANALYZE".to_owned()).await;
}

fn insert(agents: usize, count: usize, ts: &str) -> String {
    format!(
        "INSERT INTO events (event_id, agent_id, ts, received_at, pid, kind, verdict, server_verdict, severity, drift_detected,
                             drift_reason, resource, process_exe, cmdline, metadata)
         SELECT gen_random_uuid(), md5((1 + n % {agents})::text)::uuid, x.ts, x.ts, 4242,
                (enum_range(NULL::event_kind))[1 + n % 5], CASE WHEN n % 50 = 0 THEN 'deny' ELSE 'allow' END::event_verdict, 'allow', 'low',
                n % 5000 = 0, CASE WHEN n % 5000 = 0 THEN 'verdict_differs' END::drift_reason,
                '/home/alice/projects/web/node_modules/package-' || n % 997 || '/index.js', '/usr/bin/node',
                'node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js --dangerously-skip', '{{\"count\": \"3\", \"uid\": \"1000\"}}'
           FROM generate_series(1, {count}) n, LATERAL (SELECT {ts} AS ts) x"
    )
}
