//! How long does a frame take at 160x48 with 10,000 agents and all lists full?
//!
//! `cargo bench -p tyrctl --bench frame`. A frame is: bring the lists up to date, draw every cell, compare with the frame before, make
//! the bytes for the terminal. Before each, what came in a tenth of a second at 2,000 events/s is taken in, which is measured apart. Once
//! a second of the state's clock agents are sorted anew; these frames are in the figures. Time is the processor's time of this thread, so
//! that it does not count for how long others had the processor.

mod common;

use std::time::{Duration, Instant};

use common::{say, size, spread};
use jiff::Timestamp;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::time::{ClockId, clock_gettime};
use tyrctl::tui::state::State;
use tyrctl::tui::state::feed::{Batch, Feed};
use tyrctl::tui::state::held::Held;
use tyrctl::tui::state::link::Now;
use tyrctl::tui::state::msg::Msg;
use tyrctl::tui::state::ui::View;
use tyrctl::tui::theme::Theme;
use tyrctl::tui::views;

/// What this thread had of the processor so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("below a second"))
}

fn main() {
    if common::only_listed() {
        return;
    }
    let agents = size("AGENTS", 10_000);
    let frames = size("FRAMES", 1_000);
    let snapshot = common::snapshot(agents);
    for view in View::ALL {
        let (start, wall) = (Instant::now(), Timestamp::now());
        let moment = |frame: u32| {
            let since = Duration::from_millis(100) * frame;
            Now { mono: start + since, wall: wall + since }
        };
        let theme = Theme { color: true, ascii: false };
        let mut state = State::new("prod", "https://tyr.example:7701", theme, moment(0));
        state.size = (160, 48);
        let snapshot = serde_json::from_str(&snapshot).expect("our own");
        state.apply(Msg::Feed(Feed::Snapshot { snapshot, resumed: false }), moment(0));
        state.apply(Msg::Feed(Feed::Open), moment(0));
        state.start_with(view);
        let backend = CrosstermBackend::new(std::io::sink());
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, 160, 48)) };
        let mut terminal = Terminal::with_options(backend, options).expect("no terminal is needed");
        let (mut drawing, mut taking) = (Vec::new(), Vec::new());
        let mut number = 1_000_u64;
        // The list of events is full after 50 of them.
        for frame in 0..frames + 60 {
            let now = moment(frame);
            let mut batch = Batch::default();
            for _ in 0..200 {
                number += 1;
                let text = common::event(number, agents, &now.wall.to_string());
                batch.event(Held::from_text(text, |_| true).expect("our own").expect("wanted"));
            }
            if frame.is_multiple_of(10) {
                batch.count(serde_json::from_value(serde_json::json!({"now": now.wall, "events_by_verdict": {"allow": 2_000},
                    "events_by_kind": {"file_read": 2_000}, "drifts": 0, "drifts_1d": 0, "agents_by_liveness": {"online": agents},
                    "events_lost": 0})).expect("our own"));
            }
            let before = processor_time();
            state.apply(Msg::Feed(Feed::Batch(Box::new(batch))), now);
            let taken = processor_time().saturating_sub(before);
            let before = processor_time();
            state.prepare(now);
            terminal.draw(|frame| views::draw(&state, frame.buffer_mut())).expect("a sink takes all");
            if frame >= 60 {
                drawing.push(processor_time().saturating_sub(before));
                taking.push(taken);
            }
        }
        say(&format!("{}: a frame: {} (aim: 1 ms)", view.name(), spread(&mut drawing)));
        say(&format!("{}: 200 events taken in: {}", view.name(), spread(&mut taking)));
    }
}
