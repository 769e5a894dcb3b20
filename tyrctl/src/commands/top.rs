//! `tyrctl top`.

use tyr_api::stream::Snapshot;

use super::Outcome;
use crate::app::App;
use crate::args::{TopArgs, TopTheme, TopView};
use crate::auth::Claims;
use crate::client::Endpoint;
use crate::error::Failure;
use crate::tui::filter::Filter;
use crate::tui::run::{self, Options};
use crate::tui::state::feed::Feed;
use crate::tui::state::ui::View;
use crate::tui::state::{Access, Msg, State};
use crate::tui::theme::Palette;
use crate::tui::{plain, term};

/// Shows the dashboard; without a terminal, or with `--once`, one overview as plain text.
///
/// # Errors
/// When the filter can't be read or the terminal can't be used; as plain text also when the server can't be reached.
pub async fn run(app: &App, args: &TopArgs) -> Result<Outcome, Failure> {
    let filter = filter(args.filter.as_deref().unwrap_or_default())?;
    let view = match args.view {
        TopView::Overview => View::Overview,
        TopView::Agents => View::Agents,
        TopView::Events => View::Events,
        TopView::Drift => View::Drift,
        TopView::Alerts => View::Alerts,
        TopView::Log => View::Log,
        TopView::Connection => View::Connection,
    };
    let palette = match args.theme {
        TopTheme::Default => Palette::Default,
        TopTheme::Dark => Palette::Dark,
        TopTheme::Light => Palette::Light,
        TopTheme::HighContrast => Palette::HighContrast,
        TopTheme::Mono => Palette::Mono,
    };
    let client = app.client()?;
    let options = Options {
        context: app.context_name().to_owned(),
        theme: term::theme(app.color, args.ascii),
        view,
        filter,
        fps: args.fps,
        palette,
        mouse: !args.no_mouse,
        zone: app.tz.clone(),
        access: access(client.endpoint()),
    };
    if args.once || !term::is_interactive() {
        let snapshot = client.snapshot().await?;
        let server = client.endpoint().server.as_str().trim_end_matches('/').to_owned();
        app.out.text(&once(server, &options, snapshot))?;
        return Ok(Outcome::Done);
    }
    if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        return Err(Failure::failed("this terminal can't show a dashboard")
            .cause("TERM is not set, or `dumb`")
            .hint("`tyrctl top --once` prints one overview as plain text"));
    }
    run::run(client, options).await?;
    Ok(Outcome::Done)
}

/// The overview of one snapshot.
fn once(server: String, options: &Options, snapshot: Snapshot) -> String {
    let now = run::now();
    let mut state = State::new(&options.context, server, options.theme, now);
    options.apply(&mut state);
    state.apply(Msg::Feed(Feed::Snapshot { snapshot: Box::new(snapshot), resumed: false }), now);
    state.open_all_groups();
    state.prepare(now);
    plain::text(&state)
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
