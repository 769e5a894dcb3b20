//! Text for terminals that don't show UTF-8.
//!
//! Such a terminal takes each byte for a character, and bytes from 0x80 to 0x9F for controls: `ś` alone would begin an escape sequence. So
//! nothing but ASCII goes there.

use std::borrow::Cow;
use std::fmt::Write;

/// How a character that has no stand-in is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// `<U+015B>`, as in sanitised text.
    People,
    /// `\u015b`, two of them beyond the basic plane: JSON's own form, so the text stays exact.
    Json,
    /// `\U0000015b`: YAML's.
    Yaml,
}

/// The text in ASCII.
pub fn fold(text: &str, escape: Escape) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match (c, escape) {
            (c, _) if c.is_ascii() => folded.push(c),
            (c, Escape::People) => match stand_in(c) {
                Some(words) => folded.push_str(words),
                None => write!(folded, "<U+{:04X}>", u32::from(c)).expect("writing to a String"),
            },
            (c, Escape::Json) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(folded, "\\u{unit:04x}").expect("writing to a String");
                }
            }
            (c, Escape::Yaml) => write!(folded, "\\U{:08x}", u32::from(c)).expect("writing to a String"),
        }
    }
    Cow::Owned(folded)
}

/// For the signs that we write ourselves.
fn stand_in(c: char) -> Option<&'static str> {
    Some(match c {
        '✓' => "ok",
        '…' => "~",
        '→' => "->",
        '⏎' => "\\n",
        '⇥' => "\\t",
        '␛' => "^[",
        '␇' => "^G",
        '␍' => "\\r",
        '¦' => "!",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Escape, fold};

    #[test]
    fn only_ascii_is_left_and_json_stays_exact() {
        let text = "✓ laptop-zoë → ś 𝄞 …";
        assert_eq!(fold(text, Escape::People), "ok laptop-zo<U+00EB> -> <U+015B> <U+1D11E> ~");
        let json = fold("\"ë 𝄞\"", Escape::Json).into_owned();
        assert_eq!(json, "\"\\u00eb \\ud834\\udd1e\"");
        assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), "ë 𝄞");
        assert_eq!(fold("\"ë\"", Escape::Yaml), "\"\\U000000eb\"");
        assert_eq!(fold("plain", Escape::People), "plain");
    }
}
