//! `tyrctl`: the terminal dashboard and the command line of Tyr.
//!
//! `args` says what can be asked, `commands` does it over `client`, `output` shows it. Everything that came from a host goes
//! through [`output::sanitize`] before a person sees it; JSON stays exact.

pub mod app;
pub mod args;
pub mod auth;
pub mod client;
pub mod commands;
pub mod config;
pub mod error;
pub mod output;
pub mod tui;
pub mod when;

use std::process::ExitCode;

use clap::Parser;

use crate::app::App;
use crate::args::Cli;
use crate::commands::Outcome;
use crate::error::{Failure, Kind};

/// The whole program: reads the command line, runs the command, prints a failure, and says the exit code.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let (app, command) = match App::new(cli.global) {
        Ok(app) => (app, cli.command),
        Err(failure) => {
            output::print_failure(&failure);
            return ExitCode::from(failure.kind.exit_code());
        }
    };
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("the runtime could not be started").because(&error))
        .and_then(|runtime| runtime.block_on(commands::run(&app, command)))
        .and_then(|outcome| app.out.flush().map(|()| outcome));
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::ConditionHolds) => ExitCode::from(3),
        Err(failure) => {
            // What was written before the failure is still due, e.g. rows before the connection was cut.
            let closed = app.out.flush().is_err_and(|failure| failure.kind == Kind::ClosedPipe);
            if !closed {
                output::print_failure(&failure);
            }
            ExitCode::from(failure.kind.exit_code())
        }
    }
}
