//! Slows down those who guess passwords.
//!
//! Failures are counted in three books: for an account at a source (strict), for a source whatever the account (one address
//! that tries many names), and for an account whatever the source (many addresses that try one name). Accounts are counted
//! whether they exist or not, so nothing is learned from being slowed down. The last book would let anybody lock out an
//! account's owner from elsewhere; so its waits are short, and a source from which the account logged in before is asked only
//! by the first book. In memory: a restart forgives.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures of an account at one source that cost nothing but the hash.
const FREE_HERE: u32 = 5;
/// Failures of one source, whatever the account.
const FREE_OF_SOURCE: u32 = 30;
/// Failures of one account, whatever the source.
const FREE_OF_ACCOUNT: u32 = 50;
/// The wait after the first failure that is not free; each further one doubles it.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// Longest wait of an account at one source.
const WAIT_HERE_MAX: Duration = Duration::from_mins(5);
/// Longest wait of a source, and of an account.
const WAIT_MAX: Duration = Duration::from_mins(1);
/// Failures are forgotten after this long without another.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(15);
/// A source is remembered as an account's own for this long after a login.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);
/// Most entries of each book; then the oldest goes.
const REMEMBERED_MAX: usize = 10_000;

/// Failed logins of late.
#[derive(Debug)]
pub struct Attempts(Mutex<Books>);

#[derive(Debug)]
struct Books {
    here: Book<(String, IpAddr)>,
    sources: Book<IpAddr>,
    accounts: Book<String>,
    /// When an account last logged in at a source.
    known: HashMap<(String, IpAddr), Instant>,
}

