//! `tyrctl`: the terminal dashboard and the command line of Tyr.
//!
//! `args` says what can be asked, `commands` does it over `client`, `output` shows it. Everything that came from a host goes
//! through [`output::sanitize`] before a person sees it; JSON stays exact.

pub mod app;
pub mod args;
pub mod auth;
pub mod client;
pub mod commands;
pub mod complete;
pub mod config;
pub mod error;
pub mod manual;
pub mod output;
pub mod sql;
pub mod threshold;
pub mod tui;
pub mod usage;
pub mod when;

use std::process::ExitCode;

use clap::Parser;

use crate::app::App;
use crate::args::{Cli, Command};
use crate::commands::Outcome;
use crate::error::{Failure, Kind};
use crate::usage::Answer;

/// The whole program: reads the command line, runs the command, prints a failure, and says the exit code.
pub fn run() -> ExitCode {
    // Asked by the shell for completions, or by ourselves for the results of `--jq`, it answers and ends here, before anything else is written.
    if let Some(code) = complete::answer().or_else(output::jq::answer) {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            return match usage::explain(&error) {
                // To a monitoring system exit code 2 would mean that the fleet is in trouble.
                Answer::Wrong(failure) if usage::is_check() => ended(&unknown(&failure)),
                Answer::Text(text) => ended(&output::print_text(&text).map(|()| Outcome::Done)),
                Answer::Help(text) => {
                    output::print_help(&text);
                    ExitCode::from(Kind::Usage.exit_code())
                }
                Answer::Wrong(failure) => ended(&Err(failure)),
            };
        }
    };
    let is_check = matches!(cli.command, Command::Check(_));
    let app = match cli.command {
        // They say what is wrong with the configuration, so that must not keep them from it.
        Command::Doctor(_) | Command::Config(_) => App::lenient(cli.global),
        _ => App::new(cli.global),
    };
    let app = match app {
        Ok(app) => app,
        Err(failure) if is_check => return ended(&unknown(&failure)),
        Err(failure) => return ended(&Err(failure)),
    };
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("the runtime could not be started").because(&error))
        .and_then(|runtime| runtime.block_on(commands::run(&app, cli.command)));
    // What was written before a failure is still due, e.g. rows before the connection was cut.
    let flushed = app.out.flush();
    ended(&result.and_then(|outcome| flushed.map(|()| outcome)))
}

/// A failure of a monitoring plugin: on standard output, and never another exit code.
fn unknown(failure: &Failure) -> Result<Outcome, Failure> {
    let (text, code) = commands::check::unknown(failure);
    output::print_text(&text).map(|()| Outcome::Status(code))
}

fn ended(result: &Result<Outcome, Failure>) -> ExitCode {
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::ConditionHolds) => ExitCode::from(3),
        Ok(Outcome::Status(code)) => ExitCode::from(*code),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(failure) => {
            output::print_failure(failure);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}
