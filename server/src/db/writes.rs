//! The connections that batches of events are stored on.
//!
//! Whenever a day of `events` is made or dropped, each connection builds its picture of the table anew, and its next batch waits
//! some milliseconds for that. A pool hands out its connections in turn, so each of them would cost a batch. So there is a first
//! one, which all is stored on unless it is busy, as with a COMMIT while the next transaction is filled.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, Postgres, Transaction};

use super::{ACQUIRE_SLOW, ACQUIRE_TIMEOUT, DbError};

/// Connections beside the first: one is filled while another commits, and one learns what the table has to be asked about.
const FURTHER_MAX: u32 = 2;
/// A connection that was used within this time is not asked whether it's alive: the next statement tells.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// The first connection and the further ones.
#[derive(Clone, Debug)]
pub struct Writes {
    first: PgPool,
    further: PgPool,
}

/// How many connections there are.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// Nothing runs on them.
    pub idle: usize,
    /// All that are open.
    pub open: u32,
    /// Most that are opened.
    pub max: u32,
}

impl Writes {
    /// Connects when there is work.
    pub(super) fn new(options: &PgConnectOptions) -> Self {
        let pool = |max: u32| {
            PgPoolOptions::new()
                .max_connections(max)
                .test_before_acquire(false)
                .before_acquire(|conn, kept| {
                    Box::pin(async move {
                        if kept.idle_for > IDLE_MAX {
                            conn.ping().await?;
                        }
                        Ok(true)
                    })
                })
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .acquire_slow_threshold(ACQUIRE_SLOW)
                .acquire_time_level("trace".parse().expect("a level"))
                .connect_lazy_with(options.clone())
        };
        Self { first: pool(1), further: pool(FURTHER_MAX) }
    }

    /// A transaction for a batch. A connection that the database has closed meanwhile shows at this, its first statement: the pool
    /// drops it, and the next one is taken.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, DbError> {
        let is_busy = self.first.size() > 0 && self.first.num_idle() == 0;
        let pool = if is_busy { &self.further } else { &self.first };
        for _ in 0..FURTHER_MAX {
            match pool.begin().await {
                Err(error) if was_closed(&error) => {}
                begun => return Ok(begun?),
            }
        }
        Ok(pool.begin().await?)
    }

    /// A connection to ask something.
    ///
    /// # Errors
    /// When there is none.
    pub async fn acquire(&self) -> Result<PoolConnection<Postgres>, DbError> {
        Ok(self.further.acquire().await?)
    }

    /// How many there are.
    pub fn count(&self) -> Count {
        let pools = [&self.first, &self.further];
        Count {
            idle: pools.iter().map(|pool| pool.num_idle()).sum(),
            open: pools.iter().map(|pool| pool.size()).sum(),
            max: pools.iter().map(|pool| pool.options().get_max_connections()).sum(),
        }
    }

    /// Closes them, once what runs on them has ended.
    pub async fn close(&self) {
        self.first.close().await;
        self.further.close().await;
    }
}

/// Is there nobody at the other end of the connection, as opposed to none to be had?
fn was_closed(error: &sqlx::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        sqlx::Error::Io(error) => {
            matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        }
        // admin_shutdown: the last word of a backend that was told to end.
        sqlx::Error::Database(error) => error.code().as_deref() == Some("57P01"),
        _ => false,
    }
}
