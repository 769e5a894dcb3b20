//! Whether the writer gets on: what the watchdog asks.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the writer does at this moment.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Not started yet, or waiting for batches.
    #[default]
    Idle,
    /// In a transaction since then.
    Busy(Instant),
    /// It returned or panicked.
    Ended,
}

/// The writer's pulse, written by it and read by others.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<State>);

/// Held by the writer as long as it lives.
#[derive(Debug)]
pub struct Life<'a>(&'a Pulse);

impl Drop for Life<'_> {
    fn drop(&mut self) {
        self.0.set(State::Ended);
    }
}

impl Pulse {
    /// The writer begins; it has ended when the value is dropped, also by a panic.
    pub fn begin(&self) -> Life<'_> {
        self.set(State::Idle);
        Life(self)
    }

    /// The writer has work.
    pub fn busy(&self) {
        self.set(State::Busy(Instant::now()));
    }

    /// The writer waits for work.
    pub fn idle(&self) {
        self.set(State::Idle);
    }

    /// Whether the writer has ended.
    pub fn ended(&self) -> bool {
        matches!(self.get(), State::Ended)
    }

    /// How long the writer has been at its present work.
    pub fn busy_for(&self, now: Instant) -> Option<Duration> {
        match self.get() {
            State::Busy(since) => Some(now.saturating_duration_since(since)),
            State::Idle | State::Ended => None,
        }
    }

    fn get(&self) -> State {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
