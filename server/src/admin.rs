//! What `tyr-server db …` does: works on the database, beside a running server or without one.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Instant;

use jiff::Timestamp;
use sqlx::postgres::PgConnectOptions;
use tyr_api::db::{DbReport, IndexRow, PartitionRow};

use crate::app::audit::{self, Action, Actor};
use crate::args::{DbArgs, ReindexArgs, RetentionArgs, StatusArgs};
use crate::config::Database;
use crate::db::partitions::{self, Keeper};
use crate::db::{DbError, Owner, maintenance, reindex, storage};
use crate::embedded::{self, Cluster, Settings};
use crate::serve::{BootError, parse_url};

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The database can't be had.
    #[error(transparent)]
    Open(#[from] BootError),
    /// It failed. What was done is done.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// Something is to be dropped, and nobody said yes.
    #[error("nothing was dropped: {days} days of events would be gone for good")]
    NotConfirmed {
        /// How many.
        days: usize,
    },
    /// A query looks at what is to be dropped.
    #[error("not dropped, as a query looks at them: {}", .partitions.join(", "))]
    Postponed {
        /// Which.
        partitions: Vec<String>,
    },
    /// Nobody listens.
    #[error("the answer can't be printed")]
    Print(#[source] io::Error),
}

impl AdminError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Open(error) => error.hint(),
            Self::Db(error) if error.sqlstate().as_deref() == Some("42501") => {
                "this needs the role that owns the tables: name it with TYR_MIGRATE_DATABASE_URL".to_owned()
            }
            Self::Db(error) if error.sqlstate().as_deref() == Some("42P01") => {
                "there is no schema yet: start the server once".to_owned()
            }
            Self::Db(_) => "try again; `tyr-server db status` tells who is connected".to_owned(),
            Self::NotConfirmed { .. } => "--dry-run shows them, --yes drops them".to_owned(),
            Self::Postponed { .. } => {
                "nothing is lost: the server drops them within the hour; or run this again later".to_owned()
            }
            Self::Print(_) => "see that standard output can be written to".to_owned(),
        }
    }

    /// Whether it is the caller's to say more, and not a failure.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NotConfirmed { .. })
    }
}

/// The database, and the cluster behind it if it had to be started for this.
struct Opened {
    owner: Owner,
    cluster: Option<Cluster>,
}

impl Opened {
    async fn new(args: &DbArgs) -> Result<Self, AdminError> {
        match Database::new(&args.database, args.pg_bin.clone(), args.pg_user.clone()) {
            Database::Url { url, owner } => {
                let options = parse_url(owner.unwrap_or(url).expose())?;
                let owner = Owner::new(options);
                // Here, so that a failure says that the database can't be had.
                let conn = owner.connect().await.map_err(BootError::Database)?;
                drop(conn);
                Ok(Self { owner, cluster: None })
            }
            Database::Embedded { bin_dir, user } => {
                let options: PgConnectOptions = parse_url(&embedded::url(&args.database.data_dir))?;
                let owner = Owner::new(options);
                if owner.connect().await.is_ok() {
                    return Ok(Self { owner, cluster: None });
                }
                // No server runs, so its database doesn't either.
                let settings =
                    Settings { data_dir: args.database.data_dir.clone(), bin_dir, user, postgres_settings: Vec::new() };
                let cluster = Cluster::start(&settings).await.map_err(BootError::from)?;
                Ok(Self { owner: Owner::new(cluster.connect_options()), cluster: Some(cluster) })
            }
        }
    }

