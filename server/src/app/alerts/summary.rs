//! One sentence about an alert, for people.

use jiff::{SignedDuration, Timestamp, Unit};
use tyr_api::alerts::{Alert, AlertRule};

use crate::db::alerts::rows::WINDOWS;

/// Longest text of a host that a sentence quotes, in characters.
const QUOTED_CHARS_MAX: usize = 120;

/// What happened, without the agent's name and without a full stop.
pub fn summary(alert: &Alert) -> String {
    let detail = |name: &str| alert.details.get(name).map(|text| quoted(text)).unwrap_or_default();
    let limit = span(alert.threshold);
    match alert.rule {
        AlertRule::Stale => match instant(alert, "last_seen") {
            Some(last_seen) => format!("not heard from since {last_seen}, for more than {limit}"),
            None => format!("not heard from for more than {limit}"),
        },
        AlertRule::Silent => {
            let last = instant(alert, "last_event").map_or_else(String::new, |at| format!(" since {at}"));
            format!("online, and no event{last} for more than {limit}: are its kernel programs attached?")
        }
        AlertRule::DenySpike => {
            let mostly = match (alert.details.get("rule"), alert.details.get("rule_denials")) {
                (Some(rule), Some(denials)) => format!(", {denials} of them by rule {}", quoted(rule)),
                _ => String::new(),
            };
            format!("{} denials within 5 min, {} is usual{mostly}", whole(alert.value), detail("baseline"))
        }
        AlertRule::Drift => {
            format!("{} events drifted within 15 min: {}", whole(alert.value), reasons(alert))
        }
        AlertRule::SustainedDrift => {
            let meaning = if detail("reason") == "stale_policy" {
                "it judges by a stale policy version"
            } else {
                "same policy version and other verdicts: tampering, or a defect"
            };
            format!(
                "drift in {} of the last {WINDOWS} windows of 5 min: {meaning} ({})",
                whole(alert.value),
                reasons(alert)
            )
        }
        AlertRule::Loss => {
            format!("{} events declared lost, {} since it enrolled", whole(alert.value), detail("events_lost"))
        }
        AlertRule::PostureFell => {
            let why = detail("reason");
            let why = if why.is_empty() { why } else { format!(": {why}") };
            format!("{}, was {}{why}", detail("posture"), detail("expected"))
        }
    }
}

fn reasons(alert: &Alert) -> String {
    let counts: Vec<String> = [
        ("stale_policy", "stale policy"),
        ("verdict_differs", "verdict differs"),
        ("not_enforced_here", "not enforced here"),
    ]
    .into_iter()
    .filter_map(|(name, text)| alert.details.get(name).map(|count| format!("{text} {count}")))
    .collect();
    counts.join(", ")
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// An instant to the second.
fn instant(alert: &Alert, name: &str) -> Option<String> {
    let at: Timestamp = alert.details.get(name)?.parse().ok()?;
    Some(at.round(Unit::Second).unwrap_or(at).to_string())
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

/// Seconds as people say them.
fn span(seconds: f64) -> String {
    let span = SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
    let seconds = span.as_secs();
    match seconds {
        s if s >= 48 * 3600 && s % 86_400 == 0 => format!("{} days", s / 86_400),
        s if s >= 7200 && s % 3600 == 0 => format!("{} h", s / 3600),
        s if s >= 120 && s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use tyr_api::alerts::AlertState;
    use uuid::Uuid;

    use super::*;

    /// A firing alert.
    pub(in crate::app::alerts) fn alert(
        rule: AlertRule,
        value: f64,
        threshold: f64,
        details: &[(&str, &str)],
    ) -> Alert {
        let since: Timestamp = "2026-11-22T22:00:00Z".parse().expect("an instant");
        let mut alert = Alert {
            alert_id: Uuid::nil(),
            rule,
            agent_id: Uuid::nil(),
            agent_name: "build-017".to_owned(),
            state: AlertState::Firing,
            since,
            changed_at: since,
            fired_at: Some(since),
            resolved_at: None,
            value,
            threshold,
            summary: String::new(),
            details: details.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            flapping: false,
            acknowledged_by: None,
            acknowledged_at: None,
            note: None,
        };
        alert.summary = summary(&alert);
        alert
    }

    #[test]
    fn each_rule_has_its_sentence() {
        let sentence = |rule, value, threshold, details: &[_]| alert(rule, value, threshold, details).summary;
        assert_eq!(
            sentence(AlertRule::Stale, 312.0, 300.0, &[("last_seen", "2026-11-22T21:54:48.123456Z")]),
            "not heard from since 2026-11-22T21:54:48Z, for more than 5 min"
        );
        assert_eq!(
            sentence(AlertRule::Silent, 700_000.0, 604_800.0, &[]),
            "online, and no event for more than 7 days: are its kernel programs attached?"
        );
        let spike = [("baseline", "2.5"), ("rule", "no-shadow"), ("rule_denials", "41")];
        assert_eq!(
            sentence(AlertRule::DenySpike, 42.0, 20.0, &spike),
            "42 denials within 5 min, 2.5 is usual, 41 of them by rule no-shadow"
        );
        assert_eq!(
            sentence(AlertRule::Drift, 3.0, 1.0, &[("stale_policy", "2"), ("not_enforced_here", "1")]),
            "3 events drifted within 15 min: stale policy 2, not enforced here 1"
        );
        assert_eq!(
            sentence(AlertRule::SustainedDrift, 4.0, 3.0, &[("reason", "verdict_differs"), ("verdict_differs", "9")]),
            "drift in 4 of the last 5 windows of 5 min: same policy version and other verdicts: tampering, or a defect \
             (verdict differs 9)"
        );
        assert_eq!(
            sentence(AlertRule::Loss, 5.0, 1.0, &[("events_lost", "12")]),
            "5 events declared lost, 12 since it enrolled"
        );
        let fell = [("posture", "observing"), ("expected", "partial"), ("reason", "x")];
        assert_eq!(sentence(AlertRule::PostureFell, 2.0, 3.0, &fell), "observing, was partial: x");
    }
}
