//! `tyrctl top`.

use std::path::Path;

use clap::Parser;
use futures_util::FutureExt;
use jiff::tz::TimeZone;
use tyr_api::auth::Session;

use super::{Outcome, session};
use crate::app::App;
use crate::args::{Cli, Global, TopArgs, TopTheme, TopView};
use crate::auth::{Claims, TokenSource};
use crate::client::{Client, Endpoint};
use crate::error::Failure;
use crate::output::sanitize::sanitize;
use crate::tui::filter::Filter;
use crate::tui::kept::{self, Kept};
use crate::tui::keymap::Keymap;
use crate::tui::record::{Recorder, Recording};
use crate::tui::replay::Clock;
use crate::tui::run::{self, Source, Surroundings, Terminal};
use crate::tui::state::command::words;
use crate::tui::state::feed::Batch;
use crate::tui::state::msg::Msg;
use crate::tui::state::news::News;
use crate::tui::state::ui::{TimeForm, View};
use crate::tui::state::{Access, State};
use crate::tui::term::Screen;
use crate::tui::theme::Palette;
use crate::tui::{plain, term};

/// Shows the dashboard; without a terminal, or with `--once`, one overview as plain text.
///
/// # Errors
/// When the filter or a recording can't be read or the terminal can't be used; as plain text also when the server can't be reached.
pub async fn run(app: &App, args: &TopArgs) -> Result<Outcome, Failure> {
    let filter = args.filter.as_deref().map(filter).transpose()?;
    let keys = Keymap::new(&app.config.keys)?;
    if let Some(file) = &args.replay {
        return replay(app, args, filter, keys, file).await;
    }
    if is_plain(args) {
        let client = app.client()?;
        let clock = Clock::real();
        let mut state = empty(app, args, &client, clock);
        if args.record.is_some() {
            return Err(Failure::usage("without a terminal there is nothing to record")
                .cause("one overview is printed instead of the dashboard"));
        }
        begin(app, &mut state, args, filter);
        let snapshot = Box::new(client.snapshot().await?);
        return print(app, state, clock, [Ok(News::Snapshot { resumed: false, snapshot })]);
    }
    refuse_dumb_terminals()?;
    let mut screen = None;
    let mut next = follow(app, args, (filter, &keys), &mut screen).await?;
    // What was asked for on the command line was meant for the first context.
    let bare = TopArgs { view: None, record: None, ..args.clone() };
    while let Some(context) = next {
        next = follow(&elsewhere(app, &context)?, &bare, (None, &keys), &mut screen).await?;
    }
    Ok(Outcome::Done)
}

/// The same run of the program in another context.
fn elsewhere(app: &App, context: &str) -> Result<App, Failure> {
    let context = Some(context.to_owned());
    App::new(Global { context, server: None, ca_file: None, token_file: None, ..app.global.clone() })
}

fn empty(app: &App, args: &TopArgs, client: &Client, clock: Clock) -> State {
    let server = client.endpoint().name().to_owned();
    State::new(app.context_name(), server, term::theme(app.color, args.ascii), clock.now())
}

/// Shows one context's fleet until the operator leaves, or goes to another context, which is given back then.
async fn follow(
    app: &App,
    args: &TopArgs,
    (filter, keys): (Option<Filter>, &Keymap),
    screen: &mut Option<Screen>,
) -> Result<Option<String>, Failure> {
    let client = app.client()?;
    let clock = Clock::real();
    let mut state = empty(app, args, &client, clock);
    let recorder = args.record.as_deref().map(|file| record(app, args, &client, file)).transpose()?;
    // What was left is for the eyes of whoever left it; scripts (`--once`) get the same each time.
    let file = kept::file_of(app.context_name());
    let mut kept = file.as_deref().filter(|_| !args.fresh).map(Kept::load).unwrap_or_default();
    kept.give(&mut state);
    begin(app, &mut state, args, filter);
    state.access = access(client.endpoint());
    state.recording = recorder.is_some();
    state.username = app.context().and_then(|context| context.username.clone());
    state.keys = keys.clone();
    state.contexts = app.config.context.keys().cloned().collect();
    let around = Around { app, client: Some(&client) };
    let source = Source::Server { client: client.clone(), recorder };
    let before = kept.clone();
    let ended = run::run(screen, (source, &around), clock, state, terminal(args), &mut kept).await;
    if kept != before
        && let Some(Err(failure)) = file.map(|file| kept.store(&file))
    {
        tracing::info!(error = failure.one_line(), "view and filter are not kept for the next time");
    }
    ended
}

/// What the dashboard asks of the rest of the program.
struct Around<'a> {
    app: &'a App,
    /// Absent while a recording is played.
    client: Option<&'a Client>,
}

