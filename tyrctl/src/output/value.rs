//! What a cell holds, and how it reads in a table, in CSV, and in order.

use std::cmp::Ordering;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::when;

/// What a cell says about the state of things; always beside a word that says it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
    /// Of less interest.
    Dim,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not there: `-` for people, nothing for programs.
    Nothing,
    /// Any text; hostile until it is shown.
    Text(String),
    /// A word with a meaning.
    Word(&'static str, Tone),
    /// A number of things.
    Count(u64),
    /// A number that may be negative.
    Number(i64),
    /// A size in bytes: 1.4 GB for people, the number for programs.
    Bytes(u64),
    /// A change of a size in bytes.
    SignedBytes(i64),
    /// An instant.
    Time(Timestamp),
    /// An instant of which people want to know how long ago it was.
    Past {
        /// The instant.
        at: Timestamp,
        /// How long ago, by the server's clock.
        ago: SignedDuration,
    },
    /// How long.
    Span(SignedDuration),
}

impl Value {
    /// Text, or nothing where it is empty.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Nothing } else { Self::Text(text) }
    }

    /// The value, if there is one.
    pub fn maybe<T>(value: Option<T>, make: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Nothing, make)
    }

    /// For people.
    pub fn shown(&self, tz: &TimeZone) -> String {
        match self {
            Self::Nothing => "-".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Word(word, _) => (*word).to_owned(),
            Self::Count(n) => n.to_string(),
            Self::Number(n) => n.to_string(),
            Self::Bytes(n) => size(*n),
            Self::SignedBytes(n) if *n < 0 => format!("-{}", size(n.unsigned_abs())),
            Self::SignedBytes(n) => size(n.unsigned_abs()),
            Self::Time(at) => when::show(*at, tz),
            Self::Past { ago, .. } => format!("{} ago", when::short(*ago)),
            Self::Span(duration) => when::short(*duration),
        }
    }

    /// For programs: instants in RFC 3339 UTC, durations in seconds.
    pub fn plain(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Time(at) | Self::Past { at, .. } => at.to_string(),
            Self::Bytes(n) => n.to_string(),
            Self::SignedBytes(n) => n.to_string(),
            Self::Span(duration) => format!("{}.{:03}", duration.as_secs(), duration.subsec_millis()),
            other => other.shown(&TimeZone::UTC),
        }
    }

    /// How to colour it.
    pub fn tone(&self) -> Option<Tone> {
        match self {
            Self::Word(_, tone) => Some(*tone),
            Self::Nothing => Some(Tone::Dim),
            _ => None,
        }
    }

    /// Order of a column, smallest first; what is not there comes last.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => Ordering::Equal,
            (Self::Nothing, _) => Ordering::Greater,
            (_, Self::Nothing) => Ordering::Less,
            (Self::Count(a), Self::Count(b)) | (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) | (Self::SignedBytes(a), Self::SignedBytes(b)) => a.cmp(b),
            (Self::Time(a) | Self::Past { at: a, .. }, Self::Time(b) | Self::Past { at: b, .. }) => a.cmp(b),
            (Self::Span(a), Self::Span(b)) => a.cmp(b),
            (a, b) => a.plain().to_lowercase().cmp(&b.plain().to_lowercase()),
        }
    }
}

/// A size with two or three digits that matter, in units of a thousand.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // In tenths, as whole numbers have no rounding of their own.
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 10_000 {
        tenths /= 1000;
        unit += 1;
    }
    if tenths < 1000 {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    } else {
        format!("{} {}", tenths / 10, UNITS[unit])
    }
}