#[derive(Debug)]
struct Book<K> {
    free: u32,
    wait_max: Duration,
    failures: HashMap<K, Failures>,
}

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl<K: Eq + Hash + Clone> Book<K> {
    fn new(free: u32, wait_max: Duration) -> Self {
        Self { free, wait_max, failures: HashMap::new() }
    }

    /// How much longer to wait.
    fn wait(&self, key: &K, now: Instant) -> Duration {
        let Some(failures) = self.failures.get(key) else { return Duration::ZERO };
        let Some(over) = failures.count.checked_sub(self.free) else { return Duration::ZERO };
        let wait = WAIT_FIRST.saturating_mul(1 << over.min(16)).min(self.wait_max);
        (failures.last + wait).saturating_duration_since(now)
    }

    fn add(&mut self, key: K, now: Instant) {
        make_room(&mut self.failures, &key, |failures| failures.last, FORGOTTEN_AFTER, now);
        let failures = self.failures.entry(key).or_insert(Failures { count: 0, last: now });
        if now.saturating_duration_since(failures.last) >= FORGOTTEN_AFTER {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
    }

    /// Takes back one that was no failure.
    fn take_back(&mut self, key: &K) {
        if let Some(failures) = self.failures.get_mut(key) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

/// Makes room for a key that is not there yet: what is forgotten goes first, then the oldest.
fn make_room<K: Eq + Hash + Clone, V>(
    map: &mut HashMap<K, V>,
    key: &K,
    last: impl Fn(&V) -> Instant,
    forgotten_after: Duration,
    now: Instant,
) {
    if map.contains_key(key) {
        return;
    }
    if map.len() >= REMEMBERED_MAX {
        map.retain(|_, value| now.saturating_duration_since(last(value)) < forgotten_after);
    }
    if map.len() >= REMEMBERED_MAX {
        let oldest = map.iter().min_by_key(|(_, value)| last(value)).map(|(key, _)| key.clone());
        oldest.and_then(|key| map.remove(&key));
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self(Mutex::new(Books {
            here: Book::new(FREE_HERE, WAIT_HERE_MAX),
            sources: Book::new(FREE_OF_SOURCE, WAIT_MAX),
            accounts: Book::new(FREE_OF_ACCOUNT, WAIT_MAX),
            known: HashMap::new(),
        }))
    }
}

impl Attempts {
    /// Lets one try begin, and counts it as a failure until [`Self::succeeded`] says otherwise, so that parallel ones are
    /// counted too.
    ///
    /// # Errors
    /// How much longer this account has to wait at this source; then nothing is counted.
    pub fn begin(&self, account: &str, source: IpAddr, now: Instant) -> Result<(), Duration> {
        let source = network(source);
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = (account.to_owned(), source);
        let mut wait = books.here.wait(&here, now);
        let at_home = books.known.get(&here).is_some_and(|last| now.saturating_duration_since(*last) < KNOWN_FOR);
        if !at_home {
            wait = wait.max(books.sources.wait(&source, now)).max(books.accounts.wait(&here.0, now));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        books.here.add(here, now);
        books.sources.add(source, now);
        books.accounts.add(account.to_owned(), now);
        Ok(())
    }

    /// The right password forgives at this source. What others tried elsewhere, or for other accounts, stays.
    pub fn succeeded(&self, account: &str, source: IpAddr, now: Instant) {
        let source = network(source);
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = (account.to_owned(), source);
        books.here.failures.remove(&here);
        books.sources.take_back(&source);
        books.accounts.take_back(&here.0);
        make_room(&mut books.known, &here, |last| *last, KNOWN_FOR, now);
        books.known.insert(here, now);
    }
}

/// What counts as one source: an IPv4 address, or the /64 that one IPv6 customer has at least.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::{Duration, Instant};

    use super::{
        Attempts, FORGOTTEN_AFTER, FREE_HERE, FREE_OF_ACCOUNT, FREE_OF_SOURCE, REMEMBERED_MAX, WAIT_HERE_MAX, WAIT_MAX,
    };

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn elsewhere(n: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n))
    }

    /// Tries until `count` tries were let in, as soon as each is, and gives the time then.
    fn fail(attempts: &Attempts, account: &str, source: IpAddr, count: u32, mut now: Instant) -> Instant {
        for _ in 0..count {
            while let Err(wait) = attempts.begin(account, source, now) {
                now += wait;
            }
        }
        now
    }

    #[test]
    fn waits_longer_each_time_and_only_there() {
        let attempts = Attempts::default();
        let now = fail(&attempts, "ada", HERE, FREE_HERE, Instant::now());
        assert_eq!(attempts.begin("ada", HERE, now), Err(Duration::from_secs(1)));
        assert_eq!(attempts.begin("ada", HERE, now), Err(Duration::from_secs(1)), "who is refused is not counted");
        let now = now + Duration::from_secs(1);
        assert_eq!(attempts.begin("ada", HERE, now), Ok(()));
        assert_eq!(attempts.begin("ada", HERE, now), Err(Duration::from_secs(2)));
        assert_eq!(attempts.begin("bob", HERE, now), Ok(()));
        assert_eq!(attempts.begin("ada", elsewhere(1), now), Ok(()));
        let now = fail(&attempts, "ada", HERE, 20, now);
        assert_eq!(attempts.begin("ada", HERE, now), Err(WAIT_HERE_MAX));
        attempts.succeeded("ada", HERE, now);
        assert_eq!(attempts.begin("ada", HERE, now), Ok(()));
    }

    #[test]
    fn one_source_can_not_try_many_names() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..FREE_OF_SOURCE {
            assert_eq!(attempts.begin(&n.to_string(), HERE, now), Ok(()));
        }
        assert_eq!(attempts.begin("one more", HERE, now), Err(Duration::from_secs(1)));
        assert_eq!(attempts.begin("one more", elsewhere(1), now), Ok(()));
        let six = |text: &str| text.parse::<IpAddr>().expect("an address");
        for n in 0..FREE_OF_SOURCE {
            assert_eq!(attempts.begin(&n.to_string(), six(&format!("2001:db8::{n:x}")), now), Ok(()));
        }
        attempts.begin("one more", six("2001:db8::ffff:ffff"), now).expect_err("the same network");
        assert_eq!(attempts.begin("one more", six("2001:db8:0:1::1"), now), Ok(()));
    }

    #[test]
    fn many_sources_can_not_try_one_name_and_not_lock_out_its_owner() {
        let attempts = Attempts::default();
        let mut now = Instant::now();
        attempts.begin("ada", HERE, now).expect("the first");
        attempts.succeeded("ada", HERE, now);
        for n in 0..FREE_OF_ACCOUNT + 20 {
            now = fail(&attempts, "ada", elsewhere(n), 1, now);
        }
        assert_eq!(attempts.begin("ada", elsewhere(1000), now), Err(WAIT_MAX), "never longer than a minute");
        assert_eq!(attempts.begin("bob", elsewhere(1000), now), Ok(()));
        assert_eq!(attempts.begin("ada", HERE, now), Ok(()), "where she logged in before");
    }

    #[test]
    fn logging_in_does_not_wash_a_source_clean() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..FREE_OF_SOURCE {
            attempts.begin("mallory", HERE, now).expect("her own account");
            attempts.succeeded("mallory", HERE, now);
            assert_eq!(attempts.begin(&n.to_string(), HERE, now), Ok(()));
        }
        attempts.begin("one more", HERE, now).expect_err("too many names");
    }

    #[test]
    fn forgets_after_a_while_and_never_grows_beyond_its_bound() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..u32::try_from(REMEMBERED_MAX).expect("a small number") + 50 {
            attempts.begin(&n.to_string(), elsewhere(n), now).expect("all are new");
            attempts.succeeded(&n.to_string(), elsewhere(n), now);
            attempts.begin(&n.to_string(), elsewhere(n), now).expect("all are new");
        }
        {
            let books = attempts.0.lock().expect("not poisoned");
            let sizes = [
                books.here.failures.len(),
                books.sources.failures.len(),
                books.accounts.failures.len(),
                books.known.len(),
            ];
            assert_eq!(sizes, [REMEMBERED_MAX; 4]);
        }
        let now = fail(&attempts, "ada", HERE, FREE_HERE + 3, now);
        attempts.begin("ada", HERE, now).expect_err("too many");
        assert_eq!(attempts.begin("ada", HERE, now + FORGOTTEN_AFTER), Ok(()));
    }
}
