//! Arguments of `db`: what the database behind the server holds.

use clap::{Args, Subcommand};

use super::{ListArgs, SqlArg};

/// `db [WHAT]`
#[derive(Clone, Debug, Args)]
pub struct DbArgs {
    /// One part alone; without it, all that matters on one screen.
    #[command(subcommand)]
    pub command: Option<DbCommand>,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
}

/// Flags of one part.
#[derive(Clone, Debug, Args)]
pub struct DbListArgs {
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}

/// `db …`
#[derive(Clone, Debug, Subcommand)]
pub enum DbCommand {
    /// Connections to the database, by program and state.
    #[command(after_long_help = "\
Examples:
  tyrctl db connections
  tyrctl db connections --sort oldest_transaction:desc")]
    Connections(DbListArgs),
    /// Tables with their sizes and growth per day; `events` stands for all its partitions.
    #[command(after_long_help = "\
Examples:
  tyrctl db tables
  tyrctl db tables --sort growth_per_day:desc -o json")]
    Tables(DbListArgs),
    /// Days of events, newest first.
    #[command(after_long_help = "\
Examples:
  tyrctl db partitions
  tyrctl db partitions -o csv --columns partition,bytes")]
    Partitions(DbListArgs),
    /// Indexes with an estimate of their bloat, largest first.
    #[command(after_long_help = "\
Bloat is what an index takes beyond a fresh build: `tyr-server db reindex` takes it back.

Examples:
  tyrctl db indexes --limit 20
  tyrctl db indexes --sort bloat:desc")]
    Indexes(DbListArgs),
    /// What agents sent and is not among the events: too far ahead, refused, or too late.
    #[command(after_long_help = "\
quarantined: kept in the table events_quarantine; the time that the event claims is more than 24 hours ahead
rejected:    kept in the table rejected_events; no well-formed event
expired:     counted alone; its day was dropped already

Examples:
  tyrctl db apart
  tyrctl db apart --fail-on-any -q             for scripts: exit code 3 when there is any")]
    Apart(DbListArgs),
}
