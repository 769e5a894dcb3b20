//! The lists: agents, events, drift and drift by agent, each into whatever area it's given.

use std::sync::Arc;

use ratatui::layout::Rect;
use tyr_api::agents::DiscoveredAgent;
use tyr_api::events::{DriftReason, Event};
use tyr_api::stream::Gap;

use crate::tui::state::State;
use crate::tui::state::drifts::{DriftLine, Group, reason_text};
use crate::tui::state::list::{Keyed, List};
use crate::tui::state::ring::Entry;
use crate::tui::state::ui::Page;
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, Cut, Span, span};
use crate::tui::views::columns::{AGENTS, ALERTS, DRIFT, EVENTS, agent_mark, alert_mark, event_mark};
use crate::tui::views::format;
use crate::tui::views::table::{Column, GUTTER, Look, Table, Width, select};

/// Whether a list shows the names of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heads {
    /// It does.
    Shown,
    /// There is no room for them.
    Hidden,
}

/// Draws one list: heads, the visible rows, or the word for an empty one.
fn list<R: Keyed>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    heads: Heads,
    rows: &List<R>,
    empty: &str,
    mut draw: impl FnMut(&mut Canvas<'_>, Rect, &[R], usize),
) {
    let head = u16::from(heads == Heads::Shown && area.height > 1);
    let body = Rect { y: area.y + head, height: area.height - head, ..area };
    if rows.rows().is_empty() {
        rows.window(usize::from(body.height));
        canvas.text(area.x + 1, area.y, area.width.saturating_sub(1), empty, Role::Dim);
        return;
    }
    let (first, visible) = rows.window(usize::from(body.height));
    draw(canvas, body, visible, first);
}

fn lines(body: Rect) -> impl Iterator<Item = u16> {
    body.y..body.bottom()
}

/// What an empty list says: nothing yet, nothing wanted, or nothing at all.
fn empty_text<'t>(state: &State, filtered: bool, nothing: &'t str) -> &'t str {
    if state.clock.is_none() {
        "no data yet"
    } else if filtered && (!state.filter.is_empty() || state.deny_only) {
        "nothing matches (esc takes the filter away)"
    } else {
        nothing
    }
}

/// The column that says nothing here: on an agent's page all rows are of that agent.
fn without(state: &State) -> &'static str {
    if matches!(state.pages.last(), Some(Page::Agent(_))) { "AGENT" } else { "" }
}

/// Agents.
pub fn agents(canvas: &mut Canvas<'_>, state: &State, area: Rect, focused: bool, heads: Heads) {
    let rows = &state.agents;
    let nothing = "no agents yet: `tyrctl token create` makes a token to enroll one with";
    let empty = empty_text(state, !state.data().fleet.is_empty(), nothing);
    list(canvas, area, heads, rows, empty, |canvas, body, visible, first| {
        let table = Table::place(canvas, state, area, AGENTS, "", &visible.iter());
        if body.y > area.y {
            table.heads(canvas, area.y);
        }
        for ((n, agent), y) in visible.iter().enumerate().zip(lines(body)) {
            let mark = agent_mark(state, canvas.theme, agent);
            table.row(canvas, state, y, agent, mark, Look::of(first + n, rows.index(), focused));
        }
    });
}

/// Events and gaps, newest first.
pub fn events(canvas: &mut Canvas<'_>, state: &State, rows: &List<Entry>, area: Rect, focused: bool, heads: Heads) {
    let filtered = !state.data().events.is_empty();
    let empty = empty_text(state, filtered, "no events yet: they appear when an AI process does something");
    list(canvas, area, heads, rows, empty, |canvas, body, visible, first| {
        let table = Table::place(canvas, state, area, EVENTS, without(state), &visible.iter().filter_map(Entry::event));
        if body.y > area.y {
            table.heads(canvas, area.y);
        }
        for ((n, entry), y) in visible.iter().enumerate().zip(lines(body)) {
            let look = Look::of(first + n, rows.index(), focused);
            match entry {
                Entry::Event(event) => {
                    let mark = event_mark(canvas.theme, event);
                    table.row(canvas, state, y, event, mark, look);
                }
                Entry::Gap(_, gap) => gap_line(canvas, area, y, gap, look),
            }
        }
    });
}

