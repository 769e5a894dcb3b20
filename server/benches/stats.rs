//! How long do rates, drift and agents take at many stored events, beside the documented SQL in psql, and `/health` meanwhile?
//!
//! `cargo bench -p tyr-server --bench stats` (EVENTS=200_000 stored over 30 days, HOUR=20_000 in the last hour, AGENTS=1_000,
//! RUNS=50; for `/health` SECONDS=10 with PACE=5_000 events/s from FLEET=16 agents). The full size, in a folder with 30 GB of
//! room (kept when TYR_BENCH_DIR names it; a later run finds the days there and makes the last hour anew):
//!
//! `EVENTS=50_000_000 HOUR=1_800_000 SECONDS=30 TYR_BENCH_DIR=/some/where cargo bench -p tyr-server --bench stats`

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::{BATCH, Bench, ms, paced, quantile, rate, say, size};
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
    let reader = Reader::new(&bench.rest).await;
    let (stored, last_hour): (i64, i64) = sqlx::query_as(
        "SELECT sum(events)::bigint, (sum(events) FILTER (WHERE minute > now() - interval '1 hour'))::bigint FROM events_minute",
    )
    .fetch_one(&pool)
    .await
    .expect("counted");
    say(&format!("stats: {stored} events in {DAYS} days, {last_hour} of them in the last hour, {agents} agents"));
    // What `tyrctl events rate`, `drift` and `agents --stale=2m` ask for.
    for (name, path, sql, aim) in [
        ("rate", "/api/v1/stats/rate", M6, Some(5.0)),
        ("drift", "/api/v1/stats/drift", M8, None),
        ("agents", "/api/v1/agents?unheard_for_s=120", M3, None),
    ] {
        let psql = psql(&bench.database, sql, runs.min(11));
        let times = reader.times(path, runs).await;
        let aim = aim.unwrap_or(ms(psql) + 5.0);
        say(&format!(
            "stats: {name} p50 {:.1} ms, p99 {:.1} ms (aim: p50 <= {aim:.1}); documented SQL in psql {:.1} ms",
            ms(quantile(&times, 0.5)),
            ms(quantile(&times, 0.99)),
            ms(psql)
        ));
    }
    let times = reader.times("/api/v1/stats/agents", runs).await;
    say(&format!(
        "stats: events by agent p50 {:.1} ms, p99 {:.1} ms (no aim: nothing documented to compare with)",
        ms(quantile(&times, 0.5)),
        ms(quantile(&times, 0.99))
    ));
    health(&bench, &reader).await;
    pool.close().await;
    bench.stop().await;
}

/// How long `/health` takes while agents store events and clients ask for all of the above, without a pause.
async fn health(bench: &Bench, reader: &Reader) {
    let (fleet, pace, seconds) = (size("FLEET", 16), size("PACE", 5_000), size("SECONDS", 10));
    let span = Duration::from_secs(seconds as u64);
    let (storing, stop) = (tokio::spawn(paced(bench.agents(fleet).await, pace, span)), CancellationToken::new());
    let paths = ["/api/v1/stats/rate", "/api/v1/stats/drift", "/api/v1/agents", "/api/v1/events?limit=100"];
    let asking: Vec<_> = paths
        .iter()
        .map(|path| {
            let (stop, request) = (stop.clone(), reader.get(path).build().expect("a request"));
            // With a runtime of its own: a client is another program, and shares no threads with the server.
            std::thread::spawn(move || {
                alone(async move {
                    let http = reqwest::Client::new();
                    let mut answers = 0_u64;
                    while !stop.is_cancelled() {
                        let request = request.try_clone().expect("no body");
                        ask(reqwest::RequestBuilder::from_parts(http.clone(), request)).await;
                        answers += 1;
                    }
                    answers
                })
            })
        })
        .collect();
    let probe = reader.get("/health").build().expect("a request");
    let probing = std::thread::spawn(move || {
        alone(async move {
            let (http, begun, mut times) = (reqwest::Client::new(), Instant::now(), Vec::new());
            let mut ticks = tokio::time::interval(Duration::from_millis(10));
            while begun.elapsed() < span {
                ticks.tick().await;
                let probe = probe.try_clone().expect("no body");
                let begun = Instant::now();
                ask(reqwest::RequestBuilder::from_parts(http.clone(), probe)).await;
                times.push(begun.elapsed());
            }
            times
        })
    });
    let begun = Instant::now();
    let mut times = ended(probing).await;
    stop.cancel();
    let mut answers = 0;
    for thread in asking {
        answers += ended(thread).await;
    }
    let (agents, acknowledged) = storing.await.expect("no panic");
    let stored = rate(acknowledged.len() * BATCH, begun.elapsed());
    drop(agents);
    times.sort_unstable();
    say(&format!(
        "stats: /health p50 {:.1} ms, p99 {:.1} ms (aim: p99 <= 5.0) beside {stored:.0} events/s stored through gRPC by {fleet} agents \
         and {answers} answers of four clients without a pause",
        ms(quantile(&times, 0.5)),
        ms(quantile(&times, 0.99))
    ));
}

