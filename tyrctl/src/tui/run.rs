//! The event loop: takes keys, news and signals, and draws when something changed.
//!
//! Data is drawn on a grid of frames, keys at once; with nothing changed there is no frame and no timer but the clock's second.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant as TokioInstant, MissedTickBehavior, interval, sleep_until};
use tyr_api::alerts::{Acknowledgement, Alert};
use tyr_api::auth::{Credentials, Session};
use uuid::Uuid;

use crate::auth::{Secret, TokenSource};
use crate::client::Client;
use crate::commands::session::role_word;
use crate::error::Failure;
use crate::tui::conn::{self, Conn};
use crate::tui::filter::Filter;
use crate::tui::kept::Kept;
use crate::tui::pace::Pace;
use crate::tui::record::{Recorder, Recording};
use crate::tui::replay::{self, Clock};
use crate::tui::state::feed::Feed;
use crate::tui::state::login::LoggedIn;
use crate::tui::state::msg::{Dirty, Effect, Msg, SqlText};
use crate::tui::state::{Access, State};
use crate::tui::term::{self, Screen};

/// Answers to what the operator did that wait for the screen.
const ANSWERS_MAX: usize = 8;
/// Messages of the connection that are taken between two looks at the keys.
const FEED_BURST_MAX: usize = 16;

/// What the commands can do for the dashboard.
pub trait Surroundings {
    /// Keeps the token of a new login for later commands.
    ///
    /// # Errors
    /// When it can't be written.
    fn keep(&self, session: &Session) -> Result<(), Failure>;

    /// The SQL behind a command line.
    ///
    /// # Errors
    /// When there is none.
    fn sql(&self, line: &str) -> Result<String, Failure>;

    /// Whether one can go to that context.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, context: &str) -> Result<(), Failure>;
}

/// Where what is shown comes from.
pub enum Source {
    /// A server.
    Server {
        /// How to talk to it.
        client: Client,
        /// Where what comes is recorded.
        recorder: Option<Recorder>,
    },
    /// A recording, so many times faster than it happened.
    Recording(Recording, f64),
}

/// How the terminal is used.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Frames per second at most.
    pub fps: u8,
    /// Whether the mouse is ours.
    pub mouse: bool,
}

/// What waits for answers and for the operator's wishes.
enum Feeder<'a> {
    Server { client: Client, conn: Conn, around: &'a dyn Surroundings },
    Recording { _player: replay::Player },
}

/// An answer to what the operator did.
enum Answer {
    Acknowledged(Result<Box<Alert>, String>),
    LoggedIn(Result<Box<Session>, String>),
}

/// How the loop ended.
enum Ended {
    /// The operator left; `keep` wants the last screen in the scrollback.
    Quit { keep: bool },
    /// A signal asked for it, or the terminal is gone.
    Asked,
    /// The operator goes to that context.
    Context(String),
}

