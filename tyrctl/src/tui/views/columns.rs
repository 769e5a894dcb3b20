//! What the columns of the lists show; the plain-text overview takes them from here too.

use std::sync::Arc;

use jiff::Timestamp;
use tyr_api::agents::{Agent, DiscoveredAgent};
use tyr_api::alerts::{Alert, AlertRule, AlertState};
use tyr_api::events::{Event, EventKind, Verdict};

use crate::tui::state::State;
use crate::tui::state::drifts::{Bearing, bearing, reason_text};
use crate::tui::state::fleet::{SKEW_WARN_MS, Standing, age_s};
use crate::tui::state::log::LogLine;
use crate::tui::state::order;
use crate::tui::state::rows::posture_word;
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::views::canvas::{Cut, Span, span};
use crate::tui::views::table::{Column, Width};
use crate::tui::views::{format, rates};

/// How an agent stands at the time that is shown.
pub fn standing(state: &State, agent: &Agent) -> Standing {
    state.clock.map_or(Standing::Well, |clock| state.data().fleet.standing(agent, clock))
}

/// How a standing looks.
pub const fn standing_role(standing: Standing) -> Role {
    match standing {
        Standing::Offline | Standing::Stale | Standing::Blind | Standing::PolicyError => Role::Bad,
        Standing::Late | Standing::PolicyBehind | Standing::Losing | Standing::Skewed => Role::Warn,
        Standing::Well => Role::Good,
    }
}

/// The sign before an agent.
pub fn agent_mark(state: &State, theme: Theme, agent: &Agent) -> (&'static str, Role) {
    let standing = standing(state, agent);
    let glyph = if standing.needs_attention() { Glyph::Up } else { Glyph::Dot };
    (theme.glyph(glyph), standing_role(standing))
}

const fn column<R>(
    head: &'static str,
    width: Width,
    right: bool,
    priority: u8,
    cell: for<'a> fn(&'a State, &'a R) -> Span<'a>,
) -> Column<R> {
    Column { head, width, right, priority, cut: Cut::End, cell }
}

/// `v39`, `v39!` when another is assigned.
pub fn policy_text(agent: &Agent) -> (String, Role) {
    let behind = agent.policy_id != agent.assigned_policy_id;
    let role = if behind || !agent.policy_error.is_empty() { Role::Warn } else { Role::Normal };
    let mark = if behind { "!" } else { "" };
    (agent.policy_version.map_or_else(|| format!("none{mark}"), |version| format!("v{version}{mark}")), role)
}

/// Columns of agents.
pub const AGENTS: &[Column<Arc<Agent>>] = &[
    column("AGENT", Width::Fit(8, 24), false, 0, |state, agent| {
        span(state.name_of(agent.agent_id, &agent.name), Role::Strong)
    }),
    column("STATE", Width::Fixed(10), false, 0, |state, agent| {
        let standing = standing(state, agent);
        span(standing.word(), standing_role(standing))
    }),
    column("AGE", Width::Fixed(6), true, 0, |state, agent| {
        let quiet = state.link.is_quiet(state.now);
        match state.clock {
            // Looking back: it was heard from since, and from when before is not known.
            Some(clock) if state.stepped_back() > 0 && agent.last_seen > clock => span("-", Role::Dim),
            Some(clock) if quiet => span(format!("~{}", format::age(age_s(agent, clock))), Role::Normal),
            Some(clock) => span(format::age(age_s(agent, clock)), Role::Normal),
            None => span("", Role::Dim),
        }
    }),
    column("LAST_SEEN", Width::Fit(9, 13), false, 4, |state, agent| {
        span(format::stamp(state, agent.last_seen), Role::Normal)
    }),
    column("EV/S", Width::Fixed(5), true, 2, |state, agent| span(rate_text(state, agent), Role::Normal)),
    column("DENY%", Width::Fixed(5), true, 5, |state, agent| {
        let counts = counts(state, agent);
        let denied = u64::from(counts.of_verdict(Verdict::Deny));
        let role = if denied > 0 { Role::Warn } else { Role::Normal };
        match counts.total() {
            0 => span("-", Role::Dim),
            total => span(format::percent(denied, u64::from(total)), role),
        }
    }),
    column("POLICY", Width::Fixed(6), false, 3, |_, agent| {
        let (text, role) = policy_text(agent);
        span(text, role)
    }),
    column("POSTURE", Width::Fixed(10), false, 6, |_, agent| match agent.doubt() {
        Some(_) => span(format!("{}?", posture_word(agent.posture)), Role::Bad),
        None => span(posture_word(agent.posture), Role::Normal),
    }),
    column("AI", Width::Fixed(3), true, 8, |_, agent| span(agent.ai_processes.to_string(), Role::Normal)),
    column("LOST", Width::Fixed(4), true, 9, |_, agent| {
        span(format::short(agent.events_lost), if agent.events_lost > 0 { Role::Warn } else { Role::Dim })
    }),
    column("RATE_60S", Width::Fixed(12), false, 10, |state, agent| {
        span(rates::shape(state, agent.agent_id), Role::Good)
    }),
    column("KERNEL", Width::Fit(6, 18), false, 7, |_, agent| span(&*agent.kernel, Role::Normal)),
    column("TYRD", Width::Fit(5, 10), false, 11, |_, agent| span(&*agent.agent_version, Role::Dim)),
    column("ARCH", Width::Fit(4, 8), false, 12, |_, agent| span(&*agent.arch, Role::Normal)),
    column("SKEW", Width::Fixed(7), true, 12, |_, agent| {
        let far = agent.clock_skew_ms.abs() > SKEW_WARN_MS;
        span(format::skew(agent.clock_skew_ms), if far { Role::Warn } else { Role::Normal })
    }),
    column("WAITING", Width::Fixed(7), true, 12, |_, agent| span(format::short(agent.spool_records), Role::Normal)),
    column("SCOPE", Width::Fit(5, 24), false, 12, |state, agent| match &*agent.scope {
        "" => span("host", Role::Normal),
        scope => span(state.shown(scope), Role::Normal),
    }),
    column("CERT", Width::Fixed(10), false, 12, |_, agent| span(format::date(agent.cert_not_after), Role::Normal)),
];

