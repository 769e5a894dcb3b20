//! The one place where strings become cells of the screen.
//!
//! [`Canvas::text`] makes every string harmless before it writes it, cuts it visibly where it doesn't fit, and, where the
//! terminal knows ASCII alone, replaces what is left of other characters.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::output::sanitize::sanitize;
use crate::tui::theme::{Glyph, Palette, Role, Theme};

/// Where text is cut when it doesn't fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// `docs-over…`
    End,
    /// `/home/b/…/intro.md`: for paths, where both ends tell most.
    Middle,
}

/// A piece of a line.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// As it came; made harmless when drawn.
    pub text: Cow<'a, str>,
    /// How it looks.
    pub role: Role,
}

/// A piece of a line.
pub fn span<'a>(text: impl Into<Cow<'a, str>>, role: Role) -> Span<'a> {
    Span { text: text.into(), role }
}

/// A buffer to draw on, and how.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    /// What the terminal can show.
    pub theme: Theme,
    /// Which colours the roles have.
    pub palette: Palette,
}

impl<'a> Canvas<'a> {
    /// Draws on that buffer.
    pub fn new(buffer: &'a mut Buffer, theme: Theme) -> Self {
        Self { buffer, theme, palette: Palette::default() }
    }

    fn style(&self, role: Role) -> Style {
        self.palette.style(self.theme.color, role)
    }

    /// The whole area that can be drawn on.
    pub fn area(&self) -> Rect {
        self.buffer.area
    }

    /// How many columns the text will take, uncut.
    pub fn width(&self, text: &str) -> u16 {
        columns(&self.harmless(text))
    }

    /// The text as it would be drawn, uncut.
    pub fn plain(&self, text: &str) -> String {
        self.harmless(text).into_owned()
    }

    fn harmless<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = sanitize(text);
        if self.theme.ascii && !text.is_ascii() {
            return Cow::Owned(in_ascii(&text));
        }
        text
    }

    /// The text in lines of at most that many columns, made harmless; never empty. Broken behind a space where there is one not
    /// too far back, so that words stay whole, and paths are still shown to their last character.
    pub fn wrap(&self, text: &str, width: u16) -> Vec<String> {
        let harmless = self.harmless(text);
        let width = width.max(2);
        let mut lines = Vec::new();
        let mut line = String::new();
        for c in harmless.chars() {
            if columns(&line) + columns(c.encode_utf8(&mut [0; 4])) > width {
                let space = line.rfind(' ').map(|space| space + 1).filter(|at| columns(&line[..*at]) > width / 2);
                let rest = space.map(|at| line.split_off(at)).unwrap_or_default();
                lines.push(std::mem::replace(&mut line, rest));
            }
            line.push(c);
        }
        lines.push(line);
        lines
    }

    /// Writes text from (x, y) on, at most `width` columns, and returns how many it took.
    pub fn text(&mut self, x: u16, y: u16, width: u16, text: &str, role: Role) -> u16 {
        self.text_cut(x, y, width, text, role, Cut::End)
    }

    /// Like [`Canvas::text`], with a choice of where to cut.
    pub fn text_cut(&mut self, x: u16, y: u16, width: u16, text: &str, role: Role, cut: Cut) -> u16 {
        let area = self.buffer.area;
        if y < area.y || y >= area.bottom() || x < area.x || x >= area.right() {
            return 0;
        }
        let width = width.min(area.right() - x);
        let harmless = self.harmless(text);
        let fitted = fit(&harmless, width, cut, self.theme.glyph(Glyph::Ellipsis));
        let style = self.style(role);
        let (end, _) = self.buffer.set_stringn(x, y, &fitted, usize::from(width), style);
        end - x
    }

    /// Writes text that ends before column `right`, and returns the column where it begins.
    pub fn text_right(&mut self, left: u16, right: u16, y: u16, text: &str, role: Role) -> u16 {
        let room = right.saturating_sub(left);
        let taken = self.width(text).min(room);
        let x = right - taken;
        self.text(x, y, taken, text, role);
        x
    }

    /// Writes pieces one after the other, and returns the column behind the last.
    pub fn line(&mut self, x: u16, y: u16, right: u16, spans: &[Span<'_>]) -> u16 {
        let mut at = x;
        for span in spans {
            if at >= right {
                break;
            }
            at += self.text(at, y, right - at, &span.text, span.role);
        }
        at
    }

    /// Changes how an area looks without touching its text.
    pub fn restyle(&mut self, area: Rect, role: Role) {
        let area = area.intersection(self.buffer.area);
        let style = self.style(role);
        self.buffer.set_style(area, style);
    }

    /// Empties an area.
    pub fn clear(&mut self, area: Rect) {
        for position in area.intersection(self.buffer.area).positions() {
            self.buffer[position].reset();
        }
    }

    /// Draws a box with a title on the left and a note on the right of its upper edge; returns the area inside.
    ///
    /// Too small for a box (less than 3x3), the area itself is returned and nothing is drawn.
    pub fn panel(&mut self, area: Rect, title: &[Span<'_>], note: &str, focused: bool) -> Rect {
        let area = area.intersection(self.buffer.area);
        if area.width < 3 || area.height < 3 {
            return area;
        }
        let lines = self.theme.lines();
        let style = self.style(if focused { Role::Focus } else { Role::Border });
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.x..=right {
            self.buffer[(x, area.y)].set_symbol(lines.horizontal).set_style(style);
            self.buffer[(x, bottom)].set_symbol(lines.horizontal).set_style(style);
        }
        for y in area.y..=bottom {
            self.buffer[(area.x, y)].set_symbol(lines.vertical).set_style(style);
            self.buffer[(right, y)].set_symbol(lines.vertical).set_style(style);
        }
        let corners = [(area.x, area.y), (right, area.y), (right, bottom), (area.x, bottom)];
        for (corner, symbol) in corners.into_iter().zip(lines.corners) {
            self.buffer[corner].set_symbol(symbol);
        }
        let mut x = area.x + 2;
        if !title.is_empty() && x < right {
            x += self.text(x, area.y, right - x, " ", Role::Normal);
            x = self.line(x, area.y, right, title);
            x += self.text(x, area.y, right.saturating_sub(x), " ", Role::Normal);
        }
        let note_width = self.width(note) + 2;
        if !note.is_empty() && x + note_width < right.saturating_sub(1) {
            let from = right - 1 - note_width;
            self.text(from, area.y, note_width, &format!(" {note} "), Role::Dim);
        }
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }
}

/// Everything beyond ASCII as `?`, one per column, so that what was aligned stays aligned.
fn in_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.extend(std::iter::repeat_n('?', c.width().unwrap_or(0)));
        }
    }
    out
}

