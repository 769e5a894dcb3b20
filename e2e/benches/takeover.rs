//! How many of two million opens that a rule denies are denied, while one `tyrd` after the other is killed and the next takes over?
//!
//! `cargo bench -p tyr-e2e --bench takeover --profile dev`, after `cargo build --workspace --bins` and with the guests' kernels (`./dev test`
//! fetches them). In a guest on 6.12 a governed process opens the same file over and over; `OPENS` (2,000,000) ends it.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tyr_e2e::guest::agent::{GuestAgent, SERVER_NAMES};
use tyr_e2e::guest::session::Session;
use tyr_e2e::guest::{Guest, GuestOutput, Machine, Release, Running};
use tyr_e2e::stack::Stack;

const POLICY: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata: {name: takeover}
spec:
  rules:
    - {name: no-reading, action: file_read, resource_pattern: '/data/*/vault/secret*', verdict: deny, severity: high}
";

fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return Ok(());
    }
    let opens: u64 = std::env::var("OPENS").ok().map_or(Ok(2_000_000), |text| text.replace('_', "").parse())?;
    let mut out = std::io::stdout();
    let stack = Stack::start(&[SERVER_NAMES])?;
    stack.apply_policy(POLICY)?;
    let guest = Guest::boot(Machine::new(Release::V6_12))?;
    guest
        .start(&["tyr-attacker", "try"], &[], b"prepare /data/x\n")
        .and_then(Running::finish)
        .and_then(GuestOutput::text)?;
    let mut agent = GuestAgent::start(&guest, &stack, "takeover", "")?;
    let (mut denied, mut takeovers, begun) = (0, 0, Instant::now());
    while denied < opens {
        let governed = agent.governed("claude-code", &["tyr-attacker"]);
        let (attacker, before) = governed.split_last().context("a program")?;
        let mut tries = Session::start(&guest, &format!("tries-{takeovers}"), before, attacker, "repeat");
        tries.tell("read_open /data/x");
        tries.tell("");
        ensure!(tries.hear() == "trying", "it doesn't try");
        agent.kill()?;
        agent = GuestAgent::start_again(&guest)?;
        takeovers += 1;
        tries.tell("end");
        let said = tries.finish();
        for line in said.lines().filter(|line| line.contains('\t')) {
            let mut fields = line.split('\t');
            let count: u64 = fields.next().context("a count")?.parse()?;
            ensure!(fields.next() == Some("EPERM"), "{line}");
            denied += count;
        }
    }
    writeln!(
        out,
        "takeover: {denied} of {denied} opens were denied, while {takeovers} times tyrd was killed and the next took over; {:.0?}",
        begun.elapsed()
    )?;
    Ok(())
}
