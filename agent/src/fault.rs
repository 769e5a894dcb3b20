//! How a failure is told to a person: what happened, why, and what to do about it.

use std::error::Error;
use std::fmt;

/// A failure that ends the program, in the three lines that every binary of Tyr prints.
///
/// The cause is kept as text: nothing looks into a fault again, it is only printed.
#[derive(Debug)]
pub struct Fault {
    what: String,
    cause: Option<String>,
    hint: Option<String>,
}

impl Fault {
    /// A failure without a known cause or remedy yet.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), cause: None, hint: None }
    }

    /// Adds why: the error and everything below it, joined with colons.
    #[must_use]
    pub fn because(mut self, error: &dyn Error) -> Self {
        self.cause = Some(chain(error));
        self
    }

    /// Adds why, in words of our own.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what the reader can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", one_line(&self.what))?;
        if let Some(cause) = &self.cause {
            write!(f, "\ncause: {}", one_line(cause))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", one_line(hint))?;
        }
        Ok(())
    }
}

impl Error for Fault {}

/// An error and its sources as one line, outermost first.
///
/// Wrappers that repeat their source's text are left out, so that a reader isn't told the same thing twice.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let next = cause.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = cause.source();
    }
    text
}

/// Control characters, as may come from a configuration file or from a server, never reach the terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Fault, chain};
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("can't read the file")]
    struct Outer(#[source] io::Error);

    #[test]
    fn prints_what_why_and_what_to_do() {
        let error = Outer(io::Error::other("disk\x1b[2J gone"));
        let fault = Fault::new("no identity").because(&error).hint("look at the disk");
        assert_eq!(
            fault.to_string(),
            "error: no identity\ncause: can't read the file: disk [2J gone\nhint: look at the disk"
        );
    }

    #[test]
    fn does_not_repeat_a_transparent_wrapper() {
        let error = io::Error::other(io::Error::other("disk gone"));
        assert_eq!(chain(&error), "disk gone");
    }
}
