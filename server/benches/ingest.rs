//! How many events per second are durably stored through gRPC with mTLS, and how many by COPY alone into the same table?
//!
//! `cargo bench -p tyr-server --bench ingest` (EVENTS=100_000 per round, AGENTS=64, ROUNDS=3, RULES=0 in force). Agents, server
//! and PostgreSQL share the machine; all ways take turns, in one run, into the same table of the same cluster. COPY alone is
//! one connection, 5,000 encoded rows at a time, without counts and without anybody who makes the events: once with the rows of as
//! many agents, in batches as they send them, and once with those of one agent, which the primary key takes at one place, faster than
//! any fleet's.

mod common;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use common::{BATCH, Bench, ms, quantile, rate, say, size};
use jiff::Timestamp;
use tyr_api::events::{Event, EventKind, Severity, Verdict};
use tyr_api::policies::{NewAssignment, TargetType};
use tyr_server::app::audit::Actor;
use tyr_server::app::{assignments, policies};
use tyr_server::db::events::ingest::{Rows, copy_rows};
use uuid::Uuid;

/// Batches that an agent has under way.
const WINDOW: usize = 2;
const COPY_ROWS: usize = 5_000;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let (events, agents, rounds, rules) =
        (size("EVENTS", 100_000), size("AGENTS", 64), size("ROUNDS", 3), size("RULES", 0));
    let bench = Bench::start().await;
    if rules > 0 {
        assign(&bench, rules).await;
    }
    let pool = bench.pool().await;
    let mut fleet = bench.agents(agents).await;
    let batches = events / BATCH / agents;
    let (mut grpc_rates, mut copy_rates, mut one_rates, mut latencies) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (many, one) = (ids(agents), ids(1));
    for _ in 0..rounds {
        copy_rates.push(copy_alone(&pool, events, &many).await);
        one_rates.push(copy_alone(&pool, events, &one).await);
        let begun = Instant::now();
        let tasks: Vec<_> = fleet
            .drain(..)
            .map(|mut agent| {
                tokio::spawn(async move {
                    let mut latencies = Vec::with_capacity(batches);
                    for _ in 0..batches {
                        agent.send(WINDOW, &mut latencies).await;
                    }
                    agent.finish(&mut latencies).await;
                    (agent, latencies)
                })
            })
            .collect();
        for task in tasks {
            let (agent, seen) = task.await.expect("no panic");
            fleet.push(agent);
            latencies.extend(seen);
        }
        grpc_rates.push(rate(batches * BATCH * agents, begun.elapsed()));
    }
    latencies.sort_unstable();
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&pool).await.expect("counted");
    let expected = rounds * (batches * BATCH * agents + 2 * (events / COPY_ROWS * COPY_ROWS));
    assert_eq!(usize::try_from(stored), Ok(expected), "every acknowledged event is there, once");
    let (grpc, copy, one) = (median(&mut grpc_rates), median(&mut copy_rates), median(&mut one_rates));
    say(&format!("ingest: {grpc:.0} events/s through gRPC, {agents} agents, {rules} rules (aim >= 60000)"));
    say(&format!("ingest: {copy:.0} rows/s by COPY alone, {agents} agents (no aim: what the ratio is of)"));
    say(&format!("ingest: ratio {:.2} (aim >= 0.60)", grpc / copy));
    say(&format!("ingest: {one:.0} rows/s by COPY alone, one agent: {:.2} of that (no aim)", grpc / one));
    say(&format!(
        "ingest: a batch of {BATCH} is acknowledged after p50 {:.1} ms, p99 {:.1} ms under that load (no aim)",
        ms(quantile(&latencies, 0.5)),
        ms(quantile(&latencies, 0.99))
    ));
    drop(fleet);
    pool.close().await;
    bench.stop().await;
}

fn ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::now_v7()).collect()
}

/// Rows per second; the agents take turns after each batch.
async fn copy_alone(pool: &sqlx::PgPool, events: usize, agents: &[Uuid]) -> f64 {
    let mut conn = pool.acquire().await.expect("a connection");
    let mut took = Duration::ZERO;
    let chunks = events / COPY_ROWS;
    for chunk in 0..chunks {
        let agent = |n: usize| agents[(chunk * COPY_ROWS + n) / BATCH % agents.len()];
        let batch: Vec<Event> = (0..COPY_ROWS).map(|n| event(agent(n), n)).collect();
        let rows = Rows::encode(&batch);
        let begun = Instant::now();
        copy_rows(&mut conn, &[&rows]).await.expect("copied");
        took += begun.elapsed();
    }
    rate(chunks * COPY_ROWS, took)
}

fn event(agent_id: Uuid, number: usize) -> Event {
    let ts = Timestamp::from_microsecond(Timestamp::now().as_microsecond()).expect("in range");
    Event {
        event_id: Uuid::now_v7(),
        agent_id,
        agent_name: String::new(),
        ts,
        received_at: ts,
        discovered_agent_id: None,
        agent_type: None,
        kind: EventKind::FileRead,
        resource: format!("/home/alice/projects/web/node_modules/package-{}/index.js", number % 997),
        verdict: Verdict::Allow,
        server_verdict: Some(Verdict::Allow),
        drift_detected: false,
        drift_reason: None,
        severity: Severity::Low,
        rule: None,
        policy_id: None,
        policy_version: None,
        pid: 4242,
        process_exe: "/usr/bin/node".to_owned(),
        cmdline: "node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js --dangerously-skip".to_owned(),
        metadata: [("count".to_owned(), "3".to_owned()), ("uid".to_owned(), "1000".to_owned())].into(),
    }
}

/// A policy of that many rules, in force for all agents.
async fn assign(bench: &Bench, rules: usize) {
    let mut yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: bench\nspec:\n  rules:\n".to_owned();
    for n in 0..rules {
        writeln!(
            yaml,
            "    - {{name: r{n}, action: file_read, resource_pattern: \"/srv/{n}/*/secret-*\", verdict: deny}}"
        )
        .expect("writing to a String");
    }
    let actor = Actor::environment();
    let policy = policies::apply(&bench.app, yaml, &actor).await.expect("a policy");
    let assignment =
        NewAssignment { version: policy.version.version, target_type: TargetType::All, target_id: String::new() };
    assignments::create(&bench.app, assignment, &actor).await.expect("assigned");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
