//! The lists: agents, events, drift and drift by agent, each into whatever area it's given.

use std::sync::Arc;

use ratatui::layout::Rect;
use tyr_api::agents::DiscoveredAgent;
use tyr_api::events::{DriftReason, Event};
use tyr_api::stream::Gap;

use crate::tui::state::State;
use crate::tui::state::drifts::{DriftLine, Group, GroupBy, reason_text};
use crate::tui::state::list::{Keyed, List};
use crate::tui::state::mouse::Target;
use crate::tui::state::order;
use crate::tui::state::ring::Entry;
use crate::tui::state::ui::{Page, Pane};
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, Span, span};
use crate::tui::views::columns::{AGENTS, AI, ALERTS, DRIFT, EVENTS, LOG, agent_mark, alert_mark, event_mark};
use crate::tui::views::format;
use crate::tui::views::table::{GUTTER, Look, Table, marked, select};

/// Whether a list shows the names of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heads {
    /// It does.
    Shown,
    /// There is no room for them.
    Hidden,
}

/// Draws one list: heads, the visible rows, or the word for an empty one. Leaves behind where its rows are, for the mouse.
fn list<R: Keyed>(
    canvas: &mut Canvas<'_>,
    (state, pane): (&State, Pane),
    area: Rect,
    heads: Heads,
    rows: &List<R>,
    empty: &str,
    mut draw: impl FnMut(&mut Canvas<'_>, Rect, &[R], usize),
) {
    let head = u16::from(heads == Heads::Shown && area.height > 1);
    let body = Rect { y: area.y + head, height: area.height - head, ..area };
    state.drawn(area, Target::Pane(pane));
    if rows.rows().is_empty() {
        rows.window(usize::from(body.height));
        canvas.text(area.x + 1, area.y, area.width.saturating_sub(1), empty, Role::Dim);
        return;
    }
    let (first, visible) = rows.window(usize::from(body.height));
    for (n, y) in (first..first + visible.len()).zip(lines(body)) {
        state.drawn(Rect { y, height: 1, ..body }, Target::Row(pane, n));
    }
    draw(canvas, body, visible, first);
}

/// A pane of the agent's page while it's open, else one of the view.
fn pane(state: &State, of_view: Pane, of_page: Pane) -> Pane {
    if state.pages.is_empty() { of_view } else { of_page }
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
    list(canvas, (state, Pane::Agents), area, heads, rows, empty, |canvas, body, visible, first| {
        let fleet = &state.data().fleet;
        let agents = visible.iter().filter_map(|row| fleet.get(row.0));
        let table = Table::place(canvas, state, area, (order::Table::Agents, AGENTS), "", &agents);
        if body.y > area.y {
            table.heads(canvas, state, area.y);
        }
        for ((n, row), y) in visible.iter().enumerate().zip(lines(body)) {
            // One that went since the list was sorted leaves its line empty until the next time.
            let Some(agent) = fleet.get(row.0) else { continue };
            let mark = agent_mark(state, canvas.theme, agent);
            table.row(canvas, state, y, agent, mark, Look::of(first + n, rows.index(), focused));
        }
    });
}

/// Events and gaps, newest first.
pub fn events(canvas: &mut Canvas<'_>, state: &State, rows: &List<Entry>, area: Rect, focused: bool, heads: Heads) {
    let filtered = !state.data().events.is_empty();
    let empty = empty_text(state, filtered, "no events yet: they appear when an AI process does something");
    let pane = pane(state, Pane::Events, Pane::PageEvents);
    list(canvas, (state, pane), area, heads, rows, empty, |canvas, body, visible, first| {
        let events: Vec<Option<Arc<Event>>> = visible.iter().map(Entry::event).collect();
        let known = events.iter().flatten();
        let table = Table::place(canvas, state, area, (order::Table::Events, EVENTS), without(state), &known);
        if body.y > area.y {
            table.heads(canvas, state, area.y);
        }
        for (((n, entry), event), y) in visible.iter().enumerate().zip(&events).zip(lines(body)) {
            let look = Look::of(first + n, rows.index(), focused);
            match (entry, event) {
                (_, Some(event)) => {
                    let mark = event_mark(canvas.theme, event);
                    table.row(canvas, state, y, event, mark, look);
                }
                (Entry::Gap(_, gap), None) => gap_line(canvas, state, area, y, gap, look),
                (Entry::Event(..), None) => {}
            }
        }
    });
}

fn gap_line(canvas: &mut Canvas<'_>, state: &State, area: Rect, y: u16, gap: &Gap, look: Look) {
    let missed = gap.missed.map_or_else(|| "events are".to_owned(), |n| format!("{} events are", format::count(n)));
    let text = format!("{missed} missing here, since {}", format::stamp(state, gap.since));
    canvas.text(area.x + 1, y, 2, canvas.theme.glyph(Glyph::Gap), Role::Warn);
    canvas.text(area.x + GUTTER, y, area.width.saturating_sub(GUTTER), &text, Role::Warn);
    select(canvas, area, y, look);
}

/// Drifting events, newest first.
pub fn drift(canvas: &mut Canvas<'_>, state: &State, rows: &List<Arc<Event>>, area: Rect, focused: bool, heads: Heads) {
    let filtered = !state.data().drifts.is_empty();
    let empty = empty_text(state, filtered, "no drift in the last 24 h: agents judge as the policy says");
    let pane = pane(state, Pane::Drift, Pane::PageDrift);
    list(canvas, (state, pane), area, heads, rows, empty, |canvas, body, visible, first| {
        let table = Table::place(canvas, state, area, (order::Table::Drift, DRIFT), without(state), &visible.iter());
        if body.y > area.y {
            table.heads(canvas, state, area.y);
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
    list(canvas, (state, Pane::Alerts), area, heads, rows, empty, |canvas, body, visible, first| {
        let table = Table::place(canvas, state, area, (order::Table::Alerts, ALERTS), "", &visible.iter());
        if body.y > area.y {
            table.heads(canvas, state, area.y);
        }
        for ((n, alert), y) in visible.iter().enumerate().zip(lines(body)) {
            let mark = alert_mark(canvas.theme, alert);
            table.row(canvas, state, y, alert, mark, Look::of(first + n, rows.index(), focused));
        }
    });
}

/// What this program did.
pub fn log(canvas: &mut Canvas<'_>, state: &State, area: Rect, focused: bool, heads: Heads) {
    let rows = &state.lines;
    let empty =
        if state.log.is_empty() { "nothing happened yet" } else { "nothing matches (esc takes the filter away)" };
    list(canvas, (state, Pane::Log), area, heads, rows, empty, |canvas, body, visible, first| {
        let table = Table::place(canvas, state, area, (order::Table::Log, LOG), "", &visible.iter());
        if body.y > area.y {
            table.heads(canvas, state, area.y);
        }
        for ((n, line), y) in visible.iter().enumerate().zip(lines(body)) {
            let glyph = match line.role {
                Role::Good => Glyph::Dot,
                Role::Warn => Glyph::Gap,
                Role::Bad => Glyph::Cross,
                _ => Glyph::Bullet,
            };
            let mark = (canvas.theme.glyph(glyph), line.role);
            table.row(canvas, state, y, line, mark, Look::of(first + n, rows.index(), focused));
        }
    });
}

/// Grouped drift; open groups show their events.
pub fn drift_tree(canvas: &mut Canvas<'_>, state: &State, area: Rect, focused: bool, heads: Heads) {
    let rows = &state.groups;
    let filtered = !state.data().drifts.is_empty();
    let empty = empty_text(state, filtered, "no drift in the last 24 h: agents judge as the policy says");
    list(canvas, (state, Pane::DriftTree), area, heads, rows, empty, |canvas, body, visible, first| {
        let events = visible.iter().filter_map(|line| match line {
            DriftLine::Event(event) => Some(event),
            DriftLine::Group(_) => None,
        });
        let indented = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
        // What all events of a group have in common stands in its line.
        let common = match state.grouped_by {
            GroupBy::Agent => "AGENT",
            GroupBy::Kind => "KIND",
            GroupBy::Reason => "WHY",
            GroupBy::Rule => "RULE",
            GroupBy::Resource => "",
        };
        let table = Table::place(canvas, state, indented, (order::Table::Drift, DRIFT), common, &events);
        if body.y > area.y {
            group_heads(canvas, state, area);
        }
        for ((n, line), y) in visible.iter().enumerate().zip(lines(body)) {
            let look = Look::of(first + n, rows.index(), focused);
            match line {
                DriftLine::Group(group) => {
                    group_line(canvas, state, area, y, group);
                    marked(canvas, state, area, y, line);
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

/// What groups can be sorted by, as heads to click on.
fn group_heads(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let order = state.layout.order(order::Table::Groups);
    let mut x = area.x + GUTTER;
    for head in order::Table::Groups.heads() {
        let sorted = order.head == *head;
        let sign = canvas.theme.glyph(if order.reversed { Glyph::SortUp } else { Glyph::SortDown });
        let text = if sorted { format!("{head}{sign}") } else { (*head).to_owned() };
        let role = if sorted { Role::Accent } else { Role::Dim };
        let used = canvas.text(x, area.y, area.right().saturating_sub(x), &text, role);
        state.drawn(Rect { x, y: area.y, width: used, height: 1 }, Target::Head(order::Table::Groups, head));
        x += used + 2;
    }
}

fn group_line(canvas: &mut Canvas<'_>, state: &State, area: Rect, y: u16, group: &Group) {
    let sign = canvas.theme.glyph(if group.open { Glyph::Open } else { Glyph::Closed });
    canvas.text(area.x + 2, y, 1, sign, Role::Accent);
    let name = match group.by {
        GroupBy::Agent => state.name_of(group.id, &group.name),
        GroupBy::Resource => state.shown(&group.name),
        GroupBy::Kind | GroupBy::Rule | GroupBy::Reason => (&*group.name).into(),
    };
    let mut spans: Vec<Span<'_>> =
        vec![span(name, Role::Strong), span(format!("  {}", format::count(group.events as u64)), Role::Bad)];
    for (reason, count) in DriftReason::ALL.iter().zip(group.reasons) {
        if count > 0 {
            spans.push(span(format!("  {} {}", reason_text(*reason), format::count(count as u64)), Role::Normal));
        }
    }
    let ago = state.clock.map_or(0, |clock| clock.as_second() - group.last.as_second());
    spans.push(span(format!("  last {} ago", format::age(ago)), Role::Dim));
    canvas.line(area.x + GUTTER, y, area.right(), &spans);
}

/// AI processes of one agent.
pub fn ai(canvas: &mut Canvas<'_>, state: &State, rows: &List<Arc<DiscoveredAgent>>, area: Rect, focused: bool) {
    list(
        canvas,
        (state, Pane::PageAi),
        area,
        Heads::Shown,
        rows,
        "no AI process was found there within the last hour",
        |canvas, body, visible, first| {
            let table = Table::place(canvas, state, area, (order::Table::Ai, AI), "", &visible.iter());
            if body.y > area.y {
                table.heads(canvas, state, area.y);
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

/// What stands at the right of a list's upper edge: which rows of how many, new ones above, marked ones, and what it's sorted by
/// if that is not the usual.
pub fn position<R: Keyed>(
    canvas: &Canvas<'_>,
    state: &State,
    table: order::Table,
    rows: &List<R>,
    height: u16,
) -> String {
    let all = rows.rows().len();
    if all == 0 {
        return String::new();
    }
    let mut parts = Vec::new();
    if !state.marked.is_empty() {
        let marked = rows.rows().iter().filter(|row| state.marked.contains(&row.key())).count();
        if marked > 0 {
            parts.push(format!("{} marked", format::count(marked as u64)));
        }
    }
    if rows.newer() > 0 {
        parts.push(format!("+{} new", format::count(rows.newer() as u64)));
    }
    if all > usize::from(height) {
        parts.push(format!("{} of {}", format::count(rows.index() as u64 + 1), format::count(all as u64)));
    } else {
        parts.push(format::count(all as u64));
    }
    parts.extend(sorted(canvas, state, table));
    parts.join(&format!(" {} ", canvas.theme.glyph(Glyph::Bullet)))
}

/// What a list is sorted by, if that is not the usual.
pub fn sorted(canvas: &Canvas<'_>, state: &State, table: order::Table) -> Option<String> {
    let order = state.layout.order(table);
    if order.head == table.natural() && !order.reversed && table != order::Table::Agents {
        return None;
    }
    let direction = canvas.theme.glyph(if order.reversed { Glyph::SortUp } else { Glyph::SortDown });
    Some(format!("sort {}{direction}", order.head))
}
