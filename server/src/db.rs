//! All SQL of the server, one file per aggregate. Plain functions take a connection, so that `app` composes transactions.

pub mod agent_certificates;
pub mod agent_types;
pub mod agents;
pub mod alerts;
pub mod apart;
pub mod audit;
mod cause;
pub mod discovered_agents;
pub mod effective_policies;
pub mod enrollment_tokens;
pub mod events;
pub mod failures;
pub mod losses;
pub mod maintenance;
pub mod migrate;
pub mod partitions;
pub mod policy_assignments;
pub mod policy_versions;
pub mod reindex;
pub mod rejected;
pub mod stats;
pub mod storage;
pub mod survey;
pub mod users;
pub mod webhooks;
pub mod writes;

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection};

pub use cause::Cause;
pub use writes::Writes;

/// Most connections that the server keeps open for requests.
pub const CONNECTIONS_MAX: u32 = 16;
/// Longest statement of a request, unless told.
pub const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest statement of a batch. Long enough for a checkpoint on a slow disk.
const WRITE_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest that a statement waits for a lock: rather fail and try again than make others queue behind it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for a free connection before a request fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A wait for a connection that is worth a line in the log.
const ACQUIRE_SLOW: Duration = Duration::from_secs(1);

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection, or none free in time; nothing was changed, trying again later makes sense.
    #[error("the database is not reachable")]
    Unavailable(#[source] Cause),
    /// A statement took longer than it may; it changed nothing. Asking for less makes sense.
    #[error("the database took too long")]
    TimedOut(#[source] Cause),
    /// A named constraint refused a row; the statement changed nothing.
    #[error("the constraint `{constraint}` refused the row")]
    Constraint {
        /// Its name in the schema.
        constraint: String,
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// Anything else that a statement can fail with; the transaction it was in is lost.
    #[error("a query failed")]
    Query(#[source] Cause),
}

impl DbError {
    /// Name of the constraint that refused the row, if that is what happened.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Constraint { constraint, .. } => Some(constraint),
            _ => None,
        }
    }

    /// SQLSTATE, if the database itself answered.
    pub fn sqlstate(&self) -> Option<String> {
        let (Self::Unavailable(error)
        | Self::TimedOut(error)
        | Self::Constraint { source: error, .. }
        | Self::Query(error)) = self;
        error.sqlstate()
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let error = Self::of(error);
        failures::FAILURES.count(&error);
        error
    }
}

impl DbError {
    fn of(error: sqlx::Error) -> Self {
        let cause = Cause::new(error);
        match cause.error() {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(cause),
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                // Class 57P: shutting down or starting up; 53300: too many connections; class 28 and 3D000: not let in.
                let away = code.starts_with("57P") || code == "53300" || code.starts_with("28") || code == "3D000";
                match database.constraint().map(str::to_owned) {
                    _ if away => Self::Unavailable(cause),
                    // query_canceled, which is what statement_timeout does.
                    _ if code == "57014" => Self::TimedOut(cause),
                    Some(constraint) => Self::Constraint { constraint, source: cause },
                    None => Self::Query(cause),
                }
            }
            _ => Self::Query(cause),
        }
    }
}

/// The ways to the database, each with the limits that its work needs and a name of its own in `pg_stat_activity`.
#[derive(Clone, Debug)]
pub struct Pools {
    /// For requests: statements are cut off.
    pub reads: PgPool,
    /// For batches of events.
    pub writes: Writes,
    /// For migrations and partitions.
    pub owner: Owner,
}

impl Pools {
    /// Both pools on `options`; `owner` may be another role on the same database.
    pub fn new(reads: PgPool, owner: Option<PgConnectOptions>) -> Self {
        let options = reads.connect_options();
        let limits = Limits { statement: WRITE_TIMEOUT, idle_in_transaction: WRITE_TIMEOUT, lock: Duration::ZERO };
        let writes = Writes::new(&limits.on(options.as_ref().clone(), "tyr-server ingest"));
        let owner = Owner(Arc::new(owner.unwrap_or_else(|| options.as_ref().clone())));
        Self { reads, writes, owner }
    }

    /// Closes the connections of both pools, once what runs on them has ended.
    pub async fn close(&self) {
        self.writes.close().await;
        self.reads.close().await;
    }
}

