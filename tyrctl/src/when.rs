//! Times and durations as people write them.
//!
//! `d` is 24 hours and `w` seven of them: the documented queries count back from the server's now, and both must select the
//! same rows. Calendar units (`1mo`, `1y`) are refused. Every error shows where in the text it is.

use std::fmt;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Zoned};

/// Longest text that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 64;

/// A point in time, before it is known what time it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long ago.
    Ago(SignedDuration),
    /// This instant.
    At(Timestamp),
    /// This clock reading in the chosen zone.
    Civil(DateTime),
    /// Midnight in the chosen zone, so many days ago.
    Midnight {
        /// 0 is today.
        days_ago: i64,
    },
}

impl Moment {
    /// The instant that is meant, if it is now `now` and clocks show `tz`.
    ///
    /// # Errors
    /// When the result lies outside of the years -9999 to 9999.
    pub fn resolve(&self, now: Timestamp, tz: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::Ago(duration) => now.checked_sub(*duration),
            Self::At(instant) => Ok(*instant),
            Self::Civil(reading) => tz.to_timestamp(*reading),
            Self::Midnight { days_ago } => {
                let today: Date = now.to_zoned(tz.clone()).date();
                let day = today.checked_sub(Span::new().try_days(*days_ago)?)?;
                Ok(day.to_zoned(tz.clone())?.timestamp())
            }
        }
    }
}

/// A text that is no time or duration, with the place that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotATime {
    text: String,
    /// Byte range of the wrong part.
    wrong: std::ops::Range<usize>,
    what: String,
}

impl NotATime {
    fn new(text: &str, wrong: std::ops::Range<usize>, what: impl Into<String>) -> Self {
        Self { text: text.to_owned(), wrong, what: what.into() }
    }
}

impl fmt::Display for NotATime {
    /// Three lines: what is wrong, the text, and a mark below the wrong part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use unicode_width::UnicodeWidthStr;
        let text = crate::output::sanitize::sanitize(&self.text);
        // Marks stand where the text stands unless sanitising changed widths; then the whole of it is marked.
        let (before, width) = if text == self.text {
            (self.text[..self.wrong.start].width(), self.text[self.wrong.clone()].width())
        } else {
            (0, text.width())
        };
        write!(f, "{}\n  {text}\n  {}{}", self.what, " ".repeat(before), "^".repeat(width.max(1)))
    }
}

impl std::error::Error for NotATime {}

/// Reads a duration: `90s`, `2h30m`, `1.5h`, `90 minutes`, `1d`, `2w`, `PT90S`.
///
/// # Errors
/// When it is none, when it is negative, or when it has calendar units.
pub fn parse_duration(text: &str) -> Result<SignedDuration, NotATime> {
    let whole = 0..text.len();
    if text.trim().is_empty() {
        return Err(NotATime::new(text, whole, "a duration is missing, e.g. 90s, 2h30m or 1d"));
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(NotATime::new("", 0..0, format!("longer than {TEXT_BYTES_MAX} bytes, which no duration is")));
    }
    if let Some(range) = calendar_unit(text) {
        return Err(NotATime::new(text, range, "months and years have no fixed length; use days (`30d`) or a date"));
    }
    if text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotATime::new(text, text.len()..text.len(), "the unit is missing: s, m, h, d or w"));
    }
    let span: Span = text
        .trim()
        .parse()
        .map_err(|_| NotATime::new(text, first_wrong(text), "not a duration; e.g. 90s, 2h30m or 1d"))?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return Err(NotATime::new(text, whole, "months and years have no fixed length; use days (`30d`) or a date"));
    }
    let duration = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| NotATime::new(text, 0..text.len(), "too long for a duration"))?;
    if duration.is_negative() && !text.trim_end().ends_with("ago") {
        return Err(NotATime::new(text, 0..1, "a duration can't be negative"));
    }
    Ok(duration.abs())
}

/// Reads `--timeout`: a duration from 100 ms to one hour.
///
/// # Errors
/// When it is none, or out of these bounds.
pub fn parse_timeout(text: &str) -> Result<Duration, NotATime> {
    let duration = parse_duration(text)?.unsigned_abs();
    if (Duration::from_millis(100)..=Duration::from_hours(1)).contains(&duration) {
        Ok(duration)
    } else {
        Err(NotATime::new(text, 0..text.len(), "must be between 100ms and 1h"))
    }
}

/// Reads `--watch`: seconds, or a duration, from 1 s to one day.
///
/// # Errors
/// When it is none, or out of these bounds.
pub fn parse_every(text: &str) -> Result<Duration, NotATime> {
    let seconds = text.trim().parse::<f64>().ok().filter(|_| text.len() <= TEXT_BYTES_MAX);
    let every = match seconds.map(Duration::try_from_secs_f64) {
        Some(seconds) => seconds.map_err(|_| NotATime::new(text, 0..text.len(), "not a number of seconds"))?,
        None => parse_duration(text)?.unsigned_abs(),
    };
    if (Duration::from_secs(1)..=Duration::from_hours(24)).contains(&every) {
        Ok(every)
    } else {
        Err(NotATime::new(text, 0..text.len(), "must be between 1s and 1d"))
    }
}

