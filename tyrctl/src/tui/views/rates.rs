//! Events per second: as a line of bars, as a chart, and by kind.

use ratatui::layout::Rect;
use tyr_api::events::{EventKind, Verdict};

use crate::tui::state::State;
use crate::tui::state::rates::{Rates, SECONDS_MAX, Second, Summary};
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, Span, span};
use crate::tui::views::columns::verdict_role;
use crate::tui::views::format;

/// A chart of next to nothing is not blown up to its full height.
const CHART_MAX_LEAST: f64 = 10.0;

/// Columns of bars that a line has at most, while no stretch of time was chosen: one for each second.
const COMPACT_COLUMNS_MAX: u16 = 120;

/// Average events per second of each column, oldest first, and whether it rests on the seconds themselves. What came before the
/// first counters is the average of its minute.
fn averages(rates: &Rates, columns: usize, seconds: usize) -> Vec<Option<(f64, bool)>> {
    let Some(newest) = rates.newest() else { return vec![None; columns] };
    let series = rates.series(seconds);
    (0..columns)
        .map(|column| {
            let (from, to) = (column * seconds / columns, (column + 1) * seconds / columns);
            let to = to.max(from + 1);
            let seen: Vec<u64> = series[from..to].iter().flatten().map(|second| second.events).collect();
            if seen.is_empty() {
                let age = i64::try_from(seconds - to).unwrap_or(0);
                return rates.minute_average(newest - age).map(|average| (average, false));
            }
            #[expect(clippy::cast_precision_loss, reason = "a rate to draw")]
            Some((seen.iter().sum::<u64>() as f64 / seen.len() as f64, true))
        })
        .collect()
}

/// A panel of three lines: bars, figures, kinds.
pub fn compact(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let columns = usize::from(area.width.saturating_sub(4).clamp(1, COMPACT_COLUMNS_MAX));
    let seconds = state.window.unwrap_or(columns);
    let title = format!(
        "Events/s, last {}",
        if state.window.is_some() { format::length(seconds) } else { format!("{seconds} s") }
    );
    let inner = canvas.panel(area, &[span(title, Role::Accent)], &losses(state), false);
    let right = inner.right().saturating_sub(1);
    let x = inner.x + 1;
    let rates = &state.data().rates;
    let Some(summary) = rates.summary(seconds) else {
        canvas.text(x, inner.y, inner.width, "no data yet", Role::Dim);
        return;
    };
    let bars = canvas.theme.bars();
    // A second in which something was denied looks different; where a column stands for many, nearly all would.
    let series = rates.series(seconds);
    let values = averages(rates, columns, seconds);
    let max = values.iter().flatten().map(|(value, _)| value.ceil()).fold(0.0, f64::max);
    for (n, value) in values.iter().enumerate() {
        // A second without counters is a hole, not a zero.
        let Some((value, exact)) = value else { continue };
        let at = x + u16::try_from(n).unwrap_or(0);
        if at < right && (*exact || state.window.is_some()) {
            let denied = seconds <= columns && series[n * seconds / columns].is_some_and(denies);
            let role = if denied {
                Role::Warn
            } else if *exact {
                Role::Good
            } else {
                Role::Dim
            };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive rates")]
            let level = level(value.ceil() as u64, max as u64, bars.len());
            canvas.text(at, inner.y, 1, bars[level], role);
        }
    }
    canvas.line(x, inner.y + 1, right, &figures(state, seconds, &summary));
    if inner.height > 2 {
        let (_, _, by_kind) = rates.sums(seconds);
        let mut spans = Vec::new();
        for (kind, events) in EventKind::ALL.iter().zip(by_kind) {
            spans.push(span(format!("{kind} "), Role::Dim));
            spans.push(span(format!("{}  ", format::short(events)), Role::Normal));
        }
        canvas.line(x, inner.y + 2, right, &spans);
    }
}

