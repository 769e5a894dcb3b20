//! A terminal's screen as a picture that a web page can show: text stays text, lines stay lines.
//!
//! Colours, bold, dim, reverse and underline are those of the cells. Lines and blocks are drawn instead of written, so that they meet
//! whatever font the reader has; each run of plain characters is given its width, so that columns stay columns.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

/// Width and height of a cell, and the size of its letters, in pixels.
const CELL: (f32, f32) = (8.4, 18.0);
const FONT_SIZE: f32 = 14.0;
/// From the top of a cell to the line that letters stand on.
const BASELINE: f32 = 13.5;
/// Room around the screen.
const MARGIN: f32 = 12.0;
const FONTS: &str = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace";
/// Default background and text.
const BACKGROUND: &str = "#0d1117";
const FOREGROUND: &str = "#d1d7e0";
/// The sixteen colours, which a terminal's theme decides.
const PALETTE: [&str; 16] = [
    "#30363d", "#f47067", "#57ab5a", "#d9a40e", "#539bf5", "#b083f0", "#39c5cf", "#adbac7", "#768390", "#ff938a",
    "#6bc46d", "#f2c744", "#6cb6ff", "#dcbdfb", "#56d4dd", "#ffffff",
];

/// How a cell looks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    text: String,
    behind: String,
    bold: bool,
    dim: bool,
    underline: bool,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (mut text, mut behind) = (color(cell.fgcolor(), FOREGROUND), color(cell.bgcolor(), BACKGROUND));
        if cell.inverse() {
            std::mem::swap(&mut text, &mut behind);
        }
        Self { text, behind, bold: cell.bold(), dim: cell.dim(), underline: cell.underline() }
    }

    fn attributes(&self) -> String {
        let mut attributes = String::new();
        if self.text != FOREGROUND {
            let _ = write!(attributes, " fill=\"{}\"", self.text);
        }
        for (holds, attribute) in [
            (self.bold, " font-weight=\"bold\""),
            (self.dim, " opacity=\".6\""),
            (self.underline, " text-decoration=\"underline\""),
        ] {
            attributes.push_str(if holds { attribute } else { "" });
        }
        attributes
    }
}