/// Reads a moment: a duration (that long ago), `now`, `today`, `yesterday`, `@1763830800`, RFC 3339, `2026-11-21`,
/// `2026-11-21 09:30`.
///
/// # Errors
/// When it is none of these.
pub fn parse_moment(text: &str) -> Result<Moment, NotATime> {
    let trimmed = text.trim();
    match trimmed {
        "now" => return Ok(Moment::Ago(SignedDuration::ZERO)),
        "today" => return Ok(Moment::Midnight { days_ago: 0 }),
        "yesterday" => return Ok(Moment::Midnight { days_ago: 1 }),
        _ => {}
    }
    if text.len() <= TEXT_BYTES_MAX {
        if let Some(seconds) = trimmed.strip_prefix('@') {
            return seconds
                .parse()
                .ok()
                .and_then(|seconds| Timestamp::from_second(seconds).ok())
                .map(Moment::At)
                .ok_or_else(|| NotATime::new(text, 0..text.len(), "`@` wants seconds since 1970, e.g. @1763830800"));
        }
        if trimmed.len() >= 8 && trimmed.as_bytes()[..4].iter().all(u8::is_ascii_digit) && trimmed.as_bytes()[4] == b'-'
        {
            return parse_date(text, trimmed);
        }
        if let Some(word) = near_word(trimmed) {
            return Err(NotATime::new(text, 0..text.len(), format!("not a time; did you mean `{word}`?")));
        }
    }
    parse_duration(text).map(Moment::Ago).map_err(|mut error| {
        error.what = error.what.replacen(
            "not a duration; e.g. 90s, 2h30m or 1d",
            "not a time; e.g. 15m, 1d, yesterday or 2026-11-21",
            1,
        );
        error
    })
}

fn parse_date(text: &str, trimmed: &str) -> Result<Moment, NotATime> {
    if let Ok(instant) = trimmed.parse::<Timestamp>() {
        return Ok(Moment::At(instant));
    }
    if let Ok(zoned) = trimmed.parse::<Zoned>() {
        return Ok(Moment::At(zoned.timestamp()));
    }
    trimmed.parse::<DateTime>().map(Moment::Civil).map_err(|_| {
        NotATime::new(text, 0..text.len(), "not a date; e.g. 2026-11-21, 2026-11-21T09:30 or 2026-11-21T09:30:00Z")
    })
}

fn near_word(text: &str) -> Option<&'static str> {
    ["now", "today", "yesterday"].into_iter().find(|word| {
        text.len() >= 3 && strsim::damerau_levenshtein(text, word) <= 2 && text.bytes().all(|b| b.is_ascii_alphabetic())
    })
}

/// Where a month or year stands, if one does.
fn calendar_unit(text: &str) -> Option<std::ops::Range<usize>> {
    const UNITS: [&str; 8] = ["mo", "mos", "month", "months", "y", "yr", "year", "years"];
    words(text).find(|range| UNITS.contains(&text[range.clone()].to_ascii_lowercase().as_str()))
}

/// The first word that is no unit, or all of the text.
fn first_wrong(text: &str) -> std::ops::Range<usize> {
    const UNITS: &[&str] = &[
        "ns", "us", "µs", "ms", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h",
        "hr", "hrs", "hour", "hours", "d", "day", "days", "w", "wk", "wks", "week", "weeks", "ago", "and",
    ];
    words(text).find(|range| !UNITS.contains(&&text[range.clone()])).unwrap_or(0..text.len())
}

/// Byte ranges of the runs of letters.
fn words(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphabetic)?;
        let end = text[start..].find(|c: char| !c.is_alphabetic()).map_or(text.len(), |length| start + length);
        at = end;
        Some(start..end)
    })
}

