//! The settings of a running server, checked once at the start.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::args::{DatabaseArgs, ServeArgs};

/// A text that no log may show.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Database {
    /// A PostgreSQL that somebody else runs.
    Url(Secret),
    /// A private cluster under the data directory.
    Embedded {
        /// Folder with `postgres` and `initdb`, if the operator named one.
        bin_dir: Option<PathBuf>,
        /// User to run it as, if the operator named one.
        user: Option<String>,
    },
}

/// The settings of a running server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database is.
    pub database: Database,
    /// Keys, certificates and the private cluster.
    pub data_dir: PathBuf,
    /// Built web assets.
    pub web_dir: PathBuf,
    /// REST and SSE listener.
    pub rest_bind: SocketAddr,
    /// Whether the REST listener speaks TLS.
    pub rest_tls: bool,
    /// gRPC listener.
    pub grpc_bind: SocketAddr,
    /// Names and addresses for the server's certificate, beside those it knows by itself.
    pub server_names: Vec<String>,
    /// Enrollment token that is to exist after the start.
    pub bootstrap_enrollment_token: Option<Secret>,
    /// Days that events are kept, 1-3650.
    pub retention_days: u32,
    /// Silence after which an agent is stale.
    pub stale_after: Duration,
    /// Heartbeat interval for all agents; `None` leaves each its own.
    pub heartbeat_interval: Option<Duration>,
}

impl Database {
    /// An empty URL counts as none, as an unset variable in a unit file often is.
    pub fn new(args: &DatabaseArgs, bin_dir: Option<PathBuf>, user: Option<String>) -> Self {
        match args.database_url.as_deref().map(str::trim) {
            Some(url) if !url.is_empty() => Self::Url(Secret::new(url.to_owned())),
            _ => Self::Embedded {
                bin_dir: bin_dir.filter(|dir| !dir.as_os_str().is_empty()),
                user: user.filter(|user| !user.is_empty()),
            },
        }
    }
}

impl From<ServeArgs> for Config {
    fn from(args: ServeArgs) -> Self {
        let non_empty = |text: &String| !text.trim().is_empty();
        Self {
            database: Database::new(&args.database, args.pg_bin, args.pg_user),
            data_dir: args.database.data_dir,
            web_dir: args.web_dir,
            rest_bind: args.rest_bind,
            rest_tls: !args.rest_no_tls,
            grpc_bind: args.grpc_bind,
            server_names: args.server_names.iter().map(|name| name.trim().to_owned()).filter(non_empty).collect(),
            bootstrap_enrollment_token: args.bootstrap_enrollment_token.filter(non_empty).map(Secret::new),
            retention_days: args.retention_days,
            stale_after: Duration::from_secs(args.stale_after_s.into()),
            heartbeat_interval: args.heartbeat_interval_s.map(|s| Duration::from_secs(s.into())),
        }
    }
}
