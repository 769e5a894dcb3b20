//! `tyrctl db`: what the database behind the server holds.

use jiff::SignedDuration;
use tyr_api::db::{ApartHow, ApartRow, ConnectionRow, DbReport, IndexRow, PartitionRow, TableRow};

use super::{Outcome, sql};
use crate::app::App;
use crate::args::{DbArgs, DbCommand, Format, ListArgs};
use crate::error::Failure;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::{Tone, Value};
use crate::sql::{Statement, catalog};

/// Rows of each part on the one screen.
const OVERVIEW_ROWS: usize = 6;
/// Per cent of an index from which its bloat is worth a look.
const BLOAT_PERCENT: u32 = 30;
/// A transaction that is open for longer holds up cleaning.
const LONG_TRANSACTION_MS: u64 = 60_000;

pub(crate) const CONNECTIONS: View<ConnectionRow> = View {
    noun: "rows",
    name: |row| row.application.clone(),
    columns: &[
        Column::flexible("application", |row| Value::text(&row.application)),
        Column::new("state", |row| Value::text(&row.state)),
        Column::new("connections", |row| Value::Count(row.connections.into())),
        Column::new("oldest_transaction", |row| Value::maybe(row.oldest_transaction_ms, span)),
    ],
};

pub(crate) const TABLES: View<TableRow> = View {
    noun: "tables",
    name: |row| row.table.clone(),
    columns: &[
        Column::flexible("table", |row| Value::text(&row.table)),
        Column::new("rows", |row| Value::Count(row.rows)),
        Column::new("size", |row| bytes(row.bytes)),
        Column::new("indexes", |row| bytes(row.index_bytes)),
        Column::new("growth_per_day", |row| Value::maybe(row.growth_bytes_per_day, Value::SignedBytes)),
    ],
};

pub(crate) const PARTITIONS: View<PartitionRow> = View {
    noun: "partitions",
    name: |row| row.partition.clone(),
    columns: &[
        Column::new("partition", |row| Value::text(&row.partition)),
        Column::new("rows", |row| Value::Count(row.rows)),
        Column::new("size", |row| bytes(row.bytes)),
        Column::new("indexes", |row| bytes(row.index_bytes)),
        Column::new("oldest", |row| Value::maybe(row.oldest_ts, Value::Time)),
        Column::new("newest", |row| Value::maybe(row.newest_ts, Value::Time)),
        Column::wide("from", |row| Value::Time(row.from)),
    ],
};

pub(crate) const INDEXES: View<IndexRow> = View {
    noun: "indexes",
    name: |row| row.index.clone(),
    columns: &[
        Column::flexible("index", |row| Value::text(&row.index)),
        Column::new("size", |row| bytes(row.bytes)),
        Column::new("bloat", |row| Value::maybe(row.bloat_bytes, bytes)),
        Column::new("bloat_percent", |row| Value::maybe(row.bloat_percent, |percent| Value::Count(percent.into()))),
        Column::new("scans", |row| Value::Count(row.scans)),
        Column::wide("table", |row| Value::text(&row.table)),
        Column::wide("rows", |row| Value::Count(row.rows)),
    ],
};

pub(crate) const APART: View<ApartRow> = View {
    noun: "rows",
    name: |row| row.agent_name.clone(),
    columns: &[
        Column::flexible("agent", |row| Value::text(&row.agent_name)),
        Column::new("how", |row| how(row.how)),
        Column::flexible("reason", |row| Value::text(&row.reason)),
        Column::new("events", |row| Value::Count(row.events)),
        Column::new("oldest", |row| Value::maybe(row.oldest_ts, Value::Time)),
        Column::new("newest", |row| Value::maybe(row.newest_ts, Value::Time)),
        Column::new("last", |row| Value::Time(row.last_at)),
        Column::wide("agent_id", |row| Value::Text(row.agent_id.to_string())),
    ],
};

/// What the one screen rests on.
static WHOLE: [&Statement; 6] = [
    &catalog::DATABASE,
    &catalog::CONNECTIONS,
    &catalog::TABLES,
    &catalog::PARTITIONS,
    &catalog::INDEXES,
    &catalog::APART,
];

