//! The command line that is being typed, as far as it matters for what is offered.

use clap::{Args, Command, CommandFactory, FromArgMatches};

use crate::args::{Cli, Global};

/// Flags that decide whom we ask.
const WHOM: [&str; 4] = ["--context", "--server", "--ca-file", "--token-file"];

/// The words on the line, `tyrctl` first. The shell gives them behind `--`.
pub(super) fn words() -> Vec<String> {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    joined(words.skip_while(|word| word != "--").skip(1).collect())
}

/// Whether bash made a word of its own from characters that split words.
pub(super) fn splits(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|character| "=:@".contains(character))
}

/// The words with those put together again that bash split.
pub(super) fn joined(words: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(words.len());
    let mut glue = false;
    for word in words {
        let splits = splits(&word);
        match joined.last_mut() {
            Some(last) if glue || splits => last.push_str(&word),
            _ => joined.push(word),
        }
        glue = splits;
    }
    joined
}

/// The global flags on the line that decide whom we ask; the environment stands in for those that are not there.
pub(super) fn global(words: &[String]) -> Option<Global> {
    let mut asked = vec!["tyrctl".to_owned()];
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let (flag, value) = word.split_once('=').map_or((word.as_str(), None), |(flag, value)| (flag, Some(value)));
        if WHOM.contains(&flag) {
            let value = value.or_else(|| words.next().map(String::as_str))?;
            asked.push(format!("{flag}={value}"));
        }
    }
    let matches = Global::augment_args(Command::new("tyrctl")).try_get_matches_from(asked).ok()?;
    Global::from_arg_matches(&matches).ok()
}

/// The commands on the line by their proper names: `["events", "list"]`.
pub(super) fn commands(words: &[String]) -> Vec<String> {
    let mut root = Cli::command();
    root.build();
    let (mut at, mut path) = (&root, Vec::new());
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        } else if word.starts_with('-') {
            if takes_next(at, word) {
                words.next();
            }
        } else if let Some(sub) = at.find_subcommand(word) {
            path.push(sub.get_name().to_owned());
            at = sub;
        }
    }
    path
}

/// Whether the word after this flag is its value.
fn takes_next(command: &Command, word: &str) -> bool {
    let flag = command.get_arguments().find(|argument| match word.strip_prefix("--") {
        Some(long) => argument.get_long() == Some(long),
        // `-ojson` brings its value along.
        None => argument.get_short().is_some_and(|short| word.strip_prefix('-') == Some(short.to_string().as_str())),
    });
    flag.is_some_and(|flag| {
        !flag.is_require_equals_set() && flag.get_num_args().is_some_and(|range| range.min_values() > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::{commands, global, joined};

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn pieces_come_together() {
        assert_eq!(
            joined(words("tyrctl --context = prod --server https : //h : 1")).join(" "),
            "tyrctl --context=prod --server https://h:1"
        );
        assert_eq!(joined(words("= x")).join(" "), "=x");
    }

    #[test]
    fn the_server_that_is_meant() {
        let global =
            global(&words("tyrctl --context=prod agents --stale --server https://h:1 -o json")).expect("flags");
        assert_eq!((global.context.as_deref(), global.server.as_deref()), (Some("prod"), Some("https://h:1")));
    }

    #[test]
    fn a_flag_without_its_value_names_no_server() {
        assert!(global(&words("tyrctl agents --context")).is_none());
    }

    #[test]
    fn commands_are_found_among_flags() {
        for (line, path) in [
            ("tyrctl --context agents -o json events --tz UTC list --sort ", "events list"),
            ("tyrctl ls --stale --columns", "agents"),
            ("tyrctl -ojson user ls", "user list"),
            ("tyrctl", ""),
            ("tyrctl -- agents", ""),
        ] {
            assert_eq!(commands(&words(line)).join(" "), path, "{line}");
        }
    }
}
