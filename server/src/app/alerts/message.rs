//! What a receiver gets: a JSON message with everything, or what an incoming webhook of Slack shows.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};
use tyr_api::alerts::{Alert, AlertRule, AlertState, WebhookFormat, WebhookMessage};

/// Most alerts of one message.
pub const ALERTS_MAX: usize = 100;
/// Largest message, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Most alerts that a message for Slack spells out; it takes 50 blocks.
const SLACK_ALERTS_MAX: usize = 20;
/// Longest quoted text in Slack, in characters; a section takes 3,000.
const SLACK_CHARS_MAX: usize = 500;

/// The body of a message about these alerts, which changed together; `None` when none of them is of the rules.
pub fn body(format: WebhookFormat, rules: &[AlertRule], at: Timestamp, alerts: &[Alert], test: bool) -> Option<String> {
    let mut chosen: Vec<&Alert> =
        alerts.iter().filter(|alert| rules.is_empty() || rules.contains(&alert.rule)).collect();
    if chosen.is_empty() {
        return None;
    }
    chosen.sort_by_key(|alert| (alert.state == AlertState::Resolved, alert.rule, alert.agent_name.clone()));
    Some(match format {
        WebhookFormat::Json => json_body(at, &chosen, test),
        WebhookFormat::Slack => slack_body(&chosen, test).to_string(),
    })
}