/// A duration in at most two units, as in a table: `0.4s`, `12s`, `9m39s`, `3h05m`, `2d04h`.
pub fn short(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..10 if duration.as_millis() > 0 => {
            let tenths = duration.as_millis() / 100;
            format!("{}.{}s", tenths / 10, tenths % 10)
        }
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// An instant as in a table: RFC 3339 with whole seconds, in that zone; UTC ends in `Z`.
pub fn show(instant: Timestamp, tz: &TimeZone) -> String {
    // Cut, not rounded: a time of the next second has not been.
    let instant = Timestamp::from_second(instant.as_second()).unwrap_or(instant);
    if *tz == TimeZone::UTC {
        return instant.to_string();
    }
    instant.to_zoned(tz.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::{parse_duration, parse_moment, short, show};

    /// An hour after clocks in Berlin went back: the day there has 25 hours.
    const NOW: &str = "2026-10-25T12:00:00Z";

    fn resolved(text: &str, zone: &str) -> String {
        let tz = TimeZone::get(zone).expect("a known zone");
        parse_moment(text).expect(text).resolve(NOW.parse().expect("a time"), &tz).expect(text).to_string()
    }

    #[test]
    fn moments_count_back_from_now_or_stand_for_themselves() {
        for (text, utc, berlin) in [
            ("now", "2026-10-25T12:00:00Z", "2026-10-25T12:00:00Z"),
            ("90s", "2026-10-25T11:58:30Z", "2026-10-25T11:58:30Z"),
            ("2h30m", "2026-10-25T09:30:00Z", "2026-10-25T09:30:00Z"),
            ("1.5h", "2026-10-25T10:30:00Z", "2026-10-25T10:30:00Z"),
            ("90 minutes", "2026-10-25T10:30:00Z", "2026-10-25T10:30:00Z"),
            ("90 minutes ago", "2026-10-25T10:30:00Z", "2026-10-25T10:30:00Z"),
            // 24 hours, also where the day had 25.
            ("1d", "2026-10-24T12:00:00Z", "2026-10-24T12:00:00Z"),
            ("P1D", "2026-10-24T12:00:00Z", "2026-10-24T12:00:00Z"),
            ("2w", "2026-10-11T12:00:00Z", "2026-10-11T12:00:00Z"),
            ("today", "2026-10-25T00:00:00Z", "2026-10-24T22:00:00Z"),
            ("yesterday", "2026-10-24T00:00:00Z", "2026-10-23T22:00:00Z"),
            ("2026-10-25", "2026-10-25T00:00:00Z", "2026-10-24T22:00:00Z"),
            ("2026-10-25 09:30", "2026-10-25T09:30:00Z", "2026-10-25T08:30:00Z"),
            ("2026-10-25T09:30:00+02:00", "2026-10-25T07:30:00Z", "2026-10-25T07:30:00Z"),
            ("2026-10-25T09:30:00Z", "2026-10-25T09:30:00Z", "2026-10-25T09:30:00Z"),
            ("@1763830800", "2025-11-22T17:00:00Z", "2025-11-22T17:00:00Z"),
        ] {
            assert_eq!(
                (resolved(text, "UTC"), resolved(text, "Europe/Berlin")),
                (utc.to_owned(), berlin.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn errors_mark_the_wrong_place() {
        let wrong = |text: &str| parse_moment(text).expect_err(text).to_string();
        insta::assert_snapshot!(wrong("1mo"), @"
        months and years have no fixed length; use days (`30d`) or a date
          1mo
           ^^
        ");
        insta::assert_snapshot!(wrong("5 minuts"), @"
        not a time; e.g. 15m, 1d, yesterday or 2026-11-21
          5 minuts
            ^^^^^^
        ");
        insta::assert_snapshot!(wrong("15"), @"
        the unit is missing: s, m, h, d or w
          15
            ^
        ");
        insta::assert_snapshot!(wrong("yestreday"), @"
        not a time; did you mean `yesterday`?
          yestreday
          ^^^^^^^^^
        ");
        insta::assert_snapshot!(wrong("2026-13-01"), @"
        not a date; e.g. 2026-11-21, 2026-11-21T09:30 or 2026-11-21T09:30:00Z
          2026-13-01
          ^^^^^^^^^^
        ");
        for text in ["", " ", "-5m", "\u{1b}[2J", "1d\u{202e}", &"9".repeat(100), "@", "@x", "ä", "99999999999999w"] {
            let shown = wrong(text);
            assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        }
    }

    #[test]
    fn durations_are_never_negative() {
        parse_duration("-5m").expect_err("negative");
        assert_eq!(parse_duration("5m ago").expect("as long as 5m").as_secs(), 300);
    }

    #[test]
    fn short_forms_have_two_units() {
        for (ms, shown) in [
            (0, "0s"),
            (400, "0.4s"),
            (12_345, "12s"),
            (579_000, "9m39s"),
            (11_100_000, "3h05m"),
            (187_200_000, "2d04h"),
        ] {
            assert_eq!(short(jiff::SignedDuration::from_millis(ms)), shown);
        }
    }

    #[test]
    fn times_are_cut_to_seconds() {
        let at: Timestamp = "2026-11-22T19:40:01.999999Z".parse().expect("a time");
        assert_eq!(show(at, &TimeZone::UTC), "2026-11-22T19:40:01Z");
        assert_eq!(show(at, &TimeZone::get("Europe/Berlin").expect("known")), "2026-11-22T20:40:01+01:00");
    }
}
