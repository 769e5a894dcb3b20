//! Arguments of `db`: what the database behind the server holds.

use clap::{Args, Subcommand};

use super::{SqlArg, SqlListArgs};

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

/// `db …`
#[derive(Clone, Debug, Subcommand)]
pub enum DbCommand {
    /// Connections to the database, by program and state.
    #[command(after_long_help = "\
Examples:
  tyrctl db connections
  tyrctl db connections --sort oldest_transaction:desc")]
    Connections(SqlListArgs),
    /// Tables with their sizes and growth per day; `events` stands for all its partitions.
    #[command(after_long_help = "\
Examples:
  tyrctl db tables
  tyrctl db tables --sort growth_per_day:desc -o json")]
    Tables(SqlListArgs),
    /// Days of events, newest first.
    #[command(after_long_help = "\
Examples:
  tyrctl db partitions
  tyrctl db partitions -o csv --columns partition,bytes")]
    Partitions(SqlListArgs),
    /// Indexes with an estimate of their bloat, largest first.
    #[command(after_long_help = "\
Bloat is what an index takes beyond a fresh build: `tyr-server db reindex` takes
it back.

Examples:
  tyrctl db indexes --limit 20
  tyrctl db indexes --sort bloat:desc")]
    Indexes(SqlListArgs),
    /// What agents sent and is not among the events: too far ahead, refused, or too late.
    #[command(after_long_help = "\
quarantined: kept in the table events_quarantine; it claims a time a day ahead
rejected:    kept in the table rejected_events; no well-formed event
expired:     counted alone; its day was dropped already

Examples:
  tyrctl db apart
  tyrctl db apart --fail-on-any -q  for scripts: exit code 3 when there is any")]
    Apart(SqlListArgs),
}