    async fn close(self) {
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

/// `db status`.
///
/// # Errors
/// When the database can't be had or fails.
pub async fn status(args: &StatusArgs) -> Result<(), AdminError> {
    let opened = Opened::new(&args.db).await?;
    let report = async {
        let mut conn = opened.owner.connect().await?;
        storage::report(&mut conn, Timestamp::now(), args.retention_days).await
    };
    let report = report.await;
    opened.close().await;
    let report = report?;
    if args.json {
        let text = serde_json::to_string_pretty(&report).expect("a report is JSON");
        return print(&format!("{text}\n"));
    }
    print(&status_text(&report))
}

fn status_text(report: &DbReport) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| writeln!(text, "{name:<16}{value}").expect("writing to a String");
    let used: u32 = report.connections.iter().map(|row| row.connections).sum();
    line("version", format!("PostgreSQL {}", report.version));
    line("database", report.database.clone());
    line("size", size(report.size_bytes));
    line("connections", format!("{used} of {}", report.connections_max));
    for row in &report.connections {
        line("", format!("{} {} {}", row.connections, row.application, row.state));
    }
    line("retention", format!("{} days", report.retention_days));
    let per_day = report.events_per_day.zip(report.events_bytes_per_day);
    line(
        "growth per day",
        match per_day {
            Some((events, bytes)) => format!("{events} events, {}", size(bytes)),
            None => "not known before a whole day has passed".to_owned(),
        },
    );
    let bloat = |suffix: &str| {
        let of: Vec<&IndexRow> = report.indexes.iter().filter(|index| index.index.ends_with(suffix)).collect();
        let (bytes, bloat) = of
            .iter()
            .fold((0, 0), |(bytes, bloat), index| (bytes + index.bytes, bloat + index.bloat_bytes.unwrap_or(0)));
        format!("about {} of {}", size(bloat), size(bytes))
    };
    line("bloat, by time", bloat("_ts_idx"));
    let apart: u64 = report.apart.iter().map(|row| row.events).sum();
    line("apart", format!("{apart} records that agents sent and that are not among the events"));
    let newest = report.migrations.last().map(|migration| format!(", the newest {}", migration.version));
    line("migrations", format!("{}{}", report.migrations.len(), newest.unwrap_or_default()));
    line("partitions", report.partitions.len().to_string());
    let rows: Vec<[String; 5]> =
        report.partitions.iter().filter(|day| day.oldest_ts.is_some()).map(partition_row).collect();
    if !rows.is_empty() {
        table(&mut text, ["PARTITION", "ROWS", "SIZE", "OLDEST", "NEWEST"], &rows);
    }
    text
}

fn partition_row(day: &PartitionRow) -> [String; 5] {
    let instant = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| format!("{at:.0}"));
    [day.partition.clone(), day.rows.to_string(), size(day.bytes), instant(day.oldest_ts), instant(day.newest_ts)]
}

fn table<const N: usize>(text: &mut String, head: [&str; N], rows: &[[String; N]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0).max(head[column].len());
    let widths: [usize; N] = std::array::from_fn(width);
    let mut line = |cells: [&str; N]| {
        let cells: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(text, "{}", cells.join("  ").trim_end()).expect("writing to a String");
    };
    line(head);
    for row in rows {
        line(std::array::from_fn(|column| row[column].as_str()));
    }
}

/// `db retention`.
///
/// # Errors
/// When the database can't be had or fails, or nobody said yes, or something is looked at.
pub async fn retention(args: &RetentionArgs) -> Result<(), AdminError> {
    let opened = Opened::new(&args.db).await?;
    let result = drop_old(&opened.owner, args).await;
    opened.close().await;
    result
}

