//! bash, which splits words where the program doesn't.
//!
//! bash breaks `--context=prod` and `name:desc` at `=` and `:` (COMP_WORDBREAKS), and puts in place of the last piece what it is
//! given, unquoted. So the pieces are joined before candidates are looked for, what stands before the last piece is taken off them,
//! and what a shell would read as something else is escaped.

use std::ffi::OsString;
use std::io::{Error, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine::complete;
use clap_complete::env::EnvCompleter;

use super::line;

/// Where the cursor's word is.
const INDEX: &str = "_TYRCTL_INDEX";
/// What of it stands before the cursor, as bash sees it.
const TYPED: &str = "_TYRCTL_TYPED";

const SCRIPT: &str = r#"_BIN_complete() {
    mapfile -t COMPREPLY < <(_TYRCTL_INDEX=$COMP_CWORD _TYRCTL_TYPED=$2 VAR=bash COMPLETER -- "${COMP_WORDS[@]}" 2>/dev/null)
    [[ ${COMPREPLY-} != *[=:/] ]] || compopt -o nospace 2>/dev/null
}
complete -o bashdefault -o nosort -F _BIN_complete BIN 2>/dev/null || complete -o bashdefault -F _BIN_complete BIN
"#;

/// GNU bash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        var: &str,
        _name: &str,
        bin: &str,
        completer: &str,
        buffer: &mut dyn Write,
    ) -> Result<(), Error> {
        let script = SCRIPT.replace("VAR", var).replace("COMPLETER", completer).replace("BIN", bin);
        buffer.write_all(script.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        buffer: &mut dyn Write,
    ) -> Result<(), Error> {
        let words: Vec<String> = words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let index = std::env::var(INDEX).ok().and_then(|index| index.parse().ok()).unwrap_or(words.len());
        let typed = std::env::var(TYPED).unwrap_or_default();
        let (words, before) = at_cursor(&words, index, &typed);
        let last = words.len().saturating_sub(1);
        let candidates = complete(command, words.into_iter().map(OsString::from).collect(), last, directory)?;
        for candidate in candidates {
            let word = candidate.get_value().to_string_lossy();
            if let Some(rest) = word.strip_prefix(before.as_str()) {
                writeln!(buffer, "{}", quoted(rest))?;
            }
        }
        Ok(())
    }
}

/// The joined words up to the cursor, and what of the last one bash leaves in place.
fn at_cursor(words: &[String], index: usize, typed: &str) -> (Vec<String>, String) {
    let mut words: Vec<String> = words.iter().take(index + 1).cloned().collect();
    let last = if words.len() > index { words.pop() } else { None };
    // Behind a piece that splits words nothing is typed yet, and the piece stays.
    words.push(last.filter(|last| typed.is_empty() && line::splits(last)).unwrap_or_else(|| typed.to_owned()));
    let words = line::joined(words);
    let before = words.last().and_then(|last| last.strip_suffix(typed)).unwrap_or_default().to_owned();
    (words, before)
}

/// The word with a backslash before all that has a meaning of its own.
fn quoted(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len());
    for character in word.chars() {
        if !character.is_alphanumeric() && !"-_./:=,+@%^~".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::{at_cursor, quoted};

    fn cursor(words: &[&str], typed: &str) -> (Vec<String>, String) {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        at_cursor(&words, words.len() - 1, typed)
    }

    #[test]
    fn words_are_put_together_again() {
        let (words, before) = cursor(&["tyrctl", "--context", "=", "pr"], "pr");
        assert_eq!((words.join(" "), before.as_str()), ("tyrctl --context=pr".to_owned(), "--context="));
        let (words, before) = cursor(&["tyrctl", "--context", "="], "");
        assert_eq!((words.join(" "), before.as_str()), ("tyrctl --context=".to_owned(), "--context="));
        let (words, before) = cursor(&["tyrctl", "--server", "https", ":", "//h", ":", "1", "ag"], "ag");
        assert_eq!((words.join(" "), before.as_str()), ("tyrctl --server https://h:1 ag".to_owned(), ""));
        let (words, before) = cursor(&["tyrctl", "agents", "--sort", "name", ":", "d"], "d");
        assert_eq!((words.join(" "), before.as_str()), ("tyrctl agents --sort name:d".to_owned(), "name:"));
        let (words, before) = cursor(&["tyrctl", ""], "");
        assert_eq!((words, before.as_str()), (vec!["tyrctl".to_owned(), String::new()], ""));
    }

    #[test]
    fn a_word_is_completed_up_to_the_cursor() {
        assert_eq!(cursor(&["tyrctl", "agents"], "ag").0, ["tyrctl", "ag"]);
    }

    #[test]
    fn nothing_that_is_offered_can_be_a_command() {
        assert_eq!(quoted("build-017"), "build-017");
        assert_eq!(quoted("a b$(x);`y`'"), "a\\ b\\$\\(x\\)\\;\\`y\\`\\'");
    }
}
