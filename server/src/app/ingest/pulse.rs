//! Whether the writer gets on: what the watchdog asks.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the writer can be at, one beside the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Puts batches into a transaction.
    Filling = 0,
    /// Waits for a COMMIT.
    Committing = 1,
}

#[derive(Debug, Default)]
struct State {
    /// It returned or panicked.
    ended: bool,
    /// Since when it is at a stage.
    since: [Option<Instant>; 2],
}

/// The writer's pulse, written by it and read by others.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<State>);

/// Held by the writer as long as it lives.
#[derive(Debug)]
pub struct Life<'a>(&'a Pulse);

impl Drop for Life<'_> {
    fn drop(&mut self) {
        self.0.state().ended = true;
    }
}

/// Held by the writer while it is at a stage.
#[derive(Debug)]
pub struct AtWork<'a>(&'a Pulse, Stage);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.state().since[self.1 as usize] = None;
    }
}

impl Pulse {
    /// The writer begins; it has ended when the value is dropped, also by a panic.
    pub fn begin(&self) -> Life<'_> {
        *self.state() = State::default();
        Life(self)
    }

    /// The writer is at a stage until the value is dropped.
    pub fn work(&self, stage: Stage) -> AtWork<'_> {
        self.state().since[stage as usize] = Some(Instant::now());
        AtWork(self, stage)
    }

    /// Whether the writer has ended.
    pub fn ended(&self) -> bool {
        self.state().ended
    }

    /// How long the writer has been at the oldest of its present work.
    pub fn busy_for(&self, now: Instant) -> Option<Duration> {
        let oldest = self.state().since.iter().flatten().min().copied();
        oldest.map(|since| now.saturating_duration_since(since))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
