//! `tyrctl check`: the documented alerts as a plugin of Nagios, Icinga and their like.
//!
//! One line with the state, what is wrong, and performance data; details below. The exit code is the state. Whatever keeps us from knowing
//! (no connection, no login, wrong usage) is UNKNOWN and nothing else: a monitoring system must not take our blindness for the fleet's
//! state.

use std::fmt::Write;

use jiff::SignedDuration;
use serde::Serialize;
use tyr_api::agents::Agent;
use tyr_api::alerts::{Alert, AlertFilter, AlertQuery, AlertRule};
use tyr_api::stats::{DriftQuery, DriftRow};

use super::{Outcome, agents, alerts};
use crate::app::App;
use crate::args::{CheckArgs, CheckWhat, Format};
use crate::client::Client;
use crate::error::{Failure, Kind};
use crate::output::sanitize::sanitize;
use crate::threshold::Range;
use crate::when;

/// Names in the first line.
const NAMES_MAX: usize = 5;
/// Lines of details of one check: monitoring systems cut long output.
const DETAILS_MAX: usize = 50;

/// A state of monitoring plugins; its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// What one check found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    /// What was counted.
    value: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<Range>,
    #[serde(skip_serializing_if = "Option::is_none")]
    critical: Option<Range>,
    /// Largest value that there can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u64>,
    summary: String,
    details: Vec<String>,
}

/// The whole answer.
#[derive(Debug, Serialize)]
struct Report {
    state: State,
    summary: String,
    checks: Vec<Finding>,
}

/// `check [WHAT…]`.
pub(super) async fn run(app: &App, args: &CheckArgs) -> Result<Outcome, Failure> {
    // One limit for all requests together: whoever runs plugins gives up on them after a while too.
    let found = match tokio::time::timeout(app.global.timeout, look(app, args)).await {
        Ok(found) => found,
        Err(_) => Err(Failure::new(Kind::Unreachable, format!("no answer within {:?}", app.global.timeout))
            .hint("`--timeout 60s` waits longer")),
    };
    let report = match found {
        Ok(report) => report,
        Err(failure) => Report::unknown(&failure),
    };
    match app.out.format {
        Format::Json | Format::Jsonl | Format::Yaml => app.out.document(&report)?,
        _ => app.out.text(&report.text())?,
    }
    Ok(Outcome::Status(report.state as u8))
}

/// What a failure before the check could begin reads like: in the form that monitoring systems expect, with their exit code.
pub fn unknown(failure: &Failure) -> (String, u8) {
    let report = Report::unknown(failure);
    (report.text(), report.state as u8)
}

async fn look(app: &App, args: &CheckArgs) -> Result<Report, Failure> {
    let wanted = |what: CheckWhat| args.what.contains(&what) || args.what.contains(&CheckWhat::All);
    let client = app.client()?;
    let mut agents = client.agents(false).await?;
    agents.retain(|agent| agent.archived_at.is_none() && agent.revoked_at.is_none());
    let only = match &args.agent {
        Some(name) => Some(agents::find(&client, name).await?.agent_id),
        None => None,
    };
    agents.retain(|agent| only.is_none_or(|id| agent.agent_id == id));
    let by_alert = [CheckWhat::Silent, CheckWhat::Deny, CheckWhat::Sustained];
    let mut firing = if by_alert.into_iter().any(wanted) { firing(&client).await? } else { Vec::new() };
    firing.retain(|alert| only.is_none_or(|id| alert.agent_id == id));

    let mut checks = Vec::new();
    if wanted(CheckWhat::Stale) {
        checks.push(stale(&agents, args));
    }
    for (what, rule, check, one, many) in [
        (CheckWhat::Silent, AlertRule::Silent, "silent", "agent silent", "agents silent"),
        (CheckWhat::Deny, AlertRule::DenySpike, "deny", "agent with a deny spike", "agents with deny spikes"),
        (
            CheckWhat::Sustained,
            AlertRule::SustainedDrift,
            "sustained",
            "agent with sustained drift",
            "agents with sustained drift",
        ),
    ] {
        if wanted(what) {
            let alerts: Vec<_> = firing.iter().filter(|alert| alert.rule == rule).collect();
            let names = alerts.iter().map(|alert| alert.agent_name.as_str());
            let noun = if alerts.len() == 1 { one } else { many };
            let summary = named(&format!("{} {noun}", alerts.len()), names);
            let details = alerts.iter().map(|alert| told(alert)).collect();
            checks.push(judged(check, alerts.len() as u64, Some(agents.len() as u64), args, summary, details));
        }
    }
    if wanted(CheckWhat::Drift) {
        checks.push(drift(app, &client, args, only).await?);
    }
    Ok(Report::of(checks, agents.len()))
}

async fn firing(client: &Client) -> Result<Vec<Alert>, Failure> {
    let query = AlertQuery { state: Some(AlertFilter::Firing), ..AlertQuery::default() };
    Ok(alerts::fetch(client, query, usize::MAX).await?.0)
}

fn told(alert: &Alert) -> String {
    let known = alert.acknowledged_by.as_ref().map(|who| format!(" (acknowledged by {who})")).unwrap_or_default();
    format!("{}: {}{known}", alert.agent_name, alert.summary)
}

