//! Thresholds of monitoring plugins, as Nagios and Icinga write them.
//!
//! `10` complains outside of 0 to 10, `10:` below 10, `~:10` above 10, `10:20` outside of these, `@10:20` within them. Ends belong to the range.
//! (Monitoring Plugins Development Guidelines, "Threshold and Ranges".)

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Longest range that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 64;

/// When a value is worth a complaint.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    text: String,
    start: f64,
    end: f64,
    /// Complain within instead of outside.
    within: bool,
}

/// A text that is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotARange;

impl fmt::Display for NotARange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a range is MAX, MIN:, MIN:MAX, ~:MAX or @MIN:MAX, e.g. 0 for `more than none`")
    }
}

impl std::error::Error for NotARange {}

impl Range {
    /// Complains about everything above that number (and below 0, which no count is).
    pub fn above(max: u32) -> Self {
        Self { text: max.to_string(), start: 0.0, end: f64::from(max), within: false }
    }

    /// Whether that value is worth a complaint.
    pub fn complains(&self, value: f64) -> bool {
        (self.start..=self.end).contains(&value) == self.within
    }
}

impl FromStr for Range {
    type Err = NotARange;

    fn from_str(text: &str) -> Result<Self, NotARange> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(NotARange);
        }
        let (within, rest) = text.strip_prefix('@').map_or((false, text), |rest| (true, rest));
        let number = |text: &str| {
            // Only plain decimals: `inf` and `nan` are floats to Rust, and no thresholds.
            let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
            text.parse::<f64>().ok().filter(|_| plain).ok_or(NotARange)
        };
        let (start, end) = match rest.split_once(':') {
            None => (0.0, number(rest)?),
            Some((start, end)) => (
                if start == "~" { f64::NEG_INFINITY } else { number(start)? },
                if end.is_empty() { f64::INFINITY } else { number(end)? },
            ),
        };
        if start > end { Err(NotARange) } else { Ok(Self { text: text.to_owned(), start, end, within }) }
    }
}

impl fmt::Display for Range {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn ranges_complain_as_the_guidelines_say() {
        for (text, complains, silent) in [
            ("10", &[-1.0, 10.5, 11.0][..], &[0.0, 5.0, 10.0][..]),
            ("10:", &[9.0, -3.0], &[10.0, 1e9]),
            ("~:10", &[11.0], &[-5.0, 10.0]),
            ("10:20", &[9.0, 21.0], &[10.0, 20.0]),
            ("@10:20", &[10.0, 15.0, 20.0], &[9.0, 21.0]),
            ("0", &[1.0], &[0.0]),
            ("-2:2.5", &[-3.0, 3.0], &[-2.0, 2.5]),
        ] {
            let range: Range = text.parse().expect(text);
            assert_eq!(range.to_string(), text);
            assert!(complains.iter().all(|value| range.complains(*value)), "{text}");
            assert!(!silent.iter().any(|value| range.complains(*value)), "{text}");
        }
        assert_eq!(Range::above(3), "3".parse().expect("a range"));
    }

    #[test]
    fn other_texts_are_no_ranges() {
        for text in ["", "x", "10:5", ":", ":5", "inf", "nan", "1e3", "@", "~", "1:2:3", "5%", &"9".repeat(100)] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
    }
}