/// The picture of a screen; `title` is what a screen reader says of it.
pub fn render(screen: &Screen, title: &str) -> String {
    let (rows, columns) = (screen.size().0.get(), screen.size().1.get());
    let (width, height) = (f32::from(columns) * CELL.0 + 2.0 * MARGIN, f32::from(rows) * CELL.1 + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         role=\"img\" font-family=\"{FONTS}\" font-size=\"{FONT_SIZE}\" fill=\"{FOREGROUND}\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n<g shape-rendering=\"crispEdges\">\n",
        escaped(title)
    );
    for row in 0..rows {
        let cells: Vec<&Cell> = (0..columns).filter_map(|column| screen.cell(row, column)).collect();
        let y = MARGIN + f32::from(row) * CELL.1;
        backgrounds(&mut svg, &cells, y);
        texts(&mut svg, &cells, y);
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn x(column: usize) -> f32 {
    MARGIN + f32::from(u16::try_from(column).unwrap_or(u16::MAX)) * CELL.0
}

fn backgrounds(svg: &mut String, cells: &[&Cell], y: f32) {
    let mut column = 0;
    while let Some(cell) = cells.get(column) {
        let behind = Look::of(cell).behind;
        let length = cells[column..].iter().take_while(|cell| Look::of(cell).behind == behind).count();
        if behind != BACKGROUND {
            let (left, right) = (x(column), x(column + length));
            let _ = writeln!(
                svg,
                "<rect x=\"{left:.1}\" y=\"{y:.0}\" width=\"{:.1}\" height=\"{}\" fill=\"{behind}\"/>",
                right - left,
                CELL.1
            );
        }
        column += length;
    }
}

fn texts(svg: &mut String, cells: &[&Cell], y: f32) {
    let mut column = 0;
    while let Some(cell) = cells.get(column) {
        let (look, content) = (Look::of(cell), cell.contents());
        if content.trim().is_empty() {
            column += 1;
            continue;
        }
        let is_like = |other: &&&Cell| Look::of(other) == look;
        if let Some(shape) = content.chars().next().and_then(shape) {
            let same = |other: &&&Cell| is_like(other) && other.contents() == content;
            // What goes on in the next cell is drawn as one, without a seam.
            let goes_on = content == "─" || matches!(shape, Shape::Block([0.0, _, 1.0, _]));
            let length = if goes_on { cells[column..].iter().take_while(same).count() } else { 1 };
            draw(svg, &shape, &look, x(column), x(column + length), y);
            column += length;
        } else if content.is_ascii() {
            let run = cells[column..].iter().take_while(|other| is_like(other) && other.contents().is_ascii());
            let words: String = run.map(|cell| if cell.has_contents() { cell.contents() } else { " " }).collect();
            let words = words.trim_end();
            // Several blanks in a row would be one: what follows them begins anew.
            let words = words.split("  ").next().unwrap_or(words);
            write_text(svg, words, &look, x(column), x(column + words.len()), y);
            column += words.len();
        } else {
            // It may come from another font, and must not move what follows.
            let length = if cell.is_wide() { 2 } else { 1 };
            write_text(svg, content, &look, x(column), x(column + length), y);
            column += length;
        }
    }
}

fn write_text(svg: &mut String, text: &str, look: &Look, left: f32, right: f32, y: f32) {
    let _ = writeln!(
        svg,
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\"{}>{}</text>",
        y + BASELINE,
        right - left,
        look.attributes(),
        escaped(text)
    );
}

/// What is drawn instead of written, in parts of a cell.
enum Shape {
    /// From the middle to these sides: left, right, up, down.
    Lines([bool; 4]),
    /// Filled from here to there: left, top, right, bottom.
    Block([f32; 4]),
}

fn shape(character: char) -> Option<Shape> {
    let lines = match character {
        '─' => [true, true, false, false],
        '│' => [false, false, true, true],
        '┌' => [false, true, false, true],
        '┐' => [true, false, false, true],
        '└' => [false, true, true, false],
        '┘' => [true, false, true, false],
        '├' => [false, true, true, true],
        '┤' => [true, false, true, true],
        '┬' => [true, true, false, true],
        '┴' => [true, true, true, false],
        '┼' => [true; 4],
        '▌' => return Some(Shape::Block([0.0, 0.0, 0.5, 1.0])),
        '▐' => return Some(Shape::Block([0.5, 0.0, 1.0, 1.0])),
        '▁'..='█' => {
            let eighths = u8::try_from(u32::from(character) - u32::from('▁') + 1).unwrap_or(8);
            return Some(Shape::Block([0.0, 1.0 - f32::from(eighths) / 8.0, 1.0, 1.0]));
        }
        _ => return None,
    };
    Some(Shape::Lines(lines))
}

fn draw(svg: &mut String, shape: &Shape, look: &Look, left: f32, right: f32, y: f32) {
    let dim = if look.dim { " opacity=\".6\"" } else { "" };
    match shape {
        Shape::Lines([to_left, to_right, up, down]) => {
            let (middle, center) = (f32::midpoint(left, right), y + CELL.1 / 2.0);
            let (from, to) = (if *to_left { left } else { middle }, if *to_right { right } else { middle });
            let mut path = String::new();
            if from < to {
                let _ = write!(path, "M{from:.1} {center:.1}H{to:.1}");
            }
            let (top, bottom) = (if *up { y } else { center }, if *down { y + CELL.1 } else { center });
            if top < bottom {
                let _ = write!(path, "M{middle:.1} {top:.1}V{bottom:.1}");
            }
            let _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{}\"{dim}/>", look.text);
        }
        Shape::Block([from_x, from_y, to_x, to_y]) => {
            let width = right - left;
            let _ = writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"{dim}/>",
                left + from_x * width,
                y + from_y * CELL.1,
                (to_x - from_x) * width,
                (to_y - from_y) * CELL.1,
                look.text
            );
        }
    }
}

