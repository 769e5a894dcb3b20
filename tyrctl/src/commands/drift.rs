//! `tyrctl drift`: where agent and server disagree.
//!
//! Counted by agent the server answers, as the documented query does; by anything else the drifting events are counted here.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tyr_api::events::{Event, EventQuery};
use tyr_api::stats::{DriftQuery, DriftRow};

use super::events::{self, Filter, fetch, instants};
use super::{Outcome, agents};
use crate::app::App;
use crate::args::{DriftArgs, DriftBy, EventFilter};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::Value;

pub(crate) const BY_AGENT: View<DriftRow> = View {
    noun: "agents",
    name: |row| row.agent_name.clone(),
    columns: &[
        Column::flexible("agent", |row| Value::text(&row.agent_name)),
        Column::new("drifts", |row| Value::Count(row.drifts)),
        Column::new("last", |row| Value::Time(row.last_ts)),
        Column::new("agent_id", |row| Value::Text(row.agent_id.to_string())),
    ],
};

/// Drifts that have something in common.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Group {
    /// What they have in common.
    #[serde(rename = "group")]
    name: String,
    drifts: u64,
    /// How many agents reported them.
    agents: u64,
    last_ts: Timestamp,
}

pub(crate) const GROUPS: View<Group> = View {
    noun: "groups",
    name: |row| row.name.clone(),
    columns: &[
        Column::flexible("group", |row| Value::text(&row.name)),
        Column::new("drifts", |row| Value::Count(row.drifts)),
        Column::new("agents", |row| Value::Count(row.agents)),
        Column::new("last", |row| Value::Time(row.last_ts)),
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
    let client = app.client()?;
    if args.by == DriftBy::Agent && !args.events {
        let agent_id = match &args.agent {
            Some(name) => Some(agents::find(&client, name).await?.agent_id),
            None => None,
        };
        let mut rows = client.drift(&DriftQuery { since: Some(since), until }).await?;
        rows.retain(|row| agent_id.is_none_or(|id| row.agent_id == id));
        return BY_AGENT.print(&app.out, &args.list, rows, EMPTY);
    }
    let filter =
        Filter::new(&client, &EventFilter { agent: args.agent.clone(), drift: true, ..EventFilter::default() }).await?;
    let query = EventQuery { since: Some(since), until, ..filter.query() };
    if args.events {
        let limit = args.list.limit.unwrap_or(100);
        let (rows, more) = fetch(app, &client, query, &filter, if limit == 0 { usize::MAX } else { limit }).await?;
        if more {
            app.out.note(&format!("note: the newest {} events; --limit 0 for all", rows.len()));
        }
        return events::VIEW.print(&app.out, &args.list, rows, EMPTY);
    }
    let (drifts, _) = fetch(app, &client, query, &filter, usize::MAX).await?;
    GROUPS.print(&app.out, &args.list, grouped(&drifts, args.by), EMPTY)
}

/// Most drifts first.
fn grouped(drifts: &[Event], by: DriftBy) -> Vec<Group> {
    let mut groups: HashMap<String, (Group, std::collections::HashSet<uuid::Uuid>)> = HashMap::new();
    for event in drifts {
        let word = |word: Option<&str>| word.unwrap_or("none").to_owned();
        let name = match by {
            DriftBy::Agent => event.agent_name.clone(),
            DriftBy::Kind => event.kind.to_string(),
            DriftBy::Reason => word(event.drift_reason.map(tyr_api::events::DriftReason::as_str)),
            DriftBy::Verdicts => {
                format!("{}→{}", event.verdict, word(event.server_verdict.map(tyr_api::events::Verdict::as_str)))
            }
            DriftBy::Rule => word(event.rule.as_deref()),
        };
        let (group, agents) = groups.entry(name).or_insert_with_key(|name| {
            (Group { name: name.clone(), drifts: 0, agents: 0, last_ts: event.ts }, std::collections::HashSet::new())
        });
        group.drifts += 1;
        group.last_ts = group.last_ts.max(event.ts);
        agents.insert(event.agent_id);
    }
    let mut groups: Vec<_> =
        groups.into_values().map(|(group, agents)| Group { agents: agents.len() as u64, ..group }).collect();
    groups.sort_by(|a, b| b.drifts.cmp(&a.drifts).then_with(|| a.name.cmp(&b.name)));
    groups
}
