//! How long does a key wait for its answer while 20,000 events/s come in?
//!
//! `cargo bench -p tyrctl --bench top_keys`. The real program in a pseudo-terminal of 160x48 against a double of the server: from the
//! write of the key to the whole frame with its effect. The help is opened and closed, in the view of events.

mod common;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::{Double, Top, say, size, spread};

fn main() {
    if common::only_listed() {
        return;
    }
    let (agents, rate, keys) = (size("AGENTS", 10_000), size("RATE", 20_000), size("KEYS", 500));
    let double = Double::start(agents, rate);
    let mut top = Top::start(double.address, &["--view", "events"]);
    // It says that it shows a sample only.
    top.wait("the sample", |screen| screen.contains("not shown"));
    let (began, before) = (Instant::now(), double.written.load(Ordering::Relaxed));
    let mut times = Vec::new();
    for n in 0..keys {
        // Steps that no timer of the program or the double has.
        std::thread::sleep(Duration::from_millis(29 + u64::from(n % 13)));
        let open = n.is_multiple_of(2);
        let pressed = top.press(if open { "?" } else { "\x1b" });
        let (shown, _) = top.wait("the answer", |screen| screen.contains("esc closes") == open);
        times.push(shown.saturating_duration_since(pressed));
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let events = (double.written.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    say(&format!("key -> answer at {events:.0} events/s: {} (aim: p99 50 ms)", spread(&mut times)));
    top.quit();
}