/// Shows the dashboard until the operator leaves; `kept` is then what the next one may begin with. Gives back the context to go to
/// next, if that was why; the screen stays taken for it.
///
/// # Errors
/// When the terminal can't be used.
pub async fn run(
    screen: &mut Option<Screen>,
    (source, around): (Source, &dyn Surroundings),
    clock: Clock,
    mut state: State,
    terminal: Terminal,
    kept: &mut Kept,
) -> Result<Option<String>, Failure> {
    let screen = match screen {
        Some(screen) => screen,
        None => screen.insert(Screen::take(terminal.mouse).map_err(|error| terminal_failure(&error))?),
    };
    let ended = follow(screen, (source, around), clock, &mut state, terminal.fps).await;
    kept.take(&state);
    if let Ok(Ended::Context(name)) = ended {
        return Ok(Some(name));
    }
    let last = screen.last_text();
    screen.release().map_err(|error| terminal_failure(&error))?;
    match ended.map_err(|error| terminal_failure(&error))? {
        Ended::Quit { keep: true } => {
            use std::io::Write;
            let mut out = std::io::stdout().lock();
            out.write_all(last.as_bytes()).and_then(|()| out.flush()).map_err(|error| terminal_failure(&error))?;
            Ok(None)
        }
        Ended::Quit { keep: false } | Ended::Asked | Ended::Context(_) => Ok(None),
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

async fn follow(
    screen: &mut Screen,
    (source, around): (Source, &dyn Surroundings),
    clock: Clock,
    state: &mut State,
    fps: u8,
) -> std::io::Result<Ended> {
    let mut signals = Signals::new()?;
    let mut keys = EventStream::new();
    let (feeder, mut feed) = match source {
        Source::Server { client, recorder } => {
            let (conn, feed) = conn::start(client.clone(), recorder);
            (Feeder::Server { client, conn, around }, feed)
        }
        Source::Recording(recording, _) => {
            let (player, feed) = replay::start(recording, clock);
            (Feeder::Recording { _player: player }, feed)
        }
    };
    let (answers, mut answered) = mpsc::channel(ANSWERS_MAX);
    let mut news: Vec<Feed> = Vec::with_capacity(FEED_BURST_MAX);
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut pace = Pace::new(fps, Instant::now());
    let mut preferred = Filter::default();
    loop {
        if preferred != state.filter {
            preferred.clone_from(&state.filter);
            feeder.prefer(preferred.clone());
        }
        tokio::select! {
            biased;
            () = signals.end() => return Ok(Ended::Asked),
            key = next_key(&mut keys) => match key {
                Some(Ok(event)) => {
                    if let Some(msg) = message(event) {
                        pace.wants(state.apply(msg, clock.now()));
                    }
                }
                // Nobody can press a key any more.
                Some(Err(_)) | None => return Ok(Ended::Asked),
            },
            () = sleep_until(TokioInstant::from_std(pace.due())), if pace.is_dirty() => {
                state.size = screen.size();
                state.prepare(clock.now());
                screen.draw(state)?;
                pace.drawn(Instant::now());
            }
            taken = feed.recv_many(&mut news, FEED_BURST_MAX) => {
                if taken == 0 {
                    return Err(std::io::Error::other("the task of the connection ended"));
                }
                for one in news.drain(..) {
                    pace.wants(state.apply(Msg::Feed(one), clock.now()));
                }
            }
            Some(answer) = answered.recv() => {
                let msg = match answer {
                    Answer::Acknowledged(answer) => Msg::Acknowledged(answer),
                    Answer::LoggedIn(answer) => Msg::LoggedIn(answer.and_then(|session| feeder.logged_in(&session))),
                };
                pace.wants(state.apply(msg, clock.now()));
            }
            _ = second.tick() => pace.wants(state.apply(Msg::Tick, clock.now())),
        }
        for effect in state.take_effects() {
            match effect {
                Effect::Quit { keep } => return Ok(Ended::Quit { keep }),
                Effect::Copy(text) => screen.copy(&text)?,
                Effect::Acknowledge(alert) => feeder.acknowledge(alert, &answers),
                Effect::Retry => feeder.retry(),
                Effect::Login { username, password } => feeder.log_in(username, &password, &answers),
                Effect::Redraw => screen.forget()?,
                Effect::Sql { copied, shown } => {
                    let sql = |line: &str| around.sql(line).map_err(|failure| failure.one_line());
                    let answer = sql(&copied).and_then(|copied| sql(&shown).map(|shown| SqlText { copied, shown }));
                    pace.wants(state.apply(Msg::Sql(answer), clock.now()));
                }
                Effect::Context(name) => match around.check(&name) {
                    Ok(()) => return Ok(Ended::Context(name)),
                    Err(failure) => pace.wants(state.apply(Msg::Said(failure.one_line()), clock.now())),
                },
                Effect::Suspend if !has_shell() => {
                    pace.wants(
                        state.apply(Msg::Said("there is no shell to go to and come back from".to_owned()), clock.now()),
                    );
                }
                Effect::Suspend => {
                    screen.release()?;
                    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
                    // The stop may reach another thread a moment later; going on is what is certain.
                    signals.go_on.recv().await;
                    screen.retake()?;
                    pace.wants(Dirty::Input);
                }
            }
        }
    }
}

impl Feeder<'_> {
    fn retry(&self) {
        if let Self::Server { conn, .. } = self {
            conn.retry();
        }
    }

    /// Says which events the operator wants to see.
    fn prefer(&self, filter: Filter) {
        if let Self::Server { conn, .. } = self {
            conn.prefer(filter);
        }
    }

    /// Tells the server that an alert is known.
    fn acknowledge(&self, alert: Uuid, answers: &mpsc::Sender<Answer>) {
        let answers = answers.clone();
        let client = match self {
            Self::Server { client, .. } => client.clone(),
            Self::Recording { .. } => {
                let why = "a recording can't be told anything".to_owned();
                // A full queue has other answers for the operator, and one key can be pressed again.
                let _ = answers.try_send(Answer::Acknowledged(Err(why)));
                return;
            }
        };
        tokio::spawn(async move {
            let done = client.acknowledge_alert(alert, &Acknowledgement::default()).await;
            let done = done.map(Box::new).map_err(|failure| failure.one_line());
            // Nobody waits for it any more when the operator has left.
            let _ = answers.send(Answer::Acknowledged(done)).await;
        });
    }

    /// Asks the server for a token.
    fn log_in(&self, username: String, password: &Secret, answers: &mpsc::Sender<Answer>) {
        let Self::Server { client, .. } = self else { return };
        let (client, answers) = (client.clone(), answers.clone());
        let credentials = Credentials { username, password: password.expose().to_owned() };
        tokio::spawn(async move {
            let done = client.login(&credentials).await.map(Box::new).map_err(|failure| failure.one_line());
            // As above.
            let _ = answers.send(Answer::LoggedIn(done)).await;
        });
    }

    /// Uses a new token from now on, keeps it like `tyrctl login` where that is read, and says so.
    fn logged_in(&self, session: &Session) -> Result<Box<LoggedIn>, String> {
        let Self::Server { client, around, .. } = self else { return Err("a recording has no login".to_owned()) };
        let endpoint = client.endpoint();
        let kept = match &endpoint.token {
            TokenSource::Stored(_) => around.keep(session).map_err(|failure| failure.one_line()),
            TokenSource::File(_) => Err("--token-file goes first".to_owned()),
            TokenSource::Environment(_) => Err("TYR_TOKEN goes first".to_owned()),
            TokenSource::Nowhere => Err("the context has another server".to_owned()),
        };
        let (said, token) = match kept {
            Ok(()) => (format!("logged in as {}", session.username), endpoint.token.describe()),
            Err(why) => {
                client.use_token(Secret::new(&*session.token));
                (format!("logged in as {} for this run: {why}", session.username), "a login in this run".to_owned())
            }
        };
        let access = Access {
            ca_file: endpoint.ca_file.clone(),
            token,
            token_until: Some(session.expires_at),
            username: Some(session.username.clone()),
            role: Some(role_word(session.role).to_owned()),
        };
        Ok(Box::new(LoggedIn { said, access }))
    }
}

/// Whether whoever started us could bring us back: the kernel stops nobody whose session has no other process to do so.
///
/// Both sessions are read as plain numbers of `/proc`: for a process of another PID namespace the kernel says 0, which `rustix` takes for
/// impossible.
fn has_shell() -> bool {
    let Some(parent) = rustix::process::getppid() else { return false };
    let session = |process: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // Behind the name in parentheses, which may hold anything: state, parent, group, session (proc(5)).
        let (_, numbers) = stat.rsplit_once(')')?;
        numbers.split_ascii_whitespace().nth(3)?.parse::<i32>().ok()
    };
    session(&parent.as_raw_nonzero().to_string()).is_some_and(|theirs| session("self") == Some(theirs))
}

/// The next key, or whatever else the terminal tells; `None` when it is gone, which is looked at at least once a second.
async fn next_key(keys: &mut EventStream) -> Option<std::io::Result<Event>> {
    poll_fn(|context| if term::is_gone() { Poll::Ready(None) } else { keys.poll_next_unpin(context) }).await
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
