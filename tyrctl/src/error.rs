//! What went wrong, in one shape: what happened, why, what to do; and the exit code that scripts see.

use std::error::Error;
use std::fmt;

use crate::output::sanitize::sanitize;

/// Decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Tried and did not work: 1.
    Failed,
    /// Asked for in a way that makes no sense: 2.
    Usage,
    /// Not logged in, or not allowed: 4.
    Denied,
    /// Server not reachable, not trusted, or too slow: 5.
    Unreachable,
    /// Whoever read our output has gone, e.g. `head`: nothing to say, 0.
    ClosedPipe,
}

impl Kind {
    /// The exit code of the process.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Denied => 4,
            Self::Unreachable => 5,
            Self::ClosedPipe => 0,
        }
    }
}

/// A command's failure.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which exit code.
    pub kind: Kind,
    /// What happened, without a full stop.
    pub message: String,
    /// Why, outermost first; several lines each where a position is underlined.
    pub causes: Vec<String>,
    /// What to do, one line each.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure of that kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// Exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Adds a reason.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds a reason: the error and what is behind it.
    #[must_use]
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // Many libraries repeat their source in their own text: say it once.
            if !self.causes.last().is_some_and(|last| last.contains(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The message and its first cause on one line, for a status bar.
    pub fn one_line(&self) -> String {
        match self.causes.last() {
            Some(cause) => format!("{}: {cause}", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for Failure {
    /// The three-part form, made harmless: messages quote servers, files and users.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", sanitize(&self.message))?;
        for (label, texts) in [("cause", &self.causes), ("hint", &self.hints)] {
            for text in texts {
                for (n, line) in text.lines().enumerate() {
                    let label = if n == 0 { format!("{label}: ") } else { " ".repeat(label.len() + 2) };
                    write!(f, "\n{label}{}", sanitize(line))?;
                }
            }
        }
        Ok(())
    }
}

impl Error for Failure {}
