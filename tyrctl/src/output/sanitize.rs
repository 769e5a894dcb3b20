//! Text from hosts, made harmless before a person sees it.
//!
//! Paths and command lines are chosen by the watched processes: a file name may carry escape sequences, newlines, or
//! direction overrides that show another name than the real one. Terminals, tables and error messages get the result of
//! [`sanitize`]; JSON stays exact.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// Combining marks that may follow one another; more of them would climb over the neighbouring lines.
pub const MARKS_IN_A_ROW_MAX: usize = 4;

/// One line of text without anything that moves the cursor, changes colours, reorders or hides text.
///
/// Newline and tab become `⏎` and `⇥`, other C0 controls their picture (`␛`), C1 controls and everything invisible or
/// reordering `<U+202E>`; more than [`MARKS_IN_A_ROW_MAX`] combining marks in a row are cut. The result is a fixed point.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut marks = 0;
    let harmless = text.chars().all(|c| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        marks <= MARKS_IN_A_ROW_MAX && picture(c).is_none() && !is_invisible(c)
    });
    if harmless {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut marks = 0;
    for c in text.chars() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if let Some(picture) = picture(c) {
            out.push(picture);
        } else if is_invisible(c) {
            write!(out, "<U+{:04X}>", u32::from(c)).expect("writing to a String");
            marks = 0;
        } else if marks <= MARKS_IN_A_ROW_MAX {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether it moves the cursor, changes colours, reorders or hides text: what an exact format has to escape.
pub fn acts(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// A visible stand-in for a C0 control or DEL.
fn picture(c: char) -> Option<char> {
    match c {
        '\n' => Some('⏎'),
        '\t' => Some('⇥'),
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)),
        '\x7f' => Some('␡'),
        _ => None,
    }
}

/// Takes no room, and is written above the character before it.
fn is_mark(c: char) -> bool {
    !c.is_control() && !is_invisible(c) && UnicodeWidthChar::width(c) == Some(0)
}

/// C1 controls, direction overrides and isolates, zero-width characters, separators of lines, fillers, tags, and selectors.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use unicode_width::UnicodeWidthStr;

    use super::{acts, sanitize};

    #[test]
    fn plain_text_is_borrowed() {
        for text in ["", "/etc/passwd", "/home/zoë/日本語", "e\u{301}"] {
            assert!(matches!(sanitize(text), std::borrow::Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn shows_what_would_act_on_the_terminal() {
        for (hostile, shown) in [
            ("a\x1b[2Jb", "a␛[2Jb"),
            ("two\nlines\r\n", "two⏎lines␍⏎"),
            ("tab\there\x7f\x07", "tab⇥here␡␇"),
            ("\u{9b}31m", "<U+009B>31m"),
            ("gpj.\u{202e}exe", "gpj.<U+202E>exe"),
            ("pass\u{200b}wd", "pass<U+200B>wd"),
            ("\u{e0041}x", "<U+E0041>x"),
            ("x\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}y", "x\u{301}\u{301}\u{301}\u{301}y"),
        ] {
            assert_eq!(sanitize(hostile), shown);
        }
    }

    proptest! {
        #[test]
        fn leaves_nothing_that_acts(text in any::<String>()) {
            let shown = sanitize(&text);
            assert!(!shown.chars().any(acts), "{shown:?}");
            assert_eq!(sanitize(&shown), shown);
            assert!(shown.width() >= text.chars().filter(|c| c.is_control()).count());
        }
    }
}
