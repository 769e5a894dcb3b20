//! JSON and YAML that carry hostile text exactly and show it harmlessly: whatever would act on a terminal is escaped.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::sanitize;
use crate::error::Failure;

/// One document over several lines, with a line end.
///
/// # Errors
/// When a value has no JSON form.
pub fn pretty(value: &impl Serialize) -> Result<String, Failure> {
    written(value, Harmless(PrettyFormatter::new()))
}

/// One document on one line, with a line end.
///
/// # Errors
/// When a value has no JSON form.
pub fn line(value: &impl Serialize) -> Result<String, Failure> {
    written(value, Harmless(CompactFormatter))
}

/// One YAML document.
///
/// # Errors
/// When a value has no YAML form.
pub fn yaml(value: &impl Serialize) -> Result<String, Failure> {
    // Through JSON, so that both have the same fields.
    let mut value = serde_json::to_value(value).map_err(|error| unwritable(&error))?;
    value.sort_all_objects();
    let mut text = String::new();
    yaml_value(&mut text, &value, 0)?;
    // The first line end belongs to the value's place below a key; at the top there is none.
    Ok(format!("{}\n", text.trim_start()))
}

/// Appends a value after its key or dash: scalars and empty ones on the same line, the rest below, indented.
fn yaml_value(text: &mut String, value: &Value, depth: usize) -> Result<(), Failure> {
    let indent = "  ".repeat(depth);
    match value {
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut below = String::new();
                yaml_value(&mut below, item, depth + 1)?;
                // The first line of a nested value stands beside the dash.
                text.extend(["\n", &indent, "- ", below.trim_start()]);
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            for (key, field) in fields {
                text.extend(["\n", &indent, &yaml_scalar(key)?, ":"]);
                yaml_value(text, field, depth + 1)?;
            }
        }
        Value::String(string) => text.extend([" ", &yaml_scalar(string)?]),
        other => text.extend([" ", &other.to_string()]),
    }
    Ok(())
}

/// A string: bare where nothing can be made of it but that string, else as in JSON, which YAML reads too.
fn yaml_scalar(string: &str) -> Result<String, Failure> {
    const RESERVED: [&str; 8] = ["null", "true", "false", "yes", "no", "on", "off", "nan"];
    let bare = string.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && string.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'))
        && string.len() > 1
        && !RESERVED.contains(&string.to_ascii_lowercase().as_str());
    if bare { Ok(string.to_owned()) } else { Ok(written(&string, YamlStrings)?.trim_end().to_owned()) }
}

fn unwritable(error: &serde_json::Error) -> Failure {
    Failure::failed("the result could not be written").because(error)
}

fn written<F: Formatter>(value: &impl Serialize, formatter: F) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter)).map_err(|error| unwritable(&error))?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(|error| Failure::failed("the result could not be written").because(&error))
}

/// Writes text, with what [acts](sanitize::acts) on a terminal in another form.
fn escaped<W: ?Sized + Write>(
    writer: &mut W,
    text: &str,
    escape: impl Fn(&mut W, char) -> io::Result<()>,
) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(sanitize::acts) {
        let (before, from) = rest.split_at(at);
        writer.write_all(before.as_bytes())?;
        let Some(c) = from.chars().next() else { break };
        escape(writer, c)?;
        rest = &from[c.len_utf8()..];
    }
    writer.write_all(rest.as_bytes())
}

/// Strings in YAML's double quotes: `\U` where JSON has two surrogates.
struct YamlStrings;

impl Formatter for YamlStrings {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        escaped(writer, fragment, |writer, c| write!(writer, "\\U{:08x}", u32::from(c)))
    }
}

/// Escapes DEL, C1 controls, and invisible or reordering characters as `\uXXXX`; JSON itself only asks for C0.
struct Harmless<F>(F);

impl<F: Formatter> Formatter for Harmless<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        escaped(writer, fragment, |writer, c| {
            c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))
        })
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::{line, pretty, yaml};

    proptest! {
        #[test]
        fn json_is_exact_and_harmless(text in any::<String>()) {
            for written in [line(&text).expect("written"), pretty(&json!([text])).expect("written")] {
                assert!(!written.trim_end().chars().any(|c| c != '\n' && super::sanitize::acts(c)), "{written:?}");
            }
            let back: String = serde_json::from_str(&line(&text).expect("written")).expect("read back");
            assert_eq!(back, text);
        }
    }

    #[test]
    fn yaml_reads_like_yaml() {
        let value = json!({"name": "build-017", "no": "no", "n": 3, "list": [], "rows": [{"a": null, "b": true}, {"a": "x: y"}], "map": {}, "esc": "\u{1b}[2J\u{202e}"});
        insta::assert_snapshot!(yaml(&value).expect("written"), @r#"
        esc: "\u001b[2J\U0000202e"
        list: []
        map: {}
        "n": 3
        name: build-017
        "no": "no"
        rows:
          - "a": null
            "b": true
          - "a": "x: y"
        "#);
    }
}
