//! `tyrctl health` and `tyrctl version`.

use serde::Serialize;

use super::Outcome;
use crate::app::App;
use crate::args::VersionArgs;
use crate::auth::TokenSource;
use crate::client::{Client, Endpoint};
use crate::error::Failure;
use crate::output::rows::print_record;
use crate::output::value::{Tone, Value};

/// `health`.
pub(super) async fn health(app: &App) -> Result<Outcome, Failure> {
    let health = client(app)?.health().await?;
    let word = |word: &str| match word {
        "ok" => Value::Word("ok", Tone::Good),
        other => Value::text(other),
    };
    let fields =
        [("status", word(&health.status)), ("db", word(&health.db)), ("version", Value::text(&health.version))];
    print_record(&app.out, &fields, &health)?;
    if health.status == "ok" && health.db == "ok" {
        return Ok(Outcome::Done);
    }
    let failure =
        Failure::failed("the server is not well").cause(format!("status {}, database {}", health.status, health.db));
    Err(failure.hint("agents keep their events meanwhile; see the server's log"))
}

/// Both versions.
#[derive(Debug, Serialize)]
struct Versions {
    tyrctl: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

/// `version`.
pub(super) async fn version(app: &App, args: &VersionArgs) -> Result<Outcome, Failure> {
    let mut versions = Versions { tyrctl: env!("CARGO_PKG_VERSION"), server: None };
    let asked = if args.client || app.endpoint().is_err() { None } else { Some(client(app)?.health().await) };
    let failed = match asked {
        Some(Ok(health)) => {
            versions.server = Some(health.version);
            None
        }
        Some(Err(failure)) => Some(failure),
        None => None,
    };
    let fields =
        [("tyrctl", Value::text(versions.tyrctl)), ("server", Value::maybe(versions.server.clone(), Value::text))];
    let shown = if args.client { &fields[..1] } else { &fields[..] };
    print_record(&app.out, shown, &versions)?;
    failed.map_or(Ok(Outcome::Done), Err)
}

/// These calls need no login, so the token stays where it is.
fn client(app: &App) -> Result<Client, Failure> {
    Client::new(Endpoint { token: TokenSource::Nowhere, ..app.endpoint()? })
}