const fn denies(second: &Second) -> bool {
    second.by_verdict[Verdict::Deny as usize] > 0
}

fn level(value: u64, max: u64, levels: usize) -> usize {
    let top = levels as u64 - 1;
    // Anything above zero is seen: it never shares the lowest bar with nothing, unless all is tiny.
    usize::try_from((value * top).div_ceil(max.max(1)).min(top)).unwrap_or(0)
}

fn figures(state: &State, seconds: usize, summary: &Summary) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    if seconds > SECONDS_MAX {
        // Older seconds are kept as minutes, of which no median second can be told.
        spans.push(span(format!("of {}: ", format::length(SECONDS_MAX)), Role::Dim));
    }
    for (label, value) in [("now ", summary.now), ("p50 ", summary.p50), ("p99 ", summary.p99), ("max ", summary.max)] {
        spans.push(span(label, Role::Dim));
        spans.push(span(format!("{}  ", format::count(value)), Role::Strong));
    }
    let (all, by_verdict, _) = state.data().rates.sums(seconds);
    for verdict in [Verdict::Allow, Verdict::Alert, Verdict::Deny] {
        let events = by_verdict[verdict as usize];
        let role = if events > 0 { verdict_role(verdict) } else { Role::Dim };
        spans.push(span(format!(" {verdict} "), Role::Dim));
        spans.push(span(format!("{}%", format::percent(events, all)), role));
    }
    spans
}

/// What was lost where: nothing is hidden behind smooth bars.
fn losses(state: &State) -> String {
    let data = state.data();
    let mut parts = Vec::new();
    if data.lost > 0 {
        parts.push(format!("lost by agents {}", format::count(data.lost)));
    }
    if data.dropped > 0 {
        parts.push(format!("not shown {}", format::count(data.dropped)));
    }
    if parts.is_empty() { "lost 0".to_owned() } else { parts.join(", ") }
}

/// A chart with an axis.
pub fn chart(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let seconds = state.window();
    let title = [span(format!("Events/s, {}", format::length(seconds)), Role::Accent), span(" - +", Role::Dim)];
    let inner = canvas.panel(area, &title, &losses(state), false);
    let rates = &state.data().rates;
    let Some(summary) = rates.summary(seconds) else {
        canvas.text(inner.x + 1, inner.y, inner.width, "no data yet", Role::Dim);
        return;
    };
    if inner.height < 4 || inner.width < 20 {
        return;
    }
    let plot = Rect { x: inner.x + 7, y: inner.y, width: inner.width - 8, height: inner.height - 2 };
    let values = averages(rates, usize::from(plot.width), seconds);
    let max = values.iter().flatten().map(|(value, _)| *value).fold(CHART_MAX_LEAST, f64::max);
    let bars = canvas.theme.bars();
    let steps = f64::from(plot.height) * 8.0;
    for (x, value) in (plot.x..).zip(&values) {
        let Some((value, exact)) = value else { continue };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and eight times the height"
        )]
        let filled = ((value / max * steps).ceil() as u32).max(1);
        let role = if *exact { Role::Good } else { Role::Dim };
        for row in 0..u32::from(plot.height) {
            let here = filled.saturating_sub(row * 8).min(8);
            if here > 0 {
                let y = plot.bottom() - 1 - u16::try_from(row).unwrap_or(0);
                canvas.text(x, y, 1, bars[here as usize - 1], role);
            }
        }
    }
    for row in 0..plot.height {
        if row % 2 == 0 || row + 1 == plot.height {
            let share = f64::from(plot.height - row) / f64::from(plot.height);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a positive rate, rounded for its label"
            )]
            let label = format::short((max * share).round() as u64);
            canvas.text_right(inner.x, plot.x - 1, plot.y + row, &label, Role::Dim);
        }
    }
    let axis = plot.bottom();
    for part in 0..5_u16 {
        let x = plot.x + part * plot.width / 5;
        let ago = seconds / 5 * usize::from(5 - part);
        let label = if seconds.is_multiple_of(300) { format!("-{}m", ago / 60) } else { format!("-{ago}s") };
        canvas.text(x, axis, 5, &label, Role::Dim);
    }
    canvas.text_right(plot.x, plot.right(), axis, "now", Role::Dim);
    canvas.line(inner.x + 1, axis + 1, inner.right(), &figures(state, seconds, &summary));
}

