//! Slows down those who guess passwords.
//!
//! Counted per account and source, known account or not, so that nobody can lock another out from elsewhere and nothing
//! is learned from being slowed down. In memory: a restart forgives.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures that cost nothing but the hash.
const FREE: u32 = 5;
/// The wait after the first failure that is not free; each further one doubles it.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_mins(5);
/// Failures are forgotten after this long without another.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(15);
/// Most pairs of account and source that are remembered; then the oldest goes.
const REMEMBERED_MAX: usize = 10_000;

/// Failed logins of late.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<(String, IpAddr), Failures>>);

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn wait(&self) -> Duration {
        match self.count.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(over) => WAIT_FIRST.saturating_mul(1 << over.min(16)).min(WAIT_MAX),
        }
    }
}

impl Attempts {
    /// How much longer this account has to wait at this source; none: it may try.
    pub fn wait(&self, account: &str, source: IpAddr, now: Instant) -> Option<Duration> {
        let attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = attempts.get(&(account.to_owned(), source))?;
        (failures.last + failures.wait()).checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Counts a try before its outcome is known, so that parallel ones are counted too.
    pub fn begin(&self, account: &str, source: IpAddr, now: Instant) {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= REMEMBERED_MAX {
            attempts.retain(|_, failures| now.saturating_duration_since(failures.last) < FORGOTTEN_AFTER);
        }
        if attempts.len() >= REMEMBERED_MAX {
            let oldest = attempts.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone());
            oldest.and_then(|key| attempts.remove(&key));
        }
        let failures = attempts.entry((account.to_owned(), source)).or_insert(Failures { count: 0, last: now });
        if now.saturating_duration_since(failures.last) >= FORGOTTEN_AFTER {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
    }

    /// The right password forgives.
    pub fn succeeded(&self, account: &str, source: IpAddr) {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.remove(&(account.to_owned(), source));
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::{Duration, Instant};

    use super::{Attempts, FORGOTTEN_AFTER, FREE, REMEMBERED_MAX, WAIT_MAX};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn waits_longer_each_time_and_only_there() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..FREE - 1 {
            attempts.begin("ada", HERE, now);
        }
        assert_eq!(attempts.wait("ada", HERE, now), None);
        attempts.begin("ada", HERE, now);
        assert_eq!(attempts.wait("ada", HERE, now), Some(Duration::from_secs(1)));
        attempts.begin("ada", HERE, now);
        assert_eq!(attempts.wait("ada", HERE, now), Some(Duration::from_secs(2)));
        assert_eq!(attempts.wait("ada", HERE, now + Duration::from_secs(2)), None);
        assert_eq!(attempts.wait("bob", HERE, now), None);
        for _ in 0..100 {
            attempts.begin("ada", HERE, now);
        }
        assert_eq!(attempts.wait("ada", HERE, now), Some(WAIT_MAX));
        attempts.succeeded("ada", HERE);
        assert_eq!(attempts.wait("ada", HERE, now), None);
    }

    #[test]
    fn forgets_after_a_while_and_never_grows_beyond_its_bound() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..REMEMBERED_MAX + 50 {
            attempts.begin(&n.to_string(), HERE, now);
        }
        assert_eq!(attempts.0.lock().expect("not poisoned").len(), REMEMBERED_MAX);
        let later = now + FORGOTTEN_AFTER;
        for _ in 0..FREE - 1 {
            attempts.begin("10049", HERE, later);
        }
        assert_eq!(attempts.wait("10049", HERE, later), None, "the failure of long ago does not count");
    }
}
