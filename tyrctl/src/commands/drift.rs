//! `tyrctl drift`: where agent and server disagree.

use jiff::SignedDuration;
use tyr_api::events::{EventQuery, Verdict};
use tyr_api::stats::{DriftBy, DriftQuery, DriftRow};

use super::events::{self, Filter, fetch, instants};
use super::{Outcome, agents, hint, sql};
use crate::app::App;
use crate::args::{DriftArgs, EventFilter, ListArgs};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::{Tone, Value};
use crate::sql::{Value as Literal, catalog};

pub(crate) const BY_AGENT: View<DriftRow> = View {
    noun: "agents",
    name: |row| row.agent_name.clone().unwrap_or_default(),
    columns: &[
        Column::flexible("agent", |row| Value::text(row.agent_name.clone().unwrap_or_default())),
        Column::new("drifts", |row| Value::Count(row.drifts)),
        Column::new("severe", |row| Value::Count(row.severe)),
        Column::new("last", |row| Value::Time(row.last_ts)),
        Column::new("sustained", sustained),
        Column::new("agent_id", |row| Value::maybe(row.agent_id, |id| Value::Text(id.to_string()))),
    ],
};

pub(crate) const GROUPS: View<DriftRow> = View {
    noun: "groups",
    name: |row| row.group.clone().unwrap_or_default(),
    columns: &[
        Column::flexible("group", |row| Value::text(row.group.clone().unwrap_or_default())),
        Column::new("drifts", |row| Value::Count(row.drifts)),
        Column::new("severe", |row| Value::Count(row.severe)),
        Column::new("agents", |row| Value::maybe(row.agents, Value::Count)),
        Column::new("last", |row| Value::Time(row.last_ts)),
        Column::new("sustained", sustained),
    ],
};

/// `drift [--since 1d] [--by FIELD | --events]`.
pub(super) async fn run(app: &App, args: &DriftArgs) -> Result<Outcome, Failure> {
    const EMPTY: &str = "no drift in this time";
    let (since, until) = instants(app, &args.window)?;
    let since = match since {
        Some(since) => since,
        None => until
            .unwrap_or(app.now)
            .checked_sub(SignedDuration::from_hours(24))
            .map_err(|error| Failure::usage("`--until` is out of range").because(&error))?,
    };
    // Severe is an alert that should have been a denial, so the server need not send the rest.
    let verdict = if args.severe { vec![Verdict::Alert] } else { Vec::new() };
    let drifting = EventFilter { agent: args.agent.clone(), drift: true, verdict, ..EventFilter::default() };
    if args.sql.sql {
        let agent = args.agent.clone().map(Literal::Agent);
        let until = until.map(Literal::At);
        if args.events {
            let filter = events::statement(app, &drifting, args.list.limit);
            let statement = filter.with("since", Literal::At(since)).with_some("until", until);
            return sql::print(app, &ListArgs { limit: None, ..args.list.clone() }, &[statement]);
        }
        let statement = match args.by {
            DriftBy::Agent => catalog::DRIFT.bind(app.now),
            by => catalog::DRIFT_BY.bind(app.now).with("by", Literal::Text(by.to_string())),
        };
        let statement = statement.with("since", Literal::At(since)).with_some("until", until).with_some("agent", agent);
        return sql::print(app, &args.list, &[statement]);
    }
    let client = app.client()?;
    if args.events {
        let filter = Filter::new(&client, &drifting).await?.severe(args.severe);
        let query = EventQuery { since: Some(since), until, ..filter.query() };
        let limit = args.list.limit.unwrap_or(events::LIMIT_DEFAULT);
        let (rows, more) = fetch(app, &client, query, &filter, if limit == 0 { usize::MAX } else { limit }).await?;
        if more {
            app.out.note(&format!("note: the newest {} events; --limit 0 for all", rows.len()));
        }
        return events::VIEW.print(&app.out, &args.list, rows, EMPTY);
    }
    let agent_id = match &args.agent {
        Some(name) => Some(agents::find(&client, name).await?.agent_id),
        None => None,
    };
    let by = (args.by != DriftBy::Agent).then_some(args.by);
    let mut rows = client.drift(&DriftQuery { since: Some(since), until, by, agent_id }).await?;
    if args.severe {
        rows.retain(|row| row.severe > 0);
    }
    let view = if by.is_none() { &BY_AGENT } else { &GROUPS };
    let none = rows.is_empty();
    let outcome = view.print(&app.out, &args.list, rows, EMPTY)?;
    if none {
        hint::first_host(app, &client, None).await;
    }
    Ok(outcome)
}

fn sustained(row: &DriftRow) -> Value {
    if row.sustained { Value::Word("yes", Tone::Bad) } else { Value::Word("no", Tone::Dim) }
}