/// On a runtime of this thread alone.
fn alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

async fn ended<T: Send + 'static>(thread: std::thread::JoinHandle<T>) -> T {
    tokio::task::spawn_blocking(|| thread.join().expect("no panic")).await.expect("no panic")
}

/// Somebody who is logged in.
struct Reader {
    http: reqwest::Client,
    rest: String,
    token: String,
}

impl Reader {
    /// The first user of the server, who may be there since an earlier run.
    async fn new(rest: &str) -> Self {
        let http = reqwest::Client::new();
        let password = json!({"username": "bench", "password": "a password for benches"});
        let post = |path: &str| http.post(format!("{rest}/api/v1/auth/{path}")).json(&password);
        let mut response = post("setup").send().await.expect("an answer");
        if response.status() == reqwest::StatusCode::CONFLICT {
            response = post("login").send().await.expect("an answer");
        }
        assert!(response.status().is_success(), "{}", response.status());
        let session: Value = response.json().await.expect("JSON");
        let token = session["token"].as_str().expect("a token").to_owned();
        Self { http, rest: rest.to_owned(), token }
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.rest)).bearer_auth(&self.token)
    }

    /// How long so many answers took, one after the other; sorted.
    async fn times(&self, path: &str, runs: usize) -> Vec<Duration> {
        let mut times = Vec::with_capacity(runs);
        for _ in 0..runs {
            let begun = Instant::now();
            ask(self.get(path)).await;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        times
    }
}

/// Until the last byte is there: what a client makes of it is the client's time.
async fn ask(request: reqwest::RequestBuilder) {
    let response = request.send().await.expect("an answer");
    assert!(response.status().is_success(), "{}", response.status());
    let body = response.bytes().await.expect("a whole answer");
    assert!(body.starts_with(b"{"), "JSON");
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

/// Agents and events, one in five thousand a drift: over all days unless an earlier run left them, and those of the last hour.
async fn fill(pool: &PgPool, events: usize, hour: usize, agents: usize) {
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM agents)").fetch_one(pool).await.expect("asked");
    if !there {
        fill_days(pool, events, agents).await;
    }
    // The hour before now may have begun yesterday.
    for back in 0..2 {
        make_day(pool, back).await;
    }
    run(pool, "CREATE TABLE IF NOT EXISTS bench_hour (since timestamptz NOT NULL)").await;
    // What an earlier run made its last hour of goes, and what agents stored in it.
    let since: String = sqlx::query_scalar("SELECT least(min(since), now() - interval '1 hour')::text FROM bench_hour")
        .fetch_one(pool)
        .await
        .expect("asked");
    run(pool, &format!("DELETE FROM events WHERE ts >= '{since}'")).await;
    run(pool, "DELETE FROM bench_hour; INSERT INTO bench_hour SELECT now() - interval '1 hour'").await;
    run(pool, &insert(agents, hour, &format!("now() - interval '1 hour' + n * interval '1 hour' / {}", hour + 1)))
        .await;
    count(pool, &since).await;
    run(pool, "VACUUM ANALYZE").await;
    run(pool, "CHECKPOINT").await;
}

