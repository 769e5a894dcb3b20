//! Problems of a document, with their place in it.

use std::fmt;

/// One problem, at one place.
///
/// `Display` gives `line 12, column 8: unknown field ...`; the hint is separate, as printers show it on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// From 1; 0 when the problem is of the document as a whole.
    pub line: u32,
    /// From 1, in characters; 0 when `line` is.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Longest message, in characters: it may quote the document.
const MESSAGE_CHARS_MAX: usize = 300;

impl Diagnostic {
    /// Whatever the message quotes, it's one line of bounded length.
    pub(crate) fn new(line: u32, column: u32, message: &str, hint: Option<String>) -> Self {
        Self { line, column, message: legible(message), hint: hint.map(|hint| legible(&hint)) }
    }
}

fn legible(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MESSAGE_CHARS_MAX));
    for (at, c) in text.chars().enumerate() {
        if at == MESSAGE_CHARS_MAX {
            out.push('…');
            break;
        }
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)
    }
}

/// A document that is no valid policy, with everything that is wrong with it, sorted by place.
///
/// `Display` gives one line per problem, without the hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// At least one.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.diagnostics.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyError {}
