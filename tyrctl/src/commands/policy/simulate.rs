//! `policy simulate`: what a policy would have said of the events that are stored.
//!
//! Pages of events come over REST, newest first, and are judged here: whatever their number, one page and the counts are all
//! that is in memory, and the server answers nothing that takes long.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use tyr_api::events::{Event, EventKind, EventQuery, Verdict};
use tyr_policy::{Action, Compiled, Effective, Layer, Recorded};
use uuid::Uuid;

use super::diff::policy;
use crate::app::App;
use crate::args::{Format, SimulateArgs};
use crate::client::Client;
use crate::commands::{Outcome, agents};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::{Tone, Value};

mod progress;

use progress::Progress;

/// Events of a page, as the server allows at most.
const PAGE_ROWS: u32 = 1_000;
/// Most rows that are counted apart; what comes behind them is counted together.
const GROUPS_MAX: usize = 10_000;
/// Different examples that are kept of a row.
const EXAMPLES_MAX: usize = 3;

/// How a judgement changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
enum Change {
    #[serde(rename = "newly_denied")]
    Denied,
    #[serde(rename = "newly_alerted")]
    Alerted,
    #[serde(rename = "newly_allowed")]
    Allowed,
}

impl Change {
    /// `None`: it stays as it is.
    fn of(before: Verdict, after: Verdict) -> Option<Self> {
        match (before == after, after) {
            (true, _) => None,
            (false, Verdict::Deny) => Some(Self::Denied),
            (false, Verdict::Alert) => Some(Self::Alerted),
            (false, Verdict::Allow) => Some(Self::Allowed),
        }
    }

    const fn shown(self) -> Value {
        match self {
            Self::Denied => Value::Word("newly denied", Tone::Bad),
            Self::Alerted => Value::Word("newly alerted", Tone::Warn),
            Self::Allowed => Value::Word("newly allowed", Tone::Good),
        }
    }
}

/// What events have in common that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct Group {
    change: Change,
    kind: EventKind,
    /// By which rule it was judged; absent: by the default.
    rule_before: Option<String>,
    /// By which rule it would be.
    rule: Option<String>,
    agent_id: Option<Uuid>,
    agent_type: Option<String>,
    /// The AI process.
    discovered_agent_id: Option<Uuid>,
}

/// A group and what was counted.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    group: Group,
    agent: Option<String>,
    before: Verdict,
    after: Verdict,
    /// Actions; an event may stand for many.
    actions: u64,
    events: u64,
    last_ts: Timestamp,
    /// Different resources, newest first.
    examples: Vec<String>,
    /// The newest event.
    event_id: Uuid,
}

pub(crate) const CHANGES: View<Row> = View {
    noun: "changes",
    name: |row| row.event_id.to_string(),
    columns: &[
        Column::new("change", |row| row.group.change.shown()),
        Column::new("kind", |row| Value::Text(row.group.kind.to_string())),
        Column::flexible("rule", |row| Value::Text(row.group.rule.clone().unwrap_or_else(|| "default".to_owned()))),
        Column::flexible("before", |row| {
            Value::Text(format!("{} by {}", row.before, row.group.rule_before.as_deref().unwrap_or("default")))
        }),
        Column::flexible("agent", |row| Value::maybe(row.agent.clone(), Value::text)),
        Column::new("type", |row| Value::maybe(row.group.agent_type.clone(), Value::text)),
        Column::new("actions", |row| Value::Count(row.actions)),
        Column::wide("events", |row| Value::Count(row.events)),
        Column::new("last", |row| Value::Time(row.last_ts)),
        Column::flexible("example", |row| Value::maybe(row.examples.first(), Value::text)),
        Column::wide_flexible("examples", |row| Value::text(row.examples.join(" "))),
        Column::wide("ai_id", |row| Value::maybe(row.group.discovered_agent_id, |id| Value::Text(id.to_string()))),
        Column::wide("event_id", |row| Value::Text(row.event_id.to_string())),
    ],
};

/// What was counted besides the rows.
#[derive(Debug, Default)]
struct Totals {
    events: u64,
    same: u64,
    /// Whose resource can't be read: they were never judged.
    unreadable: u64,
    /// Of groups beyond [`GROUPS_MAX`].
    beyond: u64,
    oldest: Option<Timestamp>,
    /// Whether there are more events than were looked at.
    cut: bool,
}

pub(super) async fn run(app: &App, args: &SimulateArgs) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let policy = policy(app, &args.policy).await?;
    let name = policy.name.clone();
    let compiled = Compiled::new(Effective::new(vec![Layer { version: 0, agent_type: None, policy }]));
    let until = match &args.until {
        Some(until) => until.resolve(app.now, &app.tz),
        None => Ok(app.now),
    };
    let wrong = |error: jiff::Error| Failure::usage("the time is out of range").because(&error);
    let (since, until) = (args.since.resolve(app.now, &app.tz).map_err(wrong)?, until.map_err(wrong)?);
    let agent_id = match &args.agent {
        Some(agent) => Some(agents::find(&client, agent).await?.agent_id),
        None => None,
    };
    let query = EventQuery {
        agent_id,
        agent_type: args.agent_type.clone(),
        since: Some(since),
        until: Some(until),
        limit: Some(PAGE_ROWS),
        ..EventQuery::default()
    };
    let (rows, totals) = judge_all(&client, &compiled, args, query, &mut Progress::new(&app.out, since, until)).await?;
    report(app, args, rows, &totals, &name)
}