fn gap_line(canvas: &mut Canvas<'_>, area: Rect, y: u16, gap: &Gap, look: Look) {
    let missed = gap.missed.map_or_else(|| "events are".to_owned(), |n| format!("{} events are", format::count(n)));
    let text = format!("{missed} missing here, since {}", format::clock(gap.since));
    canvas.text(area.x + 1, y, 2, canvas.theme.glyph(Glyph::Gap), Role::Warn);
    canvas.text(area.x + GUTTER, y, area.width.saturating_sub(GUTTER), &text, Role::Warn);
    select(canvas, area, y, look);
}

/// Drifting events, newest first.
pub fn drift(canvas: &mut Canvas<'_>, state: &State, rows: &List<Arc<Event>>, area: Rect, focused: bool, heads: Heads) {
    let filtered = !state.data().drifts.is_empty();
    let empty = empty_text(state, filtered, "no drift in the last 24 h: agents judge as the policy says");
    list(canvas, area, heads, rows, empty, |canvas, body, visible, first| {
        let table = Table::place(canvas, state, area, DRIFT, without(state), &visible.iter());
        if body.y > area.y {
            table.heads(canvas, area.y);
        }
        for ((n, event), y) in visible.iter().enumerate().zip(lines(body)) {
            let mark = event_mark(canvas.theme, event);
            table.row(canvas, state, y, event, mark, Look::of(first + n, rows.index(), focused));
        }
    });
}

/// Alerts that are pending or firing.
pub fn alerts(canvas: &mut Canvas<'_>, state: &State, area: Rect, focused: bool, heads: Heads) {
    let rows = &state.alerts;
    let empty = empty_text(state, !state.data().alerts.is_empty(), "no alerts: nothing is pending, nothing fires");
    list(canvas, area, heads, rows, empty, |canvas, body, visible, first| {
        let table = Table::place(canvas, state, area, ALERTS, "", &visible.iter());
        if body.y > area.y {
            table.heads(canvas, area.y);
        }
        for ((n, alert), y) in visible.iter().enumerate().zip(lines(body)) {
            let mark = alert_mark(canvas.theme, alert);
            table.row(canvas, state, y, alert, mark, Look::of(first + n, rows.index(), focused));
        }
    });
}

/// Drift by agent; open groups show their events.
pub fn drift_tree(canvas: &mut Canvas<'_>, state: &State, area: Rect, focused: bool, heads: Heads) {
    let rows = &state.groups;
    let filtered = !state.data().drifts.is_empty();
    let empty = empty_text(state, filtered, "no drift in the last 24 h: agents judge as the policy says");
    list(canvas, area, heads, rows, empty, |canvas, body, visible, first| {
        let events = visible.iter().filter_map(|line| match line {
            DriftLine::Event(event) => Some(event),
            DriftLine::Group(_) => None,
        });
        let indented = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
        let table = Table::place(canvas, state, indented, DRIFT, "AGENT", &events);
        if body.y > area.y {
            canvas.text(
                area.x + GUTTER,
                area.y,
                area.width.saturating_sub(GUTTER),
                "AGENT, EVENTS AND REASONS",
                Role::Dim,
            );
        }
        for ((n, line), y) in visible.iter().enumerate().zip(lines(body)) {
            let look = Look::of(first + n, rows.index(), focused);
            match line {
                DriftLine::Group(group) => {
                    group_line(canvas, state, area, y, group);
                }
                DriftLine::Event(event) => {
                    let mark = event_mark(canvas.theme, event);
                    table.row(canvas, state, y, event, mark, Look::Plain);
                }
            }
            select(canvas, area, y, look);
        }
    });
}