/// Kinds of the last minute, with their share and verdicts.
pub fn kinds(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let inner = canvas.panel(area, &[span("By kind, 60 s", Role::Accent)], "as received here", false);
    let Some(clock) = state.clock else {
        canvas.text(inner.x + 1, inner.y, inner.width, "no data yet", Role::Dim);
        return;
    };
    let rates = &state.data().rates;
    let second = clock.as_second();
    let received = rates.received(second);
    let watched = u64::try_from(rates.watched_seconds(second)).unwrap_or(1);
    let right = inner.right().saturating_sub(1);
    let numbers = right.saturating_sub(21);
    let x = inner.x + 1;
    canvas.text(x, inner.y, inner.width, "KIND            EV/S  SHARE", Role::Dim);
    canvas.text_right(numbers, right, inner.y, "ALLOW  ALERT   DENY", Role::Dim);
    let mut kinds: Vec<EventKind> = EventKind::ALL.to_vec();
    kinds.sort_by_key(|kind| std::cmp::Reverse(received.of_kind(*kind)));
    let total = u64::from(received.total());
    for (y, kind) in (inner.y + 1..inner.bottom()).zip(kinds) {
        let events = u64::from(received.of_kind(kind));
        let role = if events > 0 { Role::Normal } else { Role::Dim };
        canvas.text(x, y, 12, kind.as_str(), role);
        canvas.text_right(x + 12, x + 20, y, &format::rate(events, watched), role);
        let bar_from = x + 22;
        let bar_room = numbers.saturating_sub(bar_from + 6);
        let used = bar(canvas, bar_from, y, bar_room, events, total);
        if let Some(share) = (events * 100).checked_div(total) {
            canvas.text(bar_from + used + 1, y, 5, &format!("{share}%"), Role::Dim);
        }
        for (place, verdict) in [Verdict::Allow, Verdict::Alert, Verdict::Deny].into_iter().enumerate() {
            let count = received.get(kind, verdict);
            let role = if count == 0 { Role::Dim } else { verdict_role(verdict) };
            let end = right - 7 * (2 - u16::try_from(place).unwrap_or(0));
            canvas.text_right(end.saturating_sub(6), end, y, &format::short(u64::from(count)), role);
        }
    }
}

/// A horizontal bar in eighths of a column; returns the columns that it took.
fn bar(canvas: &mut Canvas<'_>, x: u16, y: u16, room: u16, part: u64, whole: u64) -> u16 {
    let eighths = (part * u64::from(room) * 8).div_ceil(whole.max(1));
    let (full, rest) = (u16::try_from(eighths / 8).unwrap_or(room), usize::try_from(eighths % 8).unwrap_or(0));
    let signs = canvas.theme.eighths();
    for column in 0..full {
        canvas.text(x + column, y, 1, signs[7], Role::Good);
    }
    if rest > 0 {
        canvas.text(x + full, y, 1, signs[rest - 1], Role::Good);
    }
    full + u16::from(rest > 0)
}

/// The last minute of one agent as a line of twelve bars.
pub fn shape(state: &State, agent: uuid::Uuid) -> String {
    let second = state.clock.map_or(0, jiff::Timestamp::as_second);
    let shape = state.data().rates.shape_of(agent, second, 12);
    let max = shape.iter().copied().max().unwrap_or(0);
    let bars = state.theme.bars();
    shape
        .into_iter()
        .map(|n| if max == 0 { state.theme.glyph(Glyph::Bullet) } else { bars[level(n.into(), max.into(), 8)] })
        .collect()
}
