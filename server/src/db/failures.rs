//! Failures of the database since the process started, by kind, for metrics.
//!
//! Of the process and not of a server: they are counted where an error gets its kind, and that place knows no server.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::db::DbError;

/// The failures of this process.
pub static FAILURES: Failures = Failures {
    unavailable: AtomicU64::new(0),
    timeout: AtomicU64::new(0),
    statement_timeout: AtomicU64::new(0),
    constraint: AtomicU64::new(0),
    query: AtomicU64::new(0),
};

/// How often what happened.
#[derive(Debug)]
pub struct Failures {
    unavailable: AtomicU64,
    timeout: AtomicU64,
    statement_timeout: AtomicU64,
    constraint: AtomicU64,
    query: AtomicU64,
}

impl Failures {
    /// Word and count of each kind. `timeout` is a wait for a free connection that was given up;
    /// `statement_timeout`, a statement that was cut off; `constraint`, a row that the
    /// schema refuses, is no fault by itself.
    pub fn counts(&self) -> [(&'static str, u64); 5] {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("unavailable", count(&self.unavailable)),
            ("timeout", count(&self.timeout)),
            ("statement_timeout", count(&self.statement_timeout)),
            ("constraint", count(&self.constraint)),
            ("query", count(&self.query)),
        ]
    }

    pub(super) fn count(&self, error: &DbError) {
        let counter = match error {
            DbError::Unavailable(cause) if matches!(cause.error(), sqlx::Error::PoolTimedOut) => &self.timeout,
            DbError::Unavailable(_) => &self.unavailable,
            DbError::TimedOut(_) => &self.statement_timeout,
            DbError::Constraint { .. } => &self.constraint,
            DbError::Query(_) => &self.query,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
