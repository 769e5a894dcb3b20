//! Who may be connected.
//!
//! Three limits, from the outside in: connections in all (further ones wait in the kernel's queue), connections from one source
//! (further ones are closed), and among these the ones that have proved nothing yet. A source whose handshakes or
//! registrations keep failing is shut out for a while, longer each time: failures leak away at [`LEAK_EVERY`], so that it takes
//! more than one each three seconds. It is not shut out while an enrolled agent is connected from it: behind one address there may be a
//! whole company, and one of its machines must not lock out the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::SecurityMetrics;

/// Failures that a source may have at once.
const STRIKES_MAX: u32 = 50;
/// One failure is forgotten each time this has passed.
const LEAK_EVERY: Duration = Duration::from_secs(3);
/// How long a source is shut out the first time; each further time doubles it.
const SHUT_FIRST: Duration = Duration::from_secs(30);
const SHUT_MAX: Duration = Duration::from_mins(10);
/// Sources with failures that are remembered. Beyond that nobody new is shut out, and the other limits have to do.
const SOURCES_MAX: usize = 65_536;
/// With so many handshakes under way, a slow one may be our own doing.
const BUSY_HANDSHAKES: usize = 256;
/// Things of which one source has only so many at a time, here checks of enrollment tokens, each worth some 50 ms of a processor.
const TURNS: usize = 2;
/// And so many that wait for their turn.
const TURNS_WAITING_MAX: usize = 256;

/// How many may be connected to one door.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// In all.
    pub connections_max: usize,
    /// From one source.
    pub per_source_max: usize,
    /// From one source, of those that have proved nothing yet.
    pub unproved_per_source_max: usize,
}

impl Limits {
    /// Unless told, one source may have three quarters of all, and an eighth may have proved nothing.
    pub fn new(connections_max: usize, per_source_max: Option<usize>) -> Self {
        let per_source_max = per_source_max.unwrap_or(connections_max - connections_max / 4).min(connections_max);
        Self {
            connections_max,
            per_source_max,
            unproved_per_source_max: (connections_max / 8).clamp(1, per_source_max),
        }
    }
}

/// What the gate has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that are open.
    pub open: u64,
    /// Let in since the start.
    pub accepted: u64,
    /// Closed at once since the start, as their source had enough or was shut out.
    pub turned_away: u64,
    /// Handshakes and registrations that failed since the start.
    pub failed: u64,
}

/// One door's gate.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    places: Arc<Semaphore>,
    sources: Mutex<HashMap<Source, State>>,
    unproved: AtomicUsize,
    accepted: AtomicU64,
    turned_away: AtomicU64,
    failed: AtomicU64,
    metrics: Option<(&'static str, SecurityMetrics)>,
}

/// An IPv4 address (as mapped), or the first half of an IPv6 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Source(u128);

impl Source {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(v4.to_ipv6_mapped().to_bits()),
            IpAddr::V6(v6) => Self(v6.to_bits() & (u128::MAX << 64)),
        }
    }
}

#[derive(Debug)]
struct State {
    open: usize,
    unproved: usize,
    /// Enrolled agents among the open ones.
    vouched: usize,
    strikes: u32,
    /// When the oldest of these leaked last.
    leaked_at: Instant,
    shut_until: Option<Instant>,
    times_shut: u32,
    turns: Arc<Semaphore>,
    waiting: usize,
}

impl State {
    fn new(now: Instant) -> Self {
        Self {
            open: 0,
            unproved: 0,
            vouched: 0,
            strikes: 0,
            leaked_at: now,
            shut_until: None,
            times_shut: 0,
            turns: Arc::new(Semaphore::new(TURNS)),
            waiting: 0,
        }
    }

