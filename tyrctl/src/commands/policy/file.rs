//! Policies and cases in files: read, checked, and every problem shown where it is.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use tyr_policy::{Checked, Diagnostic, Policy, PolicyError, Survey};

use crate::error::Failure;
use crate::output::Output;
use crate::output::sanitize::sanitize;
use crate::output::table::shorten;

/// Largest file, in bytes: what the server takes.
const POLICY_BYTES_MAX: u64 = 256 * 1024;
/// Places of a source line that are shown around a problem.
const SOURCE_WIDTH: usize = 100;

/// A text and where it comes from.
#[derive(Debug)]
pub(super) struct Source {
    /// What it is called in messages.
    pub(super) name: String,
    /// The text.
    pub(super) text: String,
}

impl Source {
    /// Reads a file, or standard input where it is `-`. `what` says what should be in it.
    pub(super) fn read(file: &Path, what: &str) -> Result<Self, Failure> {
        let (name, read) = if file == Path::new("-") {
            ("standard input".to_owned(), take(io::stdin().lock()))
        } else {
            (file.display().to_string(), fs::File::open(file).and_then(take))
        };
        let failure = || Failure::failed(format!("{what} `{name}` could not be read"));
        let bytes = read.map_err(|error| failure().because(&error))?;
        if bytes.len() as u64 > POLICY_BYTES_MAX {
            return Err(failure()
                .cause(format!("it is larger than {POLICY_BYTES_MAX} bytes"))
                .hint("split it, e.g. by agent type"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => {
                let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
                let line = good.matches('\n').count() + 1;
                Err(failure().cause(format!("line {line} is not UTF-8")))
            }
        }
    }

    /// The policy that it is, and what that costs. `failed` says what came of it where it is none.
    pub(super) fn check(&self, failed: impl Fn(&str) -> String) -> Result<(Checked, Survey), Failure> {
        let checked = Policy::parse(&self.text).map_err(|error| self.failure(failed(&self.name), &error))?;
        let survey = checked.survey().map_err(|error| self.failure(failed(&self.name), &error))?;
        Ok((checked, survey))
    }

    /// All problems, each at its place.
    pub(super) fn failure(&self, message: String, error: &PolicyError) -> Failure {
        error.diagnostics.iter().fold(Failure::failed(message), |failure, problem| {
            let failure = failure.cause(located(&self.text, problem));
            match &problem.hint {
                Some(hint) if !failure.hints.contains(hint) => failure.hint(hint.as_str()),
                _ => failure,
            }
        })
    }

    /// Tells of what is no mistake, but probably not meant.
    pub(super) fn warn(&self, out: &Output, warnings: &[Diagnostic]) {
        for warning in warnings {
            for line in format!("warning: {}", located(&self.text, warning)).lines() {
                out.note(line);
            }
            if let Some(hint) = &warning.hint {
                out.note(&format!("hint: {hint}"));
            }
        }
    }
}

fn take(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(POLICY_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A problem with the line that it is on, and a mark below its place.
fn located(yaml: &str, problem: &Diagnostic) -> String {
    let line = (problem.line as usize).checked_sub(1).and_then(|n| yaml.lines().nth(n));
    let Some(line) = line else { return problem.to_string() };
    let before: usize = (problem.column as usize).saturating_sub(1);
    let shown: String = line.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let shown = sanitize(&shown);
    let mark: usize =
        shown.chars().take(before).map(|c| unicode_width::UnicodeWidthChar::width(c).unwrap_or_default()).sum();
    let number = problem.line.to_string();
    let gutter = " ".repeat(number.len());
    let source = format!("{problem}\n {number} | {}", shorten(&shown, SOURCE_WIDTH));
    // A mark beyond the cut would point at nothing.
    if mark < SOURCE_WIDTH { format!("{source}\n {gutter} | {}^", " ".repeat(mark)) } else { source }
}

#[cfg(test)]
mod tests {
    use tyr_policy::Diagnostic;

    use super::located;

    #[test]
    fn marks_the_place_of_a_problem() {
        let problem = Diagnostic { line: 2, column: 5, message: "unknown field `acton`".to_owned(), hint: None };
        insta::assert_snapshot!(located("rules:\n  - acton: exec\n", &problem), @"
        line 2, column 5: unknown field `acton`
         2 |   - acton: exec
           |     ^
        ");
    }

    #[test]
    fn places_outside_of_the_text_are_no_problem() {
        for (line, column) in [(0, 0), (9, 9), (1, 400)] {
            let problem = Diagnostic { line, column, message: "odd".to_owned(), hint: None };
            assert!(located("one line only\n", &problem).contains("odd"));
        }
    }
}
