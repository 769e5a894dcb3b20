//! What a shell is offered when somebody presses tab: the words of the command line, and names that the server knows.
//!
//! The shell waits and shows whatever is written, so this is quick and silent: names come from a cache that is at most a minute
//! old, else from the server within [`names::LIMIT`], else from the cache however old; an error means that nothing is offered.

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Fish, Shells, Zsh};

use crate::args::Cli;
use crate::config::Folder;
use crate::output::sanitize::sanitize;
use crate::tui::filter::Field;

mod bash;
mod columns;
mod line;
mod names;

use names::What;
pub use names::{cached, folder, forget};

/// Variable in which the shell's script says that it wants completions, and for which shell.
const ASKED: &str = "COMPLETE";
/// Longest explanation beside a name, in characters.
const HELP_CHARS_MAX: usize = 60;

/// Answers the shell, if it was the shell that started the program.
pub fn answer() -> Option<ExitCode> {
    std::env::var_os(ASKED)?;
    // With `--` it asks for candidates, without it for the script.
    let for_candidates = std::env::args_os().any(|word| word == "--");
    if for_candidates {
        // A shell shows what is written on standard error in the middle of the line that is being typed.
        std::panic::set_hook(Box::new(|_| {}));
    }
    let directory = std::env::current_dir().ok();
    let answered = CompleteEnv::with_factory(command)
        .completer("tyrctl")
        .shells(Shells(&[&bash::Bash, &Zsh, &Fish]))
        .try_complete(std::env::args_os(), directory.as_deref());
    match answered {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        Err(_) if for_candidates => Some(ExitCode::FAILURE),
        Err(error) => error.exit(),
    }
}

/// The command line with all flags hidden: the engine offers what is hidden only where there is nothing else, so that names stand
/// alone as long as no flag is begun.
fn command() -> Command {
    fn hide(command: Command) -> Command {
        let flags = |argument: clap::Arg| if argument.is_positional() { argument } else { argument.hide(true) };
        command.mut_args(flags).mut_subcommands(hide)
    }
    let mut command = Cli::command();
    // Before, `--help` is not among the flags, nor are global ones below the root.
    command.build();
    hide(command)
}

/// Names of contexts, from the configuration.
pub fn contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let config = Folder::of_user().and_then(|folder| folder.load()).unwrap_or_default();
        config.context.into_iter().map(|(name, context)| candidate(&name, &context.server)).collect::<Vec<_>>()
    })
}

/// Names of agents.
pub fn agents() -> ArgValueCandidates {
    known(What::Agents)
}

/// Numbers of policy versions.
pub fn versions() -> ArgValueCandidates {
    known(What::Policies)
}

/// Ids of AI processes.
pub fn ai_processes() -> ArgValueCandidates {
    known(What::AiProcesses)
}

/// Names of users.
pub fn users() -> ArgValueCandidates {
    known(What::Users)
}

/// Public parts of enrollment tokens.
pub fn tokens() -> ArgValueCandidates {
    known(What::Tokens)
}

/// Ends of the ids of open alerts.
pub fn alerts() -> ArgValueCandidates {
    known(What::Alerts)
}

/// Ends of the ids of webhooks.
pub fn webhooks() -> ArgValueCandidates {
    known(What::Webhooks)
}

/// Agent types: those that are documented, and those that the server saw.
pub fn agent_types() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let seen = names::of(What::AgentTypes);
        let documented = tyr_policy::AGENT_TYPES.iter().filter(|word| seen.iter().all(|name| name.value != **word));
        let mut types: Vec<_> = documented.map(|word| candidate(word, "")).collect();
        types.extend(seen.iter().map(|name| candidate(&name.value, &name.help)));
        types
    })
}

/// Columns of the list that the command on the line prints; `+` and `-` may stand before one.
pub fn columns() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let current = current.to_string_lossy();
        let (sign, begun) = current.split_at(usize::from(current.starts_with(['+', '-'])));
        let names = columns::of(&line::words()).into_iter().filter(|name| name.starts_with(begun));
        names.map(|name| candidate(&format!("{sign}{name}"), "")).collect()
    })
}

/// Columns to sort by, also the other way round.
pub fn sort_keys() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let current = current.to_string_lossy();
        let mut keys = Vec::new();
        for name in columns::of(&line::words()) {
            keys.push(name.to_owned());
            // Both for each column would be too many as long as nothing is typed.
            if !current.is_empty() {
                keys.push(format!("{name}:desc"));
            }
        }
        keys.iter().filter(|key| key.starts_with(&*current)).map(|key| candidate(key, "")).collect()
    })
}

/// The last term of a filter: its field, then its value where the values are known.
pub fn filter() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let current = current.to_string_lossy();
        let begin = current.rfind([' ', '(', '!', '\'', '"']).map_or(0, |at| at + 1);
        let (before, term) = current.split_at(begin);
        let offer = |word: &str, help: &str| candidate(&format!("{before}{word}"), help);
        if let Some((field, _)) = term.split_once(['=', ':']) {
            let values = values_of(field).into_iter().map(|value| format!("{}{value}", &term[..=field.len()]));
            return values.filter(|word| word.starts_with(term)).map(|word| offer(&word, "")).collect();
        }
        let fields = Field::ALL.iter().filter(|(name, ..)| name.starts_with(term));
        fields.map(|(name, _, help)| offer(&format!("{name}="), help)).collect()
    })
}

fn values_of(field: &str) -> Vec<String> {
    use tyr_api::events::{EventKind, Severity, Verdict};
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let names = |what| names::of(what).into_iter().map(|name| name.value).collect();
    match field {
        "agent" => names(What::Agents),
        "type" => names(What::AgentTypes),
        "policy" => names(What::Policies),
        "kind" => words(EventKind::WORDS),
        "verdict" | "server" => words(Verdict::WORDS),
        "severity" => words(Severity::WORDS),
        "state" => words(&["online", "late", "stale", "offline"]),
        "posture" => words(&["enforcing", "partial", "observing", "blind"]),
        _ => Vec::new(),
    }
}

/// Times that are often meant.
pub fn moments() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let moments = [
            ("15m", "a quarter of an hour ago"),
            ("1h", ""),
            ("1d", "24 hours ago"),
            ("7d", ""),
            ("today", ""),
            ("yesterday", ""),
        ];
        moments.map(|(moment, help)| candidate(moment, help)).into_iter().collect::<Vec<_>>()
    })
}

/// Time zones.
pub fn zones() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let mut zones = vec![candidate("UTC", ""), candidate("local", "this machine's")];
        zones.extend(jiff::tz::db().available().map(|zone| candidate(zone.as_str(), "")));
        zones
    })
}

fn known(what: What) -> ArgValueCandidates {
    ArgValueCandidates::new(move || {
        names::of(what).iter().map(|name| candidate(&name.value, &name.help)).collect::<Vec<_>>()
    })
}

/// A word with its explanation, which may be a host's text.
fn candidate(word: &str, help: &str) -> CompletionCandidate {
    let help: String = sanitize(help).chars().take(HELP_CHARS_MAX).collect();
    CompletionCandidate::new(word).help((!help.is_empty()).then(|| help.into()))
}
