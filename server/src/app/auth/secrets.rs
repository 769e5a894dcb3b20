//! Hashing of passwords and token secrets: argon2id with the documented parameters, one at a time.

use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// KiB of memory, passes and lanes of one hash: what the documentation of the product names, and OWASP's minimum.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// Longest wait for a turn. One hash takes some 30 ms, so this is a queue of hundreds.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

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

/// Hashes secrets, one at a time: each takes 19 MiB, and anybody may ask for one by trying to log in.
#[derive(Debug)]
pub struct Secrets {
    turn: Semaphore,
}

/// Checked when there is no hash to check against, so that the time taken tells nothing. Nobody has its secret.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$jyduW/HDIftW6eG19JKS8g$sNTmnoDqCRHHCeiyszQVi7IXDXhOQDQbfTN+J2q/+bE";

impl Secrets {
    /// Nobody is being checked.
    pub fn new() -> Self {
        Self { turn: Semaphore::new(1) }
    }

    /// The PHC string to store for a secret.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn hash(&self, secret: &str) -> Result<String, HashError> {
        let _turn = self.turn().await?;
        let secret = secret.to_owned();
        spawn_blocking(move || hash(secret.as_bytes())).await.map_err(|error| HashError::Failed(error.to_string()))?
    }

    /// Whether a secret is the one that was hashed. Without a hash it takes as long, and the answer is no.
    ///
    /// # Errors
    /// See [`HashError`]. A stored text that is no hash counts as another secret's.
    pub async fn verify(&self, secret: &str, stored: Option<&str>) -> Result<bool, HashError> {
        let _turn = self.turn().await?;
        let secret = secret.to_owned();
        let known = stored.is_some();
        let stored = stored.unwrap_or(DUMMY).to_owned();
        let matches = spawn_blocking(move || argon2().verify_password(secret.as_bytes(), stored.as_str()).is_ok())
            .await
            .map_err(|error| HashError::Failed(error.to_string()))?;
        Ok(matches && known)
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, HashError> {
        match timeout(TURN_TIMEOUT, self.turn.acquire()).await {
            Ok(turn) => Ok(turn.expect("the semaphore is never closed")),
            Err(_) => Err(HashError::Busy),
        }
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
    use super::Secrets;

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
}
