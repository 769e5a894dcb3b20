//! Is `tyrctl agents --stale` as quick as psql with the same query?
//!
//! `cargo bench -p tyr-e2e --bench stale_beside_psql` (after `cargo build --workspace --bins --release`: it takes the programs of its own
//! profile). A real server with its embedded PostgreSQL and a fleet of `AGENTS`, of which one in fifty was not heard from for two
//! minutes. Both programs are started anew for each answer, which goes into a pipe; they take turns. `tyrctl` speaks TLS and shows more
//! columns; psql has the URL of `tyr-server db url`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tyr_e2e::binary;
use tyr_e2e::stack::{Stack, text};

const RUNS: usize = 100;

/// As documented.
const SQL: &str = "SELECT agent_id, name, now() - last_seen AS staleness FROM agents \
                   WHERE last_seen < now() - interval '2 minutes' ORDER BY last_seen";

fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return Ok(());
    }
    let stack = Stack::start(&[])?;
    let url = text(&stack.server_command(["db", "url"]).output()?)?;
    let url = url.trim().to_owned();
    let mut out = std::io::stdout();
    let agents: u32 = std::env::var("AGENTS").ok().map_or(Ok(10_000), |text| text.parse())?;
    for agents in [agents / 100, agents] {
        stack.psql(&format!(
            "TRUNCATE agents CASCADE; INSERT INTO agents (agent_id, name, last_seen, client_cert, cert_serial, cert_not_after)
             SELECT gen_random_uuid(), 'build-' || n, now() - CASE WHEN n % 50 = 0 THEN interval '10 minutes' ELSE interval '-1 hour' END,
                    '', n::text, now() + interval '1 day' FROM generate_series(1, {agents}) n; ANALYZE agents"
        ))?;
        let psql = || {
            let mut command = Command::new("psql");
            command.args([url.as_str(), "-X", "-c", SQL]);
            command
        };
        let tyrctl = || {
            let mut command = Command::new(binary("tyrctl"));
            command.args(["agents", "--stale=2m"]).envs(stack.environment());
            command
        };
        let (mut by_psql, mut by_tyrctl) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            by_psql.push(run(psql(), agents)?);
            by_tyrctl.push(run(tyrctl(), agents)?);
        }
        for (name, times) in [("psql", &mut by_psql), ("tyrctl agents --stale", &mut by_tyrctl)] {
            times.sort_unstable();
            let ms = |at: usize| times[at].as_secs_f64() * 1e3;
            writeln!(
                out,
                "{agents} agents, {name}: p50 {:.1} ms, p90 {:.1} ms (aim: at most psql)",
                ms(RUNS / 2),
                ms(RUNS * 9 / 10)
            )?;
        }
    }
    Ok(())
}

/// How long the program takes from start to end, and whether its answer is about the stale agents.
fn run(mut command: Command, agents: u32) -> Result<Duration> {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().context("started")?;
    let took = start.elapsed();
    let text = text(&output)?;
    let rows = text.lines().filter(|line| line.contains("build-")).count();
    ensure!(rows == usize::try_from(agents / 50)?, "{rows} rows:\n{text}");
    Ok(took)
}
