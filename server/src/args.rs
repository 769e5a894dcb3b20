//! The command line of `tyr-server`, clap alone.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::metrics::agents::AGENTS_MAX;

mod fleet;

pub use fleet::FleetArgs;

/// Control plane of Tyr: agents connect on port 7700 (gRPC), people and scripts on port 7701 (REST and SSE).
#[derive(Debug, Parser)]
#[command(name = "tyr-server", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `serve` when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings of `serve`, so that it can be left out.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// What `tyr-server` can be asked to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server (the default).
    Serve(Box<ServeArgs>),
    /// Write the database and the keys into one archive, while the server may run.
    #[command(after_help = "Examples:\n  tyr-server backup /var/backups/tyr-$(date +%F).tar\n  \
                            DATABASE_URL=postgres://tyr@db/tyr tyr-server backup tyr.tar --force")]
    Backup(Box<BackupArgs>),
    /// Put back what `backup` wrote, while no server runs.
    #[command(after_help = "Examples:\n  tyr-server restore /var/backups/tyr-2026-11-22.tar\n  \
                            tyr-server restore tyr.tar --data-dir /srv/tyr --force")]
    Restore(Box<RestoreArgs>),
    /// Facts about the database, and work on it. Beside a running server or without one.
    Db {
        /// Which.
        #[command(subcommand)]
        command: DbCommand,
    },
}

/// `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Archive to write, readable by its owner alone.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    pub force: bool,
    /// Where the database is.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Folder with PostgreSQL's programs [default: found by itself].
    #[arg(long, env = "TYR_PG_BIN", value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,
}

/// `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Archive that `tyr-server backup` wrote.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace the keys and everything in the database, if there is something.
    #[arg(long)]
    pub force: bool,
    /// Where the database is to be.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Folder with PostgreSQL's programs [default: found by itself].
    #[arg(long, env = "TYR_PG_BIN", value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,
    /// User that the private cluster runs as when this is root [default: the owner of the data directory].
    #[arg(long, env = "TYR_PG_USER", value_name = "USER")]
    pub pg_user: Option<String>,
}

/// Facts about the database, and work on it.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Print the connection URL for psql: `psql "$(tyr-server db url)"`.
    Url(DatabaseArgs),
    /// Version, size, connections, partitions, growth, bloat, migrations.
    #[command(after_long_help = "\
Examples:
  tyr-server db status
  tyr-server db status --data-dir /srv/tyr --json | jq .partitions")]
    Status(StatusArgs),
    /// Drop the days of events that are older than what is kept. The server does it by itself once an hour.
    #[command(after_long_help = "\
Whole days in UTC are dropped, without making ingest wait. Late events of a day that was dropped are counted as expired.

Examples:
  tyr-server db retention --dry-run             what would go
  tyr-server db retention --days 7 --yes        keep the last seven days, this once")]
    Retention(RetentionArgs),
    /// Build the indexes of closed days anew where they hold much air, one after the other, without making anybody wait.
    #[command(after_long_help = "\
Needs room on the disk for one more copy of the largest index.

Examples:
  tyr-server db reindex --dry-run
  tyr-server db reindex --min-bloat 30
  tyr-server db reindex --all")]
    Reindex(ReindexArgs),
}

/// The database that a command works on.
#[derive(Clone, Debug, Args)]
pub struct DbArgs {
    /// Where the database is.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Folder with PostgreSQL's programs, should the private cluster have to be started [default: found by itself].
    #[arg(long, env = "TYR_PG_BIN", value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,
    /// User that the private cluster runs as when this is root [default: postgres, else nobody].
    #[arg(long, env = "TYR_PG_USER", value_name = "USER")]
    pub pg_user: Option<String>,
}

/// Flags of `db status`.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// The database.
    #[command(flatten)]
    pub db: DbArgs,
    /// Days that events are kept, for the report.
    #[arg(
        long,
        env = "TYR_RETENTION_DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=3650),
        value_name = "DAYS"
    )]
    pub retention_days: u32,
    /// One JSON document, as `GET /api/v1/db` answers.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `db retention`.
#[derive(Clone, Debug, Args)]
pub struct RetentionArgs {
    /// The database.
    #[command(flatten)]
    pub db: DbArgs,
    /// Days to keep.
    #[arg(
        long,
        env = "TYR_RETENTION_DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=3650),
        value_name = "DAYS"
    )]
    pub days: u32,
    /// Only show what would be dropped.
    #[arg(long)]
    pub dry_run: bool,
    /// Drop it; what is dropped is gone for good.
    #[arg(short, long, conflicts_with = "dry_run")]
    pub yes: bool,
}

/// Flags of `db reindex`.
#[derive(Clone, Debug, Args)]
pub struct ReindexArgs {
    /// The database.
    #[command(flatten)]
    pub db: DbArgs,
    /// Only indexes of which at least this much is air, in per cent by estimate.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=100), value_name = "PERCENT")]
    pub min_bloat: u32,
    /// All indexes of closed days.
    #[arg(long, conflicts_with = "min_bloat")]
    pub all: bool,
    /// Only show which would be built anew.
    #[arg(long)]
    pub dry_run: bool,
}

