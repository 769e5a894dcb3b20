//! The command line of `tyr-server`, clap alone.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Facts about the database.
    Db {
        /// Which fact.
        #[command(subcommand)]
        command: DbCommand,
    },
}

/// Facts about the database.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Print the connection URL for psql: `psql "$(tyr-server db url)"`.
    Url(DatabaseArgs),
}

/// Where the database is.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// PostgreSQL 14 or newer; without it, a private cluster in the data directory.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
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
    /// Built web assets, served at / when the folder exists.
    #[arg(long, env = "TYR_WEB_DIR", default_value = "/usr/share/tyr/web", value_name = "DIR")]
    pub web_dir: PathBuf,
    /// REST and SSE listener.
    #[arg(long, env = "TYR_REST_BIND", default_value = "0.0.0.0:7701", value_name = "ADDR:PORT")]
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
    #[arg(long, env = "TYR_GRPC_BIND", default_value = "0.0.0.0:7700", value_name = "ADDR:PORT")]
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
    /// Log format; what is logged is decided by RUST_LOG.
    #[arg(long, env = "TYR_LOG_FORMAT", value_enum, default_value_t, value_name = "FORMAT")]
    pub log_format: LogFormat,
}