async fn fill_days(pool: &PgPool, events: usize, agents: usize) {
    run(pool, &format!(
        "INSERT INTO agents (agent_id, name, last_seen, client_cert, cert_serial, cert_not_after)
         SELECT md5(n::text)::uuid, 'host-' || n, now() - (n % 10) * interval '1 minute', '-', '-', now() FROM generate_series(1, {agents}) n"
    ))
    .await;
    for back in 0..DAYS {
        make_day(pool, back).await;
        // In order of time, as events come; none of today's is ahead of now.
        let (day, count) = (format!("((now() AT TIME ZONE 'UTC')::date - {back})"), events / DAYS);
        let (begin, end) =
            (format!("{day}::timestamp AT TIME ZONE 'UTC'"), format!("({day} + 1)::timestamp AT TIME ZONE 'UTC'"));
        let ts = format!("{begin} + n * (least(now(), {end}) - {begin}) / {}", count + 1);
        run(pool, &insert(agents, count, &ts)).await;
    }
    count(pool, "-infinity").await;
}

/// Makes a day's partition, unless the server has.
async fn make_day(pool: &PgPool, back: usize) {
    run(pool, &format!(
        "DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date - {back}; name text := 'events_' || to_char(day, 'YYYYMMDD');
         BEGIN
           IF to_regclass(name) IS NULL THEN
             EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)', name,
                            day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
           END IF;
         END $$"
    ))
    .await;
}

/// Counts the events of whole hours since then anew, as the server does when it stores them: its writer has shard 0 of
/// `events_minute` and no other.
async fn count(pool: &PgPool, since: &str) {
    let hour = format!("date_trunc('hour', '{since}'::timestamptz, 'UTC')");
    run(
        pool,
        &format!(
            "DELETE FROM events_minute WHERE minute >= {hour};
         DELETE FROM events_hour WHERE hour >= {hour};
         INSERT INTO events_minute (minute, shard, verdict, kind, events, drifts)
         SELECT date_trunc('minute', ts), 0, verdict, kind, count(*), count(*) FILTER (WHERE drift_detected)
           FROM events WHERE ts >= {hour} GROUP BY 1, 3, 4;
         INSERT INTO events_hour (hour, agent_id, verdict, events, drifts)
         SELECT date_trunc('hour', ts, 'UTC'), agent_id, verdict, count(*), count(*) FILTER (WHERE drift_detected)
           FROM events WHERE ts >= {hour} GROUP BY 1, 2, 3"
        ),
    )
    .await;
}

async fn run(pool: &PgPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Of every kind with every verdict, as a fleet has them: so many rows has the answer about rates.
fn insert(agents: usize, count: usize, ts: &str) -> String {
    format!(
        "INSERT INTO events (event_id, agent_id, ts, received_at, pid, kind, verdict, server_verdict, severity, drift_detected,
                             drift_reason, resource, process_exe, cmdline, metadata)
         SELECT gen_random_uuid(), md5((1 + n % {agents})::text)::uuid, x.ts, x.ts, 4242,
                (enum_range(NULL::event_kind))[1 + n / 50 % 5],
                CASE n % 50 WHEN 0 THEN 'deny' WHEN 1 THEN 'alert' ELSE 'allow' END::event_verdict, 'allow', 'low',
                n % 5000 = 0, CASE WHEN n % 5000 = 0 THEN 'verdict_differs' END::drift_reason,
                '/home/alice/projects/web/node_modules/package-' || n % 997 || '/index.js', '/usr/bin/node',
                'node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js --dangerously-skip', '{{\"count\": \"3\", \"uid\": \"1000\"}}'
           FROM generate_series(1, {count}) n, LATERAL (SELECT {ts} AS ts) x"
    )
}
