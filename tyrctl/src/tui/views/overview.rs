//! Everything at a glance.

use ratatui::layout::Rect;

use crate::tui::state::State;
use crate::tui::state::list::List;
use crate::tui::state::order::{Order, Table};
use crate::tui::state::ring::Entry;
use crate::tui::state::ui::Pane;
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, span};
use crate::tui::views::panels::{self, Heads};
use crate::tui::views::{agent, format, rates};

/// From this width on, panels stand in two columns.
const TWO_COLUMNS: u16 = 100;
/// From this size on, there are the selected agent and the tail over the whole width.
const LARGE: (u16, u16) = (140, 40);

/// Draws the panels that fit.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let (width, height) = state.size;
    if width >= LARGE.0 && height >= LARGE.1 {
        large(canvas, state, area);
    } else if width >= TWO_COLUMNS {
        two_columns(canvas, state, area);
    } else {
        stacked(canvas, state, area);
    }
}

fn rows(area: Rect, y: u16, height: u16) -> Rect {
    let y = y.min(area.bottom());
    Rect { y, height: height.min(area.bottom() - y), ..area }
}

fn stacked(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let wanted = |rows: usize| u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(3);
    let rate = if area.height >= 18 { 5 } else { 0 };
    let agents = wanted(state.agents.rows().len().max(1)).clamp(4, (area.height / 3).max(4));
    let rest = area.height.saturating_sub(rate + agents);
    let drift =
        if state.drifts.rows().is_empty() { 3 } else { wanted(state.drifts.rows().len()).clamp(4, (rest / 2).max(4)) };
    let mut y = area.y;
    agents_panel(canvas, state, rows(area, y, agents));
    y += agents;
    if rate > 0 {
        rates::compact(canvas, state, rows(area, y, rate));
        y += rate;
    }
    drift_panel(canvas, state, rows(area, y, drift));
    y += drift;
    events_panel(canvas, state, rows(area, y, area.bottom().saturating_sub(y)));
}

fn two_columns(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let left_width = area.width * 62 / 100;
    let left = Rect { width: left_width, ..area };
    let right = Rect { x: area.x + left_width, width: area.width - left_width, ..area };
    let agents = (area.height / 2).max(4);
    agents_panel(canvas, state, rows(left, area.y, agents));
    drift_panel(canvas, state, rows(left, area.y + agents, area.height - agents));
    let chart = if area.height >= 22 { 10 } else { 0 };
    let kinds = 8.min(area.height - chart);
    if chart > 0 {
        rates::chart(canvas, state, rows(right, area.y, chart));
    }
    rates::kinds(canvas, state, rows(right, area.y + chart, kinds));
    events_panel(canvas, state, rows(right, area.y + chart + kinds, area.height - chart - kinds));
}

fn large(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let tail = (area.height / 4).max(10);
    let top = Rect { height: area.height - tail, ..area };
    let left_width = area.width * 62 / 100;
    let left = Rect { width: left_width, ..top };
    let right = Rect { x: top.x + left_width, width: top.width - left_width, ..top };
    let drift_wanted = u16::try_from(state.drifts.rows().len()).unwrap_or(u16::MAX).saturating_add(3);
    let drift = if state.drifts.rows().is_empty() { 3 } else { drift_wanted.clamp(4, top.height * 4 / 10) };
    agents_panel(canvas, state, rows(left, top.y, top.height - drift));
    drift_panel(canvas, state, rows(left, top.y + top.height - drift, drift));
    let kinds = 8;
    let selected = (top.height / 3).max(9);
    let chart = top.height.saturating_sub(kinds + selected);
    rates::chart(canvas, state, rows(right, top.y, chart));
    rates::kinds(canvas, state, rows(right, top.y + chart, kinds));
    agent::selected(canvas, state, rows(right, top.y + chart + kinds, selected));
    events_panel(canvas, state, rows(area, top.bottom(), tail));
}

fn focused(state: &State, pane: Pane) -> bool {
    state.pages.is_empty() && state.focus == pane
}

/// Where there are few lines, rows are worth more than the names of columns that speak for themselves.
pub fn heads(inner: Rect) -> Heads {
    if inner.height >= 4 { Heads::Shown } else { Heads::Hidden }
}

/// Agents, those that need attention first.
pub fn agents_panel(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let attention = state.census().attention;
    let all = state.data().fleet.len();
    let mut title = vec![span("Agents", Role::Accent)];
    match (state.clock, state.link.is_live()) {
        (None, _) => {}
        (Some(clock), false) => {
            title.push(span(format!(" as of {}, ages paused", format::stamp(state, clock)), Role::Warn));
        }
        (Some(clock), _) if state.stepped_back() > 0 => {
            title.push(span(format!(" at {}, as far as known", format::stamp(state, clock)), Role::Warn));
        }
        _ if all == 0 => {}
        _ if attention == 0 => title.push(span(" all well", Role::Good)),
        _ => title.push(span(format!(" {attention} of {all} need attention"), Role::Bad)),
    }
    let note = panels::position(canvas, state, Table::Agents, &state.agents, area.height.saturating_sub(3));
    let focused = focused(state, Pane::Agents);
    let inner = canvas.panel(area, &title, &note, focused);
    panels::agents(canvas, state, inner, focused, Heads::Shown);
}

/// Drift of the last day.
pub fn drift_panel(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let arrow = canvas.theme.glyph(Glyph::Arrow);
    let title = [span("Drift, 1 d", Role::Accent), span(format!(" (agent {arrow} server)"), Role::Dim)];
    let mut note = panels::position(canvas, state, Table::Drift, &state.drifts, area.height.saturating_sub(3));
    let (here, all) = (state.data().drifts.len() as u64, state.data().drifts.last_day);
    if all > here {
        note = format!("{note}, {} on the server", format::count(all));
    }
    let focused = focused(state, Pane::Drift);
    let inner = canvas.panel(area, &title, &note, focused);
    panels::drift(canvas, state, &state.drifts, inner, focused, heads(inner));
}

/// The newest events.
pub fn events_panel(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let focused = focused(state, Pane::Events);
    let (title, note) = tail_title(canvas, state, &state.events, area.height.saturating_sub(3));
    let inner = canvas.panel(area, &title, &note, focused);
    panels::events(canvas, state, &state.events, inner, focused, heads(inner));
}

/// Title and note of a list of events.
pub fn tail_title(
    canvas: &Canvas<'_>,
    state: &State,
    rows: &List<Entry>,
    height: u16,
) -> (Vec<crate::tui::views::canvas::Span<'static>>, String) {
    let mut title = vec![span("Events", Role::Accent)];
    if state.hides_allowed() {
        title.push(span(" deny and alert", Role::Warn));
    }
    if rows.is_following() {
        if state.layout.order(Table::Events) == (Order { head: Table::Events.natural(), reversed: false }) {
            title.push(span(" newest first", Role::Dim));
        }
    } else {
        title.push(span(format!(" {} paused", canvas.theme.glyph(Glyph::Frozen)), Role::Warn));
        if rows.newer() > 0 {
            title.push(span(format!(" +{} new", format::count(rows.newer() as u64)), Role::Warn));
        }
        title.push(span(" (f follows)", Role::Dim));
    }
    // How many are new stands in the title already.
    let note = panels::position(canvas, state, Table::Events, rows, height);
    let new = format!("+{} new {} ", format::count(rows.newer() as u64), canvas.theme.glyph(Glyph::Bullet));
    (title, note.replacen(&new, "", 1))
}
