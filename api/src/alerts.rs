//! Alerts that the server raises by itself, and the webhooks that are told of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::events::words;

/// What an alert watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertRule {
    /// An agent was not heard from for more than five minutes.
    Stale,
    /// An agent was online for more than seven days and reported no event.
    Silent,
    /// An agent denies far more than it did within the hour before.
    DenySpike,
    /// An agent's verdicts differed from the server's.
    Drift,
    /// They did in at least three of the last five windows of five minutes.
    SustainedDrift,
    /// An agent declared events lost.
    Loss,
    /// An agent enforces less than it did.
    PostureFell,
}
words!(AlertRule {
    Stale => "stale",
    Silent => "silent",
    DenySpike => "deny_spike",
    Drift => "drift",
    SustainedDrift => "sustained_drift",
    Loss => "loss",
    PostureFell => "posture_fell",
});

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Its condition holds, and has to hold a little longer.
    Pending,
    /// Somebody should look.
    Firing,
    /// It is over.
    Resolved,
}
words!(AlertState { Pending => "pending", Firing => "firing", Resolved => "resolved" });

/// One alert: a rule that holds, or held, for one agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Its id; the next time that the rule holds for this agent there is another one.
    pub alert_id: Uuid,
    /// Which rule.
    pub rule: AlertRule,
    /// Of which agent.
    pub agent_id: Uuid,
    /// That agent's name.
    pub agent_name: String,
    /// Where it stands.
    pub state: AlertState,
    /// When its condition was first seen to hold.
    pub since: Timestamp,
    /// The last change of its state.
    pub changed_at: Timestamp,
    /// When it began to fire.
    pub fired_at: Option<Timestamp>,
    /// When it resolved.
    pub resolved_at: Option<Timestamp>,
    /// What was measured last: seconds for `stale` and `silent`, denials, drifting or lost events, and for `posture_fell` the level
    /// (0 unknown, 1 blind, 2 observing, 3 partial, 4 enforcing).
    pub value: f64,
    /// What the value was compared with.
    pub threshold: f64,
    /// One sentence for people, in the words of the server.
    pub summary: String,
    /// Further facts: `baseline`, `rule`, `reason`, `stale_policy`, `verdict_differs`, `posture`, `expected`, ...
    pub details: BTreeMap<String, String>,
    /// It came and went several times within an hour, so it resolves only after it was quiet for longer.
    pub flapping: bool,
    /// Who said that it is known; absent until somebody did.
    pub acknowledged_by: Option<String>,
    /// When.
    pub acknowledged_at: Option<Timestamp>,
    /// What that person wrote.
    pub note: Option<String>,
}

impl Alert {
    /// Whether it is pending or firing.
    pub fn is_open(&self) -> bool {
        self.state != AlertState::Resolved
    }
}

/// Which alerts to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertFilter {
    /// Pending and firing ones.
    Open,
    /// Pending ones.
    Pending,
    /// Firing ones.
    Firing,
    /// Resolved ones.
    Resolved,
}
words!(AlertFilter { Open => "open", Pending => "pending", Firing => "firing", Resolved => "resolved" });

/// Query of `GET /api/v1/alerts`: firing ones come first, then pending, then resolved; within each the newest change first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// Only in this state; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AlertFilter>,
    /// Only of this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<AlertRule>,
    /// Only of this agent: its id or its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1, max_length = 256, pattern = "^[^\\x00]*$")]
    pub agent: Option<String>,
    /// 1-1,000, default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before, unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1, max_length = 128)]
    pub cursor: Option<String>,
}

/// Body of `POST /api/v1/alerts/{id}/acknowledge`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// What others should know, at most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How a message looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFormat {
    /// A [`WebhookMessage`].
    #[default]
    Json,
    /// What an incoming webhook of Slack takes.
    Slack,
}
words!(WebhookFormat { Json => "json", Slack => "slack" });

/// Body of `POST /api/v1/webhooks`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where to send to: `https`, or `http` on this very machine; at most 2,048 bytes.
    pub url: String,
    /// How a message looks.
    #[serde(default)]
    pub format: WebhookFormat,
    /// What messages are signed with, 16-256 printable ASCII characters; absent: the server makes one and shows it this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Only these rules; empty for all.
    #[serde(default)]
    pub rules: Vec<AlertRule>,
    /// Whether it is told of alerts.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A webhook as listed. Its secret is never shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    pub webhook_id: Uuid,
    /// Where to; of an address in Slack's form the last part, which is a secret, is left out.
    pub url: String,
    /// How a message looks.
    pub format: WebhookFormat,
    /// Only these rules; empty for all.
    pub rules: Vec<AlertRule>,
    /// Whether it is told of alerts.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Messages that wait to be sent.
    pub waiting: u64,
    /// Messages that were given up within the last 30 days.
    pub dead: u64,
    /// When the last message was taken.
    pub delivered_at: Option<Timestamp>,
    /// Why the newest message that is not delivered was not; absent when all are.
    pub last_error: Option<String>,
}

/// Answer of `POST /api/v1/webhooks`: the only time that the secret is shown.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedWebhook {
    /// What messages are signed with.
    pub secret: String,
    /// The rest of it.
    #[serde(flatten)]
    pub details: Webhook,
}

/// Answer of `POST /api/v1/webhooks/{id}/test`: what became of a message that was sent at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookTest {
    /// Whether the receiver took it (a status from 200 to 299).
    pub delivered: bool,
    /// The receiver's status; absent when there was no answer.
    pub status: Option<u16>,
    /// Why it was not delivered.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What a webhook in the form `json` gets: all alerts that changed at one time.
///
/// Headers: `Tyr-Delivery` (the id of this message, the same at each try), `Tyr-Signature: t=SECONDS,v1=HEX`, where HEX is
/// HMAC-SHA256 with the webhook's secret over `SECONDS.BODY`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookMessage {
    /// Version of this form: 1.
    pub version: u32,
    /// Whether somebody asked for it to try the webhook.
    pub test: bool,
    /// When the alerts changed, by the server's clock.
    pub at: Timestamp,
    /// How many began to fire.
    pub firing: u64,
    /// How many resolved.
    pub resolved: u64,
    /// The alerts, firing ones first, at most 100.
    pub alerts: Vec<Alert>,
    /// How many more there are: `GET /api/v1/alerts` has them.
    pub omitted: u64,
}
