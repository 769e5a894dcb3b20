//! What a filter can ask of each kind of row.

use jiff::Timestamp;
use tyr_api::agents::{Agent, Posture};
use tyr_api::alerts::Alert;
use tyr_api::events::Verdict;

use crate::tui::filter::{Field, Row, Value};
use crate::tui::state::drifts::reason_text;
use crate::tui::state::fleet::{Standing, age_s};
use crate::tui::state::held::Glance;
use crate::tui::state::log::LogLine;

/// An agent, as it stands at some instant.
#[derive(Debug)]
pub struct AgentRow<'a> {
    /// The agent.
    pub agent: &'a Agent,
    /// How it stands.
    pub standing: Standing,
    /// At that instant of the server's clock.
    pub now: Timestamp,
}

/// The word for a posture.
pub const fn posture_word(posture: Posture) -> &'static str {
    match posture {
        Posture::Unknown => "unknown",
        Posture::Blind => "blind",
        Posture::Observing => "observing",
        Posture::Partial => "partial",
        Posture::Enforcing => "enforcing",
    }
}

fn number(value: impl TryInto<i64>) -> Value<'static> {
    value.try_into().map_or(Value::Nothing, Value::Number)
}

fn text(value: &str) -> Value<'_> {
    Value::Text(value.into())
}

fn some_text(value: Option<&str>) -> Value<'_> {
    value.map_or(Value::Nothing, text)
}

impl Row for AgentRow<'_> {
    fn field(&self, field: Field) -> Option<Value<'_>> {
        let agent = self.agent;
        Some(match field {
            Field::Agent => text(&agent.name),
            Field::State => text(self.standing.word()),
            Field::Age => Value::Number(age_s(agent, self.now)),
            Field::Kernel => text(&agent.kernel),
            Field::Posture => text(posture_word(agent.posture)),
            Field::Policy => agent.policy_version.map_or(Value::Nothing, number),
            Field::Lost => number(agent.events_lost),
            Field::Ai => number(agent.ai_processes),
            _ => return None,
        })
    }

    fn any_text(&self, predicate: &dyn Fn(&str) -> bool) -> bool {
        let agent = self.agent;
        [&agent.name, &agent.kernel, &agent.arch, &agent.agent_version].into_iter().any(|text| predicate(text))
            || predicate(self.standing.word())
            || predicate(posture_word(agent.posture))
    }
}

/// A line of the log. No term but a word says anything about it.
#[derive(Debug)]
pub struct LogRow<'a> {
    /// The line.
    pub line: &'a LogLine,
}

impl Row for LogRow<'_> {
    fn field(&self, _: Field) -> Option<Value<'_>> {
        None
    }

    fn any_text(&self, predicate: &dyn Fn(&str) -> bool) -> bool {
        predicate(&self.line.text) || predicate(&self.line.about)
    }
}

/// An alert, seen at some instant.
#[derive(Debug)]
pub struct AlertRow<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// That instant of the server's clock.
    pub now: Timestamp,
}

impl Row for AlertRow<'_> {
    fn field(&self, field: Field) -> Option<Value<'_>> {
        let alert = self.alert;
        Some(match field {
            Field::Agent => text(&alert.agent_name),
            Field::State => text(alert.state.as_str()),
            Field::Rule => text(alert.rule.as_str()),
            Field::Age => Value::Number(self.now.as_second() - alert.since.as_second()),
            _ => return None,
        })
    }

    fn any_text(&self, predicate: &dyn Fn(&str) -> bool) -> bool {
        let alert = self.alert;
        [&alert.agent_name, &alert.summary].into_iter().any(|text| predicate(text))
            || predicate(alert.rule.as_str())
            || predicate(alert.state.as_str())
            || alert.acknowledged_by.as_deref().is_some_and(predicate)
            || alert.note.as_deref().is_some_and(predicate)
    }
}

/// An event, seen at some instant.
#[derive(Debug)]
pub struct EventRow<'a> {
    /// The event.
    pub event: Glance<'a>,
    /// That instant of the server's clock.
    pub now: Timestamp,
}

impl Row for EventRow<'_> {
    fn field(&self, field: Field) -> Option<Value<'_>> {
        let event = &self.event;
        Some(match field {
            Field::Agent => text(event.agent_name),
            Field::Age => Value::Number((self.now.as_second() - event.ts.as_second()).max(0)),
            Field::Policy => event.policy_version.map_or(Value::Nothing, number),
            Field::Kind => text(event.kind.as_str()),
            Field::Verdict => text(event.verdict.as_str()),
            Field::Server => some_text(event.server_verdict.map(Verdict::as_str)),
            Field::Severity => text(event.severity.as_str()),
            Field::Type => some_text(event.agent_type),
            Field::Resource => text(event.resource),
            Field::Rule => some_text(event.rule),
            Field::Reason => some_text(event.drift_reason.map(reason_text)),
            Field::Pid => Value::Number(event.pid),
            Field::Exe => text(event.process_exe),
            Field::Cmdline => text(event.cmdline),
            Field::State | Field::Kernel | Field::Posture | Field::Lost | Field::Ai => return None,
        })
    }

    fn any_text(&self, predicate: &dyn Fn(&str) -> bool) -> bool {
        let event = &self.event;
        predicate(event.resource)
            || predicate(event.agent_name)
            || predicate(event.kind.as_str())
            || predicate(event.verdict.as_str())
            || event.agent_type.is_some_and(predicate)
            || event.rule.is_some_and(predicate)
            || predicate(event.cmdline)
    }
}
