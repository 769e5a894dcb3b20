//! Boxes over the screen: the help, menus, and the equivalent command.

use ratatui::layout::Rect;

use crate::tui::filter::Field;
use crate::tui::input::{Action, BINDINGS};
use crate::tui::state::State;
use crate::tui::state::ask::VERBS;
use crate::tui::state::line::Line;
use crate::tui::state::menu::likeness;
use crate::tui::state::mouse::Target;
use crate::tui::state::ui::{Menu, MenuKind, Popup, Scroll};
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, Span, span};

/// Draws the box into the middle of the screen.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, popup: &Popup, screen: Rect) {
    match popup {
        Popup::Help { scroll, search } => help(canvas, state, scroll, search.as_ref(), screen),
        Popup::Command { title, shown, note, .. } => command(canvas, state, title, (shown, note), screen),
        Popup::Menu(menu) => draw_menu(canvas, state, menu, screen),
    }
}

/// An area of that size, as far as there is room, in the middle of the screen.
pub(super) fn middle(screen: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(screen.width.saturating_sub(2));
    let height = height.min(screen.height.saturating_sub(2));
    Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 2, width, height }
}

fn open(canvas: &mut Canvas<'_>, state: &State, area: Rect, title: &[Span<'_>], note: &str) -> Rect {
    canvas.clear(area);
    state.drawn(area, Target::Popup);
    canvas.panel(area, title, note, true)
}

