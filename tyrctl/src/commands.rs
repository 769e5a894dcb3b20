//! One module per verb.

use crate::app::App;
use crate::args::Command;
use crate::error::Failure;

pub mod top;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All went well: 0.
    Done,
    /// `--fail-on-any` or `--fail-on-none` holds: 3.
    ConditionHolds,
}

/// Does what was asked for.
///
/// # Errors
/// The command's.
pub async fn run(app: &App, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Top(args) => top::run(app, &args).await,
        _ => Err(Failure::failed("this command is not there yet")),
    }
}
