//! How long after the snapshot of 10,000 agents arrived does the first full screen stand?
//!
//! `cargo bench -p tyrctl --bench top_start`. The real program in a pseudo-terminal of 160x48 against a double of the server. The
//! clock starts when the double handed the snapshot's last byte to the kernel, and stops with the first whole frame that shows
//! agents.

mod common;

use common::{Double, Top, say, size, spread};

const RUNS: u32 = 20;

fn main() {
    if common::only_listed() {
        return;
    }
    let agents = size("AGENTS", 10_000);
    let double = Double::start(agents, 0);
    let mut times = Vec::new();
    for _ in 0..size("RUNS", RUNS) {
        let top = Top::start(double.address, &["--view", "agents"]);
        let (shown, _) = top.wait("the agents", |screen| screen.contains("build-0") && screen.contains("agents 10000"));
        let sent = double.sent.recv().expect("the double runs");
        times.push(shown.saturating_duration_since(sent));
        top.quit();
    }
    say(&format!("snapshot of {agents} agents -> first full screen: {} (aim: 150 ms)", spread(&mut times)));
}