/// Where the database is.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// PostgreSQL 14 or newer; without it, a private cluster in the data directory.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// The same database as the role that owns its tables, used for migrations and partitions alone, so that the role of
    /// DATABASE_URL needs no right to make or drop tables.
    #[arg(long, env = "TYR_MIGRATE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub migrate_database_url: Option<String>,
    /// Keys, certificates and the private database cluster.
    #[arg(long, env = "TYR_DATA_DIR", default_value = "/var/lib/tyr", value_name = "DIR")]
    pub data_dir: PathBuf,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Settings of `serve`: each is a flag and an environment variable, the flag wins.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Where the database is.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Folder with PostgreSQL's programs for the private cluster [default: found by itself].
    #[arg(long, env = "TYR_PG_BIN", value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,
    /// User that the private cluster runs as when the server is root [default: postgres, else nobody].
    #[arg(long, env = "TYR_PG_USER", value_name = "USER")]
    pub pg_user: Option<String>,
    /// Built web assets, served to everybody at / when the folder exists at the start.
    #[arg(long, env = "TYR_WEB_DIR", default_value = "/usr/share/tyr/web", value_name = "DIR")]
    pub web_dir: PathBuf,
    /// REST and SSE listener.
    #[arg(
        long,
        env = "TYR_REST_BIND",
        default_value = "0.0.0.0:7701",
        value_parser = listener,
        value_name = "ADDR:PORT"
    )]
    pub rest_bind: SocketAddr,
    /// Plain HTTP on the REST listener, for use behind a TLS proxy.
    #[arg(
        long,
        env = "TYR_REST_NO_TLS",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(),
        value_name = "BOOL"
    )]
    pub rest_no_tls: bool,
    /// gRPC listener for agents; always TLS.
    #[arg(
        long,
        env = "TYR_GRPC_BIND",
        default_value = "0.0.0.0:7700",
        value_parser = listener,
        value_name = "ADDR:PORT"
    )]
    pub grpc_bind: SocketAddr,
    /// Further names and addresses of this server for its certificate, separated by commas.
    #[arg(long, env = "TYR_SERVER_NAMES", value_delimiter = ',', value_name = "NAMES")]
    pub server_names: Vec<String>,
    /// Enrollment token (`tyr_et_<id>_<secret>`) that is to exist after the start.
    #[arg(long, env = "TYR_BOOTSTRAP_ENROLLMENT_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub bootstrap_enrollment_token: Option<String>,
    /// Days that events are kept.
    #[arg(
        long,
        env = "TYR_RETENTION_DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=3650),
        value_name = "DAYS"
    )]
    pub retention_days: u32,
    /// Seconds after which a statement of a request is cut off.
    #[arg(
        long,
        env = "TYR_READ_TIMEOUT_S",
        default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..=3600),
        value_name = "SECONDS"
    )]
    pub read_timeout_s: u32,
    /// Days that entries of the audit log are kept; the database refuses to remove younger ones than 90 days.
    #[arg(
        long,
        env = "TYR_AUDIT_RETENTION_DAYS",
        default_value_t = 400,
        value_parser = clap::value_parser!(u32).range(90..=36_500),
        value_name = "DAYS"
    )]
    pub audit_retention_days: u32,
    /// Seconds of silence after which an agent is stale.
    #[arg(
        long,
        env = "TYR_STALE_AFTER_S",
        default_value_t = 90,
        value_parser = clap::value_parser!(u32).range(1..=86_400),
        value_name = "SECONDS"
    )]
    pub stale_after_s: u32,
    /// Heartbeat interval for all agents, in seconds [default: each agent's own].
    #[arg(
        long,
        env = "TYR_HEARTBEAT_INTERVAL_S",
        value_parser = clap::value_parser!(u32).range(1..=3600),
        value_name = "SECONDS"
    )]
    pub heartbeat_interval_s: Option<u32>,
    /// The doors, and what agents may do.
    #[command(flatten)]
    pub fleet: FleetArgs,
    /// Let anybody read /metrics, without a token.
    #[arg(
        long,
        env = "TYR_METRICS_PUBLIC",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(),
        value_name = "BOOL"
    )]
    pub metrics_public: bool,
    /// Agents that get figures of their own in /metrics; the others are counted together.
    #[arg(
        long,
        env = "TYR_METRICS_AGENTS_MAX",
        default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(0..=i64::from(AGENTS_MAX)),
        value_name = "N"
    )]
    pub metrics_agents_max: u16,
    /// Most event streams at a time; further ones get status 503.
    #[arg(
        long,
        env = "TYR_SSE_STREAMS_MAX",
        default_value_t = 2000,
        value_parser = clap::value_parser!(u32).range(1..=100_000),
        value_name = "N"
    )]
    pub sse_streams_max: u32,
    /// Most event streams of one user at a time; further ones get status 429.
    #[arg(
        long,
        env = "TYR_SSE_STREAMS_PER_USER",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=100_000),
        value_name = "N"
    )]
    pub sse_streams_per_user: u32,
    /// Log format; what is logged is decided by RUST_LOG.
    #[arg(long, env = "TYR_LOG_FORMAT", value_enum, default_value_t, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// Alert rules and webhooks.
    #[command(flatten)]
    pub alerts: AlertArgs,
}

