//! Tables for people: aligned by `tabled`, fitted to a terminal, never cut elsewhere.

use tabled::builder::Builder;
use tabled::settings::object::{Cell, Columns, Rows};
use tabled::settings::{Alignment, Color, Padding, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Output;
use super::rows::Column;
use super::value::{Tone, Value};

/// Spaces between columns.
const GAP: usize = 2;
/// A flexible column is not made narrower than this.
const NARROWEST: usize = 8;

/// What the sign for columns that were left out takes, with its gap.
const SIGN: usize = GAP + 1;

/// Head of a column.
#[derive(Debug)]
pub struct Head {
    name: String,
    right: bool,
    flexible: bool,
}

impl Head {
    /// For that column; a sample row tells whether it holds numbers.
    pub fn of<T>(column: &Column<T>, sample: Option<&T>) -> Self {
        let right = sample.is_some_and(|row| {
            matches!((column.value)(row), Value::Count(_) | Value::Number(_) | Value::Bytes(_) | Value::SignedBytes(_))
        });
        Self { name: column.name.to_uppercase(), right, flexible: column.flexible }
    }
}

/// Draws rows of sanitised cells. With a `width` flexible columns give way, the widest first; what has no room even so is left out
/// from the right, and `…` stands in its place.
pub fn draw(
    heads: &[Head],
    rows: &[Vec<(String, Option<Tone>)>],
    with_heads: bool,
    width: Option<usize>,
    color: bool,
) -> String {
    if rows.is_empty() && !with_heads {
        return String::new();
    }
    let room = width.map_or(heads.len(), |width| with_room(heads, rows, with_heads, width));
    let (heads, left_out) = heads.split_at(room);
    let sign = if left_out.is_empty() { None } else { Some("…".to_owned()) };
    let limits = width.map(|width| fit(heads, rows, with_heads, width - sign.as_ref().map_or(0, |_| SIGN.min(width))));
    let cut = |column: usize, text: &str| {
        limits.as_ref().map_or_else(|| text.to_owned(), |limits| shorten(text, limits[column]))
    };
    let mut builder = Builder::default();
    if with_heads {
        builder.push_record(heads.iter().enumerate().map(|(n, head)| cut(n, &head.name)).chain(sign));
    }
    for row in rows {
        builder.push_record(row.iter().take(room).enumerate().map(|(n, (text, _))| cut(n, text)));
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, GAP, 0, 0));
    for (n, head) in heads.iter().enumerate() {
        if head.right {
            table.modify(Columns::one(n), Alignment::right());
        }
    }
    if color {
        if with_heads {
            table.modify(Rows::first(), Color::BOLD);
        }
        for (y, row) in rows.iter().enumerate() {
            for (x, (_, tone)) in row.iter().take(room).enumerate() {
                if let Some(tone) = tone {
                    table.modify(Cell::new(y + usize::from(with_heads), x), paint(*tone));
                }
            }
        }
    }
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Draws one thing: a line per field.
pub fn draw_record(fields: &[(&str, Value)], out: &Output) -> String {
    let longest = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in fields {
        let shown = out.shown(value);
        let shown = match value.tone() {
            Some(tone) if out.color => paint(tone).colorize(&shown),
            _ => shown,
        };
        text.extend([format!("{name:longest$}"), format!("  {shown}\n")]);
    }
    text
}

/// Dim, green, yellow or red.
pub fn paint(tone: Tone) -> Color {
    match tone {
        Tone::Good => Color::FG_GREEN,
        Tone::Warn => Color::FG_YELLOW,
        Tone::Bad => Color::FG_RED,
        Tone::Dim => Color::FG_BRIGHT_BLACK,
    }
}

/// The width that each column would like to have.
fn wanted(heads: &[Head], rows: &[Vec<(String, Option<Tone>)>], with_heads: bool) -> Vec<usize> {
    let of_column = |(n, head): (usize, &Head)| {
        let cells = rows.iter().map(|row| row[n].0.width()).max().unwrap_or_default();
        if with_heads { cells.max(head.name.width()) } else { cells }
    };
    heads.iter().enumerate().map(of_column).collect()
}

/// How many columns, from the left, have room when all give way; the first one always has.
fn with_room(heads: &[Head], rows: &[Vec<(String, Option<Tone>)>], with_heads: bool, width: usize) -> usize {
    let (mut end, mut room) = (0, 0);
    for (n, (wanted, head)) in wanted(heads, rows, with_heads).into_iter().zip(heads).enumerate() {
        end += if head.flexible { wanted.min(NARROWEST) } else { wanted } + if n == 0 { 0 } else { GAP };
        if end + SIGN <= width {
            room = n + 1;
        }
    }
    if end <= width { heads.len() } else { room.max(1) }
}

/// The width of each column.
fn fit(heads: &[Head], rows: &[Vec<(String, Option<Tone>)>], with_heads: bool, width: usize) -> Vec<usize> {
    let mut widths = wanted(heads, rows, with_heads);
    let gaps = GAP * heads.len().saturating_sub(1);
    let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(width);
    while excess > 0 {
        // The widest one gives up one place, so that several give way evenly.
        let widest =
            (0..widths.len()).filter(|&n| heads[n].flexible && widths[n] > NARROWEST).max_by_key(|&n| widths[n]);
        let Some(widest) = widest else { break };
        widths[widest] -= 1;
        excess -= 1;
    }
    widths
}

/// At most that many places, the last of them `…` where something was cut off.
pub fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or_default();
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        short.push(c);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::{Head, draw, shorten};

    fn head(name: &str, right: bool, flexible: bool) -> Head {
        Head { name: name.to_owned(), right, flexible }
    }

    fn rows() -> Vec<Vec<(String, Option<super::Tone>)>> {
        [["web", "7", "/home/zoë/日本語/a-long-name"], ["build-017", "1204", "/etc/passwd"]]
            .map(|row| row.map(|cell| (cell.to_owned(), None)).to_vec())
            .to_vec()
    }

    #[test]
    fn is_not_cut_in_a_pipe() {
        let heads = [head("NAME", false, false), head("N", true, false), head("RESOURCE", false, true)];
        insta::assert_snapshot!(draw(&heads, &rows(), true, None, false), @"
        NAME          N  RESOURCE
        web           7  /home/zoë/日本語/a-long-name
        build-017  1204  /etc/passwd
        ");
    }

    #[test]
    fn flexible_columns_give_way_on_a_terminal() {
        let heads = [head("NAME", false, false), head("N", true, false), head("RESOURCE", false, true)];
        insta::assert_snapshot!(draw(&heads, &rows(), true, Some(30), false), @"
        NAME          N  RESOURCE
        web           7  /home/zoë/日…
        build-017  1204  /etc/passwd
        ");
    }

    #[test]
    fn what_has_no_room_is_left_out_from_the_right() {
        let heads = [head("NAME", false, false), head("RESOURCE", false, true), head("N", true, false)];
        let rows = [("web", "/home/zoë/a-long-name", "7"), ("build-017", "/etc/passwd", "1204")]
            .map(|(name, resource, n)| [name, resource, n].map(|cell| (cell.to_owned(), None)).to_vec());
        // 9 + 2 + 8 + 2 + 4 = 25.
        insta::assert_snapshot!(draw(&heads, &rows, true, Some(25), false), @"
        NAME       RESOURCE     N
        web        /home/z…     7
        build-017  /etc/pa…  1204
        ");
        insta::assert_snapshot!(draw(&heads, &rows, true, Some(24), false), @"
        NAME       RESOURCE    …
        web        /home/zoë…
        build-017  /etc/pass…
        ");
        insta::assert_snapshot!(draw(&heads, &rows, true, Some(15), false), @"
        NAME       …
        web
        build-017
        ");
        for width in 0..60 {
            let text = draw(&heads, &rows, true, Some(width), true);
            assert_eq!(text.lines().count(), 3, "{width}: {text}");
        }
    }

    #[test]
    fn shortening_never_exceeds_the_width() {
        assert_eq!(shorten("日本語", 4), "日…");
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("abcd", 1), "…");
    }
}