/// A pool for everything, as tests have it.
impl From<PgPool> for Pools {
    fn from(pool: PgPool) -> Self {
        Self::new(pool, None)
    }
}

/// The role that owns the tables: makes, changes and drops them. Connections are made when there is work.
#[derive(Clone, Debug)]
pub struct Owner(Arc<PgConnectOptions>);

impl Owner {
    /// The role that these options log in as.
    pub fn new(options: PgConnectOptions) -> Self {
        Self(Arc::new(options))
    }

    /// A connection without a limit on statements, but with one on waiting for locks.
    ///
    /// # Errors
    /// When it can't be made.
    pub async fn connect(&self) -> Result<PgConnection, DbError> {
        let limits = Limits { statement: Duration::ZERO, idle_in_transaction: WRITE_TIMEOUT, lock: LOCK_TIMEOUT };
        let options = limits.on(self.0.as_ref().clone(), "tyr-server maintenance");
        let timed_out = |_| sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
        Ok(tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(&options)).await.map_err(timed_out)??)
    }
}

impl From<&PgPool> for Owner {
    fn from(pool: &PgPool) -> Self {
        Self(pool.connect_options())
    }
}

/// Time-outs of PostgreSQL itself, so that they hold whatever becomes of the client. Zero is none.
#[derive(Clone, Copy, Debug)]
struct Limits {
    statement: Duration,
    idle_in_transaction: Duration,
    lock: Duration,
}

impl Limits {
    /// Statements are planned with their values each time: a generic plan can neither prune partitions nor drop the filters
    /// that were not given. They are too short to be compiled, which PostgreSQL does by costs that it overrates here. All work is in UTC.
    fn on(self, options: PgConnectOptions, application: &str) -> PgConnectOptions {
        let ms = |limit: Duration| limit.as_millis().to_string();
        options.application_name(application).options([
            ("TimeZone", "UTC".to_owned()),
            ("plan_cache_mode", "force_custom_plan".to_owned()),
            ("jit", "off".to_owned()),
            ("statement_timeout", ms(self.statement)),
            ("idle_in_transaction_session_timeout", ms(self.idle_in_transaction)),
            ("lock_timeout", ms(self.lock)),
        ])
    }
}

/// Opens the pool for requests, with the usual limit on statements.
///
/// # Errors
/// When the first connection can't be made.
pub async fn connect(options: PgConnectOptions) -> Result<PgPool, DbError> {
    connect_for_reads(options, READ_TIMEOUT).await
}

/// Opens the pool for requests, whose statements end after `read_timeout`.
///
/// # Errors
/// When the first connection can't be made.
pub async fn connect_for_reads(options: PgConnectOptions, read_timeout: Duration) -> Result<PgPool, DbError> {
    let limits = Limits { statement: read_timeout, idle_in_transaction: read_timeout * 2, lock: Duration::ZERO };
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .acquire_slow_threshold(ACQUIRE_SLOW)
        // Each wait is told to `tracing`, which is where the metrics know it from: see `telemetry`. The type is of the crate `log`.
        .acquire_time_level("trace".parse().expect("a level"))
        .connect_with(limits.on(options, "tyr-server"))
        .await?;
    Ok(pool)
}

/// Version of the database's server as a number (150018), over a connection of its own: so that a failure at the start says why,
/// which the pool's own timeout would hide.
///
/// # Errors
/// When there is no answer within five seconds.
pub async fn server_version(options: &PgConnectOptions) -> Result<i32, DbError> {
    let ask = async {
        let mut conn = PgConnection::connect_with(options).await?;
        let version = sqlx::query_scalar!(r#"SELECT current_setting('server_version_num')::int AS "version!""#)
            .fetch_one(&mut conn)
            .await?;
        conn.close().await?;
        Ok(version)
    };
    let timed_out = |_| sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
    tokio::time::timeout(ACQUIRE_TIMEOUT, ask).await.map_err(timed_out)?
}

/// One round trip, for `/health`.
pub async fn ping(pool: &PgPool) -> Result<(), DbError> {
    sqlx::query!("SELECT 1 AS one").fetch_one(pool).await?;
    Ok(())
}