/// Settings of alert rules and webhooks.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Alerts")]
pub struct AlertArgs {
    /// Seconds between two evaluations of the alert rules.
    #[arg(
        long,
        env = "TYR_ALERT_INTERVAL_S",
        default_value_t = 15,
        value_parser = clap::value_parser!(u32).range(1..=3600),
        value_name = "SECONDS"
    )]
    pub alert_interval_s: u32,
    /// Seconds of silence after which an agent is alerted on.
    #[arg(
        long,
        env = "TYR_ALERT_STALE_AFTER_S",
        default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(1..=604_800),
        value_name = "SECONDS"
    )]
    pub alert_stale_after_s: u32,
    /// Days online without any event after which an agent is alerted on.
    #[arg(
        long,
        env = "TYR_ALERT_SILENT_AFTER_D",
        default_value_t = 7,
        value_parser = clap::value_parser!(u32).range(1..=365),
        value_name = "DAYS"
    )]
    pub alert_silent_after_d: u32,
    /// Fewest denials of an agent within five minutes that can be a spike.
    #[arg(
        long,
        env = "TYR_ALERT_DENY_FLOOR",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..),
        value_name = "N"
    )]
    pub alert_deny_floor: u32,
    /// How many times an agent's rate of the hour before a spike of denials is.
    #[arg(
        long,
        env = "TYR_ALERT_DENY_FACTOR",
        default_value_t = 4,
        value_parser = clap::value_parser!(u32).range(1..=1000),
        value_name = "N"
    )]
    pub alert_deny_factor: u32,
    /// Let webhooks be plain http to other machines too.
    #[arg(
        long,
        env = "TYR_ALERT_ALLOW_HTTP",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(),
        value_name = "BOOL"
    )]
    pub alert_allow_http: bool,
    /// Let webhooks lead to link-local addresses, where clouds keep their metadata services.
    #[arg(
        long,
        env = "TYR_ALERT_ALLOW_LINK_LOCAL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(),
        value_name = "BOOL"
    )]
    pub alert_allow_link_local: bool,
    /// PEM file with authorities that webhooks' certificates may come from, beside those of the system.
    #[arg(long, env = "TYR_ALERT_CA_FILE", value_name = "FILE")]
    pub alert_ca_file: Option<PathBuf>,
}

fn listener(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not an IP address and a port, such as 127.0.0.1:7701 or [::]:7701".to_owned())
}

/// Wrong usage in the form of all failures: clap's words, without its decoration. The second text is the hint.
pub fn wrong_usage(error: &clap::Error) -> (String, String) {
    let text = error.to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut what = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let mut hint = None;
    for line in lines.take_while(|line| !line.starts_with("For more information")) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            hint.get_or_insert_with(|| tip.to_owned());
        } else if let Some(values) = line.strip_prefix('[') {
            hint.get_or_insert_with(|| values.trim_end_matches(']').to_owned());
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            hint.get_or_insert_with(|| format!("usage: {usage}"));
        } else if hint.is_none() {
            // What is missing stands on lines of its own.
            what.push(' ');
            what.push_str(line);
        }
    }
    let hint = hint.or_else(|| {
        let variable = variable(error)?;
        Some(format!("the value may come from the environment variable {variable}"))
    });
    (what, hint.unwrap_or_else(|| "`tyr-server --help` says what there is".to_owned()))
}

/// The environment variable of the flag that an error is about, if it is set.
fn variable(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let long = flag.strip_prefix("--")?.split([' ', '=', '[']).next()?;
    let command = Cli::command();
    let variable = command.get_arguments().find(|argument| argument.get_long() == Some(long))?.get_env()?;
    std::env::var_os(variable)?;
    Some(variable.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, wrong_usage};

    fn told(args: &[&str]) -> (String, String) {
        wrong_usage(&Cli::try_parse_from(args).expect_err("refused"))
    }

    #[test]
    fn definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_usage_says_what_and_what_to_do() {
        let (what, hint) = told(&["tyr-server", "--rest-bnd", "x"]);
        assert_eq!(what, "unexpected argument '--rest-bnd' found");
        assert_eq!(hint, "a similar argument exists: '--rest-bind'");
        let (what, _) = told(&["tyr-server", "--rest-bind", "banana"]);
        assert!(what.ends_with("not an IP address and a port, such as 127.0.0.1:7701 or [::]:7701"), "{what}");
        let (_, hint) = told(&["tyr-server", "--log-format", "xml"]);
        assert_eq!(hint, "possible values: text, json");
    }
}