async fn drop_old(owner: &Owner, args: &RetentionArgs) -> Result<(), AdminError> {
    let now = Timestamp::now();
    let mut keeper = Keeper::new(owner).await?;
    let old = keeper.old(now, args.days).await?;
    let days: Vec<PartitionRow> = storage::partitions(keeper.conn())
        .await?
        .into_iter()
        .filter(|row| partitions::parse(&row.partition).is_some_and(|day| old.contains(&day)))
        .collect();
    if days.is_empty() {
        keeper.close().await;
        return print(&format!("no day is older than {} days\n", args.days));
    }
    let mut text = String::new();
    let rows: Vec<[String; 5]> = days.iter().map(partition_row).collect();
    table(&mut text, ["PARTITION", "ROWS", "SIZE", "OLDEST", "NEWEST"], &rows);
    print(&text)?;
    if args.dry_run || !args.yes {
        keeper.close().await;
        return if args.dry_run { Ok(()) } else { Err(AdminError::NotConfirmed { days: days.len() }) };
    }
    // Before it is done, as dropping can't be part of a transaction: no deed without an entry.
    let names: Vec<&str> = days.iter().map(|day| day.partition.as_str()).collect();
    let facts = &[("days", &args.days as audit::Fact<'_>), ("partitions", &names.join(", "))];
    audit::record(keeper.conn(), &Actor::command_line(), Action::DbRetention, "events", facts).await?;
    let done = maintenance::drop_old(&mut keeper, now, args.days).await?;
    maintenance::trim(keeper.conn(), now, args.days).await?;
    keeper.close().await;
    let bytes: u64 = days.iter().filter(|day| done.dropped.contains(&day.partition)).map(|day| day.bytes).sum();
    print(&format!("dropped {} days, {}\n", done.dropped.len(), size(bytes)))?;
    if done.postponed.is_empty() { Ok(()) } else { Err(AdminError::Postponed { partitions: done.postponed }) }
}

/// `db reindex`.
///
/// # Errors
/// When the database can't be had or fails. Indexes that were built stay; the one under way is given up and cleaned up by the
/// next run.
pub async fn reindex(args: &ReindexArgs) -> Result<(), AdminError> {
    let opened = Opened::new(&args.db).await?;
    let result = rebuild(&opened.owner, args).await;
    opened.close().await;
    result
}

async fn rebuild(owner: &Owner, args: &ReindexArgs) -> Result<(), AdminError> {
    let mut keeper = Keeper::new(owner).await?;
    if !args.dry_run {
        for left in reindex::clean_up(keeper.conn()).await? {
            print(&format!("removed what an earlier run left: {left}\n"))?;
        }
    }
    let today = partitions::day(Timestamp::now());
    let closed = |index: &IndexRow| partitions::parse(&index.table).is_some_and(|day| day < today);
    let worth = |index: &IndexRow| args.all || index.bloat_percent.is_some_and(|percent| percent >= args.min_bloat);
    let mut chosen: Vec<IndexRow> =
        storage::indexes(keeper.conn()).await?.into_iter().filter(|index| closed(index) && worth(index)).collect();
    chosen.sort_by(|a, b| a.index.cmp(&b.index));
    if chosen.is_empty() {
        keeper.close().await;
        return print("no index of a closed day holds so much bloat; --all rebuilds them anyway\n");
    }
    let (mut before, mut after) = (0, 0);
    for (number, index) in chosen.iter().enumerate() {
        let place = format!("[{}/{}] {}", number + 1, chosen.len(), index.index);
        if args.dry_run {
            let bloat = index.bloat_percent.map_or("not known".to_owned(), |percent| format!("{percent} %"));
            print(&format!("{place}  {}, bloat {bloat}\n", size(index.bytes)))?;
            continue;
        }
        let begun = Instant::now();
        let bytes = reindex::rebuild(keeper.conn(), &index.index).await?;
        print(&format!(
            "{place}  {} → {} in {:.1} s\n",
            size(index.bytes),
            size(bytes),
            begun.elapsed().as_secs_f64()
        ))?;
        before += index.bytes;
        after += bytes;
    }
    keeper.close().await;
    if args.dry_run {
        return Ok(());
    }
    print(&format!("rebuilt {} indexes: {} → {}\n", chosen.len(), size(before), size(after)))
}

/// A size in units of a thousand.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

fn print(text: &str) -> Result<(), AdminError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Nobody reads on, which is no reason to stop half-way.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(AdminError::Print),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(
            [0, 999, 1000, 8_192, 22_487_040, 5_000_000_000].map(size),
            ["0 B", "999 B", "1.0 kB", "8.1 kB", "22.4 MB", "5.0 GB"]
        );
    }
}
