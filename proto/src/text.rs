//! Bytes from hosts as text, and back.
//!
//! Paths, program names and arguments on Linux are bytes. On the wire they are strings in which every byte that is not
//! part of valid UTF-8, every NUL and every backslash stands as `\xNN` (two lower-case hex digits); everything else,
//! control characters included, stands for itself. [`unescape`] gives the very bytes back.

use std::borrow::Cow;
use std::fmt::Write;

/// Turns bytes into text that protobuf and PostgreSQL accept and that loses nothing.
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains(['\0', '\\'])
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\0' => out.push_str("\\x00"),
                '\\' => out.push_str("\\x5c"),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").expect("writing to a String");
        }
    }
    Cow::Owned(out)
}

/// The bytes that [`escape`] was given. A backslash that begins no escape stands for itself.
pub fn unescape(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('\\') {
        return Cow::Borrowed(text.as_bytes());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = match rest {
            [b'\\', b'x', high, low, ..] => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            out.push(high << 4 | low);
            rest = &rest[4..];
        } else {
            out.push(first);
            rest = tail;
        }
    }
    Cow::Owned(out)
}

fn hex_digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::{escape, unescape};
    use proptest::prelude::{any, proptest};

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(escape("/home/ä/\x1b[2J\n".as_bytes()), "/home/ä/\x1b[2J\n");
    }

    #[test]
    fn bytes_that_are_no_text_are_escaped() {
        assert_eq!(escape(b"/a\xff\0\\x41"), "/a\\xff\\x00\\x5cx41");
    }

    proptest! {
        #[test]
        fn unescape_gives_the_bytes_back(bytes in any::<Vec<u8>>()) {
            let text = escape(&bytes);
            assert!(!text.contains('\0'));
            assert_eq!(unescape(&text).as_ref(), bytes);
        }

        #[test]
        fn unescape_takes_any_text(text in any::<String>()) {
            unescape(&text);
        }
    }
}
