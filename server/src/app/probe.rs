//! Whether the database answers, asked a few times a second however many probes there are: they must neither load a busy database nor
//! wait for it each.

use std::sync::{Arc, Mutex as Shared, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::db;

/// A database that takes longer for one round trip is away, as far as a probe is concerned.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);
/// How long an answer is good for.
const GOOD_FOR: Duration = Duration::from_millis(500);
/// From this age on it is asked again, while the old answer is still good: so frequent probes never wait.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// What the database said last.
#[derive(Debug, Default)]
pub struct Probe {
    /// When, and whether it answered.
    last: Shared<Option<(Instant, bool)>>,
    /// Held while it is asked, so that all who wait meanwhile take the same answer.
    asking: Arc<Mutex<()>>,
}

impl Probe {
    /// Whether the database answers now, or did within half a second.
    pub async fn is_alive(self: &Arc<Self>, pool: &PgPool) -> bool {
        if let Some((age, alive)) = self.known() {
            if age >= ASK_AGAIN_AFTER
                && let Ok(asking) = Arc::clone(&self.asking).try_lock_owned()
            {
                let (probe, pool) = (Arc::clone(self), pool.clone());
                tokio::spawn(async move {
                    probe.ask(&pool).await;
                    drop(asking);
                });
            }
            return alive;
        }
        let _asking = self.asking.lock().await;
        match self.known() {
            Some((_, alive)) => alive,
            None => self.ask(pool).await,
        }
    }

    /// The last answer and its age, as long as it is good.
    fn known(&self) -> Option<(Duration, bool)> {
        let (at, alive) = (*self.last.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some((at.elapsed(), alive)).filter(|(age, _)| *age < GOOD_FOR)
    }

    async fn ask(&self, pool: &PgPool) -> bool {
        let alive = matches!(timeout(ROUND_TRIP_MAX, db::ping(pool)).await, Ok(Ok(())));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), alive));
        alive
    }
}