impl Surroundings for Around<'_> {
    fn keep(&self, session: &Session) -> Result<(), Failure> {
        match self.client {
            Some(client) => session::remember(self.app, client.endpoint(), session).map(drop),
            None => Err(Failure::failed("a recording has no login")),
        }
    }

    fn sql(&self, line: &str) -> Result<String, Failure> {
        let none = || Failure::failed("no SQL answers what is shown here");
        let words = words(line).into_iter().chain(["--sql".to_owned()]);
        let command = Cli::try_parse_from(words).map_err(|_| none())?.command;
        let (out, captured) = self.app.out.captured(None, true);
        let app = self.app.again(out);
        // A statement is printed without asking anybody.
        Box::pin(super::dispatch(&app, command)).now_or_never().ok_or_else(none)??;
        // The first line tells this very command line, which is another.
        let text = captured.take();
        let (_, statement) = text.split_once('\n').ok_or_else(none)?;
        Ok(format!("-- {}\n{statement}", sanitize(line)))
    }

    fn check(&self, context: &str) -> Result<(), Failure> {
        if self.client.is_none() {
            return Err(Failure::failed("a recording is of one context"));
        }
        let client = elsewhere(self.app, context)?.client()?;
        match client.endpoint().token {
            // It was given by another server, to be shown to that one alone.
            TokenSource::Environment(_) => {
                Err(Failure::failed("TYR_TOKEN is for one server; without it one can go to others"))
            }
            _ => Ok(()),
        }
    }
}

/// Plays a recording.
async fn replay(
    app: &App,
    args: &TopArgs,
    filter: Option<Filter>,
    keys: Keymap,
    file: &Path,
) -> Result<Outcome, Failure> {
    let mut recording = Recording::open(file)?;
    let clock = Clock::of(&recording, args.speed);
    let (context, server) = (recording.head.context.clone(), recording.head.server.clone());
    let mut state = State::new(context, server, term::theme(app.color, args.ascii), clock.now());
    begin(app, &mut state, args, filter);
    state.replay = Some(args.speed);
    state.keys = keys;
    if is_plain(args) {
        let news = std::iter::from_fn(|| recording.read().transpose()).map(|next| next.map(|(_, news)| news));
        return print(app, state, clock, news);
    }
    refuse_dumb_terminals()?;
    let source = Source::Recording(recording, args.speed);
    let around = Around { app, client: None };
    run::run(&mut None, (source, &around), clock, state, terminal(args), &mut Kept::default()).await?;
    Ok(Outcome::Done)
}

const fn terminal(args: &TopArgs) -> Terminal {
    Terminal { fps: args.fps, mouse: !args.no_mouse }
}

fn is_plain(args: &TopArgs) -> bool {
    args.once || !term::is_interactive()
}

fn refuse_dumb_terminals() -> Result<(), Failure> {
    if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        return Err(Failure::failed("this terminal can't show a dashboard")
            .cause("TERM is not set, or `dumb`")
            .hint("`tyrctl top --once` prints one overview as plain text"));
    }
    Ok(())
}

fn record(app: &App, args: &TopArgs, client: &Client, file: &Path) -> Result<Recorder, Failure> {
    Recorder::create(file, u64::from(args.record_max) << 20, app.context_name(), client.endpoint().name())
}

/// What was asked for goes before what was kept.
fn begin(app: &App, state: &mut State, args: &TopArgs, filter: Option<Filter>) {
    if app.tz == TimeZone::UTC {
        // One key shows the machine's own times.
        state.zone = TimeZone::system();
    } else {
        state.zone = app.tz.clone();
        state.times = TimeForm::Zone;
    }
    if let Some(filter) = filter {
        state.filter = filter;
    }
    if let Some(theme) = args.theme {
        state.palette = match theme {
            TopTheme::Default => Palette::Default,
            TopTheme::Dark => Palette::Dark,
            TopTheme::Light => Palette::Light,
            TopTheme::HighContrast => Palette::HighContrast,
            TopTheme::Mono => Palette::Mono,
        };
    }
    if let Some(view) = args.view {
        state.start_with(match view {
            TopView::Overview => View::Overview,
            TopView::Agents => View::Agents,
            TopView::Events => View::Events,
            TopView::Drift => View::Drift,
            TopView::Alerts => View::Alerts,
            TopView::Log => View::Log,
            TopView::Connection => View::Connection,
        });
    }
}

/// What the dashboard would show after all of that, as plain text.
fn print(
    app: &App,
    mut state: State,
    clock: Clock,
    all: impl IntoIterator<Item = Result<News, Failure>>,
) -> Result<Outcome, Failure> {
    for news in all {
        let (mut batch, now) = (Batch::default(), clock.now());
        let feed = batch.take(news?, now.mono).unwrap_or(crate::tui::state::feed::Feed::Batch(Box::new(batch)));
        state.apply(Msg::Feed(feed), now);
    }
    state.open_all_groups();
    state.prepare(clock.now());
    app.out.text(&plain::text(&state))?;
    Ok(Outcome::Done)
}

/// What the way to the server is, as far as it can be told without asking it.
fn access(endpoint: &Endpoint) -> Access {
    let claims = endpoint.token.read().ok().flatten().map(|token| Claims::of(&token)).unwrap_or_default();
    Access {
        ca_file: endpoint.ca_file.clone(),
        token: endpoint.token.describe(),
        token_until: claims.expires_at(),
        username: claims.username,
        role: claims.role,
    }
}

fn filter(text: &str) -> Result<Filter, Failure> {
    Filter::parse(text).map_err(|error| {
        let place = " ".repeat(text.chars().take(error.at).count());
        Failure::usage("the filter could not be read")
            .cause(format!("{}\n{text}\n{place}^", error.message))
            .hint("e.g. --filter 'kind=exec,net_connect verdict!=allow'; `?` in the dashboard lists the fields")
    })
}
