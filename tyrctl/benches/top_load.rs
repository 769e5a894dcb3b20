//! What does `tyrctl top` cost at 2,000 events/s with 10,000 agents?
//!
//! `cargo bench -p tyrctl --bench top_load`. The real program in a pseudo-terminal of 160x48 against a double of the server; CPU
//! time from `/proc/PID/stat`, memory from `/proc/PID/status`, after a time to warm up. `RATE`, `AGENTS` and `SECONDS` change the case.

mod common;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::{Double, Top, say, size};

fn main() {
    if common::only_listed() {
        return;
    }
    let (agents, rate, seconds) = (size("AGENTS", 10_000), size("RATE", 2_000), size("SECONDS", 30));
    for view in ["overview", "agents", "events"] {
        let double = Double::start(agents, rate);
        let top = Top::start(double.address, &["--view", view]);
        top.wait("the stream", |screen| screen.contains("ev/s"));
        // The list of events fills within five seconds; a minute of each agent's rates takes that minute.
        std::thread::sleep(Duration::from_secs(if view == "overview" { 65 } else { 10 }));
        let (began, cpu, frames, written) =
            (Instant::now(), top.cpu(), top.frames(), double.written.load(Ordering::Relaxed));
        std::thread::sleep(Duration::from_secs(seconds.into()));
        let took = began.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let per_second = |now: u64, before: u64| (now - before) as f64 / took;
        let share = top.cpu().saturating_sub(cpu).as_secs_f64() / took * 100.0;
        let events = per_second(double.written.load(Ordering::Relaxed), written);
        let frames = per_second(top.frames(), frames);
        let (rss, peak) = (top.kib("VmRSS:") / 1024, top.kib("VmHWM:") / 1024);
        say(&format!(
            "{view}, {agents} agents, {events:.0} events/s, {frames:.1} frames/s: {share:.2} % of a core (aim: 3 %), RSS {rss} MiB (aim: 60 MiB), peak {peak} MiB"
        ));
        top.quit();
    }
}
