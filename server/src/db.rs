//! All SQL of the server, one file per aggregate. Plain functions take a connection, so that `app` composes transactions.

pub mod agent_certificates;
pub mod agents;
pub mod audit;
pub mod discovered_agents;
pub mod effective_policies;
pub mod enrollment_tokens;
pub mod events;
pub mod failures;
pub mod losses;
pub mod migrate;
pub mod partitions;
pub mod policy_assignments;
pub mod policy_versions;
pub mod rejected;
pub mod stats;
pub mod survey;
pub mod users;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection};

/// Most connections that the server keeps open.
pub const CONNECTIONS_MAX: u32 = 16;
/// Longest wait for a free connection before a request fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A wait for a connection that is worth a line in the log.
const ACQUIRE_SLOW: Duration = Duration::from_secs(1);

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection, or none free in time; nothing was changed, trying again later makes sense.
    #[error("the database is not reachable")]
    Unavailable(#[source] sqlx::Error),
    /// A named constraint refused a row; the statement changed nothing.
    #[error("the constraint `{constraint}` refused the row")]
    Constraint {
        /// Its name in the schema.
        constraint: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// Anything else that a statement can fail with; the transaction it was in is lost.
    #[error("a query failed")]
    Query(#[source] sqlx::Error),
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
        let (Self::Unavailable(error) | Self::Constraint { source: error, .. } | Self::Query(error)) = self;
        Some(error.as_database_error()?.code()?.into_owned())
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
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(database) => {
                // Class 57P: shutting down or starting up; 53300: too many connections; class 28 and 3D000: not let in.
                let away = database.code().is_some_and(|code| {
                    code.starts_with("57P") || code == "53300" || code.starts_with("28") || code == "3D000"
                });
                match database.constraint() {
                    _ if away => Self::Unavailable(error),
                    Some(constraint) => Self::Constraint { constraint: constraint.to_owned(), source: error },
                    None => Self::Query(error),
                }
            }
            _ => Self::Query(error),
        }
    }
}

/// Opens the pool. Every connection works in UTC.
///
/// Statements are planned with their values each time: a generic plan can neither prune partitions nor drop the filters
/// that were not given.
///
/// # Errors
/// When the first connection can't be made.
pub async fn connect(options: PgConnectOptions) -> Result<PgPool, DbError> {
    let options =
        options.application_name("tyr-server").options([("TimeZone", "UTC"), ("plan_cache_mode", "force_custom_plan")]);
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .acquire_slow_threshold(ACQUIRE_SLOW)
        // Each wait is told to `tracing`, which is where the metrics know it from: see `telemetry`. The type is of the crate `log`.
        .acquire_time_level("trace".parse().expect("a level"))
        .connect_with(options)
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