fn stale(agents: &[Agent], args: &CheckArgs) -> Finding {
    let silence = |agent: &Agent| SignedDuration::from_millis(i64::try_from(agent.staleness_ms).unwrap_or(i64::MAX));
    let mut stale: Vec<_> = agents.iter().filter(|agent| silence(agent) > args.stale_after).collect();
    stale.sort_by_key(|agent| std::cmp::Reverse(agent.staleness_ms));
    let limit = when::short(args.stale_after);
    let summary = named(
        &format!("{} of {} agents stale for more than {limit}", stale.len(), agents.len()),
        stale.iter().map(|agent| agent.name.as_str()),
    );
    let details = stale
        .iter()
        .map(|agent| format!("{}: not heard from for {}", agent.name, when::short(silence(agent))))
        .collect();
    judged("stale", stale.len() as u64, Some(agents.len() as u64), args, summary, details)
}

async fn drift(app: &App, client: &Client, args: &CheckArgs, only: Option<uuid::Uuid>) -> Result<Finding, Failure> {
    let since = args
        .since
        .resolve(app.now, &app.tz)
        .map_err(|error| Failure::usage("`--since` is out of range").because(&error))?;
    let query = DriftQuery { since: Some(since), agent_id: only, ..DriftQuery::default() };
    let rows: Vec<DriftRow> = client.drift(&query).await?;
    let drifts = rows.iter().map(|row| row.drifts).sum();
    let noun = if drifts == 1 { "drifting event" } else { "drifting events" };
    let summary = named(&format!("{drifts} {noun} since {since:.0}"), rows.iter().map(agent_of));
    let details =
        rows.iter().map(|row| format!("{}: {} drifting, last {:.0}", agent_of(row), row.drifts, row.last_ts)).collect();
    Ok(judged("drift", drifts, None, args, summary, details))
}

fn agent_of(row: &DriftRow) -> &str {
    row.agent_name.as_deref().unwrap_or_default()
}

/// Compares a count with the thresholds: those given, else those of this check.
fn judged(
    check: &'static str,
    value: u64,
    max: Option<u64>,
    args: &CheckArgs,
    summary: String,
    details: Vec<String>,
) -> Finding {
    let (warning, critical) = match (&args.warning, &args.critical) {
        (None, None) if matches!(check, "deny" | "drift") => (Some(Range::above(0)), None),
        (None, None) => (None, Some(Range::above(0))),
        (warning, critical) => (warning.clone(), critical.clone()),
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of things, compared with a threshold that a person wrote")]
    let complains = |range: &Option<Range>| range.as_ref().is_some_and(|range| range.complains(value as f64));
    let state = match (complains(&critical), complains(&warning)) {
        (true, _) => State::Critical,
        (_, true) => State::Warning,
        _ => State::Ok,
    };
    Finding { check, state, value, warning, critical, max, summary, details }
}

/// The count and whom it is about, as many as a line takes.
fn named<'a>(count: &str, names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let total = names.len();
    if total == 0 {
        return count.to_owned();
    }
    let names: Vec<_> = names.take(NAMES_MAX).collect();
    let more = if total > names.len() { format!(" and {} more", total - names.len()) } else { String::new() };
    format!("{count}: {}{more}", names.join(", "))
}

impl Report {
    fn of(checks: Vec<Finding>, agents: usize) -> Self {
        let state = checks.iter().map(|finding| finding.state).max().unwrap_or(State::Ok);
        let mut wrong: Vec<&Finding> = checks.iter().filter(|finding| finding.state != State::Ok).collect();
        wrong.sort_by_key(|finding| std::cmp::Reverse(finding.state));
        let summary = if wrong.is_empty() {
            let counts: Vec<_> = checks.iter().map(|finding| format!("{} {}", finding.value, finding.check)).collect();
            format!("{agents} agent{}: {}", if agents == 1 { "" } else { "s" }, counts.join(", "))
        } else {
            wrong.iter().map(|finding| finding.summary.as_str()).collect::<Vec<_>>().join("; ")
        };
        Self { state, summary, checks }
    }

    fn unknown(failure: &Failure) -> Self {
        let summary = failure.causes.iter().fold(failure.message.clone(), |text, cause| format!("{text}: {cause}"));
        Self { state: State::Unknown, summary: summary.replace('\n', " "), checks: Vec::new() }
            .with_hints(&failure.hints)
    }

    fn with_hints(mut self, hints: &[String]) -> Self {
        for hint in hints {
            self.summary.push_str(" (");
            self.summary.push_str(&hint.replace('\n', " "));
            self.summary.push(')');
        }
        self
    }

    /// The form of the guidelines: the state, a bar, the numbers; below them the details.
    fn text(&self) -> String {
        let mut text = format!("TYR {} - {}", self.state.word(), plain(&self.summary));
        if !self.checks.is_empty() {
            text.push_str(" |");
        }
        for finding in &self.checks {
            let range = |range: &Option<Range>| range.as_ref().map(ToString::to_string).unwrap_or_default();
            let max = finding.max.map(|max| max.to_string()).unwrap_or_default();
            write!(
                text,
                " {}={};{};{};0;{max}",
                finding.check,
                finding.value,
                range(&finding.warning),
                range(&finding.critical)
            )
            .expect("writing to a String");
        }
        text.push('\n');
        for finding in &self.checks {
            for detail in finding.details.iter().take(DETAILS_MAX) {
                text.extend([finding.state.word(), " ", finding.check, ": ", &plain(detail), "\n"]);
            }
            if finding.details.len() > DETAILS_MAX {
                let more = finding.details.len() - DETAILS_MAX;
                text.extend([finding.state.word(), " ", finding.check, ": ", &format!("and {more} more\n")]);
            }
        }
        text
    }
}

/// Text from hosts that neither acts on a terminal nor is taken for the bar before the numbers.
fn plain(text: &str) -> String {
    sanitize(text).replace('|', "¦")
}
