//! The lines around every view: connection, tabs, message, keys.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::tui::input::BINDINGS;
use crate::tui::state::State;
use crate::tui::state::link::Phase;
use crate::tui::state::ui::{Page, View};
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, Span, span};
use crate::tui::views::format;

/// A part of the status line; parts with the highest number go first where the room is short.
struct Part {
    spans: Vec<Span<'static>>,
    priority: u8,
}

fn part(priority: u8, spans: Vec<Span<'static>>) -> Part {
    Part { spans, priority }
}

/// Connection, counts that matter, losses, the server's clock.
pub fn status(canvas: &mut Canvas<'_>, state: &State, area: Rect, wide: bool) {
    let clock = state.clock.map(format::clock).unwrap_or_default();
    let clock_room = if state.link.is_live() && area.width >= 60 { canvas.width(&clock) + 2 } else { 0 };
    let room = area.width.saturating_sub(clock_room + 1);
    let mut parts = parts(canvas, state, wide);
    loop {
        let width: u16 = parts
            .iter()
            .map(|part| part.spans.iter().map(|span| canvas.width(&span.text)).sum::<u16>() + 2)
            .sum::<u16>()
            .saturating_sub(2);
        if width <= room {
            break;
        }
        let Some(victim) = (0..parts.len()).filter(|n| parts[*n].priority > 0).max_by_key(|n| parts[*n].priority)
        else {
            break;
        };
        parts.remove(victim);
    }
    let mut x = area.x + 1;
    for part in &parts {
        x = canvas.line(x, area.y, area.right(), &part.spans) + 2;
    }
    if clock_room > 0 {
        canvas.text_right(area.x, area.right().saturating_sub(1), area.y, &clock, Role::Dim);
    }
}

fn parts(canvas: &Canvas<'_>, state: &State, wide: bool) -> Vec<Part> {
    let glyph = |glyph| canvas.theme.glyph(glyph);
    let mut parts = Vec::new();
    if area_is_roomy(state) {
        parts.push(part(4, vec![span(format!("tyr:{}", state.context), Role::Strong)]));
    }
    if wide {
        parts.push(part(7, vec![span(state.server.clone(), Role::Dim)]));
    }
    parts.extend(connection(canvas, state));
    if let Some(newer) = state.frozen() {
        let at = state.clock.map(format::clock).unwrap_or_default();
        parts.push(part(
            0,
            vec![
                span(format!("{} FROZEN {at}", glyph(Glyph::Frozen)), Role::Warn),
                span(format!(" (+{} new)", format::count(newer)), Role::Normal),
            ],
        ));
    }
    let data = state.data();
    if state.clock.is_none() {
        return parts;
    }
    let (gaps, missed) = data.events.gaps();
    if gaps > 0 {
        parts.push(part(1, vec![span(format!("{} GAP {}", glyph(Glyph::Gap), format::short(missed)), Role::Warn)]));
    }
    if data.dropped > 0 {
        parts.push(part(3, vec![span(format!("not shown {}", format::short(data.dropped)), Role::Warn)]));
    }
    if data.lost > 0 {
        parts.push(part(2, vec![span(format!("lost {}", format::short(data.lost)), Role::Warn)]));
    }
    if !state.link.is_live() {
        // The rest is old news: "as of" says so.
        return parts;
    }
    let stale = state.census().stale;
    if area_is_roomy(state) {
        parts.push(part(5, vec![span(format!("agents {}", data.fleet.len()), Role::Normal)]));
    }
    let up = |n: usize, text: String| {
        if n > 0 { span(format!("{}{text}", glyph(Glyph::Up)), Role::Bad) } else { span(text, Role::Dim) }
    };
    parts.push(part(1, vec![up(stale, format!("stale {stale}"))]));
    let (firing, unknown) = data.alerts.firing();
    if firing > 0 {
        let role = if unknown > 0 { Role::Bad } else { Role::Warn };
        parts.push(part(2, vec![span(format!("{}alerts {firing}", glyph(Glyph::Up)), role)]));
    }
    let drifts = data.drifts.last_day;
    parts.push(part(1, vec![up(usize::from(drifts > 0), format!("drift {}/1d", format::short(drifts)))]));
    if let Some(summary) = data.rates.summary(1) {
        parts.push(part(3, vec![span(format!("{} ev/s", format::short(summary.now)), Role::Normal)]));
    }
    if let Some(skew) = state.link.skew_ms()
        && (wide || skew.abs() > 2_000)
    {
        let role = if skew.abs() > 2_000 { Role::Warn } else { Role::Dim };
        parts.push(part(6, vec![span(format!("skew {}", format::skew(skew)), role)]));
    }
    parts
}

