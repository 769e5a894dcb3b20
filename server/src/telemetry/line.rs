//! One event, one line: whoever can write a line break into a user name or a path must not write log lines of their own.

use std::fmt::{self, Write};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// What a line looks like beside its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// For people; may hold colours of ours, those of others are escaped already.
    Text,
    /// For journald: begins with the priority in angle brackets (sd-daemon(3)).
    Journal,
    /// A JSON object.
    Json,
}

/// Makes sure that what `F` writes of an event is one line.
#[derive(Debug)]
pub struct OneLine<F> {
    inner: F,
    shape: Shape,
}

impl<F> OneLine<F> {
    /// Around that format.
    pub fn new(inner: F, shape: Shape) -> Self {
        Self { inner, shape }
    }
}

impl<S, N, F> FormatEvent<S, N> for OneLine<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut text = String::with_capacity(256);
        self.inner.format_event(ctx, Writer::new(&mut text), event)?;
        if self.shape == Shape::Journal {
            writer.write_str(priority(*event.metadata().level()))?;
        }
        write_line(&mut writer, text.trim_end_matches('\n'), self.shape)?;
        writer.write_char('\n')
    }
}

/// The kernel's levels, which syslog and journald share.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        Level::DEBUG | Level::TRACE => "<7>",
    }
}

fn write_line(out: &mut impl Write, text: &str, shape: Shape) -> fmt::Result {
    let mut kept = 0;
    for (at, c) in text.char_indices() {
        // These three end a line for some readers, and JSON lets them pass.
        let breaks = matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}');
        let control = c.is_ascii_control() && c != '\t' && (c != '\u{1b}' || shape != Shape::Text);
        if !breaks && !control {
            continue;
        }
        out.write_str(&text[kept..at])?;
        kept = at + c.len_utf8();
        match (shape, c) {
            // Inside a string, as JSON has them nowhere else.
            (Shape::Json, _) => write!(out, "\\u{:04x}", u32::from(c))?,
            (_, '\n') => out.write_str("\\n")?,
            (_, '\r') => out.write_str("\\r")?,
            (_, _) if c.is_ascii() => write!(out, "\\x{:02x}", u32::from(c))?,
            _ => write!(out, "\\u{{{:x}}}", u32::from(c))?,
        }
    }
    out.write_str(&text[kept..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, shape: Shape) -> String {
        let mut out = String::new();
        write_line(&mut out, text, shape).expect("written");
        out
    }

    #[test]
    fn text_breaks_no_line() {
        let hostile = "a\nb\r\u{85}\u{2028}c\0\td";
        assert_eq!(line(hostile, Shape::Text), "a\\nb\\r\\u{85}\\u{2028}c\\x00\td");
        assert_eq!(line("\u{1b}[31mours", Shape::Text), "\u{1b}[31mours", "colours are told from text before");
        assert_eq!(line("\u{1b}[31m", Shape::Journal), "\\x1b[31m");
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"user.name": "a\nb\u{85}\u{2028}\u{2029}\u{7f}\0 ü"});
        let line = line(&value.to_string(), Shape::Json);
        assert!(!line.contains(['\n', '\u{85}', '\u{2028}', '\u{2029}', '\u{7f}']), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).expect("JSON"), value);
    }
}