fn rows(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn command(canvas: &mut Canvas<'_>, state: &State, title: &'static str, (shown, note): (&str, &str), screen: Rect) {
    let width = screen.width.saturating_sub(8).min(100);
    let mut lines: Vec<(String, Role)> =
        shown.lines().flat_map(|line| canvas.wrap(line, width)).map(|line| (line, Role::Strong)).collect();
    if !note.is_empty() {
        lines.extend(canvas.wrap(note, width).into_iter().map(|line| (line, Role::Warn)));
    }
    let area = middle(screen, 104, rows(lines.len()).saturating_add(2));
    let note = format!("{} copies, esc closes", state.keys.first(Action::Copy));
    let inner = open(canvas, state, area, &[span(title, Role::Accent)], &note);
    for ((line, role), y) in lines.iter().zip(inner.y..inner.bottom()) {
        canvas.text(inner.x + 1, y, inner.width.saturating_sub(2), line, *role);
    }
}

/// A line of the help: a heading, or keys and what they mean.
enum HelpLine {
    Head(&'static str),
    Keys(String, String),
}

fn help(canvas: &mut Canvas<'_>, state: &State, scroll: &Scroll, search: Option<&Line>, screen: Rect) {
    let wanted = search.map_or("", Line::text);
    let all = help_lines(canvas, state);
    let lines: Vec<&HelpLine> = all
        .iter()
        .filter(|line| match line {
            HelpLine::Head(_) => wanted.trim().is_empty(),
            HelpLine::Keys(keys, text) => likeness(wanted, &format!("{keys} {text}")).is_some_and(|score| {
                // Words as they stand; letters strewn over a line would find half of the table.
                wanted.trim().is_empty() || score >= 30
            }),
        })
        .collect();
    // Searching must not make the box jump.
    let area = middle(screen, 92, rows(all.len()).saturating_add(2));
    let title = match search {
        Some(line) => vec![
            span("Keys /", Role::Accent),
            span(line.text().to_owned(), Role::Normal),
            span(canvas.theme.glyph(Glyph::Caret), Role::Accent),
        ],
        None => vec![span("Keys", Role::Accent)],
    };
    let note = if search.is_some() {
        "esc shows all".to_owned()
    } else {
        format!("{} searches, esc closes", state.keys.first(Action::Filter))
    };
    let inner = open(canvas, state, area, &title, &note);
    let height = usize::from(inner.height);
    let first = scroll.first(lines.len(), height);
    if lines.is_empty() {
        canvas.text(inner.x + 1, inner.y, inner.width.saturating_sub(2), "nothing about that", Role::Dim);
    }
    for (line, y) in lines.iter().skip(first).zip(inner.y..inner.bottom()) {
        match line {
            HelpLine::Head(text) => {
                canvas.text(inner.x + 1, y, inner.width.saturating_sub(2), text, Role::Strong);
            }
            HelpLine::Keys(keys, text) => {
                canvas.text(inner.x + 2, y, 13, keys, Role::Accent);
                canvas.text(inner.x + 16, y, inner.width.saturating_sub(17), text, Role::Normal);
            }
        }
    }
    if lines.len() > first + height && inner.height > 0 {
        let more = format!(" {} more ", lines.len() - first - height);
        canvas.text_right(inner.x, inner.right(), inner.bottom() - 1, &more, Role::Warn);
    }
}

fn help_lines(canvas: &Canvas<'_>, state: &State) -> Vec<HelpLine> {
    let mut lines = Vec::new();
    let mut section = None;
    for binding in BINDINGS.iter().filter(|binding| !binding.help.is_empty()) {
        if section != Some(binding.section) {
            section = Some(binding.section);
            lines.push(HelpLine::Head(binding.section.name()));
        }
        let keys = state.keys.shown(binding, canvas.theme.ascii);
        lines.push(HelpLine::Keys(keys.into_owned(), binding.help.to_owned()));
    }
    lines.push(HelpLine::Head("Commands, beside the words of the palette"));
    lines.extend(
        VERBS.iter().map(|verb| HelpLine::Keys(format!(":{}", verb.word), format!("{}: {}", verb.argument, verb.help))),
    );
    lines.push(HelpLine::Head("Signs"));
    for (glyph, text) in [
        (Glyph::Up, "agent: needs attention; drift: the policy is stricter than what happened"),
        (Glyph::Double, "drift: should have been denied, was only alerted"),
        (Glyph::Down, "drift: what happened is stricter than the policy"),
        (Glyph::Check, "marked"),
    ] {
        lines.push(HelpLine::Keys(canvas.theme.glyph(glyph).to_owned(), text.to_owned()));
    }
    lines.push(HelpLine::Keys("v39!".to_owned(), "another policy is assigned than the one in force".to_owned()));
    lines.push(HelpLine::Head("Filter"));
    for (what, text) in [
        ("example", "kind=exec,net_connect verdict!=allow resource:/etc/* since 5m not rule:x"),
        ("operators", ": contains or glob, ~ pattern, = != < <= > >=, a,b any of, 'quotes', and or not ( )"),
    ] {
        lines.push(HelpLine::Keys(what.to_owned(), text.to_owned()));
    }
    lines.extend(Field::ALL.iter().map(|(name, _, about)| HelpLine::Keys((*name).to_owned(), (*about).to_owned())));
    lines
}

fn draw_menu(canvas: &mut Canvas<'_>, state: &State, menu: &Menu, screen: Rect) {
    let items = state.items(menu);
    let table = state.table().map_or("", crate::tui::state::order::Table::name);
    let (title, note, width) = match menu.kind {
        MenuKind::Palette => ("Palette ".to_owned(), "enter does it, esc closes", 76),
        MenuKind::Sort => (format!("Sort {table} by"), "enter, S reverses", 44),
        MenuKind::Columns => (format!("Columns of {table}"), "space, r resets", 44),
    };
    let mut title = vec![span(title, Role::Accent)];
    if menu.kind == MenuKind::Palette {
        title.push(span(menu.line.text().to_owned(), Role::Strong));
        title.push(span(canvas.theme.glyph(Glyph::Caret), Role::Accent));
    }
    // The palette keeps its size while it's searched.
    let wanted = if menu.kind == MenuKind::Palette { 22 } else { rows(items.len()).saturating_add(2) };
    let inner = open(canvas, state, middle(screen, width, wanted), &title, note);
    if items.is_empty() {
        canvas.text(inner.x + 1, inner.y, inner.width.saturating_sub(2), "nothing of that name", Role::Dim);
        return;
    }
    let height = usize::from(inner.height);
    let index = menu.index.min(items.len() - 1);
    let first = menu.scroll.first(items.len(), height);
    // The selected item is always among the visible ones.
    menu.scroll.go(if index < first {
        index
    } else if index >= first + height {
        index + 1 - height.max(1)
    } else {
        first
    });
    let first = menu.scroll.first(items.len(), height);
    let label = items.iter().map(|item| canvas.width(&item.label)).max().unwrap_or(0).min(inner.width / 3).max(12);
    for ((n, item), y) in items.iter().enumerate().skip(first).zip(inner.y..inner.bottom()) {
        let line = Rect { y, height: 1, ..inner };
        state.drawn(line, Target::Item(n));
        if menu.kind == MenuKind::Columns {
            let sign = if item.note.is_empty() { " " } else { canvas.theme.glyph(Glyph::Check) };
            canvas.text(inner.x + 2, y, 1, sign, Role::Good);
        }
        canvas.text(inner.x + 4, y, label, &item.label, Role::Strong);
        let note = canvas.width(&item.note);
        let right = inner.right().saturating_sub(1);
        canvas.text_right(inner.x, right, y, &item.note, Role::Accent);
        let about = inner.x + 4 + label + 2;
        canvas.text(about, y, right.saturating_sub(about + note + 1), &item.about, Role::Normal);
        if n == index {
            canvas.text(inner.x, y, 1, canvas.theme.glyph(Glyph::Marker), Role::Normal);
            canvas.restyle(line, Role::Selected);
        }
    }
}