fn area_is_roomy(state: &State) -> bool {
    state.size.0 >= 60
}

fn seconds(duration: Duration) -> String {
    let tenths = duration.as_millis() / 100;
    if tenths < 100 {
        format!("{}.{}s", tenths / 10, tenths % 10)
    } else {
        format::age(i64::try_from(tenths / 10).unwrap_or(0))
    }
}

fn connection(canvas: &Canvas<'_>, state: &State) -> Vec<Part> {
    let glyph = |glyph| canvas.theme.glyph(glyph);
    let link = &state.link;
    let now = state.now;
    let age = link.frame_age(now).map(seconds).unwrap_or_default();
    let as_of = |parts: &mut Vec<Part>| {
        if let Some(clock) = link.server_now(now) {
            parts.push(part(1, vec![span(format!("data as of {}", format::clock(clock)), Role::Warn)]));
        }
    };
    let mut parts = Vec::new();
    match link.phase() {
        Phase::Connecting => {
            parts.push(part(0, vec![span(format!("{} CONNECTING", glyph(Glyph::Dotted)), Role::Warn)]));
        }
        // Nobody shall take what was for what is.
        Phase::Live | Phase::CatchingUp { .. } if state.replay.is_some() => {
            let speed = state.replay.filter(|speed| (speed - 1.0).abs() > 1e-9);
            let text =
                format!("{} REPLAY{}", glyph(Glyph::Closed), speed.map(|n| format!(" x{n}")).unwrap_or_default());
            parts.push(part(0, vec![span(text, Role::Warn)]));
        }
        Phase::Live if link.is_quiet(now) => {
            parts.push(part(0, vec![span(format!("{} QUIET {age}", glyph(Glyph::Half)), Role::Warn)]));
        }
        Phase::Live => parts.push(part(
            0,
            vec![span(format!("{} LIVE", glyph(Glyph::Dot)), Role::Good), span(format!(" {age}"), Role::Dim)],
        )),
        Phase::CatchingUp { events } => {
            let text = format!("{} CATCHING UP {}", glyph(Glyph::Filling), format::count(*events));
            parts.push(part(0, vec![span(text, Role::Warn)]));
        }
        Phase::Down { attempt, until, .. } => {
            let down = link.down_for(now).map(|down| format::age(i64::try_from(down.as_secs()).unwrap_or(0)));
            let text = format!("{} DOWN {}", glyph(Glyph::Ring), down.unwrap_or_default());
            parts.push(part(0, vec![span(text, Role::Bad)]));
            let text = match until {
                Some(until) => {
                    let left = until.saturating_duration_since(now.mono).as_millis().div_ceil(1_000);
                    format!("retry in {left}s (#{attempt})")
                }
                None => format!("trying (#{attempt})"),
            };
            parts.push(part(2, vec![span(text, Role::Normal)]));
            as_of(&mut parts);
            parts.push(part(3, vec![span("r = retry", Role::Accent)]));
        }
        Phase::Stopped { login, .. } => {
            let word = if *login { "LOGIN" } else { "STOPPED" };
            parts.push(part(0, vec![span(format!("{} {word}", glyph(Glyph::Cross)), Role::Bad)]));
            as_of(&mut parts);
            parts.push(part(3, vec![span(if *login { "L = log in" } else { "r = retry" }, Role::Accent)]));
        }
        Phase::Ended { .. } => {
            parts.push(part(0, vec![span(format!("{} END OF THE RECORDING", glyph(Glyph::Frozen)), Role::Warn)]));
            as_of(&mut parts);
        }
    }
    if state.recording {
        parts.push(part(4, vec![span("rec", Role::Warn)]));
    }
    parts
}