fn json_body(at: Timestamp, alerts: &[&Alert], test: bool) -> String {
    let resolved = alerts.iter().filter(|alert| alert.state == AlertState::Resolved).count();
    let mut shown = alerts.len().min(ALERTS_MAX);
    loop {
        let message = WebhookMessage {
            version: 1,
            test,
            at,
            firing: count(alerts.len() - resolved),
            resolved: count(resolved),
            alerts: alerts[..shown].iter().map(|alert| (*alert).clone()).collect(),
            omitted: count(alerts.len() - shown),
        };
        let text = serde_json::to_string(&message).expect("these types are JSON");
        // Hosts choose names and reasons, so a message may be larger than anybody thought.
        if text.len() <= BODY_BYTES_MAX || shown == 0 {
            return text;
        }
        shown /= 2;
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn slack_body(alerts: &[&Alert], test: bool) -> Value {
    let resolved = alerts.iter().filter(|alert| alert.state == AlertState::Resolved).count();
    let mut title = String::from(if test { "Tyr (test): " } else { "Tyr: " });
    let (firing, plural) = (alerts.len() - resolved, |n| if n == 1 { "" } else { "s" });
    if firing > 0 {
        write!(title, "{firing} alert{} firing", plural(firing)).expect("writing to a String");
    }
    if resolved > 0 {
        let separator = if firing > 0 { ", " } else { "" };
        let noun = if firing > 0 { String::new() } else { format!(" alert{}", plural(resolved)) };
        write!(title, "{separator}{resolved}{noun} resolved").expect("writing to a String");
    }
    let lines: Vec<String> = alerts.iter().take(SLACK_ALERTS_MAX).map(|alert| slack_line(alert)).collect();
    let section = |text: &str| json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
    let mut blocks = vec![json!({"type": "header", "text": {"type": "plain_text", "text": title, "emoji": false}})];
    blocks.extend(lines.iter().map(|line| section(line)));
    if alerts.len() > lines.len() {
        blocks.push(section(&format!("and {} more: `tyrctl alerts`", alerts.len() - lines.len())));
    }
    // What notifications show, where there is no room for blocks.
    let first = alerts
        .first()
        .map_or_else(String::new, |alert| format!(": {} on {}", alert.rule, for_slack(&alert.agent_name)));
    json!({"text": format!("{title}{first}"), "blocks": blocks})
}

fn slack_line(alert: &Alert) -> String {
    let (mark, word) = match alert.state {
        AlertState::Resolved => ("🟢", "RESOLVED"),
        AlertState::Firing | AlertState::Pending => ("🔴", "FIRING"),
    };
    let flapping = if alert.flapping { " (flapping)" } else { "" };
    let rule = alert.rule.as_str().replace('_', " ");
    format!("{mark} *{word}{flapping}*  {rule} on `{}`\n{}", for_slack(&alert.agent_name), for_slack(&alert.summary))
}

/// Text that Slack shows as it is: neither link nor mention, no line of its own, no change of direction.
fn for_slack(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (n, c) in text.chars().enumerate() {
        if n == SLACK_CHARS_MAX {
            safe.push('…');
            break;
        }
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // Would end the code that it stands in; Slack knows no escape for it.
            '`' => safe.push('\u{2019}'),
            c if is_hidden(c) => write!(safe, "\\u{{{:x}}}", u32::from(c)).expect("writing to a String"),
            c => safe.push(c),
        }
    }
    safe
}

/// Control characters, changes of direction, and what takes no room.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::alerts::summary::{self, tests::alert};

    fn at() -> Timestamp {
        "2026-11-22T22:00:00Z".parse().expect("an instant")
    }

    fn resolved(mut alert: Alert) -> Alert {
        alert.state = AlertState::Resolved;
        alert
    }

    #[test]
    fn json_carries_everything_and_says_what_it_left_out() {
        let loss = alert(AlertRule::Loss, 5.0, 1.0, &[("events_lost", "12")]);
        let many: Vec<Alert> = vec![loss; 250];
        let body = body(WebhookFormat::Json, &[], at(), &many, false).expect("some");
        let message: WebhookMessage = serde_json::from_str(&body).expect("a message");
        assert_eq!((message.firing, message.resolved, message.omitted), (250, 0, 150));
        assert_eq!(message.alerts[0], many[0]);
    }

    #[test]
    fn no_message_is_larger_than_its_limit() {
        let huge = "x".repeat(100_000);
        let many = vec![alert(AlertRule::PostureFell, 1.0, 3.0, &[("reason", &huge)]); 50];
        let body = body(WebhookFormat::Json, &[], at(), &many, false).expect("some");
        assert!(body.len() <= BODY_BYTES_MAX, "{}", body.len());
        let message: WebhookMessage = serde_json::from_str(&body).expect("a message");
        assert_eq!(message.alerts.len() as u64 + message.omitted, 50);
        let slack = super::body(WebhookFormat::Slack, &[], at(), &many, false).expect("some");
        assert!(slack.len() < 30_000, "{}", slack.len());
    }

    #[test]
    fn only_the_rules_that_were_asked_for() {
        let loss = alert(AlertRule::Loss, 5.0, 1.0, &[]);
        assert_eq!(body(WebhookFormat::Json, &[AlertRule::Stale], at(), std::slice::from_ref(&loss), false), None);
        assert!(body(WebhookFormat::Json, &[AlertRule::Stale, AlertRule::Loss], at(), &[loss], false).is_some());
    }

    #[test]
    fn slack_reads_well() {
        let stale = alert(AlertRule::Stale, 301.0, 300.0, &[("last_seen", "2026-11-22T21:54:48Z")]);
        let loss = resolved(alert(AlertRule::Loss, 5.0, 1.0, &[("events_lost", "12")]));
        let body: Value =
            serde_json::from_str(&body(WebhookFormat::Slack, &[], at(), &[loss, stale], false).expect("some"))
                .expect("JSON");
        assert_eq!(body["text"], "Tyr: 1 alert firing, 1 resolved: stale on build-017");
        assert_eq!(body["blocks"][0]["text"]["text"], "Tyr: 1 alert firing, 1 resolved");
        assert_eq!(
            body["blocks"][1]["text"]["text"],
            "🔴 *FIRING*  stale on `build-017`\nnot heard from since 2026-11-22T21:54:48Z, for more than 5 min"
        );
        assert_eq!(
            body["blocks"][2]["text"]["text"],
            "🟢 *RESOLVED*  loss on `build-017`\n5 events declared lost, 12 since it enrolled"
        );
    }

    #[test]
    fn slack_shows_hostile_text_harmlessly() {
        let mut evil =
            alert(AlertRule::PostureFell, 1.0, 3.0, &[("reason", "<!channel> *x* _y_ `z`\n\u{202e}oops & more")]);
        evil.agent_name = "<https://evil.example|build-017>\u{200b}`\u{1b}[2J".to_owned();
        evil.summary = summary::summary(&evil);
        let body: Value =
            serde_json::from_str(&body(WebhookFormat::Slack, &[], at(), &[evil], false).expect("some")).expect("JSON");
        let text = body["blocks"][1]["text"]["text"].as_str().expect("text");
        assert_eq!(
            text,
            "🔴 *FIRING*  posture fell on `&lt;https://evil.example|build-017&gt;\\u{200b}\u{2019}\\u{1b}[2J`\n, was : \
             &lt;!channel&gt; *x* _y_ \u{2019}z\u{2019}\\u{a}\\u{202e}oops &amp; more"
        );
        let fallback = body["text"].as_str().expect("text");
        assert!(!fallback.contains(['<', '>', '\u{1b}']), "{fallback}");
    }
}
