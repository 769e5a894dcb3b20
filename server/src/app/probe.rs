//! Whether the database answers, asked at most twice a second however many probes there are: they must neither load a busy database nor
//! wait for it each.

use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::db;

/// A database that takes longer for one round trip is away, as far as a probe is concerned.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);
/// How long an answer is good for.
const GOOD_FOR: Duration = Duration::from_millis(500);

/// What the database said last.
#[derive(Debug, Default)]
pub struct Probe {
    /// When, and whether it answered. Held while it is asked, so that all who wait meanwhile take the same answer.
    last: Mutex<Option<(Instant, bool)>>,
}

impl Probe {
    /// Whether the database answers now, or did within half a second.
    pub async fn is_alive(&self, pool: &PgPool) -> bool {
        let mut last = self.last.lock().await;
        if let Some((at, alive)) = *last
            && at.elapsed() < GOOD_FOR
        {
            return alive;
        }
        let alive = matches!(timeout(ROUND_TRIP_MAX, db::ping(pool)).await, Ok(Ok(())));
        *last = Some((Instant::now(), alive));
        alive
    }
}