fn counts(state: &State, agent: &Agent) -> crate::tui::state::feed::Counts {
    let second = state.clock.map_or(0, Timestamp::as_second);
    state.data().rates.received_of(agent.agent_id, second)
}

/// Events per second of an agent over the last minute, as far as it was watched.
pub fn rate_text(state: &State, agent: &Agent) -> String {
    if !state.link.is_live() && state.frozen().is_none() {
        return "-".to_owned();
    }
    let second = state.clock.map_or(0, Timestamp::as_second);
    let watched = state.data().rates.watched_seconds(second);
    format::rate(u64::from(counts(state, agent).total()), u64::try_from(watched).unwrap_or(1))
}

/// How a verdict looks.
pub const fn verdict_role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Allow => Role::Normal,
        Verdict::Alert => Role::Warn,
        Verdict::Deny => Role::Bad,
    }
}

/// The sign before an event.
pub fn event_mark(theme: Theme, event: &Event) -> (&'static str, Role) {
    match (event.drift_detected, bearing(event)) {
        (true, Some(Bearing::AlertedOnly)) => (theme.glyph(Glyph::Double), Role::Bad),
        (true, Some(Bearing::Missed)) => (theme.glyph(Glyph::Up), Role::Bad),
        (true, Some(Bearing::TooStrict)) => (theme.glyph(Glyph::Down), Role::Warn),
        _ => ("", Role::Normal),
    }
}

/// `deny`, or both verdicts where they differ. The arrow is an ASCII one in ASCII.
pub fn verdict_text(event: &Event, arrow: &str) -> String {
    match event.server_verdict {
        Some(server) if event.drift_detected => {
            format!("{}{arrow}{}", event.verdict.as_str().to_uppercase(), server.as_str().to_uppercase())
        }
        _ => event.verdict.to_string(),
    }
}

fn verdict(state: &State, event: &Event) -> Span<'static> {
    let role = if event.drift_detected { Role::Bad } else { verdict_role(event.verdict) };
    span(verdict_text(event, state.theme.glyph(Glyph::Arrow)), role)
}

/// What was acted on; a program with its arguments.
pub fn resource_text(event: &Event) -> String {
    let arguments = match event.kind {
        EventKind::Exec => event.cmdline.split_once(' ').map(|(_, arguments)| arguments),
        _ => None,
    };
    match arguments {
        Some(arguments) => format!("{} {arguments}", event.resource),
        None => event.resource.clone(),
    }
}

fn resource<'a>(state: &State, event: &'a Event) -> Span<'a> {
    match event.kind {
        EventKind::Exec => span(state.shown(&resource_text(event)).into_owned(), Role::Normal),
        _ => span(state.shown(&event.resource), Role::Normal),
    }
}

