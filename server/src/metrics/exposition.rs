//! The two text formats that scrapers ask for, and which of them one gets.
//!
//! OpenMetrics names a counter's family without `_total` and its series with it; the older text format 0.0.4 knows no such
//! difference, and `promtool check metrics` reads that one. The values are written the same way in both.

use std::fmt::Write;

/// `Content-Type` of OpenMetrics.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// `Content-Type` of the text format.
pub const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus text 0.0.4.
    Text,
}

impl Format {
    /// What an `Accept` header prefers; text when it names neither, as `curl` and people do.
    pub fn accepted(header: &str) -> Self {
        let mut best = (0, Self::Text);
        for range in header.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut quality, mut version) = (1000, None);
            for part in parts {
                match part.split_once('=') {
                    Some(("q", q)) => quality = thousandths(q),
                    Some(("version", v)) => version = Some(v.trim_matches('"')),
                    _ => {}
                }
            }
            let format = match (media.as_str(), version) {
                // Nothing of 0.0.1 that is used here differs from 1.0.0 but the end mark, which both have.
                ("application/openmetrics-text", None | Some("1.0.0")) => Self::OpenMetrics,
                ("text/plain" | "text/*" | "*/*", _) => Self::Text,
                _ => continue,
            };
            if quality > best.0 {
                best = (quality, format);
            }
        }
        best.1
    }

    /// Its `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => OPEN_METRICS,
            Self::Text => TEXT,
        }
    }
}

/// A weight of 0 to 1 with at most three decimals (RFC 9110, 12.4.2) as a number of 0 to 1000; what is none counts as 0.
fn thousandths(q: &str) -> u32 {
    let weight: f64 = q.trim().parse().unwrap_or(0.0);
    // Clamped, so that the cast is exact enough.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0).round() as u32;
    thousandths
}

/// OpenMetrics text as text 0.0.4.
pub fn text_from_open_metrics(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + 1024);
    // The help comes before the type that decides its name.
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(line) = line.strip_prefix("# HELP ") {
            help = line.split_once(' ');
        } else if let Some(line) = line.strip_prefix("# TYPE ") {
            let Some((name, kind)) = line.split_once(' ') else { continue };
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "stateset" => ("", "gauge"),
                "unknown" => ("", "untyped"),
                kind => ("", kind),
            };
            if let Some((_, help)) = help.take().filter(|(helped, _)| *helped == name) {
                let _ = writeln!(text, "# HELP {name}{suffix} {help}");
            }
            let _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_is_preferred() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, format) in [
            (prometheus, Format::OpenMetrics),
            ("", Format::Text),
            ("*/*", Format::Text),
            ("application/json", Format::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            ("text/plain;version=0.0.4;q=0.3,application/openmetrics-text;q=0.9", Format::OpenMetrics),
            ("application/openmetrics-text;version=1.0.0;q=0, text/plain;q=0.1", Format::Text),
            ("application/openmetrics-text;version=7.0.0, text/plain;q=0.1", Format::Text),
            ("application/openmetrics-text;q=nonsense;;==, ;", Format::Text),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
    }

    #[test]
    fn counters_get_their_suffix_in_text() {
        let open_metrics = "# HELP a Help of a.\n# TYPE a counter\na_total{b=\"# c\"} 1\n# HELP d_seconds x.\n\
                            # TYPE d_seconds histogram\n# UNIT d_seconds seconds\nd_seconds_sum 0.0\n# TYPE e unknown\ne 1\n# EOF\n";
        assert_eq!(
            text_from_open_metrics(open_metrics),
            "# HELP a_total Help of a.\n# TYPE a_total counter\na_total{b=\"# c\"} 1\n# HELP d_seconds x.\n\
             # TYPE d_seconds histogram\nd_seconds_sum 0.0\n# TYPE e untyped\ne 1\n"
        );
    }
}
