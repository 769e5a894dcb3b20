//! Help texts taken apart: paragraphs, examples, words in backticks.

use clap::Command;

/// What stands below the flags in a command's long help.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Paragraphs, line by line.
    pub(crate) paragraphs: Vec<Vec<String>>,
    /// Lines of the examples, without their indentation.
    pub(crate) examples: Vec<String>,
}

impl Notes {
    pub(crate) fn of(command: &Command) -> Self {
        let help = command.get_after_long_help().or_else(|| command.get_after_help());
        Self::read(&help.map(ToString::to_string).unwrap_or_default())
    }

    fn read(help: &str) -> Self {
        let mut notes = Self::default();
        for paragraph in help.split("\n\n").map(str::trim_end).filter(|paragraph| !paragraph.trim().is_empty()) {
            let mut lines = paragraph.lines().map(str::to_owned);
            if paragraph.starts_with("Examples:") {
                notes.examples.extend(lines.skip(1).map(|line| line.strip_prefix("  ").unwrap_or(&line).to_owned()));
            } else if !paragraph.starts_with("Exit codes:") && !paragraph.starts_with("Exit status:") {
                // Exit codes have a section of their own.
                notes.paragraphs.push(lines.by_ref().collect());
            }
        }
        notes
    }
}

/// Whether a paragraph is a little table, whose columns would be lost if it were filled.
pub(crate) fn is_aligned(paragraph: &[String]) -> bool {
    paragraph.len() > 1 && paragraph.iter().any(|line| line.contains("  ") || line.starts_with(' '))
}

/// A piece of a help text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Plain(&'a str),
    /// What stood in backticks.
    Code(&'a str),
}

/// The pieces of a line; a lonely backtick is one.
pub(crate) fn pieces(line: &str) -> Vec<Piece<'_>> {
    if !line.matches('`').count().is_multiple_of(2) {
        return vec![Piece::Plain(line)];
    }
    let parts = line.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(at, part)| if at % 2 == 1 { Piece::Code(part) } else { Piece::Plain(part) }).collect()
}

/// clap takes the full stop off short help; here it ends a sentence again.
pub(crate) fn sentence(help: &str) -> String {
    let help = help.trim_end();
    if help.is_empty() || help.ends_with(['.', '!', '?', ':']) { help.to_owned() } else { format!("{help}.") }
}

#[cfg(test)]
mod tests {
    use super::{Notes, Piece, is_aligned, pieces, sentence};

    #[test]
    fn help_is_taken_apart() {
        let notes = Notes::read(
            "Whole hours\nare counted.\n\na:  1\nbb: 2\n\nExit codes: 0 done.\n\nExamples:\n  one\n    more",
        );
        assert_eq!(notes.paragraphs, [vec!["Whole hours", "are counted."], vec!["a:  1", "bb: 2"]]);
        assert_eq!(notes.examples, ["one", "  more"]);
        assert!(!is_aligned(&notes.paragraphs[0]) && is_aligned(&notes.paragraphs[1]));
    }

    #[test]
    fn code_is_found_and_a_lonely_backtick_is_text() {
        assert_eq!(pieces("see `a b`."), [Piece::Plain("see "), Piece::Code("a b"), Piece::Plain(".")]);
        assert_eq!(pieces("a ` b"), [Piece::Plain("a ` b")]);
    }

    #[test]
    fn sentences_end() {
        assert_eq!([sentence("Print help"), sentence("Done?"), sentence("")], ["Print help.", "Done?", ""]);
    }
}
