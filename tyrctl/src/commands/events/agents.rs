//! `tyrctl events agents`: the agents with most events, from the server's roll-up by hour.

use jiff::SignedDuration;
use tyr_api::stats::{AgentEventsQuery, AgentEventsRow};

use super::{Outcome, hint, instants, sql};
use crate::app::App;
use crate::args::{EventsAgentsArgs, Window};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::Value;
use crate::sql::{Value as Literal, catalog};

/// Most agents that the server answers with.
const AGENTS_MAX: u32 = 10_000;

pub(crate) const VIEW: View<AgentEventsRow> = View {
    noun: "agents",
    name: |row| row.agent_name.clone(),
    columns: &[
        Column::flexible("agent", |row| Value::text(&row.agent_name)),
        Column::new("events", |row| Value::Count(row.events)),
        Column::new("allow", |row| Value::Count(row.allow)),
        Column::new("deny", |row| Value::Count(row.deny)),
        Column::new("alert", |row| Value::Count(row.alert)),
        Column::new("drifts", |row| Value::Count(row.drifts)),
        Column::wide("agent_id", |row| Value::Text(row.agent_id.to_string())),
    ],
};

/// `events agents`.
pub(in crate::commands) async fn run(app: &App, args: &EventsAgentsArgs) -> Result<Outcome, Failure> {
    let (since, until) = instants(app, &Window { since: args.since.clone(), until: args.until.clone() })?;
    let since = match since {
        Some(since) => since,
        None => until
            .unwrap_or(app.now)
            .checked_sub(SignedDuration::from_hours(24))
            .map_err(|error| Failure::usage("`--until` is out of range").because(&error))?,
    };
    if args.sql.sql {
        let statement = catalog::AGENT_EVENTS.bind(app.now).with("since", Literal::At(since));
        return sql::print(app, &args.list, &[statement.with_some("until", until.map(Literal::At))]);
    }
    let query = AgentEventsQuery { since: Some(since), until, limit: Some(AGENTS_MAX) };
    let client = app.client()?;
    let rows = client.agent_events(&query).await?.items;
    let none = rows.is_empty();
    let outcome = VIEW.print(&app.out, &args.list, rows, "no events in this time")?;
    if none {
        hint::first_host(app, &client, Some(hint::JUDGED)).await;
    }
    Ok(outcome)
}