fn color(color: Color, default: &str) -> String {
    match color {
        Color::Default => default.to_owned(),
        Color::Idx(index @ 0..=15) => PALETTE[usize::from(index)].to_owned(),
        // The cube of 6 x 6 x 6 colours, and the greys after it.
        Color::Idx(index @ 16..=231) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
            let index = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        Color::Idx(index) => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no place for the others.
            character if character.is_control() => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::render;

    fn picture(rows: u16, columns: u16, bytes: &str) -> Vec<String> {
        let size = |size| NonZeroU16::new(size).expect("not 0");
        let mut parser = vt100::Parser::new(size(rows), size(columns), 0);
        parser.process(bytes.as_bytes());
        render(parser.screen(), "a <title>").lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_screen_becomes_text_lines_and_colours() {
        let lines = picture(2, 12, "┌─ \x1b[1;31mA&B\x1b[0m ─┐\r\n│\x1b[7m x  y \x1b[0m▄ ●");
        assert!(lines[0].contains("viewBox=\"0 0 124.8 60.0\""), "{}", lines[0]);
        assert_eq!(lines[1], "<title>a &lt;title&gt;</title>");
        let expected = [
            "<path d=\"M16.2 21.0H20.4M16.2 21.0V30.0\" stroke=\"#d1d7e0\"/>",
            "<path d=\"M20.4 21.0H28.8\" stroke=\"#d1d7e0\"/>",
            "<text x=\"37.2\" y=\"25.5\" textLength=\"25.2\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#f47067\" font-weight=\"bold\">A&amp;B</text>",
            "<path d=\"M70.8 21.0H79.2\" stroke=\"#d1d7e0\"/>",
            "<path d=\"M79.2 21.0H83.4M83.4 21.0V30.0\" stroke=\"#d1d7e0\"/>",
            "<rect x=\"20.4\" y=\"30\" width=\"50.4\" height=\"18\" fill=\"#d1d7e0\"/>",
            "<path d=\"M16.2 30.0V48.0\" stroke=\"#d1d7e0\"/>",
            "<text x=\"28.8\" y=\"43.5\" textLength=\"8.4\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#0d1117\">x</text>",
            "<text x=\"54.0\" y=\"43.5\" textLength=\"8.4\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#0d1117\">y</text>",
            "<rect x=\"70.8\" y=\"39.0\" width=\"8.4\" height=\"9.0\" fill=\"#d1d7e0\"/>",
            "<text x=\"87.6\" y=\"43.5\" textLength=\"8.4\" lengthAdjust=\"spacingAndGlyphs\">●</text>",
            "</g>",
            "</svg>",
        ];
        assert_eq!(lines[4..], expected);
    }

    #[test]
    fn colours_beyond_the_palette_are_those_of_xterm() {
        let lines = picture(1, 8, "\x1b[38;5;196ma\x1b[38;5;244mb\x1b[38;2;1;2;3mc\x1b[0;2;4md");
        let texts: Vec<_> = lines.iter().filter(|line| line.starts_with("<text")).collect();
        for (text, look) in texts.iter().zip([
            "fill=\"#ff0000\"",
            "fill=\"#808080\"",
            "fill=\"#010203\"",
            "opacity=\".6\" text-decoration=\"underline\"",
        ]) {
            assert!(text.contains(look), "{text}");
        }
        assert_eq!(texts.len(), 4);
    }

    #[test]
    fn a_blank_screen_is_a_blank_picture() {
        assert_eq!(picture(3, 3, "").len(), 6);
    }
}