/// `db [WHAT]`.
pub(super) async fn run(app: &App, args: &DbArgs) -> Result<Outcome, Failure> {
    let (given, of_one) = match &args.command {
        None => (args.sql, None),
        Some(DbCommand::Connections(part)) => (part.sql, Some((&part.list, &catalog::CONNECTIONS))),
        Some(DbCommand::Tables(part)) => (part.sql, Some((&part.list, &catalog::TABLES))),
        Some(DbCommand::Partitions(part)) => (part.sql, Some((&part.list, &catalog::PARTITIONS))),
        Some(DbCommand::Indexes(part)) => (part.sql, Some((&part.list, &catalog::INDEXES))),
        Some(DbCommand::Apart(part)) => (part.sql, Some((&part.list, &catalog::APART))),
    };
    if given.sql {
        return match of_one {
            Some((list, statement)) => sql::print(app, list, &[statement.bind(app.now)]),
            None => sql::print(app, &ListArgs::default(), &WHOLE.map(|statement| statement.bind(app.now))),
        };
    }
    let report = app.client()?.database().await?;
    let out = &app.out;
    match &args.command {
        None => overview(app, report),
        Some(DbCommand::Connections(part)) => CONNECTIONS.print(out, &part.list, report.connections, "no connections"),
        Some(DbCommand::Tables(part)) => TABLES.print(out, &part.list, report.tables, "no tables"),
        Some(DbCommand::Partitions(part)) => PARTITIONS.print(out, &part.list, report.partitions, "no partitions"),
        Some(DbCommand::Indexes(part)) => INDEXES.print(out, &part.list, report.indexes, "no indexes"),
        Some(DbCommand::Apart(part)) => {
            APART.print(out, &part.list, report.apart, "everything that agents sent has its place")
        }
    }
}

/// The head as a record, then the parts in short; in other formats than tables the whole report.
fn overview(app: &App, report: DbReport) -> Result<Outcome, Failure> {
    let out = &app.out;
    let apart: u64 = report.apart.iter().map(|row| row.events).sum();
    let used: u32 = report.connections.iter().map(|row| row.connections).sum();
    let ts: Vec<&IndexRow> = report.indexes.iter().filter(|index| is_ts_index(index)).collect();
    let (ts_bytes, ts_bloat) =
        ts.iter().fold((0, 0), |(bytes, bloat), index| (bytes + index.bytes, bloat + index.bloat_bytes.unwrap_or(0)));
    let fields = [
        ("version", Value::text(format!("PostgreSQL {}", report.version))),
        ("database", Value::text(&report.database)),
        ("size", bytes(report.size_bytes)),
        ("connections", Value::Text(format!("{used} of {}", report.connections_max))),
        ("retention", Value::Text(format!("{} days", report.retention_days))),
        ("partitions", Value::Count(report.partitions.len() as u64)),
        ("events_per_day", Value::maybe(report.events_per_day, Value::Count)),
        ("growth_per_day", Value::maybe(report.events_bytes_per_day, bytes)),
        ("events_ts_indexes", bytes(ts_bytes)),
        ("events_ts_bloat", bytes(ts_bloat)),
        ("apart", Value::Count(apart)),
        ("migrations", Value::Count(report.migrations.len() as u64)),
    ];
    print_record(out, &fields, &report)?;
    if !matches!(out.format, Format::Table | Format::Wide) {
        return Ok(Outcome::Done);
    }
    let short = ListArgs { limit: Some(OVERVIEW_ROWS), ..ListArgs::default() };
    out.line("")?;
    CONNECTIONS.print(out, &short, report.connections.clone(), "")?;
    out.line("")?;
    TABLES.print(out, &short, report.tables, "")?;
    let days: Vec<_> = report.partitions.into_iter().filter(|day| day.oldest_ts.is_some()).collect();
    if !days.is_empty() {
        out.line("")?;
        PARTITIONS.print(out, &short, days, "")?;
    }
    if report.connections.iter().any(|row| row.oldest_transaction_ms.is_some_and(|ms| ms > LONG_TRANSACTION_MS)) {
        out.note("note: a transaction is open for more than a minute; `tyrctl db connections` says whose");
    }
    if ts_bytes > 0 && ts_bloat * 100 / ts_bytes >= u64::from(BLOAT_PERCENT) {
        out.note("note: the indexes on events by time hold much air; `tyr-server db reindex` takes it back");
    }
    if apart > 0 {
        out.note("note: agents sent what has no place among the events; `tyrctl db apart` says what");
    }
    Ok(Outcome::Done)
}

/// The index on `events` by time, of one day.
fn is_ts_index(index: &IndexRow) -> bool {
    index.table.starts_with("events_2") && index.index.ends_with("_ts_idx")
}

fn how(how: ApartHow) -> Value {
    let tone = match how {
        ApartHow::Quarantined => Tone::Warn,
        ApartHow::Rejected => Tone::Bad,
        ApartHow::Expired => Tone::Dim,
    };
    Value::Word(how.as_str(), tone)
}

fn bytes(n: u64) -> Value {
    Value::Bytes(n)
}

fn span(ms: u64) -> Value {
    Value::Span(SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX)))
}
