//! Logs: structured lines on standard error.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::fault::Fault;

/// Sends all log lines to standard error, filtered by `RUST_LOG` (default `info`), as text or, with
/// `TYR_LOG_FORMAT=json`, as one JSON object per line.
///
/// # Errors
///
/// A filter or a format that can't be understood: silently falling back would hide the very lines someone asked for.
pub fn init() -> Result<(), Fault> {
    let filter = match env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(&text).map_err(|error| {
            Fault::new("RUST_LOG is no log filter").because(&error).hint("for example RUST_LOG=info,tyr_agent=debug")
        })?,
        _ => EnvFilter::new("info"),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none());
    match env::var("TYR_LOG_FORMAT").as_deref() {
        Err(_) | Ok("" | "text") => builder.init(),
        Ok("json") => builder.json().flatten_event(true).init(),
        Ok(other) => {
            return Err(Fault::new(format!("TYR_LOG_FORMAT is `{other}`")).hint("it can be `text` or `json`"));
        }
    }
    Ok(())
}