/// The views and where we are in them, and the filter.
pub fn tabs(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let mut spans = Vec::new();
    for (n, view) in View::ALL.into_iter().enumerate() {
        if view == state.view {
            spans.push(span(format!("[{} {}] ", n + 1, view.name()), Role::Accent));
        } else {
            spans.push(span(format!(" {} {}  ", n + 1, view.name()), Role::Dim));
        }
    }
    for page in &state.pages {
        let name = match page {
            Page::Agent(page) => state.data().fleet.get(page.agent).map_or("agent", |agent| &agent.name),
            Page::Event(_) => "event",
        };
        spans.push(span(format!("{} {name} ", canvas.theme.glyph(Glyph::Closed)), Role::Strong));
    }
    let x = canvas.line(area.x, area.y, area.right(), &spans);
    let only = if state.deny_only { "deny+alert " } else { "" };
    let (text, role) = if state.filter.is_empty() {
        (format!("{only}filter: (none)"), if state.deny_only { Role::Warn } else { Role::Dim })
    } else {
        (format!("{only}filter: {}", state.filter.text()), Role::Warn)
    };
    let room = area.right().saturating_sub(x + 3);
    let width = canvas.width(&text).min(room);
    if width > 10 {
        canvas.text(area.right() - 1 - width, area.y, width, &text, role);
    }
}

/// The prompt, why we are cut off, or what just happened.
pub fn message(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let (x, y, right) = (area.x + 1, area.y, area.right());
    if let Some(prompt) = &state.prompt {
        let caret = canvas.theme.glyph(Glyph::Caret);
        let at = canvas.line(
            x,
            y,
            right,
            &[span("/", Role::Accent), span(&*prompt.text, Role::Normal), span(caret, Role::Accent)],
        );
        match &prompt.error {
            Some((place, error)) => {
                // The place is in characters; what stands before it is as wide as it's drawn.
                let before: String = prompt.text.chars().take(*place).collect();
                let bad = x + 1 + canvas.width(&before);
                canvas.restyle(Rect { x: bad.min(right - 1), y, width: 1, height: 1 }, Role::Selected);
                canvas.text(at + 2, y, right.saturating_sub(at + 2), error, Role::Bad);
            }
            None if prompt.text.is_empty() => {
                let hint = "words, field=value (kind verdict agent type resource rule age ...), and or not";
                canvas.text(at + 1, y, right.saturating_sub(at + 1), hint, Role::Dim);
            }
            None => {}
        }
        return;
    }
    if let Some(cause) = state.link.cause() {
        canvas.line(x, y, right, &[span("error: ", Role::Bad), span(cause, Role::Normal)]);
    } else if let Some(notice) = state.notice() {
        let stamp = notice.stamp.map(|at| format!("{} ", format::clock(at))).unwrap_or_default();
        canvas.line(x, y, right, &[span(stamp, Role::Dim), span(&*notice.text, notice.role)]);
    }
}

/// Whether the message line has something to say.
pub fn has_message(state: &State) -> bool {
    state.prompt.is_some() || state.notice().is_some() || state.link.cause().is_some()
}

/// Keys, as many as fit; help and quit always.
pub fn keys(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let prompt = [("enter", "keep"), ("esc", "cancel"), ("ctrl-u", "clear")];
    let shown: Vec<(&str, &str)> = if state.prompt.is_some() {
        prompt.to_vec()
    } else {
        BINDINGS
            .iter()
            .filter(|binding| !binding.label.is_empty())
            .map(|binding| (if canvas.theme.ascii { binding.shown_ascii } else { binding.shown }, binding.label))
            .collect()
    };
    let width = |canvas: &Canvas<'_>, (key, label): &(&str, &str)| canvas.width(key) + canvas.width(label) + 3;
    let always = shown.len().min(2);
    let (front, back) = shown.split_at(shown.len() - always);
    let mut room = area.width.saturating_sub(1 + back.iter().map(|one| width(canvas, one)).sum::<u16>());
    let mut x = area.x + 1;
    let kept = front.iter().take_while(|one| {
        let fits = room >= width(canvas, one);
        room = room.saturating_sub(width(canvas, one));
        fits
    });
    let kept: Vec<_> = kept.chain(back).collect();
    for (key, label) in kept {
        let spans = [span(*key, Role::Accent), span(format!(" {label}  "), Role::Dim)];
        x = canvas.line(x, area.y, area.right(), &spans);
    }
}