fn group_line(canvas: &mut Canvas<'_>, state: &State, area: Rect, y: u16, group: &Group) {
    let sign = canvas.theme.glyph(if group.open { Glyph::Open } else { Glyph::Closed });
    canvas.text(area.x + 2, y, 1, sign, Role::Accent);
    let mut spans: Vec<Span<'_>> =
        vec![span(&*group.name, Role::Strong), span(format!("  {}", format::count(group.events as u64)), Role::Bad)];
    for (reason, count) in DriftReason::ALL.iter().zip(group.reasons) {
        if count > 0 {
            spans.push(span(format!("  {} {}", reason_text(*reason), format::count(count as u64)), Role::Normal));
        }
    }
    let ago = state.clock.map_or(0, |clock| clock.as_second() - group.last.as_second());
    spans.push(span(format!("  last {} ago", format::age(ago)), Role::Dim));
    canvas.line(area.x + GUTTER, y, area.right(), &spans);
}

const AI: &[Column<Arc<DiscoveredAgent>>] = &[
    Column {
        head: "TYPE",
        width: Width::Fit(8, 16),
        right: false,
        priority: 0,
        cut: Cut::End,
        cell: |_, process| span(&*process.agent_type, Role::Strong),
    },
    Column {
        head: "PID",
        width: Width::Fixed(7),
        right: true,
        priority: 1,
        cut: Cut::End,
        cell: |_, process| span(process.pid.to_string(), Role::Normal),
    },
    Column {
        head: "STATE",
        width: Width::Fixed(13),
        right: false,
        priority: 2,
        cut: Cut::End,
        cell: |state, process| match process.ended_at {
            Some(ended) => span(format!("ended {}", ago(state, ended)), Role::Dim),
            None => span(format!("for {}", ago(state, process.first_seen)), Role::Good),
        },
    },
    Column {
        head: "FOUND BY",
        width: Width::Fixed(11),
        right: false,
        priority: 4,
        cut: Cut::End,
        cell: |_, process| span(&*process.found_by, Role::Dim),
    },
    Column {
        head: "COMMAND",
        width: Width::Fill(16, 34),
        right: false,
        priority: 0,
        cut: Cut::End,
        cell: |_, process| {
            span(if process.cmdline.is_empty() { &*process.process_exe } else { &*process.cmdline }, Role::Normal)
        },
    },
];

fn ago(state: &State, at: jiff::Timestamp) -> String {
    state.clock.map_or_else(String::new, |clock| format::age(clock.as_second() - at.as_second()))
}

/// AI processes of one agent.
pub fn ai(canvas: &mut Canvas<'_>, state: &State, rows: &List<Arc<DiscoveredAgent>>, area: Rect, focused: bool) {
    list(
        canvas,
        area,
        Heads::Shown,
        rows,
        "no AI process was found there within the last hour",
        |canvas, body, visible, first| {
            let table = Table::place(canvas, state, area, AI, "", &visible.iter());
            if body.y > area.y {
                table.heads(canvas, area.y);
            }
            for ((n, process), y) in visible.iter().enumerate().zip(lines(body)) {
                let (glyph, role) =
                    if process.ended_at.is_some() { (Glyph::Ring, Role::Dim) } else { (Glyph::Dot, Role::Good) };
                let mark = (canvas.theme.glyph(glyph), role);
                table.row(canvas, state, y, process, mark, Look::of(first + n, rows.index(), focused));
            }
        },
    );
}

/// What stands at the right of a list's upper edge: which rows of how many, new ones above, more below.
pub fn position<R: Keyed>(canvas: &Canvas<'_>, rows: &List<R>, height: u16) -> String {
    let all = rows.rows().len();
    if all == 0 {
        return String::new();
    }
    let mut parts = Vec::new();
    if rows.newer() > 0 {
        parts.push(format!("+{} new", format::count(rows.newer() as u64)));
    }
    if all > usize::from(height) {
        parts.push(format!("{} of {}", format::count(rows.index() as u64 + 1), format::count(all as u64)));
    } else {
        parts.push(format::count(all as u64));
    }
    parts.join(&format!(" {} ", canvas.theme.glyph(Glyph::Bullet)))
}
