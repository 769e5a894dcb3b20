//! Boxes over the screen: the help, and the equivalent command.

use ratatui::layout::Rect;

use crate::tui::filter::Field;
use crate::tui::input::BINDINGS;
use crate::tui::state::ui::Popup;
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, span};

/// Draws the box into the middle of the screen.
pub fn draw(canvas: &mut Canvas<'_>, popup: &Popup, screen: Rect) {
    match popup {
        Popup::Help { scroll } => {
            let lines = help(canvas);
            let area = middle(screen, 76, u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2));
            canvas.clear(area);
            let inner = canvas.panel(area, &[span("Keys", Role::Accent)], "esc closes", true);
            let height = usize::from(inner.height);
            let first = scroll.get().min(lines.len().saturating_sub(height));
            scroll.set(first);
            for ((keys, text), y) in lines.iter().skip(first).zip(inner.y..inner.bottom()) {
                canvas.text(inner.x + 1, y, 11, keys, Role::Accent);
                canvas.text(inner.x + 13, y, inner.width.saturating_sub(14), text, Role::Normal);
            }
        }
        Popup::Command(command) => {
            let wrapped = canvas.wrap(command, screen.width.saturating_sub(8).min(100));
            let area = middle(screen, 104, u16::try_from(wrapped.len()).unwrap_or(1) + 2);
            canvas.clear(area);
            let title = [span("The same on the command line", Role::Accent)];
            let inner = canvas.panel(area, &title, "y copies, esc closes", true);
            for (line, y) in wrapped.iter().zip(inner.y..inner.bottom()) {
                canvas.text(inner.x + 1, y, inner.width.saturating_sub(2), line, Role::Strong);
            }
        }
    }
}

/// An area of that size, as far as there is room, in the middle of the screen.
pub(super) fn middle(screen: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(screen.width.saturating_sub(2));
    let height = height.min(screen.height.saturating_sub(2));
    Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 2, width, height }
}

fn help(canvas: &Canvas<'_>) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = BINDINGS
        .iter()
        .filter(|binding| !binding.help.is_empty())
        .map(|binding| {
            let keys = if canvas.theme.ascii { binding.shown_ascii } else { binding.shown };
            (keys.to_owned(), binding.help.to_owned())
        })
        .collect();
    let glyph = |glyph| canvas.theme.glyph(glyph).to_owned();
    lines.push((String::new(), String::new()));
    lines.push((
        glyph(Glyph::Up),
        "agent: needs attention; drift: the policy is stricter than what happened".to_owned(),
    ));
    lines.push((glyph(Glyph::Double), "drift: should have been denied, was only alerted".to_owned()));
    lines.push((glyph(Glyph::Down), "drift: what happened is stricter than the policy".to_owned()));
    lines.push(("v39!".to_owned(), "another policy is assigned than the one in force".to_owned()));
    lines.push((String::new(), String::new()));
    lines.push((
        "filter".to_owned(),
        "kind=exec,net_connect verdict!=allow resource:/etc/* age<5m not rule:x".to_owned(),
    ));
    lines.push((
        "operators".to_owned(),
        ": contains or glob, = != < <= > >=, a,b any of, 'quotes', and or not ( )".to_owned(),
    ));
    lines.extend(Field::ALL.iter().map(|(name, _, about)| ((*name).to_owned(), (*about).to_owned())));
    lines
}
