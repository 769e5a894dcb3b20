//! How long from the start of a governed program until its line stands in `tyrctl top`?
//!
//! `cargo bench -p tyr-e2e --bench exec_to_top --profile dev` (as root, after `cargo build --workspace --bins`: it takes the
//! programs of its own profile). The aim is a p99 of 1.2 s (`docs/performance.md`). The clock starts before fork, and stops when the screen was seen to hold the name:
//! the pace of looking, 20 ms, is part of the figure.

use std::io::Write;
use std::time::{Duration, Instant};

use tyr_e2e::binary;
use tyr_e2e::screen::Screen;
use tyr_e2e::stack::Stack;

const RUNS: usize = 100;

fn main() -> anyhow::Result<()> {
    let stack = Stack::start(&[])?;
    let agent = stack.start_agent("bench", "")?;
    let top = Screen::start(&binary("tyrctl"), &["top", "--view", "events"], stack.environment(), 48, 160)?;
    top.wait_for("LIVE", Duration::from_secs(20));
    let mut times = Vec::with_capacity(RUNS);
    for run in 0..RUNS {
        let program = stack.folder().join(format!("mark-{run:04}"));
        std::fs::copy("/bin/true", &program)?;
        let name = format!("mark-{run:04}");
        let start = Instant::now();
        let mut child = agent.governed("bench", &program).spawn()?;
        top.wait_for(&name, Duration::from_secs(10));
        times.push(start.elapsed());
        child.wait()?;
    }
    times.sort_unstable();
    writeln!(
        std::io::stdout(),
        "exec to top: {RUNS} runs, p50 {:?}, p90 {:?}, p99 {:?}, max {:?}",
        times[RUNS / 2],
        times[RUNS * 9 / 10],
        times[RUNS * 99 / 100],
        times[RUNS - 1]
    )?;
    Ok(())
}