    fn leak(&mut self, now: Instant) {
        let leaks = u32::try_from(now.saturating_duration_since(self.leaked_at).as_secs() / LEAK_EVERY.as_secs());
        let leaks = leaks.unwrap_or(u32::MAX);
        self.strikes = self.strikes.saturating_sub(leaks);
        self.leaked_at = if self.strikes == 0 { now } else { self.leaked_at + LEAK_EVERY * leaks };
    }

    fn is_shut(&self, now: Instant) -> bool {
        self.vouched == 0 && self.shut_until.is_some_and(|until| until > now)
    }

    /// Whether nothing is lost when it is forgotten.
    fn is_blank(&mut self, now: Instant) -> bool {
        self.leak(now);
        // How often it was shut out is remembered as long again as it was shut out the last time.
        let punished = self.shut_until.is_some_and(|until| until + shut_for(self.times_shut) > now);
        self.open == 0 && self.waiting == 0 && self.strikes == 0 && !punished
    }
}

fn shut_for(times: u32) -> Duration {
    SHUT_FIRST.saturating_mul(1 << times.saturating_sub(1).min(16)).min(SHUT_MAX)
}

impl Gate {
    /// With nobody inside.
    pub fn new(limits: Limits) -> Arc<Self> {
        Self::with(limits, None)
    }

    /// With nobody inside; how connections begin is counted for the door of that name.
    pub fn counted(limits: Limits, door: &'static str, metrics: SecurityMetrics) -> Arc<Self> {
        Self::with(limits, Some((door, metrics)))
    }

