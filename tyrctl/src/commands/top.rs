//! `tyrctl top`.

use std::path::Path;

use jiff::tz::TimeZone;

use super::{Outcome, session};
use crate::app::App;
use crate::args::{TopArgs, TopTheme, TopView};
use crate::auth::Claims;
use crate::client::{Client, Endpoint};
use crate::error::Failure;
use crate::tui::filter::Filter;
use crate::tui::kept::{self, Kept};
use crate::tui::record::{Recorder, Recording};
use crate::tui::replay::Clock;
use crate::tui::run::{self, Source, Terminal};
use crate::tui::state::feed::Batch;
use crate::tui::state::news::News;
use crate::tui::state::ui::{TimeForm, View};
use crate::tui::state::{Access, Msg, State};
use crate::tui::theme::Palette;
use crate::tui::{plain, term};

/// Shows the dashboard; without a terminal, or with `--once`, one overview as plain text.
///
/// # Errors
/// When the filter or a recording can't be read or the terminal can't be used; as plain text also when the server can't be reached.
pub async fn run(app: &App, args: &TopArgs) -> Result<Outcome, Failure> {
    let filter = args.filter.as_deref().map(filter).transpose()?;
    if let Some(file) = &args.replay {
        return replay(app, args, filter, file).await;
    }
    let client = app.client()?;
    let server = client.endpoint().name().to_owned();
    let clock = Clock::real();
    let mut state = State::new(app.context_name(), server, term::theme(app.color, args.ascii), clock.now());
    if is_plain(args) {
        if args.record.is_some() {
            return Err(Failure::usage("without a terminal there is nothing to record")
                .cause("one overview is printed instead of the dashboard"));
        }
        begin(app, &mut state, args, filter);
        let snapshot = Box::new(client.snapshot().await?);
        return print(app, state, clock, [Ok(News::Snapshot { resumed: false, snapshot })]);
    }
    refuse_dumb_terminals()?;
    let recorder = args.record.as_deref().map(|file| record(app, args, &client, file)).transpose()?;
    // What was left is for the eyes of whoever left it; scripts (`--once`) get the same each time.
    let file = kept::file_of(app.context_name());
    let mut kept = file.as_deref().filter(|_| !args.fresh).map(Kept::load).unwrap_or_default();
    kept.give(&mut state);
    begin(app, &mut state, args, filter);
    state.access = access(client.endpoint());
    state.recording = recorder.is_some();
    state.username = app.context().and_then(|context| context.username.clone());
    let keep = |session: &_| session::remember(app, client.endpoint(), session).map(drop);
    let source = Source::Server { client: client.clone(), recorder, keep: &keep };
    let before = kept.clone();
    let ended = run::run(source, clock, state, terminal(args), &mut kept).await;
    if kept != before
        && let Some(Err(failure)) = file.map(|file| kept.store(&file))
    {
        tracing::info!(error = failure.one_line(), "view and filter are not kept for the next time");
    }
    ended.map(|()| Outcome::Done)
}

/// Plays a recording.
async fn replay(app: &App, args: &TopArgs, filter: Option<Filter>, file: &Path) -> Result<Outcome, Failure> {
    let mut recording = Recording::open(file)?;
    let clock = Clock::of(&recording, args.speed);
    let (context, server) = (recording.head.context.clone(), recording.head.server.clone());
    let mut state = State::new(context, server, term::theme(app.color, args.ascii), clock.now());
    begin(app, &mut state, args, filter);
    state.replay = Some(args.speed);
    if is_plain(args) {
        let news = std::iter::from_fn(|| recording.read().transpose()).map(|next| next.map(|(_, news)| news));
        return print(app, state, clock, news);
    }
    refuse_dumb_terminals()?;
    let source = Source::Recording(recording, args.speed);
    run::run(source, clock, state, terminal(args), &mut Kept::default()).await?;
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
