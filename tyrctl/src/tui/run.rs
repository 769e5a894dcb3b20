//! The event loop: takes keys, news and signals, and draws when something changed.
//!
//! Data is drawn on a grid of frames, keys at once; with nothing changed there is no frame and no timer but the clock's second.

use std::time::{Duration, Instant};

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant as TokioInstant, MissedTickBehavior, interval, sleep_until};
use tyr_api::alerts::Acknowledgement;

use crate::client::Client;
use crate::error::Failure;
use crate::tui::conn;
use crate::tui::filter::Filter;
use crate::tui::state::feed::Feed;
use crate::tui::state::link::Now;
use crate::tui::state::ui::{TimeForm, View};
use crate::tui::state::{Access, Dirty, Effect, Msg, State};
use crate::tui::term::Screen;
use crate::tui::theme::{Palette, Theme};

/// Least distance of two frames after keys.
const KEY_FRAME_MIN: Duration = Duration::from_millis(16);
/// Answers to what the operator did that wait for the screen.
const ANSWERS_MAX: usize = 8;
/// Messages of the connection that are taken between two looks at the keys.
const FEED_BURST_MAX: usize = 16;

/// How to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the context.
    pub context: String,
    /// Colours and glyphs.
    pub theme: Theme,
    /// View to begin with.
    pub view: View,
    /// Filter to begin with.
    pub filter: Filter,
    /// Frames per second at most.
    pub fps: u8,
    /// Which colours the roles have.
    pub palette: Palette,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// The operator's zone; times are shown in it if it's not UTC.
    pub zone: TimeZone,
    /// What is known of the way to the server.
    pub access: Access,
}

impl Options {
    /// Puts what was asked for into a fresh state.
    pub fn apply(&self, state: &mut State) {
        state.filter = self.filter.clone();
        state.palette = self.palette;
        state.access = self.access.clone();
        if self.zone == TimeZone::UTC {
            // One key shows the machine's own times.
            state.zone = TimeZone::system();
        } else {
            state.zone = self.zone.clone();
            state.times = TimeForm::Zone;
        }
        state.start_with(self.view);
    }
}

/// Both clocks of this machine.
pub fn now() -> Now {
    Now { mono: Instant::now(), wall: Timestamp::now() }
}

/// How the loop ended.
enum Ended {
    /// The operator left; `keep` wants the last screen in the scrollback.
    Quit { keep: bool },
    /// A signal asked for it, or the terminal is gone.
    Asked,
}

/// Shows the dashboard until the operator leaves.
///
/// # Errors
/// When the terminal can't be used.
pub async fn run(client: Client, options: Options) -> Result<(), Failure> {
    let mut screen = Screen::take(options.mouse).map_err(|error| terminal_failure(&error))?;
    let ended = follow(&mut screen, client, &options).await;
    let last = screen.last_text();
    screen.release().map_err(|error| terminal_failure(&error))?;
    match ended.map_err(|error| terminal_failure(&error))? {
        Ended::Quit { keep: true } => {
            use std::io::Write;
            let mut out = std::io::stdout().lock();
            out.write_all(last.as_bytes()).and_then(|()| out.flush()).map_err(|error| terminal_failure(&error))
        }
        Ended::Quit { keep: false } | Ended::Asked => Ok(()),
    }
}

fn terminal_failure(error: &std::io::Error) -> Failure {
    Failure::failed("the terminal could not be used")
        .because(error)
        .hint("`tyrctl top --once` prints one overview as plain text")
}

struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    go_on: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            go_on: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn follow(screen: &mut Screen, client: Client, options: &Options) -> std::io::Result<Ended> {
    let mut signals = Signals::new()?;
    let server = client.endpoint().server.as_str().trim_end_matches('/').to_owned();
    let mut state = State::new(&options.context, server, options.theme, now());
    options.apply(&mut state);
    let mut keys = EventStream::new();
    let (conn, mut feed) = conn::start(client.clone());
    let (answers, mut answered) = mpsc::channel(ANSWERS_MAX);
    let mut news: Vec<Feed> = Vec::with_capacity(FEED_BURST_MAX);
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let data_frame_min = Duration::from_secs(1) / u32::from(options.fps.max(1));

    // The first frame comes before the first answer.
    let mut dirty = Dirty::Input;
    let mut last_frame = Instant::now().checked_sub(data_frame_min).unwrap_or_else(Instant::now);
    loop {
        let due = last_frame + if dirty == Dirty::Input { KEY_FRAME_MIN } else { data_frame_min };
        tokio::select! {
            biased;
            () = signals.end() => return Ok(Ended::Asked),
            key = keys.next() => match key {
                Some(Ok(event)) => {
                    if let Some(msg) = message(event) {
                        dirty = dirty.max(state.apply(msg, now()));
                    }
                }
                // Nobody can press a key any more.
                Some(Err(_)) | None => return Ok(Ended::Asked),
            },
            () = sleep_until(TokioInstant::from_std(due)), if dirty > Dirty::Clean => {
                state.size = screen.size();
                state.prepare(now());
                screen.draw(&state)?;
                last_frame = Instant::now();
                dirty = Dirty::Clean;
            }
            taken = feed.recv_many(&mut news, FEED_BURST_MAX) => {
                if taken == 0 {
                    return Err(std::io::Error::other("the task of the connection ended"));
                }
                for one in news.drain(..) {
                    dirty = dirty.max(state.apply(Msg::Feed(one), now()));
                }
            }
            Some(answer) = answered.recv() => dirty = dirty.max(state.apply(Msg::Acknowledged(answer), now())),
            _ = second.tick() => dirty = dirty.max(state.apply(Msg::Tick, now())),
        }
        for effect in state.take_effects() {
            match effect {
                Effect::Quit { keep } => return Ok(Ended::Quit { keep }),
                Effect::Copy(text) => screen.copy(&text)?,
                Effect::Acknowledge(alert) => {
                    let (client, answers) = (client.clone(), answers.clone());
                    tokio::spawn(async move {
                        let done = client.acknowledge_alert(alert, &Acknowledgement::default()).await;
                        // Nobody waits for it any more when the operator has left.
                        let _ = answers.send(done.map(Box::new).map_err(|failure| failure.one_line())).await;
                    });
                }
                Effect::Retry => conn.retry(),
                Effect::Redraw => screen.forget()?,
                Effect::Suspend => {
                    screen.release()?;
                    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
                    // The stop may reach another thread a moment later; going on is what is certain.
                    signals.go_on.recv().await;
                    screen.retake()?;
                    dirty = Dirty::Input;
                }
            }
        }
    }
}

fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Mouse(event) => Some(Msg::Mouse(event)),
        Event::Resize(columns, rows) => Some(Msg::Resize(columns, rows)),
        _ => None,
    }
}
