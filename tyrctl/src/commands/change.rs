//! Verbs that change what others depend on: one way to ask, to rehearse, and to refuse.
//!
//! Asked is for what ends, takes away or replaces something, or puts it in force; what only adds something (`policy apply`,
//! `token create`), what can be taken back as easily (`agent unarchive`, `ai rename`) and what is one's own is not.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::app::App;
use crate::args::ChangeArgs;
use crate::client;
use crate::error::Failure;
use crate::output::sanitize::sanitize;

/// Whether to go on with it; false: it was a rehearsal, and what would be done has been said.
///
/// # Errors
/// In a read-only context, when the answer is no, or when nobody can be asked and `--yes` is missing.
pub(super) fn may_go_on(app: &App, what: &str, how: ChangeArgs) -> Result<bool, Failure> {
    if app.is_read_only() && !how.dry_run {
        return Err(client::refused_as_read_only(&format!("not done: {what}")));
    }
    may_go_on_here(app, what, how)
}

/// The same for what changes nothing on the server, so that a read-only context has no say in it.
pub(super) fn may_go_on_here(app: &App, what: &str, how: ChangeArgs) -> Result<bool, Failure> {
    if how.dry_run {
        app.out.line(&format!("would {what}"))?;
        return Ok(false);
    }
    if how.yes {
        return Ok(true);
    }
    // A question that nobody sees would keep the program waiting for ever.
    if app.global.no_input || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(format!("not done: {what}"))
            .cause("nobody can be asked to confirm it")
            .hint("`--yes` does it without asking, `--dry-run` only says what it would do"));
    }
    let failure = |error: &io::Error| Failure::failed("the question could not be asked").because(error);
    let mut err = io::stderr();
    write!(err, "{}? [y/N] ", sanitize(what)).and_then(|()| err.flush()).map_err(|error| failure(&error))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| failure(&error))?;
    if !answer.ends_with('\n') {
        // The end of the input leaves the cursor behind the question.
        writeln!(err).map_err(|error| failure(&error))?;
    }
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(true)
    } else {
        Err(Failure::failed("nothing was changed").cause("the answer was not yes"))
    }
}
