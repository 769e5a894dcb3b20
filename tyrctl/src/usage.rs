//! Wrong usage in the one style of all errors, with the nearest right word.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Failure;
use crate::output::nearest;
use crate::when::NotATime;

/// What the parser of the command line has to say.
#[derive(Debug)]
pub enum Answer {
    /// Help or version: for standard output, exit code 0.
    Text(String),
    /// Help because nothing was asked for: for standard error, exit code 2.
    Help(String),
    /// Wrong usage.
    Wrong(Failure),
}

/// Whether the command line, wrong as it is, is one of `tyrctl check`.
pub fn is_check() -> bool {
    let command = crate::args::Cli::command().ignore_errors(true);
    command.try_get_matches_from(std::env::args_os()).is_ok_and(|matches| matches.subcommand_name() == Some("check"))
}

/// Reads clap's error.
pub fn explain(error: &clap::Error) -> Answer {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return Answer::Text(error.render().to_string()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return Answer::Help(commands_alone(&error.render().to_string()));
        }
        _ => {}
    }
    let mut failure = Failure::usage(message(error));
    if let Some(cause) = std::error::Error::source(error) {
        // A time shows itself with a mark below the wrong place.
        failure = match cause.downcast_ref::<NotATime>() {
            Some(not_a_time) => failure.cause(not_a_time.to_string()),
            None => failure.cause(cause.to_string()),
        };
    }
    let given = [ContextKind::InvalidSubcommand, ContextKind::InvalidArg, ContextKind::InvalidValue]
        .map(|kind| strings(error, kind).concat())
        .concat();
    let mut near: Vec<String> =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
            .into_iter()
            .flat_map(|kind| strings(error, kind))
            .collect();
    near.sort_by(|a, b| strsim::jaro_winkler(&given, b).total_cmp(&strsim::jaro_winkler(&given, a)));
    let near: Vec<String> = near.iter().take(2).map(|word| format!("`{word}`")).collect();
    let valid = strings(error, ContextKind::ValidValue);
    if !near.is_empty() {
        failure = failure.hint(format!("did you mean {}?", near.join(" or ")));
    } else if !valid.is_empty() {
        let given = strings(error, ContextKind::InvalidValue).concat();
        let near = nearest(&given, valid.iter().map(String::as_str), "");
        if !near.is_empty() {
            failure = failure.hint(near);
        }
    }
    if !valid.is_empty() {
        failure = failure.hint(format!("one of {}", valid.join(", ")));
    }
    if failure.hints.is_empty() && failure.causes.is_empty() {
        let usage = match error.get(ContextKind::Usage) {
            Some(ContextValue::StyledStr(usage)) => usage.to_string(),
            _ => String::new(),
        };
        let usage = usage.trim().trim_start_matches("Usage:").trim().lines().next().unwrap_or_default().to_owned();
        failure = failure.hint(if usage.is_empty() { "`tyrctl --help`".to_owned() } else { format!("usage: {usage}") });
    }
    Answer::Wrong(failure)
}

/// Help without the flags, which would push the commands off a small screen.
fn commands_alone(help: &str) -> String {
    match help.split_once("\nOptions:\n") {
        Some((commands, _)) => format!("{commands}\n`--help` tells of the flags and has examples.\n"),
        None => help.to_owned(),
    }
}

fn message(error: &clap::Error) -> String {
    let argument = strings(error, ContextKind::InvalidArg);
    let shown = argument.iter().map(|argument| format!("`{argument}`")).collect::<Vec<_>>().join(", ");
    let value = strings(error, ContextKind::InvalidValue).concat();
    match error.kind() {
        ErrorKind::UnknownArgument => format!("unexpected argument {shown}"),
        ErrorKind::InvalidSubcommand => {
            format!("unknown command `{}`", strings(error, ContextKind::InvalidSubcommand).concat())
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("a value is missing for {shown}"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => format!("`{value}` is not a value for {shown}"),
        ErrorKind::MissingRequiredArgument => format!("missing: {shown}"),
        ErrorKind::ArgumentConflict => {
            let prior = strings(error, ContextKind::PriorArg)
                .iter()
                .map(|prior| format!("`{prior}`"))
                .collect::<Vec<_>>()
                .join(", ");
            if prior.is_empty() {
                format!("{shown} can't be used more than once")
            } else {
                format!("{shown} can't be used with {prior}")
            }
        }
        ErrorKind::MissingSubcommand => "a command is missing".to_owned(),
        // Rare kinds, in clap's own words without its decoration.
        _ => {
            let text = error.render().to_string();
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    }
}

fn strings(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
