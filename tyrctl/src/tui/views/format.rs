//! Numbers, ages and times as the screen shows them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::tui::state::State;
use crate::tui::state::ui::TimeForm;

/// `9s`, `9m39s`, `3h12m`, `2d04h`.
pub fn age(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => format!("{}m{:02}s", s / 60, s % 60),
        3_600..86_400 => format!("{}h{:02}m", s / 3_600, s / 60 % 60),
        _ => format!("{}d{:02}h", s / 86_400, s / 3_600 % 24),
    }
}

/// `1,214`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `950`, `1.2k`, `34k`, `1.2M`: at most four characters up to a billion.
pub fn short(n: u64) -> String {
    let scaled = |unit: u64, sign: char| {
        if n / unit < 10 {
            format!("{}.{}{sign}", n / unit, n % unit * 10 / unit)
        } else {
            format!("{}{sign}", n / unit)
        }
    };
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => scaled(1_000, 'k'),
        1_000_000..1_000_000_000 => scaled(1_000_000, 'M'),
        _ => scaled(1_000_000_000, 'G'),
    }
}

/// Bytes in the unit that suits them: `812 B`, `14.2 KiB`, `3.0 MiB`.
pub fn bytes(n: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = usize::try_from(n.max(1).ilog2() / 10).unwrap_or(0);
    if unit == 0 {
        return format!("{n} B");
    }
    let tenths = u128::from(n) * 10 / (1 << (10 * unit));
    format!("{}.{} {}", tenths / 10, tenths % 10, units[unit])
}

/// A rate with one decimal: events over seconds.
pub fn rate(events: u64, seconds: u64) -> String {
    let tenths = (events * 10 + seconds / 2) / seconds.max(1);
    if tenths >= 10_000 { count(tenths / 10) } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

/// A share in per cent with one decimal.
pub fn percent(part: u64, whole: u64) -> String {
    let tenths = part * 1_000 / whole.max(1);
    if tenths == 1_000 { "100".to_owned() } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

/// A time as the operator wants times.
pub fn stamp(state: &State, at: Timestamp) -> String {
    match (state.times, state.clock) {
        (TimeForm::Zone, _) => at.to_zoned(state.zone.clone()).strftime("%H:%M:%S").to_string(),
        (TimeForm::Millis, _) => clock_ms(at),
        (TimeForm::Age, Some(now)) => age(now.as_second() - at.as_second()),
        (TimeForm::Utc | TimeForm::Age, _) => clock(at),
    }
}

/// `17:02:41Z`.
pub fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M:%SZ").to_string()
}

/// `17:02:41.120Z`.
pub fn clock_ms(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S%.3fZ").to_string()
}

/// `2026-11-22 17:02:41.120Z`.
pub fn date_ms(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.3fZ").to_string()
}

/// `2026-11-22`.
pub fn date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

/// `1 min`, `2 h`: a stretch of time in whole units.
pub fn length(seconds: usize) -> String {
    match seconds {
        s if s.is_multiple_of(3_600) => format!("{} h", s / 3_600),
        s if s.is_multiple_of(60) => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// `+0.1s`: a difference of clocks.
pub fn skew(ms: i64) -> String {
    let sign = if ms < 0 { '-' } else { '+' };
    let ms = ms.unsigned_abs();
    if ms < 100_000 {
        format!("{sign}{}.{}s", ms / 1_000, ms % 1_000 / 100)
    } else {
        format!("{sign}{}", age(i64::try_from(ms / 1_000).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::{age, count, percent, rate, short, skew};

    #[test]
    fn shows_what_people_read() {
        assert_eq!([age(0), age(99), age(3_600), age(100_000)], ["0s", "1m39s", "1h00m", "1d03h"]);
        assert_eq!([count(0), count(999), count(1_214), count(1_234_567)], ["0", "999", "1,214", "1,234,567"]);
        assert_eq!([short(999), short(1_214), short(34_999), short(1_200_000)], ["999", "1.2k", "34k", "1.2M"]);
        assert_eq!([rate(7, 60), rate(726, 60), rate(0, 0), rate(120_000, 60)], ["0.1", "12.1", "0.0", "2,000"]);
        assert_eq!([percent(1, 3), percent(5, 5), percent(0, 0)], ["33.3", "100", "0.0"]);
        assert_eq!([skew(-140), skew(2_500), skew(7_200_000)], ["-0.1s", "+2.5s", "+2h00m"]);
    }
}
