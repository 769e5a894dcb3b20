//! The box in which an operator logs in again.

use ratatui::layout::Rect;

use crate::tui::state::State;
use crate::tui::state::login::{LoginField, LoginForm};
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, span};
use crate::tui::views::popup::middle;

/// Draws the box into the middle of the screen; on a small screen its lines alone, over everything.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, form: &LoginForm, screen: Rect) {
    let boxed = screen.height >= 7 && screen.width >= 30;
    let area = if boxed { middle(screen, 64, 5) } else { screen };
    canvas.clear(area);
    let inner = if boxed {
        let title = [span("Log in to ", Role::Accent), span(state.shown(&state.server), Role::Normal)];
        canvas.panel(area, &title, "enter, esc cancels", true)
    } else {
        area
    };
    let username = state.shown(&form.username);
    let hidden: String = "*".repeat(form.password_chars());
    let fields = [("User name ", &*username, LoginField::Username), ("Password  ", &*hidden, LoginField::Password)];
    let caret = canvas.theme.glyph(Glyph::Caret);
    for ((label, text, field), y) in fields.into_iter().zip(inner.y..inner.bottom()) {
        let here = form.field == field && !form.waiting;
        let x = canvas.line(inner.x + 1, y, inner.right(), &[span(label, if here { Role::Accent } else { Role::Dim })]);
        // Of a long text the end is shown: that is where it's typed.
        let room = usize::from(inner.right().saturating_sub(x + 2));
        let plain = canvas.plain(text);
        let shown: String = plain.chars().skip(plain.chars().count().saturating_sub(room)).collect();
        canvas.line(
            x,
            y,
            inner.right(),
            &[span(shown, Role::Normal), span(if here { caret } else { "" }, Role::Accent)],
        );
    }
    let error = form.error.as_deref().map(|error| state.shown(error));
    let (text, role) = match &error {
        _ if form.waiting => ("asking the server", Role::Dim),
        Some(error) => (&**error, Role::Bad),
        None => ("tab goes to the other field", Role::Dim),
    };
    if inner.height > 2 {
        canvas.text(inner.x + 1, inner.y + 2, inner.width.saturating_sub(2), text, role);
    }
}