fn host<'a>(state: &State, event: &'a Event) -> Span<'a> {
    span(state.name_of(event.agent_id, &event.agent_name), Role::Normal)
}

fn rule(event: &Event) -> Span<'_> {
    span(event.rule.as_deref().unwrap_or(""), Role::Dim)
}

fn version(event: &Event) -> Span<'static> {
    event.policy_version.map_or(span("-", Role::Dim), |version| span(format!("v{version}"), Role::Dim))
}

fn time(state: &State, event: &Event) -> Span<'static> {
    span(format::stamp(state, event.ts), Role::Dim)
}

const fn resource_column(cell: for<'a> fn(&'a State, &'a Arc<Event>) -> Span<'a>) -> Column<Arc<Event>> {
    Column { head: "RESOURCE", width: Width::Fill(16, 34), right: false, priority: 0, cut: Cut::Middle, cell }
}

/// Columns of events.
pub const EVENTS: &[Column<Arc<Event>>] = &[
    column("TIME", Width::Fit(9, 13), false, 3, |state, event| time(state, event)),
    column("AGENT", Width::Fit(8, 14), false, 4, |state, event| host(state, event)),
    column("AI", Width::Fit(6, 12), false, 5, |_, event| ai(event)),
    column("KIND", Width::Fixed(11), false, 1, |_, event| span(event.kind.as_str(), Role::Normal)),
    column("VERDICT", Width::Fit(7, 12), false, 0, |state, event| verdict(state, event)),
    column("SEVERITY", Width::Fixed(8), false, 8, |_, event| span(event.severity.as_str(), Role::Dim)),
    resource_column(|state, event| resource(state, event)),
    column("N", Width::Fixed(4), true, 6, |_, event| times(event)),
    column("RULE", Width::Fit(4, 20), false, 7, |_, event| rule(event)),
    column("PID", Width::Fixed(7), true, 9, |_, event| span(event.pid.to_string(), Role::Dim)),
    column("PROGRAM", Width::Fit(7, 24), false, 12, |state, event| span(state.shown(&event.process_exe), Role::Normal)),
    column("SERVER", Width::Fixed(6), false, 12, |_, event| match event.server_verdict {
        Some(verdict) => span(verdict.as_str(), verdict_role(verdict)),
        None => span("-", Role::Dim),
    }),
    column("POLICY", Width::Fixed(6), false, 12, |_, event| version(event)),
];

/// Columns of drift.
pub const DRIFT: &[Column<Arc<Event>>] = &[
    column("TIME", Width::Fit(9, 13), false, 2, |state, event| time(state, event)),
    column("AGENT", Width::Fit(8, 14), false, 3, |state, event| host(state, event)),
    column("AI", Width::Fit(6, 12), false, 5, |_, event| ai(event)),
    column("KIND", Width::Fixed(11), false, 1, |_, event| span(event.kind.as_str(), Role::Normal)),
    column("VERDICTS", Width::Fixed(12), false, 0, |state, event| verdict(state, event)),
    column("WHY", Width::Fixed(17), false, 4, |_, event| why(event)),
    column("POLICY", Width::Fixed(6), false, 6, |_, event| version(event)),
    resource_column(|state, event| resource(state, event)),
    column("N", Width::Fixed(4), true, 7, |_, event| times(event)),
    column("RULE", Width::Fit(4, 20), false, 12, |_, event| rule(event)),
    column("PROGRAM", Width::Fit(7, 24), false, 12, |state, event| span(state.shown(&event.process_exe), Role::Normal)),
];

/// The sign before an alert.
pub fn alert_mark(theme: Theme, alert: &Alert) -> (&'static str, Role) {
    match (alert.state, &alert.acknowledged_by) {
        (AlertState::Firing, None) => (theme.glyph(Glyph::Up), Role::Bad),
        (AlertState::Firing, Some(_)) => (theme.glyph(Glyph::Up), Role::Warn),
        _ => (theme.glyph(Glyph::Dotted), Role::Dim),
    }
}

/// What was measured, as short as it can be said.
fn alert_value(alert: &Alert) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers of things and seconds; saturates")]
    let whole = alert.value as i64;
    match alert.rule {
        AlertRule::Stale | AlertRule::Silent => format::age(whole),
        AlertRule::PostureFell => alert.details.get("posture").cloned().unwrap_or_default(),
        AlertRule::SustainedDrift => format!("{whole} of 5"),
        AlertRule::DenySpike | AlertRule::Drift | AlertRule::Loss => format::short(u64::try_from(whole).unwrap_or(0)),
    }
}

