//! Hashing of passwords and token secrets: argon2id with the documented parameters, few at a time.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// KiB of memory, passes and lanes of one hash: what the documentation of the product names, and OWASP's minimum.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// Longest wait for a turn. One hash takes some 30 ms, so this is a queue of hundreds.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);
/// Most that wait for a turn; others are sent away at once.
const WAITING_MAX: usize = 128;
/// Most hashes at a time, on however many cores.
const TURNS_MAX: usize = 4;

/// Why a secret was not hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many others wait. Nothing was done.
    #[error("too many passwords and tokens are being checked at the moment")]
    Busy,
    /// The hash function refused, which its parameters exclude, or its task panicked.
    #[error("hashing failed: {0}")]
    Failed(String),
}

/// Hashes secrets on threads of their own, on half of the cores at most: each takes 19 MiB and some 30 ms, and anybody may
/// ask for one by trying to log in.
#[derive(Debug)]
pub struct Secrets {
    turns: Arc<Semaphore>,
    /// Running and waiting.
    places: Semaphore,
}

/// Checked when there is no hash to check against, so that the time taken tells nothing. Nobody has its secret.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$jyduW/HDIftW6eG19JKS8g$sNTmnoDqCRHHCeiyszQVi7IXDXhOQDQbfTN+J2q/+bE";

impl Secrets {
    /// Nobody is being checked.
    pub fn new() -> Self {
        let turns = available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, TURNS_MAX));
        Self { turns: Arc::new(Semaphore::new(turns)), places: Semaphore::new(turns + WAITING_MAX) }
    }

    /// The PHC string to store for a secret.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn hash(&self, secret: &str) -> Result<String, HashError> {
        let secret = secret.to_owned();
        self.in_turn(move || hash(secret.as_bytes())).await?
    }

    /// Whether a secret is the one that was hashed. Without a hash it takes as long, and the answer is no.
    ///
    /// # Errors
    /// See [`HashError`]. A stored text that is no hash counts as another secret's.
    pub async fn verify(&self, secret: &str, stored: Option<&str>) -> Result<bool, HashError> {
        let secret = secret.to_owned();
        let known = stored.is_some();
        let stored = stored.unwrap_or(DUMMY).to_owned();
        let matches =
            self.in_turn(move || argon2().verify_password(secret.as_bytes(), stored.as_str()).is_ok()).await?;
        Ok(matches && known)
    }

    /// Runs `work` on a thread that may block, when it's its turn.
    ///
    /// The turn goes with the work and not with the caller: a caller may go away (a client that hangs up), the hash runs to its
    /// end, and without its turn taken anybody could have any number of them run by asking and hanging up.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
        let Ok(_place) = self.places.try_acquire() else { return Err(HashError::Busy) };
        let turn = match timeout(TURN_TIMEOUT, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(turn) => turn.expect("the semaphore is never closed"),
            Err(_) => return Err(HashError::Busy),
        };
        let task = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        task.await.map_err(|error| HashError::Failed(error.to_string()))
    }
}

impl Default for Secrets {
    fn default() -> Self {
        Self::new()
    }
}

fn argon2() -> Argon2<'static> {
    let (memory_kib, passes, lanes) = COST;
    let params = Params::new(memory_kib, passes, lanes, None).expect("the parameters are constants");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(secret: &[u8]) -> Result<String, HashError> {
    let hash = argon2().hash_password(secret).map_err(|error| HashError::Failed(error.to_string()))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};

    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::{HashError, Secrets};

    #[tokio::test]
    async fn knows_its_own_hashes_and_no_others() {
        let secrets = Secrets::new();
        let stored = secrets.hash("correct horse").await.expect("hashed");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(secrets.verify("correct horse", Some(&stored)).await.expect("checked"));
        assert!(!secrets.verify("battery staple", Some(&stored)).await.expect("checked"));
        assert!(!secrets.verify("correct horse", None).await.expect("checked"));
        assert!(!secrets.verify("correct horse", Some("no hash")).await.expect("checked"));
    }

    #[tokio::test]
    async fn no_more_run_at_once_than_there_are_turns() {
        let secrets = Secrets::new();
        let turns = secrets.turns.available_permits();
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..50).map(|_| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            secrets.in_turn(move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
            })
        });
        assert!(join_all(work).await.iter().all(Result::is_ok));
        let most = most.load(Ordering::SeqCst);
        assert!((1..=turns).contains(&most), "{most} at once with {turns} turns");
    }

    #[tokio::test]
    async fn who_hangs_up_keeps_the_turn_until_the_work_is_done() {
        let secrets = Secrets::new();
        let turns = secrets.turns.available_permits();
        let mut ends = Vec::new();
        for _ in 0..turns {
            let (end, until) = mpsc::channel::<()>();
            ends.push(end);
            // Started by the first poll, then dropped as when a client hangs up.
            assert!(secrets.in_turn(move || until.recv()).now_or_never().is_none());
        }
        assert_eq!(secrets.turns.available_permits(), 0);
        drop(ends);
        let permit = secrets.turns.acquire_many(u32::try_from(turns).expect("few")).await;
        assert!(permit.is_ok(), "the turns come back when the work has ended");
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_sent_away_at_once() {
        let secrets = Secrets::new();
        let places = u32::try_from(secrets.places.available_permits()).expect("few");
        let _all = secrets.places.acquire_many(places).await.expect("free");
        assert!(matches!(secrets.hash("x").await, Err(HashError::Busy)));
    }
}
