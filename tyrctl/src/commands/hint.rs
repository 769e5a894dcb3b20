//! What to do where a list is empty, for somebody who has just begun.

use crate::app::App;
use crate::client::Client;

/// Where no event is.
pub(super) const JUDGED: &str = "`tyrctl ai` shows whether an AI process runs; `--since 7d` looks further back";

/// Says how the first host gets into the fleet, if there is none; else that, if there is something to say.
///
/// Asks the server, so it is for lists without a row, on a terminal alone.
pub(super) async fn first_host(app: &App, client: &Client, otherwise: Option<&str>) {
    if app.out.width.is_none() || app.out.quiet {
        return;
    }
    // The list is what was asked for: that the hint can't be given is no failure of it.
    let Ok(agents) = client.agents(false).await else { return };
    if agents.is_empty() {
        app.out.advise("no host is enrolled: `tyrctl token create --label NAME` makes a token for the first");
    } else if let Some(hint) = otherwise {
        app.out.advise(hint);
    }
}
