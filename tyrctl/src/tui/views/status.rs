//! The lines around every view: connection, tabs, message, keys.

use std::borrow::Cow;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::tui::input::{self, Action, BAR};
use crate::tui::state::State;
use crate::tui::state::link::Phase;
use crate::tui::state::mouse::Target;
use crate::tui::state::ui::{Page, Prompt, PromptKind, TimeForm, View};
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
    let clock = state.clock.map(|at| clock_text(state, at)).unwrap_or_default();
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

/// Where nothing else has room: the same parts, over as many lines as there are, most needed first.
pub fn tiny(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let (mut x, mut y) = (area.x + 1, area.y);
    for part in parts(canvas, state, false) {
        let width: u16 = part.spans.iter().map(|span| canvas.width(&span.text)).sum();
        if x > area.x + 1 && x + width > area.right() {
            (x, y) = (area.x + 1, y + 1);
        }
        if y >= area.bottom() {
            return;
        }
        x = canvas.line(x, y, area.right(), &part.spans) + 2;
    }
}

/// The server's clock; an age of it would always be nothing.
fn clock_text(state: &State, at: jiff::Timestamp) -> String {
    match state.times {
        TimeForm::Zone => format::stamp(state, at),
        _ => format::clock(at),
    }
}

fn parts(canvas: &Canvas<'_>, state: &State, wide: bool) -> Vec<Part> {
    let glyph = |glyph| canvas.theme.glyph(glyph);
    let mut parts = Vec::new();
    if area_is_roomy(state) {
        parts.push(part(4, vec![span(format!("tyr:{}", state.shown(&state.context)), Role::Strong)]));
    }
    if wide {
        parts.push(part(7, vec![span(state.shown(&state.server).into_owned(), Role::Dim)]));
    }
    parts.extend(connection(canvas, state));
    if let Some(newer) = state.frozen() {
        let at = state.clock.map(|at| clock_text(state, at)).unwrap_or_default();
        let mut spans = vec![span(format!("{} FROZEN {at}", glyph(Glyph::Frozen)), Role::Warn)];
        let back = state.stepped_back();
        if back > 0 {
            spans.push(span(format!(" -{}", format::age(back)), Role::Warn));
        }
        spans.push(span(format!(" (+{} new)", format::count(newer)), Role::Normal));
        parts.push(part(0, spans));
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
            parts.push(part(1, vec![span(format!("data as of {}", clock_text(state, clock)), Role::Warn)]));
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
            parts.push(part(3, vec![span(format!("{} = retry", state.keys.first(Action::Retry)), Role::Accent)]));
        }
        Phase::Stopped { login, .. } => {
            let word = if *login { "LOGIN" } else { "STOPPED" };
            parts.push(part(0, vec![span(format!("{} {word}", glyph(Glyph::Cross)), Role::Bad)]));
            as_of(&mut parts);
            let (action, what) = if *login { (Action::Login, "log in") } else { (Action::Retry, "retry") };
            parts.push(part(3, vec![span(format!("{} = {what}", state.keys.first(action)), Role::Accent)]));
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
    let only = if state.deny_only { "deny+alert " } else { "" };
    let (text, role) = if state.filter.is_empty() {
        (format!("{only}filter: (none)"), if state.deny_only { Role::Warn } else { Role::Dim })
    } else {
        (format!("{only}filter: {}", state.shown(state.filter.text())), Role::Warn)
    };
    let wanted = canvas.width(&text) + 2;
    // Names first; where the filter or the pages need the room, digits do.
    let mut names = tab_names(area.width >= 110, false, state);
    let crumbs = crumbs(canvas, state);
    let crumbs_width: u16 = crumbs.iter().map(|crumb| canvas.width(&crumb.text)).sum();
    let width = |names: &[(View, String)]| names.iter().map(|(_, name)| canvas_width(name)).sum::<u16>();
    let needs_filter = !state.filter.is_empty() || state.deny_only;
    let needed = crumbs_width + if needs_filter { wanted.min(area.width / 2) } else { 0 };
    if width(&names) + needed > area.width {
        names = tab_names(false, true, state);
    }
    let mut x = area.x;
    for (view, name) in &names {
        let role = if *view == state.view { Role::Accent } else { Role::Dim };
        let used = canvas.text(x, area.y, area.right().saturating_sub(x), name, role);
        state.drawn(Rect { x, y: area.y, width: used, height: 1 }, Target::View(*view));
        x += used;
    }
    x = canvas.line(x, area.y, area.right(), &crumbs);
    let room = area.right().saturating_sub(x + 2);
    let width = canvas.width(&text).min(room);
    // What is not filtered is worth no half sentence.
    if width > 10 && (needs_filter || width == canvas.width(&text)) {
        let left = area.right() - 1 - width;
        canvas.text(left, area.y, width, &text, role);
        state.drawn(Rect { x: left, y: area.y, width, height: 1 }, Target::Act(Action::Filter));
    }
}

fn canvas_width(name: &str) -> u16 {
    crate::tui::views::canvas::columns(name)
}

/// The views' names as they stand in the bar: all, or but the one that is shown.
fn tab_names(roomy: bool, digits: bool, state: &State) -> Vec<(View, String)> {
    let name = |(n, view): (usize, View)| {
        let long = if view == View::Connection && !roomy { "Conn" } else { view.name() };
        let text = match (view == state.view, digits, roomy) {
            (true, _, true) => format!("[{} {long}] ", n + 1),
            (true, _, false) => format!("[{} {long}]", n + 1),
            (false, true, _) => format!(" {}", n + 1),
            (false, false, true) => format!(" {} {long}  ", n + 1),
            (false, false, false) => format!(" {} {long} ", n + 1),
        };
        (view, text)
    };
    View::ALL.into_iter().enumerate().map(name).collect()
}

/// The pages over the view.
fn crumbs(canvas: &Canvas<'_>, state: &State) -> Vec<Span<'static>> {
    let data = state.data();
    let name = |page: &Page| match page {
        Page::Agent(page) => match page.process.and_then(|id| data.fleet.ai_get(id)) {
            Some(process) => format!("{} {}", process.agent_type, process.pid),
            None if page.process.is_some() => "AI process".to_owned(),
            None => match data.fleet.get(page.agent) {
                Some(agent) => state.name_of(page.agent, &agent.name).into_owned(),
                None => "agent".to_owned(),
            },
        },
        Page::Event(_) => "event".to_owned(),
        Page::Why(_) => "why".to_owned(),
    };
    let sign = canvas.theme.glyph(Glyph::Closed);
    state.pages.iter().map(|page| span(format!(" {sign} {}", name(page)), Role::Strong)).collect()
}

/// The prompt, why we are cut off, or what just happened.
pub fn message(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let (x, y, right) = (area.x + 1, area.y, area.right());
    if let Some(prompt) = &state.prompt {
        return typed(canvas, prompt, area);
    }
    if let Some(cause) = state.link.cause() {
        canvas.line(x, y, right, &[span("error: ", Role::Bad), span(state.shown(cause), Role::Normal)]);
    } else if let Some(notice) = state.notice() {
        let stamp = notice.stamp.map(|at| format!("{} ", clock_text(state, at))).unwrap_or_default();
        let about = state.shown(&notice.about);
        let spans = [span(stamp, Role::Dim), span(&*notice.text, notice.role), span(about, notice.role)];
        canvas.line(x, y, right, &spans);
    }
}

/// The prompt's line: what was typed, with the cursor in it and what is wrong underlined. Where it's longer than the line, the
/// cursor stays in sight.
fn typed(canvas: &mut Canvas<'_>, prompt: &Prompt, area: Rect) {
    let sign = match prompt.kind {
        PromptKind::Filter => "/",
        PromptKind::Ask => ":",
    };
    let x = area.x + 1 + canvas.text(area.x + 1, area.y, 1, sign, Role::Accent);
    let room = usize::from(area.right().saturating_sub(x + 1));
    let text: Vec<char> = prompt.line.text().chars().collect();
    let cursor = prompt.line.cursor();
    // Each character is drawn by itself, so that places stay right even where one becomes a picture of several columns.
    let shown: Vec<String> = text.iter().map(|c| canvas.plain(c.encode_utf8(&mut [0; 4]))).collect();
    let widths: Vec<usize> = shown.iter().map(|one| usize::from(canvas.width(one))).collect();
    let mut first = 0;
    while first < cursor && widths[first..cursor].iter().sum::<usize>() + 1 > room {
        first += 1;
    }
    // What is wrong reaches to the end of its word; at the end of the text there is nothing but the cursor to mark.
    let wrong = prompt.error.as_ref().map(|(at, _)| {
        let end = text.iter().skip(*at).position(|c| c.is_whitespace()).map_or(text.len(), |length| at + length);
        *at..end.max(at + 1)
    });
    let mut at = x;
    for n in first..=text.len() {
        let is_wrong = wrong.as_ref().is_some_and(|wrong| wrong.contains(&n));
        let role = if is_wrong { Role::Wrong } else { Role::Normal };
        let width = match shown.get(n) {
            Some(one) => canvas.text(at, area.y, area.right().saturating_sub(at), one, role),
            None if is_wrong && n != cursor => canvas.text(at, area.y, 1, "_", role),
            None => 1,
        };
        if n == cursor {
            if n == text.len() {
                canvas.text(at, area.y, 1, canvas.theme.glyph(Glyph::Caret), Role::Accent);
            } else {
                canvas.restyle(Rect { x: at, y: area.y, width: width.max(1), height: 1 }, Role::Selected);
            }
        }
        at += width;
    }
}

/// Below the prompt: what is wrong, what could be typed next, or what the keys do.
pub fn hints(canvas: &mut Canvas<'_>, prompt: &Prompt, area: Rect) {
    let (x, y, right) = (area.x + 1, area.y, area.right());
    if let Some((at, error)) = &prompt.error {
        let place = format!(" (at character {})", at + 1);
        canvas.line(x, y, right, &[span(&**error, Role::Bad), span(place, Role::Dim)]);
        return;
    }
    if prompt.offers.is_empty() {
        let mut at = x;
        for (key, label) in [("enter", "keep"), ("esc", "cancel"), ("ctrl-u", "clear"), ("up", "history")] {
            at = canvas.line(at, y, right, &[span(key, Role::Accent), span(format!(" {label}  "), Role::Dim)]);
        }
        return;
    }
    let mut at = x + canvas.text(x, y, 4, "tab ", Role::Accent);
    // The one that stands there now is always in sight; what is told of it, too.
    let first = prompt.offer.map_or(0, |offer| offer.saturating_sub(2));
    let about = prompt.offers.get(prompt.offer.unwrap_or(0)).map_or("", |offer| &*offer.about);
    let about_room = if about.is_empty() { 0 } else { canvas.width(about).min(area.width / 2) + 2 };
    for (n, offer) in prompt.offers.iter().enumerate().skip(first) {
        let width = canvas.width(&offer.word) + 1;
        if at + width + about_room > right {
            canvas.text(at, y, 1, canvas.theme.glyph(Glyph::Ellipsis), Role::Dim);
            at += 1;
            break;
        }
        let role = if prompt.offer == Some(n) { Role::Selected } else { Role::Normal };
        canvas.text(at, y, width, offer.word.trim_end(), role);
        at += width;
    }
    canvas.text(at + 1, y, right.saturating_sub(at + 1), about, Role::Dim);
}

/// Whether the message line has something to say.
pub fn has_message(state: &State) -> bool {
    state.prompt.is_some() || state.notice().is_some() || state.link.cause().is_some()
}

/// Keys, as many as fit; help and quit always.
pub fn keys(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    if let Some(prompt) = &state.prompt {
        return hints(canvas, prompt, area);
    }
    let shown: Vec<(Action, Cow<'static, str>, &str)> = BAR
        .iter()
        .filter_map(|(action, label)| {
            let binding = input::binding(*action)?;
            Some((*action, state.keys.shown(binding, canvas.theme.ascii), *label))
        })
        .collect();
    let width = |canvas: &Canvas<'_>, (_, key, label): &(Action, Cow<'static, str>, &str)| {
        canvas.width(key) + canvas.width(label) + 3
    };
    let (front, back) = shown.split_at(shown.len().saturating_sub(2));
    let mut room = area.width.saturating_sub(1 + back.iter().map(|one| width(canvas, one)).sum::<u16>());
    let mut x = area.x + 1;
    let kept = front.iter().take_while(|one| {
        let fits = room >= width(canvas, one);
        room = room.saturating_sub(width(canvas, one));
        fits
    });
    let kept: Vec<_> = kept.chain(back).collect();
    for (action, key, label) in kept {
        let spans = [span(&**key, Role::Accent), span(format!(" {label}  "), Role::Dim)];
        let end = canvas.line(x, area.y, area.right(), &spans);
        state.drawn(Rect { x, y: area.y, width: end - x, height: 1 }, Target::Act(*action));
        x = end;
    }
}
