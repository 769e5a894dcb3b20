//! `tyrctl events rate`: the documented event-rate query, from the server's roll-up.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tyr_api::events::{EventKind, Verdict};
use tyr_api::stats::RateQuery;

use super::{Outcome, instants};
use crate::app::App;
use crate::args::{EventsRateArgs, Format, RateBy, Window};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::Value;

/// Places of the longest bar.
const BAR_MAX: u64 = 30;

/// Events of one minute.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rate {
    minute: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<EventKind>,
    events: u64,
    drifts: u64,
    /// Drawn beside it on a terminal.
    #[serde(skip)]
    bar: String,
}

const MINUTE: Column<Rate> = Column::new("minute", |rate| Value::Time(rate.minute));
const VERDICT: Column<Rate> = Column::new("verdict", |rate| Value::maybe(rate.verdict, super::verdict));
const KIND: Column<Rate> = Column::new("kind", |rate| Value::maybe(rate.kind, |kind| Value::Text(kind.to_string())));
const EVENTS: Column<Rate> = Column::new("events", |rate| Value::Count(rate.events));
const DRIFTS: Column<Rate> = Column::new("drifts", |rate| Value::Count(rate.drifts));
const BAR: Column<Rate> = Column::flexible("bar", |rate| Value::Text(rate.bar.clone()));

const fn view(columns: &'static [Column<Rate>]) -> View<Rate> {
    View { noun: "rows", name: |rate| rate.minute.to_string(), columns }
}

pub(crate) const BY_VERDICT: View<Rate> = view(&[MINUTE, VERDICT, EVENTS, DRIFTS, BAR]);
pub(crate) const BY_KIND: View<Rate> = view(&[MINUTE, KIND, EVENTS, DRIFTS, BAR]);
const BY_MINUTE: View<Rate> = view(&[MINUTE, EVENTS, DRIFTS, BAR]);

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
    let rows = app.client()?.rate(&RateQuery { since: Some(since), until }).await?;
    let mut sums: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let key = match args.by {
            RateBy::Verdict => (row.minute, Some(row.verdict), None),
            RateBy::Kind => (row.minute, None, Some(row.kind)),
            RateBy::Minute => (row.minute, None, None),
        };
        let sum = sums.entry(key).or_default();
        sum.0 += row.events;
        sum.1 += row.drifts;
    }
    let most = sums.values().map(|(events, _)| *events).max().unwrap_or_default();
    let rates = sums
        .into_iter()
        // Newest minute first, as the documented query has it.
        .rev()
        .map(|((minute, verdict, kind), (events, drifts))| Rate {
            minute,
            verdict,
            kind,
            events,
            drifts,
            bar: bar(events, most),
        })
        .collect();
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
    };
    view.print(&app.out, &list, rates, "no events in this time")
}

/// A bar in eighths of a place; something is always more than nothing.
fn bar(events: u64, most: u64) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    if events == 0 || most == 0 {
        return String::new();
    }
    let eighths = u128::from(events) * u128::from(BAR_MAX) * 8 / u128::from(most);
    let eighths = usize::try_from(eighths).unwrap_or(usize::MAX).max(1);
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
        assert_eq!(bar(0, 10), "");
        assert_eq!(bar(10, 10), "█".repeat(30));
        assert_eq!(bar(1, 20), "█▌");
        assert_eq!(bar(1, u64::MAX), "▏");
        assert_eq!(bar(u64::MAX, u64::MAX), "█".repeat(30));
    }
}
