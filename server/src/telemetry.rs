//! Logs: structured, to stderr; `RUST_LOG` decides what, `TYR_LOG_FORMAT` how.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// What is logged when `RUST_LOG` says nothing.
const FILTER_DEFAULT: &str = "info,sqlx=warn";

/// Starts logging. A second call in one process changes nothing.
///
/// # Errors
/// When `RUST_LOG` is no filter; the text says where.
pub fn init(format: LogFormat) -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) if !text.trim().is_empty() => {
            EnvFilter::try_new(&text).map_err(|error| format!("RUST_LOG=`{text}` is no filter: {error}"))?
        }
        _ => EnvFilter::new(FILTER_DEFAULT),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}
