//! The connection in figures: where to, how trusted, how far behind, and how long the token lasts.

use ratatui::layout::Rect;

use crate::tui::input::Action;
use crate::tui::state::State;
use crate::tui::state::lag::{LAG_UP_TO_MS, Lag};
use crate::tui::state::link::Phase;
use crate::tui::theme::Role;
use crate::tui::views::canvas::{Canvas, span};
use crate::tui::views::event::{self, Fact};
use crate::tui::views::format;

/// Seconds of a token's life below which somebody should log in again.
const TOKEN_WARN_S: i64 = 600;
/// Columns of the longest bar of the histogram.
const BAR: u64 = 30;

/// The view.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let facts = facts(state);
    event::text(
        canvas,
        state,
        area,
        &[span("Connection", Role::Accent)],
        &if state.replay.is_some() {
            "a recording".to_owned()
        } else {
            format!("{} retries, {} logs in", state.keys.first(Action::Retry), state.keys.first(Action::Login))
        },
        &facts,
        &state.facts_scroll,
    );
}

fn facts(state: &State) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    let mut fact = |label: &str, text: String, role: Role| facts.push((label.to_owned(), text, role));
    let (traffic, link) = (&state.traffic, &state.link);
    fact("server", state.shown(&state.server).into_owned(), Role::Strong);
    if !state.data().version.is_empty() {
        fact("", format!("tyr-server {}; tyrctl {}", state.data().version, env!("CARGO_PKG_VERSION")), Role::Normal);
    }
    if state.replay.is_none() {
        way(state, &mut fact);
    }
    fact("", String::new(), Role::Normal);

    let (text, role) = match link.phase() {
        Phase::Connecting => ("connecting".to_owned(), Role::Warn),
        Phase::Live | Phase::CatchingUp { .. } if state.replay.is_some() => {
            ("a recording is played".to_owned(), Role::Warn)
        }
        Phase::Live if link.is_quiet(state.now) => ("live, and quiet for long".to_owned(), Role::Warn),
        Phase::Live => ("live".to_owned(), Role::Good),
        Phase::CatchingUp { events } => (format!("catching up, {} events so far", format::count(*events)), Role::Warn),
        Phase::Down { cause, .. } => (format!("down: {}", state.shown(cause)), Role::Bad),
        Phase::Stopped { cause, .. } => (format!("given up: {}", state.shown(cause)), Role::Bad),
        Phase::Ended { cause: Some(cause) } => (format!("the recording ends early: {}", state.shown(cause)), Role::Bad),
        Phase::Ended { cause: None } => ("end of the recording".to_owned(), Role::Warn),
    };
    fact("stream", text, role);
    if let Some(age) = link.frame_age(state.now) {
        fact("", format!("last frame {:.1} s ago", age.as_secs_f64()), Role::Normal);
    }
    fact("reconnects", format::count(link.reconnects().into()), Role::Normal);
    if let Some(since) = traffic.since {
        let for_s = state.clock.map_or(0, |clock| clock.as_second() - since.as_second());
        fact("since", format!("{}, {} ago", format::date_ms(since), format::age(for_s)), Role::Normal);
    }
    fact("cursor", traffic.cursor.clone().unwrap_or_else(|| "none yet".to_owned()), Role::Normal);
    let came = format!(
        "{} events, {} counters, {} snapshots",
        format::count(traffic.events),
        format::count(traffic.stats),
        format::count(traffic.snapshots)
    );
    fact("came in", came, Role::Normal);
    if state.replay.is_none() {
        let rate = traffic.bytes_per_s().map(|rate| format!(", {}/s", format::bytes(rate))).unwrap_or_default();
        fact("", format!("{} of the stream{rate}", format::bytes(traffic.bytes)), Role::Normal);
    }
    let data = state.data();
    let (gaps, missed) = data.events.gaps();
    let role = if gaps > 0 { Role::Warn } else { Role::Normal };
    fact("gaps", format!("{}, {} events known to be missing here", format::count(gaps), format::count(missed)), role);
    let role = if data.dropped > 0 { Role::Warn } else { Role::Normal };
    fact("not shown", format!("{}: counted, but too many to list", format::count(data.dropped)), role);
    let role = if data.lost > 0 { Role::Warn } else { Role::Normal };
    fact("lost", format!("{} by agents, as they declared", format::count(data.lost)), role);
    if let Some(skew) = link.skew_ms() {
        let role = if skew.abs() > crate::tui::state::fleet::SKEW_WARN_MS { Role::Warn } else { Role::Normal };
        fact("clocks", format!("this machine's is {} of the server's", format::skew(skew)), role);
    }
    fact("", String::new(), Role::Normal);
    lag(state, &traffic.lag, &mut facts);
    facts
}

/// How trusted the server is, who we are to it, and for how long.
fn way(state: &State, fact: &mut impl FnMut(&str, String, Role)) {
    let trust = match &state.access.ca_file {
        _ if state.server.starts_with("http://") => "no TLS: this very machine".to_owned(),
        Some(file) => format!("only what {} signs", state.shown(&file.display().to_string())),
        None => "certificate authorities of the system".to_owned(),
    };
    fact("trusts", trust, Role::Normal);
    let who = match (&state.access.username, &state.access.role) {
        (Some(name), Some(role)) => format!("{}, {role}; ", state.shown(name)),
        (None, Some(role)) => format!("{role}; "),
        (Some(name), None) => format!("{}; ", state.shown(name)),
        (None, None) => String::new(),
    };
    fact("login", format!("{who}token from {}", state.shown(&state.access.token)), Role::Normal);
    match (state.access.token_until, state.clock) {
        (Some(until), Some(now)) => {
            let left = until.as_second() - now.as_second();
            let (text, role) = match left {
                ..=0 => ("the token has run out; log in again".to_owned(), Role::Bad),
                left if left < TOKEN_WARN_S => (format!("the token lasts {} more", format::age(left)), Role::Warn),
                left => (format!("the token lasts {} more", format::age(left)), Role::Normal),
            };
            fact("", text, role);
        }
        (Some(until), None) => fact("", format!("the token lasts until {}", format::date_ms(until)), Role::Normal),
        (None, _) => fact("", "the token does not say how long it lasts".to_owned(), Role::Dim),
    }
}

/// The histogram of how long events took from the server's database to this screen.
fn lag(state: &State, lag: &Lag, facts: &mut Vec<Fact>) {
    let all = lag.events();
    let text = if all == 0 {
        "no event came live yet".to_owned()
    } else {
        format!(
            "from stored to here, {} events, longest {} ms",
            format::count(all),
            format::count(u64::try_from(lag.max().as_millis()).unwrap_or(u64::MAX))
        )
    };
    facts.push(("lag".to_owned(), text, Role::Normal));
    if all == 0 {
        return;
    }
    let most = lag.parts().iter().copied().max().unwrap_or(1).max(1);
    let full = state.theme.eighths()[7];
    for (n, count) in lag.parts().iter().enumerate() {
        let label = match LAG_UP_TO_MS.get(n) {
            Some(end) => format!("< {end} ms"),
            None => format!(">= {} ms", LAG_UP_TO_MS[LAG_UP_TO_MS.len() - 1]),
        };
        let bar = full.repeat(usize::try_from((count * BAR).div_ceil(most)).unwrap_or(0));
        let role = if *count == 0 { Role::Dim } else { Role::Normal };
        facts.push((String::new(), format!("{label:>10}  {:>8}  {bar}", format::count(*count)), role));
    }
}