async fn judge_all(
    client: &Client,
    compiled: &Compiled,
    args: &SimulateArgs,
    mut query: EventQuery,
    progress: &mut Progress,
) -> Result<(Vec<Row>, Totals), Failure> {
    let mut groups: HashMap<Group, Row> = HashMap::new();
    let mut totals = Totals::default();
    loop {
        let page = client.events(&query).await?;
        for event in &page.items {
            totals.events += 1;
            totals.oldest = Some(event.ts);
            count(&mut groups, &mut totals, compiled, args, event);
        }
        progress.show(totals.events, totals.oldest);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
        if totals.events >= args.max_events {
            totals.cut = true;
            break;
        }
    }
    progress.end();
    let mut rows: Vec<Row> = groups.into_values().collect();
    // Worst first, then the most frequent; by name where both are the same, so that the order is always the same.
    rows.sort_by(|a, b| {
        let key =
            |row: &Row| (row.group.change, std::cmp::Reverse(row.actions), row.group.rule.clone(), row.agent.clone());
        key(a).cmp(&key(b)).then(a.event_id.cmp(&b.event_id))
    });
    Ok((rows, totals))
}

fn count(
    groups: &mut HashMap<Group, Row>,
    totals: &mut Totals,
    compiled: &Compiled,
    args: &SimulateArgs,
    event: &Event,
) {
    let Some((after, rule)) = judge(compiled, event) else {
        totals.unreadable += 1;
        return;
    };
    // What the policy of then said: the agent may not have been able to enforce it.
    let before = event.server_verdict.unwrap_or(event.verdict);
    let Some(change) = Change::of(before, after) else {
        totals.same += 1;
        return;
    };
    let wants = |what: &str| args.by.iter().any(|by| by == what);
    let group = Group {
        change,
        kind: event.kind,
        rule_before: event.rule.clone(),
        rule: rule.map(str::to_owned),
        agent_id: wants("agent").then_some(event.agent_id),
        agent_type: event.agent_type.clone(),
        discovered_agent_id: event.discovered_agent_id.filter(|_| wants("ai")),
    };
    if groups.len() >= GROUPS_MAX && !groups.contains_key(&group) {
        totals.beyond += 1;
        return;
    }
    let row = groups.entry(group).or_insert_with_key(|group| Row {
        group: group.clone(),
        agent: wants("agent").then(|| event.agent_name.clone()),
        before,
        after,
        actions: 0,
        events: 0,
        last_ts: event.ts,
        examples: Vec::new(),
        event_id: event.event_id,
    });
    row.events += 1;
    row.actions += event.metadata.get("count").and_then(|count| count.parse::<u64>().ok()).unwrap_or(1).max(1);
    if row.examples.len() < EXAMPLES_MAX && !row.examples.contains(&event.resource) {
        row.examples.push(event.resource.clone());
    }
}

/// The verdict and rule of an event under the policy; `None` when its resource can't be read.
pub(crate) fn judge<'p>(compiled: &'p Compiled, event: &Event) -> Option<(Verdict, Option<&'p str>)> {
    let action = match event.kind {
        EventKind::FileRead => Action::FileRead,
        EventKind::FileWrite => Action::FileWrite,
        EventKind::Exec => Action::Exec,
        EventKind::NetConnect => Action::NetConnect,
        EventKind::TlsConnect => Action::TlsConnect,
    };
    let recorded = Recorded {
        action,
        resource: &event.resource,
        protocol: None,
        truncated: false,
        guarded: false,
        agent_type: event.agent_type.as_deref(),
        exe: &event.process_exe,
        caller: None,
        cmdline: &event.cmdline,
        uid: -1,
        rule: event.rule.as_deref(),
        earlier: false,
    };
    let judgement = compiled.judge_recorded(&recorded.with_metadata(&event.metadata))?;
    let verdict = match judgement.verdict {
        tyr_policy::Verdict::Allow => Verdict::Allow,
        tyr_policy::Verdict::Alert => Verdict::Alert,
        // It could not have been refused.
        tyr_policy::Verdict::Deny if judgement.condition.is_some() => Verdict::Alert,
        tyr_policy::Verdict::Deny => Verdict::Deny,
    };
    Some((verdict, judgement.rule))
}

fn report(app: &App, args: &SimulateArgs, rows: Vec<Row>, totals: &Totals, name: &str) -> Result<Outcome, Failure> {
    let of = |change: Change| {
        let rows = rows.iter().filter(|row| row.group.change == change);
        rows.map(|row| row.actions).sum::<u64>()
    };
    let sums = (of(Change::Denied), of(Change::Alerted), of(Change::Allowed));
    if totals.cut {
        let oldest = totals.oldest.map(|oldest| crate::when::show(oldest, &app.tz)).unwrap_or_default();
        app.out.note(&format!(
            "note: only the newest {} events were judged, back to {oldest}; --max-events N for more",
            totals.events
        ));
    }
    if totals.beyond > 0 {
        app.out.note(&format!(
            "note: {} events of further groups are not shown; group them by less (--by)",
            totals.beyond
        ));
    }
    let denied = sums.0 > 0;
    let outcome = CHANGES.print(&app.out, &args.list, rows, "nothing would be judged otherwise")?;
    if app.out.format == Format::Table {
        let (denied, alerted, allowed) = sums;
        app.out.line(&format!(
            "[{name}] {} events judged: actions newly denied {denied}, newly alerted {alerted}, newly allowed {allowed}; {} events as before",
            totals.events,
            totals.same + totals.unreadable
        ))?;
    }
    Ok(if args.fail_on_denied && denied { Outcome::ConditionHolds } else { outcome })
}