    fn with(limits: Limits, metrics: Option<(&'static str, SecurityMetrics)>) -> Arc<Self> {
        Arc::new(Self {
            limits,
            metrics,
            places: Arc::new(Semaphore::new(limits.connections_max)),
            sources: Mutex::default(),
            unproved: AtomicUsize::new(0),
            accepted: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        })
    }

    /// What it has seen.
    pub fn counts(&self) -> Counts {
        Counts {
            open: (self.limits.connections_max - self.places.available_permits()) as u64,
            accepted: self.accepted.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    /// Counts how a connection began; see [`SecurityMetrics::connection`].
    pub(super) fn note(&self, result: &'static str) {
        if let Some((door, metrics)) = &self.metrics {
            metrics.connection(door, result);
        }
    }

    /// Waits for room among all connections.
    pub async fn permit(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Lets a connection in, or says why not.
    ///
    /// # Errors
    /// Why not, in words for the log.
    pub fn enter(self: &Arc<Self>, address: IpAddr, permit: OwnedSemaphorePermit) -> Result<Arc<Place>, &'static str> {
        let (source, now) = (Source::of(address), Instant::now());
        let mut sources = self.lock();
        let state = sources.entry(source).or_insert_with(|| State::new(now));
        let refusal = if state.is_shut(now) {
            Some("its source is shut out for a while")
        } else if state.open >= self.limits.per_source_max {
            Some("its source has as many connections as it may")
        } else if state.unproved >= self.limits.unproved_per_source_max {
            Some("its source has as many unproved connections as it may")
        } else {
            None
        };
        if let Some(why) = refusal {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            self.note("penalised");
            return Err(why);
        }
        state.open += 1;
        state.unproved += 1;
        drop(sources);
        self.unproved.fetch_add(1, Ordering::Relaxed);
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Place {
            gate: Arc::clone(self),
            source,
            proved: AtomicBool::new(false),
            vouched: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            idle_since: Mutex::new(now),
            _permit: permit,
        }))
    }

    fn strike(&self, source: Source, weight: u32, now: Instant) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut sources = self.lock();
        if sources.len() >= SOURCES_MAX {
            sources.retain(|_, state| !state.is_blank(now));
        }
        if sources.len() >= SOURCES_MAX && !sources.contains_key(&source) {
            return;
        }
        let state = sources.entry(source).or_insert_with(|| State::new(now));
        state.leak(now);
        state.strikes = state.strikes.saturating_add(weight);
        if state.strikes > STRIKES_MAX {
            state.times_shut += 1;
            let shut_for = shut_for(state.times_shut);
            state.shut_until = Some(now + shut_for);
            state.strikes = 0;
            // At most one line per source and penalty.
            if state.vouched == 0 {
                tracing::warn!(
                    peer.address = %shown(source),
                    shut_for_s = shut_for.as_secs(),
                    "handshakes or registrations from this address keep failing; it is shut out for a while"
                );
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Source, State>> {
        // Every update is a few plain assignments, so a panic elsewhere leaves nothing half done.
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(source: Source) -> IpAddr {
    IpAddr::V6(source.0.into()).to_canonical()
}

/// A connection's place inside; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    gate: Arc<Gate>,
    source: Source,
    proved: AtomicBool,
    vouched: AtomicBool,
    /// Calls and requests that are under way.
    asked: AtomicUsize,
    idle_since: Mutex<Instant>,
    _permit: OwnedSemaphorePermit,
}

/// Something is asked on a connection, until this is dropped.
#[derive(Debug)]
pub struct Busy(Arc<Place>);

/// No turn: too many from the same source wait already.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many of these from one address at a time")]
pub struct TurnError;

/// The right to have something costly done, until this is dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// The peer showed a certificate of ours, or brought a sound request.
    pub fn proved(&self) {
        if !self.proved.swap(true, Ordering::Relaxed) {
            self.gate.unproved.fetch_sub(1, Ordering::Relaxed);
            if let Some(state) = self.gate.lock().get_mut(&self.source) {
                state.unproved -= 1;
            }
        }
    }

    /// The peer is an enrolled agent that was let in: its source is not shut out while it is here.
    pub fn vouch(&self) {
        if !self.vouched.swap(true, Ordering::Relaxed)
            && let Some(state) = self.gate.lock().get_mut(&self.source)
        {
            state.vouched += 1;
        }
    }

    /// Something failed that fails for nobody who means well, this heavy; see [`STRIKES_MAX`].
    pub fn strike(&self, weight: u32) {
        self.gate.strike(self.source, weight, Instant::now());
    }

    /// A handshake took too long. When many are under way, that may be our own doing.
    pub(super) fn too_slow(&self) {
        if self.gate.unproved.load(Ordering::Relaxed) < BUSY_HANDSHAKES {
            self.strike(1);
        }
    }

    /// Something is asked on the connection.
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Counts how it began; see [`SecurityMetrics::connection`].
    pub(super) fn note(&self, result: &'static str) {
        self.gate.note(result);
    }

    /// Since when nothing is asked on the connection; `None`: something is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let idle_since = *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner);
        (self.asked.load(Ordering::Relaxed) == 0).then_some(idle_since)
    }

    /// Whether the peer has proved something.
    pub(super) fn is_proved(&self) -> bool {
        self.proved.load(Ordering::Relaxed)
    }

    /// Waits for the source's turn to have something costly done.
    ///
    /// # Errors
    /// [`TurnError`], at once.
    pub async fn turn(&self) -> Result<Turn, TurnError> {
        let turns = {
            let mut sources = self.gate.lock();
            let state = sources.get_mut(&self.source).ok_or(TurnError)?;
            if state.waiting >= TURNS_WAITING_MAX {
                return Err(TurnError);
            }
            state.waiting += 1;
            Arc::clone(&state.turns)
        };
        // Also when the caller stops waiting.
        let _waiting = Waiting(self);
        Ok(Turn { _permit: turns.acquire_owned().await.expect("the semaphore is never closed") })
    }
}

struct Waiting<'a>(&'a Place);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(state) = self.0.gate.lock().get_mut(&self.0.source) {
            state.waiting -= 1;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.asked.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.proved();
        let mut sources = self.gate.lock();
        if let Some(state) = sources.get_mut(&self.source) {
            state.open -= 1;
            if *self.vouched.get_mut() {
                state.vouched -= 1;
            }
            if state.is_blank(Instant::now()) {
                sources.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests;