/// Columns that harmless text takes, at most `u16::MAX`.
pub fn columns(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// Text of at most `width` columns; what doesn't fit is replaced by `ellipsis`.
pub fn fit<'t>(text: &'t str, width: u16, cut: Cut, ellipsis: &str) -> Cow<'t, str> {
    if columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let room = usize::from(width).saturating_sub(ellipsis.width());
    if width == 0 {
        return Cow::Borrowed("");
    }
    let head_room = match cut {
        Cut::End => room,
        Cut::Middle => room.div_ceil(3),
    };
    let head = prefix(text.chars(), head_room);
    let mut out: String = text.chars().take(head).collect();
    out.push_str(ellipsis);
    if cut == Cut::Middle {
        let tail = prefix(text.chars().rev(), room - head_room);
        out.extend(text.chars().skip(text.chars().count() - tail));
    }
    Cow::Owned(out)
}

/// How many of the characters fit into that many columns.
fn prefix(chars: impl Iterator<Item = char>, columns: usize) -> usize {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .count()
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::{Canvas, Cut, fit};
    use crate::tui::theme::Theme;

    #[test]
    fn wraps_at_spaces_and_loses_nothing() {
        let mut buffer = Buffer::empty(Rect::ZERO);
        let canvas = Canvas::new(&mut buffer, Theme { color: false, ascii: false });
        assert_eq!(canvas.wrap("the host can refuse it", 12), ["the host ", "can refuse ", "it"]);
        assert_eq!(canvas.wrap("/a/very/long/path x", 8), ["/a/very/", "long/pat", "h x"]);
        assert_eq!(canvas.wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(canvas.wrap("", 4), [""]);
        for width in 0..9 {
            assert_eq!(canvas.wrap("a bc  def /ghij/k", width).concat(), "a bc  def /ghij/k");
        }
    }

    #[test]
    fn cuts_where_it_is_told() {
        assert_eq!(fit("/home/b/docs/intro.md", 12, Cut::End, "…"), "/home/b/doc…");
        assert_eq!(fit("/home/b/docs/intro.md", 12, Cut::Middle, "…"), "/hom…ntro.md");
        assert_eq!(fit("short", 5, Cut::Middle, "…"), "short");
        assert_eq!(fit("short", 0, Cut::Middle, "…"), "");
        assert_eq!(fit("日本語日本語", 5, Cut::End, "…"), "日本…");
    }
}