/// Columns of alerts.
pub const ALERTS: &[Column<Arc<Alert>>] = &[
    column("STATE", Width::Fixed(8), false, 0, |_, alert| match (alert.state, alert.flapping) {
        (AlertState::Firing, false) => span("FIRING", Role::Bad),
        (AlertState::Firing, true) => span("FLAPPING", Role::Bad),
        (AlertState::Pending, _) => span("pending", Role::Dim),
        (AlertState::Resolved, _) => span("resolved", Role::Dim),
    }),
    column("RULE", Width::Fit(5, 15), false, 0, |_, alert| span(alert.rule.as_str(), Role::Strong)),
    column("AGE", Width::Fixed(6), true, 1, |state, alert| {
        let age = state.clock.map_or(0, |clock| (clock.as_second() - alert.since.as_second()).max(0));
        span(format::age(age), Role::Normal)
    }),
    column("AGENT", Width::Fit(8, 20), false, 0, |state, alert| {
        span(state.name_of(alert.agent_id, &alert.agent_name), Role::Normal)
    }),
    column("VALUE", Width::Fit(5, 10), true, 3, |_, alert| span(alert_value(alert), Role::Normal)),
    column("ACK", Width::Fit(3, 10), false, 2, |state, alert| match &alert.acknowledged_by {
        Some(name) => span(state.shown(name), Role::Normal),
        None => span("-", Role::Dim),
    }),
    Column {
        head: "WHAT",
        width: Width::Fill(12, 40),
        right: false,
        priority: 4,
        cut: Cut::End,
        cell: |state, alert| span(state.shown(&alert.summary), Role::Normal),
    },
    column("NOTE", Width::Fit(4, 30), false, 6, |state, alert| {
        span(state.shown(alert.note.as_deref().unwrap_or("")), Role::Dim)
    }),
];

/// Columns of AI processes.
pub const AI: &[Column<Arc<DiscoveredAgent>>] = &[
    column("TYPE", Width::Fit(8, 16), false, 0, |_, process| span(&*process.agent_type, Role::Strong)),
    column("PID", Width::Fixed(7), true, 1, |_, process| span(process.pid.to_string(), Role::Normal)),
    column("STATE", Width::Fixed(13), false, 2, |state, process| match process.ended_at {
        Some(ended) => span(format!("ended {}", ago(state, ended)), Role::Dim),
        None => span(format!("for {}", ago(state, process.first_seen)), Role::Good),
    }),
    column("FOUND_BY", Width::Fixed(11), false, 4, |_, process| span(&*process.found_by, Role::Dim)),
    Column {
        head: "COMMAND",
        width: Width::Fill(16, 34),
        right: false,
        priority: 0,
        cut: Cut::End,
        cell: |state, process| {
            let text = if process.cmdline.is_empty() { &process.process_exe } else { &process.cmdline };
            span(state.shown(text), Role::Normal)
        },
    },
    column("NAME", Width::Fit(4, 24), false, 12, |state, process| {
        span(state.shown(&process.display_name), Role::Normal)
    }),
];

/// Columns of the log.
pub const LOG: &[Column<Arc<LogLine>>] = &[
    column("TIME", Width::Fit(9, 13), false, 1, |state, line| span(format::stamp(state, line.at), Role::Dim)),
    Column {
        head: "WHAT",
        width: Width::Fill(16, 60),
        right: false,
        priority: 0,
        cut: Cut::End,
        cell: |state, line| span(log_text(state, line), line.role),
    },
];

/// What happened, on whom.
pub fn log_text<'a>(state: &State, line: &'a LogLine) -> std::borrow::Cow<'a, str> {
    if line.about.is_empty() {
        (&*line.text).into()
    } else {
        format!("{}{}", line.text, state.shown(&line.about)).into()
    }
}

/// How long ago, by what is shown.
pub fn ago(state: &State, at: Timestamp) -> String {
    state.clock.map_or_else(String::new, |clock| format::age(clock.as_second() - at.as_second()))
}

fn ai(event: &Event) -> Span<'_> {
    event.agent_type.as_deref().map_or(span("-", Role::Dim), |kind| span(kind, Role::Normal))
}

fn why(event: &Event) -> Span<'static> {
    span(event.drift_reason.map_or("-", reason_text), Role::Normal)
}

/// How often a merged event happened.
fn times(event: &Event) -> Span<'static> {
    match order::times(event) {
        count if count > 1 => span(format::short(count), Role::Normal),
        _ => span("", Role::Dim),
    }
}
