//! How long from an action for which a condition holds until the process is refused the next one like it?
//!
//! `cargo bench -p tyr-e2e --bench hold --profile dev` (as root, after `cargo build --workspace --bins`: it takes the programs of its
//! own profile). A governed process connects to a closed port each millisecond; the clock runs in it, from its first attempt to the first
//! that fails with EPERM. What it could do in between is the second figure.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, ensure};
use tyr_e2e::stack::{Stack, text};

const RUNS: usize = 100;
const POLICY: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata: {name: hold}
spec:
  rules:
    - {name: held, action: net_connect, cidr_deny: [127.9.9.0/24], verdict: deny, condition: context.uid == 0}
";
/// Prints milliseconds and attempts until it is refused.
const TRIES: &str = "
import errno, socket, time
start, tried = time.monotonic(), 0
while socket.socket().connect_ex(('127.9.9.1', 9)) != errno.EPERM and time.monotonic() < start + 60:
    tried += 1
    time.sleep(0.001)
print((time.monotonic() - start) * 1000, tried)
";

fn main() -> anyhow::Result<()> {
    let stack = Stack::start(&[])?;
    stack.apply_policy(POLICY)?;
    let agent = stack.start_agent("bench", "allow_events: none\n")?;
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let child = agent.governed("bench", "/usr/bin/python3").args(["-c", TRIES]).stdout(Stdio::piped()).spawn()?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "it was not refused: {}", output.status);
        let said = String::from_utf8(output.stdout)?;
        let (time, tried) = said.trim().split_once(' ').context("two numbers")?;
        runs.push((time.parse::<f64>()?, tried.parse::<u32>()?));
    }
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |part: usize| runs[(RUNS * part / 100).min(RUNS - 1)];
    let [(p50, tried), (p90, _), (p99, _), (max, most)] = [50, 90, 99, 100].map(at);
    writeln!(
        std::io::stdout(),
        "held after: {RUNS} runs, p50 {p50:.1} ms ({tried} connections), p90 {p90:.1} ms, p99 {p99:.1} ms, max {max:.1} ms ({most})"
    )?;
    let drift = text(&stack.tyrctl(["drift", "--since", "1h", "--no-headers"]))?;
    writeln!(std::io::stdout(), "drift: {}", if drift.trim().is_empty() { "none" } else { drift.trim() })?;
    Ok(())
}
