//! Logs: structured, to stderr; `RUST_LOG` decides what, `TYR_LOG_FORMAT` how.
//!
//! One event is one line, whatever text it carries: see [`line`]. Under journald, which knows time and source of each line by
//! itself, lines come without time and colour and with the priority that `journalctl -p` asks for.

pub mod line;
mod pool;

use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::{env, fs, io, panic};

use tracing::Level;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::{Format, JsonFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use self::line::{OneLine, Shape};
use crate::args::LogFormat;

/// What is logged when `RUST_LOG` says nothing.
const FILTER_DEFAULT: &str = "info,sqlx=warn";
/// Libraries that write what they carry at their lowest levels, heads of requests with their tokens and bodies that can't be
/// parsed, and the most that they may say. Nobody who asks for `RUST_LOG=trace` asks for passwords in the journal.
const CAPS: [(&str, LevelFilter); 5] = [
    ("h2", LevelFilter::DEBUG),
    ("hyper", LevelFilter::DEBUG),
    ("hyper_util", LevelFilter::DEBUG),
    ("axum::rejection", LevelFilter::OFF),
    ("rustls", LevelFilter::DEBUG),
];

static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Starts logging. A second call in one process changes nothing.
///
/// # Errors
/// When `RUST_LOG` is no filter; the text says where.
pub fn init(format: LogFormat) -> Result<(), String> {
    let filter = match env::var("RUST_LOG") {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(&text)
            .map_err(|error| format!("RUST_LOG=`{}` is no filter: {error}", text.escape_debug()))?,
        Err(env::VarError::NotUnicode(_)) => return Err("RUST_LOG is no text".to_owned()),
        _ => EnvFilter::new(FILTER_DEFAULT),
    };
    let filter = filter.and(filter_fn(|event| is_fit(event.target(), *event.level())));
    let stderr = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let journald = under_journald();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Json => stderr
            .fmt_fields(JsonFields::new())
            .event_format(OneLine::new(Format::default().json().flatten_event(true).with_span_list(false), Shape::Json))
            .with_filter(filter)
            .boxed(),
        LogFormat::Text if journald => stderr
            .with_ansi(false)
            .event_format(OneLine::new(Format::default().without_time().with_ansi(false), Shape::Journal))
            .with_filter(filter)
            .boxed(),
        LogFormat::Text => {
            let colours = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            stderr
                .with_ansi(colours)
                .event_format(OneLine::new(Format::default().with_ansi(colours), Shape::Text))
                .with_filter(filter)
                .boxed()
        }
    };
    if tracing_subscriber::registry().with(lines).with(pool::waits()).try_init().is_ok() {
        let _ = FORMAT.set(format);
        panic::set_hook(Box::new(|panic| {
            let text = panic.payload_as_str().unwrap_or("a panic without text");
            let place = panic.location().map(ToString::to_string);
            tracing::error!(panic.message = text, panic.location = place, "a task panicked");
        }));
    }
    Ok(())
}

/// Whether what the process says on stderr has to be JSON, also before logging began.
pub fn is_json() -> bool {
    match FORMAT.get() {
        Some(format) => *format == LogFormat::Json,
        None => env::var("TYR_LOG_FORMAT").is_ok_and(|format| format == "json"),
    }
}

/// Whether something of that target and level may be written down at all, whatever the filter lets through.
fn is_fit(target: &str, level: Level) -> bool {
    let is_of =
        |module: &str| target.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    CAPS.iter().all(|(module, most)| !is_of(module) || level <= *most)
}

/// Whether stderr is journald's socket (systemd.exec(5), `JOURNAL_STREAM`): a process may have inherited the variable and have
/// its stderr elsewhere.
fn under_journald() -> bool {
    let Some((device, inode)) = env::var("JOURNAL_STREAM").ok().and_then(|stream| {
        let (device, inode) = stream.split_once(':')?;
        Some((device.parse::<u64>().ok()?, inode.parse::<u64>().ok()?))
    }) else {
        return false;
    };
    fs::metadata("/dev/stderr").is_ok_and(|stderr| (stderr.dev(), stderr.ino()) == (device, inode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_tell_too_much_are_held() {
        assert!(is_fit("tyr_server::http", Level::TRACE));
        assert!(is_fit("h2::codec", Level::DEBUG));
        assert!(!is_fit("h2::codec", Level::TRACE));
        assert!(!is_fit("hyper", Level::TRACE));
        assert!(is_fit("hyperactive", Level::TRACE), "another library");
        assert!(!is_fit("axum::rejection", Level::ERROR));
    }
}
