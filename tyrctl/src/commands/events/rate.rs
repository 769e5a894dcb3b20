//! `tyrctl events rate`: the documented event-rate query, from the server's roll-ups.

use jiff::SignedDuration;
use serde::Serialize;
use tyr_api::stats::{RateBy, RateGroup, RateQuery};

use super::{Outcome, hint, instants, sql};
use crate::app::App;
use crate::args::{EventsRateArgs, Format, Window};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::Value;
use crate::sql::{Value as Literal, catalog};
use crate::tui::term;

/// Places of the longest bar.
const BAR_MAX: u64 = 30;
/// Rows by agent that the server answers with at most.
const AGENT_ROWS_MAX: usize = 10_000;

/// A row of the answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rate {
    #[serde(flatten)]
    group: RateGroup,
    /// Drawn beside it on a terminal.
    #[serde(skip)]
    bar: String,
}

const MINUTE: Column<Rate> = Column::new("minute", |rate| Value::maybe(rate.group.minute, Value::Time));
const HOUR: Column<Rate> = Column::new("hour", |rate| Value::maybe(rate.group.hour, Value::Time));
const VERDICT: Column<Rate> = Column::new("verdict", |rate| Value::maybe(rate.group.verdict, super::verdict));
const KIND: Column<Rate> =
    Column::new("kind", |rate| Value::maybe(rate.group.kind, |kind| Value::Text(kind.to_string())));
const AGENT: Column<Rate> = Column::flexible("agent", |rate| Value::maybe(rate.group.agent_name.clone(), Value::text));
const AGENT_ID: Column<Rate> =
    Column::wide("agent_id", |rate| Value::maybe(rate.group.agent_id, |id| Value::Text(id.to_string())));
const EVENTS: Column<Rate> = Column::new("events", |rate| Value::Count(rate.group.events));
const DRIFTS: Column<Rate> = Column::new("drifts", |rate| Value::Count(rate.group.drifts));
const BAR: Column<Rate> = Column::flexible("bar", |rate| Value::Text(rate.bar.clone()));

const fn view(columns: &'static [Column<Rate>]) -> View<Rate> {
    View {
        noun: "rows",
        name: |rate| rate.group.minute.or(rate.group.hour).map(|start| start.to_string()).unwrap_or_default(),
        columns,
    }
}

pub(crate) const BY_VERDICT: View<Rate> = view(&[MINUTE, VERDICT, EVENTS, DRIFTS, BAR]);
pub(crate) const BY_KIND: View<Rate> = view(&[MINUTE, KIND, EVENTS, DRIFTS, BAR]);
pub(crate) const BY_MINUTE: View<Rate> = view(&[MINUTE, EVENTS, DRIFTS, BAR]);
pub(crate) const BY_AGENT: View<Rate> = view(&[HOUR, AGENT, EVENTS, DRIFTS, BAR, AGENT_ID]);

/// `events rate`.
pub(in crate::commands) async fn run(app: &App, args: &EventsRateArgs) -> Result<Outcome, Failure> {
    let (since, until) = instants(app, &Window { since: args.since.clone(), until: args.until.clone() })?;
    let since = match since {
        Some(since) => since,
        None => until
            .unwrap_or(app.now)
            .checked_sub(SignedDuration::from_hours(1))
            .map_err(|error| Failure::usage("`--until` is out of range").because(&error))?,
    };
    if args.sql.sql {
        let statement = match args.by {
            RateBy::Verdict => &catalog::RATE_BY_VERDICT,
            RateBy::Kind => &catalog::RATE_BY_KIND,
            RateBy::Minute => &catalog::RATE_BY_MINUTE,
            RateBy::Agent => &catalog::RATE_BY_AGENT,
        };
        let statement = statement.bind(app.now).with("since", Literal::At(since));
        return sql::print(app, &args.list, &[statement.with_some("until", until.map(Literal::At))]);
    }
    let client = app.client()?;
    let rows = client.rate(&RateQuery { since: Some(since), until, by: Some(args.by) }).await?;
    if args.by == RateBy::Agent && rows.len() >= AGENT_ROWS_MAX {
        app.out.note(&format!("note: the first {} rows; a later --since gives all of fewer hours", rows.len()));
    }
    let most = rows.iter().map(|row| row.events).max().unwrap_or_default();
    let ascii = args.ascii || !term::locale_is_utf8();
    let rates = rows.into_iter().map(|group| Rate { bar: bar(group.events, most, ascii), group }).collect();
    let mut list = args.list.clone();
    // Bars are for eyes.
    let for_eyes = app.out.width.is_some() && matches!(app.out.format, Format::Table | Format::Wide);
    if !for_eyes && list.columns.is_empty() {
        list.columns.push("-bar".to_owned());
    }
    let view = match args.by {
        RateBy::Verdict => &BY_VERDICT,
        RateBy::Kind => &BY_KIND,
        RateBy::Minute => &BY_MINUTE,
        RateBy::Agent => &BY_AGENT,
    };
    let none = most == 0;
    let outcome = view.print(&app.out, &list, rates, "no events in this time")?;
    if none {
        hint::first_host(app, &client, Some(hint::JUDGED)).await;
    }
    Ok(outcome)
}

/// A bar in eighths of a place, or of whole ones in ASCII; something is always more than nothing.
fn bar(events: u64, most: u64, ascii: bool) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    if events == 0 || most == 0 {
        return String::new();
    }
    let eighths = u128::from(events) * u128::from(BAR_MAX) * 8 / u128::from(most);
    let eighths = usize::try_from(eighths).unwrap_or(usize::MAX).max(1);
    if ascii {
        return "#".repeat(eighths.div_ceil(8));
    }
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(0, 10, false), "");
        assert_eq!(bar(10, 10, false), "█".repeat(30));
        assert_eq!(bar(1, 20, false), "█▌");
        assert_eq!(bar(1, u64::MAX, false), "▏");
        assert_eq!(bar(u64::MAX, u64::MAX, false), "█".repeat(30));
        assert_eq!([0, 1, 20].map(|events| bar(events, 20, true)), [0, 2, 30].map(|places| "#".repeat(places)));
    }
}
