//! `tyrctl events list`, and what all verbs on events share.

use jiff::Timestamp;
use tyr_api::events::{Event, EventQuery, Verdict};

use super::{Outcome, agents as fleet, hint, sql};
use crate::app::App;
use crate::args::{EventFilter, EventsListArgs, ListArgs, Window};
use crate::client::Client;
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::{Tone, Value};
use crate::sql::{Bound, Value as Literal, catalog};

pub(crate) mod agents;
pub(crate) mod rate;
pub(super) mod tail;

/// Rows of a page, as the server allows at most.
const PAGE_ROWS_MAX: u32 = 1_000;
/// Rows without `--limit`.
pub(super) const LIMIT_DEFAULT: usize = 100;
/// Pages that are looked through for rows that only we can filter.
const PAGES_MAX: usize = 1_000;

/// How events are listed.
pub(crate) const VIEW: View<Event> = View {
    noun: "events",
    name: |event| event.event_id.to_string(),
    columns: &[
        Column::new("ts", |event| Value::Time(event.ts)),
        Column::new("verdict", |event| verdict(event.verdict)),
        Column::new("kind", |event| Value::Text(event.kind.to_string())),
        Column::flexible("agent", |event| Value::text(&event.agent_name)),
        Column::new("type", |event| Value::maybe(event.agent_type.clone(), Value::text)),
        Column::flexible("resource", |event| Value::text(&event.resource)),
        Column::new("pid", |event| Value::Number(event.pid)),
        Column::flexible("exe", |event| Value::text(&event.process_exe)),
        Column::flexible("rule", |event| Value::maybe(event.rule.clone(), Value::text)),
        Column::new("drift", drift),
        Column::wide("severity", |event| Value::Text(event.severity.to_string())),
        Column::wide("server_verdict", |event| Value::maybe(event.server_verdict, verdict)),
        Column::wide("drift_reason", |event| {
            Value::maybe(event.drift_reason, |reason| Value::Text(reason.to_string()))
        }),
        Column::wide("policy_version", |event| {
            Value::maybe(event.policy_version, |version| Value::Count(version.into()))
        }),
        Column::wide("policy_id", |event| Value::maybe(event.policy_id.clone(), Value::Text)),
        Column::wide("event_id", |event| Value::Text(event.event_id.to_string())),
        Column::wide("agent_id", |event| Value::Text(event.agent_id.to_string())),
        Column::wide("ai_id", |event| Value::maybe(event.discovered_agent_id, |id| Value::Text(id.to_string()))),
        Column::wide("received_at", |event| Value::Time(event.received_at)),
        Column::wide_flexible("cmdline", |event| Value::text(&event.cmdline)),
        Column::wide_flexible("metadata", |event| Value::text(metadata(event))),
    ],
};

/// `events list`.
pub(super) async fn list(app: &App, args: &EventsListArgs) -> Result<Outcome, Failure> {
    let (since, until) = instants(app, &args.window)?;
    if args.sql.sql {
        let statement = statement(app, &args.filter, args.list.limit)
            .with_some("since", since.map(Literal::At))
            .with_some("until", until.map(Literal::At));
        return sql::print(app, &ListArgs { limit: None, ..args.list.clone() }, &[statement]);
    }
    let client = app.client()?;
    let filter = Filter::new(&client, &args.filter).await?;
    let limit = match args.list.limit {
        None => LIMIT_DEFAULT,
        Some(0) => usize::MAX,
        Some(limit) => limit,
    };
    let query = EventQuery { since, until, ..filter.query() };
    let (events, more) = fetch(app, &client, query, &filter, limit).await?;
    if more {
        app.out.note(&format!("note: the newest {} events; --limit 0 for all", events.len()));
    }
    let none = events.is_empty();
    let outcome = VIEW.print(&app.out, &args.list, events, "no events")?;
    if none {
        hint::first_host(app, &client, Some(hint::JUDGED)).await;
    }
    Ok(outcome)
}

/// The newest events that pass the filter, newest first, and whether there are more.
pub(super) async fn fetch(
    app: &App,
    client: &Client,
    mut query: EventQuery,
    filter: &Filter,
    limit: usize,
) -> Result<(Vec<Event>, bool), Failure> {
    let mut events = Vec::new();
    for _ in 0..PAGES_MAX {
        // One more than wanted tells whether there are more; with a filter of ours whole pages are wanted.
        let wanted = if filter.is_local() {
            PAGE_ROWS_MAX
        } else {
            u32::try_from(limit.saturating_sub(events.len()).saturating_add(1)).unwrap_or(PAGE_ROWS_MAX)
        };
        query.limit = Some(wanted.min(PAGE_ROWS_MAX));
        let page = client.events(&query).await?;
        events.extend(page.items.into_iter().filter(|event| filter.passes(event)));
        if events.len() > limit {
            events.truncate(limit);
            return Ok((events, true));
        }
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok((events, false)),
        }
    }
    app.out.note("note: looked through a million events and stopped; --since and --until choose others");
    Ok((events, true))
}

