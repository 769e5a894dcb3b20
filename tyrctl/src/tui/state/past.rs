//! The held picture, and how it looked some seconds earlier.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::tui::state::ui::Page;
use crate::tui::state::{Data, State};
use crate::tui::theme::Role;

/// A picture that is held.
#[derive(Debug)]
pub(super) struct Frozen {
    /// All that was known when it was taken.
    full: Data,
    /// What of it was there at `at`.
    pub(super) data: Data,
    /// Server's clock when it was taken.
    held: Option<Timestamp>,
    /// Server's clock of what is shown.
    pub(super) at: Option<Timestamp>,
}

impl Frozen {
    fn new(data: Data, clock: Option<Timestamp>) -> Self {
        Self { full: data.clone(), data, held: clock, at: clock }
    }

    fn show(&mut self, at: Timestamp) {
        self.at = Some(at);
        self.data = if self.held == Some(at) { self.full.clone() } else { self.full.at(at) };
    }
}

impl Data {
    /// What of it was there at an instant of the server's clock. Of agents only the newest word is kept: one that was heard from
    /// later has no known age then.
    fn at(&self, at: Timestamp) -> Self {
        Self {
            fleet: self.fleet.at(),
            events: self.events.at(at),
            drifts: self.drifts.at(at),
            alerts: self.alerts.at(at),
            rates: self.rates.at(at.as_second()),
            lost: self.lost,
            dropped: self.dropped,
            version: self.version.clone(),
        }
    }

    /// The oldest instant of which something is held.
    fn oldest(&self) -> Option<Timestamp> {
        let event = self.events.oldest();
        let second = self.rates.oldest().and_then(|second| Timestamp::from_second(second).ok());
        event.into_iter().chain(second).min()
    }
}

impl State {
    /// Whether the picture is held, and how many events came in after what it shows.
    pub fn frozen(&self) -> Option<u64> {
        self.frozen.as_ref().map(|frozen| self.live.events.taken() - frozen.data.events.taken())
    }

    /// By how many seconds what is shown is older than the held picture.
    pub fn stepped_back(&self) -> i64 {
        let Some(frozen) = &self.frozen else { return 0 };
        match (frozen.held, frozen.at) {
            (Some(held), Some(at)) => held.duration_since(at).as_secs(),
            _ => 0,
        }
    }

    pub(super) fn freeze(&mut self) {
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => Some(Box::new(Frozen::new(self.live.clone(), self.clock))),
        };
        self.relist();
    }

    /// Looks that many seconds later, or earlier; holds the picture first.
    pub(super) fn step_time(&mut self, seconds: i64) {
        if self.clock.is_none() {
            self.say("there is nothing to look back at yet", Role::Warn);
            return;
        }
        if self.frozen.is_none() {
            self.freeze();
        }
        let present = self.link.server_now(self.now);
        let Some(frozen) = &mut self.frozen else { return };
        let Some(target) = frozen.at.and_then(|at| at.checked_add(SignedDuration::from_secs(seconds)).ok()) else {
            return;
        };
        if frozen.held.is_none_or(|held| target > held) && present > frozen.held {
            // Beyond the held picture there may be a newer one.
            **frozen = Frozen::new(self.live.clone(), present);
        }
        let newest = frozen.held.unwrap_or(target);
        let oldest = frozen.full.oldest().unwrap_or(newest).min(newest);
        frozen.show(target.clamp(oldest, newest));
        if target > newest {
            let key = self.keys.first(crate::tui::input::Action::Freeze);
            self.say(format!("this is the newest that came in ({key} goes on live)"), Role::Normal);
        } else if target < oldest {
            self.say("this is the oldest that is held here; the server has more", Role::Normal);
        }
        // Where a row had been selected it may not be there yet; the newest of that time is what one wants to see.
        self.events.follow();
        self.drifts.follow();
        if let Some(Page::Agent(page)) = self.pages.last_mut() {
            page.events.follow();
            page.drifts.follow();
        }
        self.relist();
    }

    /// Looks at the picture of so long ago.
    pub(super) fn look_back(&mut self, ago: SignedDuration) {
        if self.frozen.is_some() {
            self.freeze();
        }
        self.step_time(ago.as_secs().saturating_neg());
    }
}

/// Takes the server's word on an agent's liveness back: it was said later than what is shown, and the age decides alone.
pub(super) fn without_word(mut agent: Arc<tyr_api::agents::Agent>) -> Arc<tyr_api::agents::Agent> {
    if agent.liveness != tyr_api::agents::Liveness::Online {
        Arc::make_mut(&mut agent).liveness = tyr_api::agents::Liveness::Online;
    }
    agent
}
