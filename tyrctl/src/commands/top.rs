//! `tyrctl top`.

use super::Outcome;
use crate::app::App;
use crate::args::TopArgs;
use crate::error::Failure;

/// Shows the dashboard.
///
/// # Errors
/// When the server can't be reached at the start.
#[expect(clippy::unused_async, reason = "the dashboard awaits its stream")]
pub async fn run(_app: &App, _args: &TopArgs) -> Result<Outcome, Failure> {
    Err(Failure::failed("the dashboard is not there yet"))
}