/// The statement that answers the filter, all of it.
pub(super) fn statement(app: &App, given: &EventFilter, limit: Option<usize>) -> Bound {
    let words = |words: Vec<&'static str>| {
        (!words.is_empty()).then(|| Literal::Words(words.into_iter().map(str::to_owned).collect()))
    };
    let limit = match limit.unwrap_or(LIMIT_DEFAULT) {
        0 => Literal::Nothing,
        limit => Literal::Number(limit as u64),
    };
    catalog::EVENTS
        .bind(app.now)
        .with_some("agent", given.agent.clone().map(Literal::Agent))
        .with_some("kind", words(given.kind.iter().map(|kind| kind.as_str()).collect()))
        .with_some("verdict", words(given.verdict.iter().map(|verdict| verdict.as_str()).collect()))
        .with_some("severity", given.severity.map(|severity| Literal::Text(severity.to_string())))
        .with_some("type", given.agent_type.clone().map(Literal::Text))
        .with_some("drift", given.drift.then_some(Literal::Flag(true)))
        .with("limit", limit)
}

/// Which events: what the server can tell apart, and what is left to us.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    given: EventFilter,
    agent_id: Option<uuid::Uuid>,
    /// Only severe drift.
    severe: bool,
}

impl Filter {
    /// Looks up the agent.
    pub(super) async fn new(client: &Client, given: &EventFilter) -> Result<Self, Failure> {
        let agent_id = match &given.agent {
            Some(name) => Some(fleet::find(client, name).await?.agent_id),
            None => None,
        };
        Ok(Self { given: given.clone(), agent_id, severe: false })
    }

    /// Only severe drift of it.
    pub(super) fn severe(self, severe: bool) -> Self {
        Self { severe, ..self }
    }

    /// What the server is asked.
    pub(super) fn query(&self) -> EventQuery {
        let given = &self.given;
        EventQuery {
            agent_id: self.agent_id,
            kind: (given.kind.len() == 1).then(|| given.kind[0]),
            verdict: (given.verdict.len() == 1).then(|| given.verdict[0]),
            severity: given.severity,
            agent_type: given.agent_type.clone(),
            drift_detected: given.drift.then_some(true),
            ..EventQuery::default()
        }
    }

    /// Whether some of it is left to us.
    fn is_local(&self) -> bool {
        self.given.kind.len() > 1 || self.given.verdict.len() > 1 || self.severe
    }

    /// The part that is left to us.
    pub(super) fn passes(&self, event: &Event) -> bool {
        let given = &self.given;
        (given.kind.is_empty() || given.kind.contains(&event.kind))
            && (given.verdict.is_empty() || given.verdict.contains(&event.verdict))
            && (!self.severe || event.is_severe_drift())
    }
}

/// Both ends of a stretch of time.
///
/// # Errors
/// When it ends before it begins.
pub(super) fn instants(app: &App, window: &Window) -> Result<(Option<Timestamp>, Option<Timestamp>), Failure> {
    let resolve = |name: &str, moment: &Option<crate::when::Moment>| {
        moment
            .as_ref()
            .map(|moment| moment.resolve(app.now, &app.tz))
            .transpose()
            .map_err(|error| Failure::usage(format!("`{name}` is out of range")).because(&error))
    };
    let (since, until) = (resolve("--since", &window.since)?, resolve("--until", &window.until)?);
    match (since, until) {
        (Some(since), Some(until)) if since >= until => {
            Err(Failure::usage("`--since` is not before `--until`").cause(format!("since {since}, until {until}")))
        }
        _ => Ok((since, until)),
    }
}

/// A verdict's word.
pub(super) fn verdict(verdict: Verdict) -> Value {
    let tone = match verdict {
        Verdict::Allow => Tone::Good,
        Verdict::Deny => Tone::Bad,
        Verdict::Alert => Tone::Warn,
    };
    Value::Word(verdict.as_str(), tone)
}

/// `alert→deny`: what the agent did, and what the server says it should have done.
fn drift(event: &Event) -> Value {
    match event.server_verdict {
        Some(server) if event.drift_detected => Value::Text(format!("{}→{server}", event.verdict)),
        _ => Value::Nothing,
    }
}

fn metadata(event: &Event) -> String {
    let pairs: Vec<_> = event.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(" ")
}
